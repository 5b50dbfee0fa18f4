//! `runner action`: what there is to run.

use clap::{Args, Subcommand};
use runner_model::PackRef;
use runner_pack::{Action, Body};
use serde_json::{Value, json};

use super::exec;
use super::exec::{indented, parameter_table};
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{count, one_line, printable, table};

/// List actions and workflows, or show one
#[derive(Debug, Args)]
pub(crate) struct ActionCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List actions and workflows
    List {
        /// Only those of this pack
        #[arg(long, value_name = "PACK")]
        pack: Option<String>,
    },
    /// Show an action or a workflow
    Get {
        /// Which: `pack.action`
        action: String,
    },
}

impl ActionCommand {
    /// Does it.
    pub(crate) fn run(&self, app: &App) -> Result<Exit, CliError> {
        match &self.what {
            What::List { pack } => list(app, pack.as_deref())?,
            What::Get { action } => get(app, &*exec::find(app, action)?),
        }
        Ok(Exit::Succeeded)
    }
}

fn list(app: &App, pack: Option<&str>) -> Result<(), CliError> {
    let (library, _) = app.library();
    if let Some(pack) = pack.filter(|pack| library.pack(pack).is_none()) {
        return Err(super::pack::unknown(app, pack));
    }
    let wanted = |reference: &PackRef| pack.is_none_or(|pack| reference.as_str() == pack);
    let packs = library.packs().filter(|pack| wanted(pack.reference()));
    let actions: Vec<_> = packs.flat_map(|pack| pack.actions.values()).collect();
    if app.output.json {
        let all: Vec<_> = actions.iter().map(|action| describe(action)).collect();
        app.output.value(&all);
        return Ok(());
    }
    let row = |action: &&std::sync::Arc<Action>| {
        let mut about = one_line(first_sentence(&action.description), 100);
        if !action.enabled {
            about.push_str(" (disabled)");
        }
        vec![action.reference.to_string(), kind(action).to_owned(), about]
    };
    app.output.line(table(&app.output, &["action", "kind", "description"], actions.iter().map(row)));
    Ok(())
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.')
}

fn get(app: &App, action: &Action) {
    if app.output.json {
        return app.output.value(&describe(action));
    }
    let mut lines = vec![action.reference.to_string(), String::new()];
    if !action.description.is_empty() {
        lines.extend([printable(action.description.trim()), String::new()]);
    }
    let mut fact = |name: &str, value: String| lines.push(format!("{name:<12} {value}"));
    fact("kind", body(action));
    fact("enabled", action.enabled.to_string());
    fact("idempotent", action.idempotent.to_string());
    if let Some(timeout) = action.timeout {
        fact("timeout", format!("{} s", timeout.as_secs_f64()));
    }
    if !action.tags.is_empty() {
        let tags = action.tags.iter();
        let word = |tag: &runner_pack::Tag| {
            if tag.value.is_empty() { tag.name.clone() } else { format!("{}={}", tag.name, tag.value) }
        };
        fact("tags", tags.map(word).collect::<Vec<_>>().join(", "));
    }
    fact("source", action.source.display().to_string());
    if !action.parameters.is_empty() {
        lines.extend([String::new(), "Parameters:".to_owned(), indented(&parameter_table(app, action))]);
    }
    if let Some(schema) = &action.output_schema {
        let schema = serde_json::to_string_pretty(schema).unwrap_or_default();
        lines.extend([String::new(), "Result:".to_owned(), indented(&printable(&schema))]);
    }
    app.output.line(lines.join("\n"));
}

const fn kind(action: &Action) -> &'static str {
    match action.body {
        Body::Wasm { .. } => "wasm",
        Body::Noop => "noop",
        Body::Inquiry => "inquiry",
        Body::WaitFor => "wait_for",
        Body::Workflow(_) => "workflow",
    }
}

fn body(action: &Action) -> String {
    match &action.body {
        Body::Wasm { component, function } => format!("wasm ({component}#{function})"),
        Body::Noop | Body::Inquiry | Body::WaitFor => kind(action).to_owned(),
        Body::Workflow(plan) => {
            format!("workflow ({})", count(plan.tasks().len(), "task"))
        }
    }
}

/// An action as JSON.
pub(crate) fn describe(action: &Action) -> Value {
    let tags: Vec<_> = action.tags.iter().map(|tag| json!({ "name": tag.name, "value": tag.value })).collect();
    let mut described = json!({
        "ref": action.reference,
        "pack": action.reference.pack(),
        "name": action.reference.name(),
        "description": action.description,
        "enabled": action.enabled,
        "runner_type": kind(action),
        "idempotent": action.idempotent,
        "timeout": action.timeout.map(|timeout| timeout.as_secs_f64()),
        "tags": tags,
        "parameters": action.parameters.json_schema(),
        "output_schema": action.output_schema,
        "source": action.source,
    });
    if let (Body::Wasm { component, function }, Some(map)) = (&action.body, described.as_object_mut()) {
        map.insert("entry_point".to_owned(), format!("{component}#{function}").into());
    }
    described
}
