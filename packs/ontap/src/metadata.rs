//! The metadata files, and the list of actions in the README, as the table makes them.

use std::fmt::Write as _;

use runner_sdk::prelude::Value;

use crate::action::{self, Does};
use crate::field::{Field, Kind};

/// `actions/<name>.yaml`.
pub(crate) fn yaml(does: &Does) -> String {
    let mut text =
        format!("name: {}\ndescription: {}\nrunner_type: wasm\nparameters:\n", does.name(), scalar(&does.about()));
    let mut position = 0;
    for field in does.parameters() {
        parameter(&mut text, &field, &mut position);
    }
    text.push_str("output_schema:\n");
    block(&mut text, &does.output(), 1);
    if does.is_idempotent() {
        text.push_str("idempotent: true\n");
    }
    let _ = writeln!(text, "timeout: {}", does.timeout());
    text
}

fn parameter(text: &mut String, field: &Field, position: &mut u32) {
    let _ = writeln!(text, "  {}:", field.name);
    let mut schema = field.schema();
    // In this order, so that a person finds the type first.
    for key in ["type", "enum", "items", "anyOf", "description", "default"] {
        let Some(value) = schema.as_object_mut().and_then(|schema| schema.remove(key)) else { continue };
        let _ = match value {
            Value::String(word) => writeln!(text, "    {key}: {}", scalar(&word)),
            other => writeln!(text, "    {key}: {}", flow(&other)),
        };
    }
    assert_eq!(
        schema,
        Value::Object(runner_sdk::serde_json::Map::new()),
        "`{}` has a keyword that is not written",
        field.name
    );
    if field.required {
        text.push_str("    required: true\n");
    }
    if field.secret {
        text.push_str("    secret: true\n");
    }
    let given_by_place = field.required || (*position == 0 && field.name == "name");
    if given_by_place && !matches!(field.kind, Kind::Object | Kind::Objects) {
        let _ = writeln!(text, "    position: {position}");
        *position += 1;
    }
}

/// A map over several lines.
fn block(text: &mut String, value: &Value, depth: usize) {
    let Some(map) = value.as_object() else { return };
    let indent = "  ".repeat(depth);
    let order = ["type", "description"];
    let first = order.iter().filter_map(|key| map.get_key_value(*key));
    let rest = map.iter().filter(|(key, _)| !order.contains(&key.as_str()));
    for (key, value) in first.chain(rest) {
        let _ = match value {
            Value::String(word) => writeln!(text, "{indent}{key}: {}", scalar(word)),
            Value::Object(_) => {
                let _ = writeln!(text, "{indent}{key}:");
                block(text, value, depth + 1);
                Ok(())
            }
            other => writeln!(text, "{indent}{key}: {}", flow(other)),
        };
    }
}

/// A text without quotes where that is one in YAML, too.
fn scalar(text: &str) -> String {
    let plain_start = text.chars().next().is_some_and(char::is_alphabetic);
    let word = matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off");
    let plain = plain_start
        && !word
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains("<%")
        && !text.ends_with(':');
    if plain { text.to_owned() } else { Value::from(text).to_string() }
}

/// A value on one line: JSON is YAML.
fn flow(value: &Value) -> String {
    value.to_string()
}

/// The README's table of actions.
pub(crate) fn table() -> String {
    let mut text = String::from("| action | does | parameters |\n|---|---|---|\n");
    for does in action::all() {
        let parameters = does.parameters();
        let own = parameters
            .iter()
            .filter(|field| !matches!(field.name, "connection" | "return_timeout" | "on_difference" | "only_if"));
        let names: Vec<_> = own
            .map(|field| if field.required { format!("**{}**", field.name) } else { field.name.to_owned() })
            .collect();
        let _ = writeln!(text, "| `{}` | {} | {} |", does.name(), does.about().replace('|', "\\|"), names.join(" "));
    }
    text
}
