//! `runner exec x.y --help`: help made from an action's metadata.

use runner_pack::{Parameter, Parameters};
use serde_json::Value;

use crate::app::App;
use crate::offer::Offer;
use crate::output::{one_line, printable, table};

/// Shows it.
pub(crate) fn show(app: &App, action: &Offer) {
    if app.output.json {
        app.output.value(&action.described);
        return;
    }
    let mut text = format!("{}\n", action.reference);
    if !action.description().is_empty() {
        text.push_str(&format!("\n{}\n", printable(action.description().trim())));
    }
    let required: Vec<_> = action.parameters.iter().filter(|parameter| parameter.required).collect();
    let usage: String = required.iter().map(|parameter| format!(" {}=…", parameter.name)).collect();
    let more = if action.parameters.len() > required.len() { " [name=value]…" } else { "" };
    text.push_str(&format!("\nUsage: runner exec {}{usage}{more} [options]\n", action.reference));
    if action.parameters.is_empty() {
        text.push_str("\nIt takes no parameters.\n");
    } else {
        text.push_str(&format!("\nParameters:\n{}\n", indented(&parameters(app, &action.parameters))));
        let values: String = examples(&action.parameters).iter().map(|example| format!(" {example}")).collect();
        text.push_str(&format!("\nExample:\n  runner exec {}{values}\n", action.reference));
    }
    text.push_str("\nSee `runner exec --help` for the options and for other ways to pass a value.");
    app.output.line(text);
}

/// The parameters of an action as a table.
pub(crate) fn parameters(app: &App, parameters: &Parameters) -> String {
    let row = |parameter: &Parameter| {
        let required = if parameter.required { "yes" } else { "" };
        let default = parameter.default.as_ref().map(|value| one_line(&value.to_string(), 40)).unwrap_or_default();
        vec![parameter.name.clone(), parameter.kind.to_string(), required.to_owned(), default, about(parameter)]
    };
    table(&app.output, &["name", "type", "required", "default", "description"], parameters.iter().map(row))
}

/// What a parameter is for, its values and its peculiarities.
fn about(parameter: &Parameter) -> String {
    let mut about = one_line(parameter.description.as_deref().unwrap_or_default(), 400);
    let mut remarks = Vec::new();
    if !parameter.enum_values.is_empty() {
        let values: Vec<_> = parameter.enum_values.iter().map(plain).collect();
        remarks.push(format!("one of {}", values.join(", ")));
    }
    if parameter.secret {
        remarks.push("secret".to_owned());
    }
    if parameter.immutable {
        remarks.push("immutable".to_owned());
    }
    if !remarks.is_empty() {
        about = format!("{about} ({})", remarks.join("; ")).trim_start().to_owned();
    }
    about
}

/// A value for each required parameter, or for the first one.
fn examples(parameters: &Parameters) -> Vec<String> {
    let required = parameters.iter().filter(|parameter| parameter.required);
    let mut shown: Vec<_> = required.collect();
    if shown.is_empty() {
        shown.extend(parameters.iter().next());
    }
    shown.into_iter().map(example).collect()
}

fn example(parameter: &Parameter) -> String {
    use runner_pack::ParameterKind as Kind;
    let name = &parameter.name;
    if let Some(value) = parameter.enum_values.first().or(parameter.default.as_ref()).filter(|value| !value.is_object())
    {
        return format!("{name}={}", quoted(&plain(value)));
    }
    match parameter.kind {
        Kind::String | Kind::Any => format!("{name}=text"),
        Kind::Integer => format!("{name}=3"),
        Kind::Number => format!("{name}=1.5"),
        Kind::Boolean => format!("{name}=true"),
        Kind::Array => format!("{name}=a,b"),
        Kind::Object => format!("{name}:='{{\"key\": \"value\"}}'"),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// As a shell needs it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | ',' | '@' | '%' | '+');
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// Two columns to the right.
pub(crate) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
