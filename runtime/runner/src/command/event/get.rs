//! `runner event get`.

use runner_model::{Event, Match, MatchState};

use super::find::find;
use crate::app::App;
use crate::command::asked::Asked;
use crate::command::exec::{indented, readable};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{printable, table};

/// Shows an event.
pub(super) async fn run(app: &App, asked: &Asked, id: &str) -> Result<Exit, CliError> {
    let event = find(app, asked, id).await?;
    if app.output.json {
        app.output.value(&event);
    } else {
        app.output.line(shown(app, &event));
    }
    Ok(Exit::Succeeded)
}

fn shown(app: &App, event: &Event) -> String {
    let mut lines = Vec::new();
    let mut fact = |name: &str, value: &str| lines.push(format!("{name:<12} {}", printable(value)));
    fact("id", &event.id.to_string());
    fact("trigger", event.trigger.as_str());
    fact("source", &event.source);
    if let Some(key) = &event.key {
        fact("key", key);
    }
    fact("occurred", &event.occurred_at.to_string());
    fact("received", &event.received_at.to_string());
    if let Some(trace) = &event.trace_parent {
        fact("trace", trace);
    }
    lines.extend(["payload".to_owned(), indented(readable(&event.payload, 0).trim_end())]);
    if event.matches.is_empty() {
        lines.push("no rule matched".to_owned());
    } else {
        let headings = ["rule", "state", "execution", "why"];
        lines.push(table(&app.output, &headings, event.matches.iter().map(row)));
    }
    lines.join("\n")
}

fn row(one: &Match) -> Vec<String> {
    let why = match &one.state {
        MatchState::Skipped { reason } => reason.clone(),
        MatchState::Failed { failure } => failure.to_string(),
        MatchState::Pending | MatchState::Queued | MatchState::Started => String::new(),
    };
    // None is made for one that does not start.
    let execution = if why.is_empty() { one.execution.to_string() } else { String::new() };
    vec![one.rule.to_string(), one.state.as_str().to_owned(), execution, why]
}
