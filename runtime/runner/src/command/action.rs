//! `runner action`: what there is to run.

use clap::{Args, Subcommand};
use runner_model::PackRef;
use serde_json::Value;

use super::exec;
use super::exec::{indented, parameter_table};
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::offer::{Offer, offered, offers};
use crate::output::{one_line, printable, table};
use crate::remote::Remote;

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
    pub(crate) async fn run(&self, app: &App) -> Result<Exit, CliError> {
        match (&self.what, &app.remote) {
            (What::List { pack }, None) => list(app, &here(app, pack.as_deref())?),
            (What::List { pack }, Some(remote)) => list(app, &there(remote, pack.as_deref()).await?),
            (What::Get { action }, None) => get(app, &Offer::of(&*exec::find(app, action)?)),
            (What::Get { action }, Some(remote)) => get(app, &offered(remote, action).await?),
        }
        Ok(Exit::Succeeded)
    }
}

/// What the packs of this machine offer.
fn here(app: &App, pack: Option<&str>) -> Result<Vec<Offer>, CliError> {
    let (library, _) = app.library();
    if let Some(pack) = pack.filter(|pack| library.pack(pack).is_none()) {
        return Err(super::pack::unknown(app, pack));
    }
    let wanted = |reference: &PackRef| pack.is_none_or(|pack| reference.as_str() == pack);
    let packs = library.packs().filter(|pack| wanted(pack.reference()));
    Ok(packs.flat_map(|pack| pack.actions.values()).map(|action| Offer::of(action)).collect())
}

/// What a daemon offers.
async fn there(remote: &Remote, pack: Option<&str>) -> Result<Vec<Offer>, CliError> {
    if let Some(pack) = pack {
        super::pack::check_there(remote, pack).await?;
    }
    offers(remote, pack).await
}

fn list(app: &App, actions: &[Offer]) {
    if app.output.json {
        return app.output.value(&actions.iter().map(|action| &action.described).collect::<Vec<_>>());
    }
    let row = |action: &Offer| {
        let mut about = one_line(first_sentence(action.description()), 100);
        if !action.flag("enabled") {
            about.push_str(" (disabled)");
        }
        vec![action.reference.to_string(), action.kind().to_owned(), about]
    };
    app.output.line(table(&app.output, &["action", "kind", "description"], actions.iter().map(row)));
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.')
}

fn get(app: &App, action: &Offer) {
    if app.output.json {
        return app.output.value(&action.described);
    }
    let mut lines = vec![action.reference.to_string(), String::new()];
    if !action.description().is_empty() {
        lines.extend([printable(action.description().trim()), String::new()]);
    }
    let mut fact = |name: &str, value: String| lines.push(format!("{name:<12} {value}"));
    fact("kind", body(action));
    fact("enabled", action.flag("enabled").to_string());
    let condition = action.described.get("idempotent_where").and_then(Value::as_object);
    let condition = condition.into_iter().flatten().map(|(name, values)| format!("{name} is one of {values}"));
    let condition: Vec<_> = condition.collect();
    fact(
        "idempotent",
        match condition.as_slice() {
            [] => action.flag("idempotent").to_string(),
            conditions => printable(&format!("where {}", conditions.join(" and "))),
        },
    );
    if let Some(timeout) = action.described.get("timeout").and_then(Value::as_f64) {
        fact("timeout", format!("{timeout} s"));
    }
    let tags = tags(action);
    if !tags.is_empty() {
        fact("tags", printable(&tags));
    }
    fact("source", printable(action.text("source")));
    if !action.parameters.is_empty() {
        lines.extend([String::new(), "Parameters:".to_owned(), indented(&parameter_table(app, &action.parameters))]);
    }
    if let Some(schema) = action.described.get("output_schema").filter(|schema| !schema.is_null()) {
        let schema = serde_json::to_string_pretty(schema).unwrap_or_default();
        lines.extend([String::new(), "Result:".to_owned(), indented(&printable(&schema))]);
    }
    app.output.line(lines.join("\n"));
}

/// What runs it, and where that is.
fn body(action: &Offer) -> String {
    match action.text("entry_point") {
        "" => action.kind().to_owned(),
        place => format!("{} ({place})", action.kind()),
    }
}

/// Labels: `name`, or `name=value`.
fn tags(action: &Offer) -> String {
    let tags = action.described.get("tags").and_then(Value::as_array);
    let word = |tag: &Value| {
        let text = |key: &str| tag.get(key).and_then(Value::as_str).unwrap_or_default();
        if text("value").is_empty() { text("name").to_owned() } else { format!("{}={}", text("name"), text("value")) }
    };
    tags.into_iter().flatten().map(word).collect::<Vec<_>>().join(", ")
}
