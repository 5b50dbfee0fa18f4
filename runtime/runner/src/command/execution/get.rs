//! `runner execution get`: one execution, as its journal tells it.

use runner_model::{ExecutionId, ExecutionView, Origin, StepView, Version, code};
use runner_store::{Journal as _, SqliteStore};
use serde_json::Value;

use crate::app::App;
use crate::command::exec::{indented, mistakes, readable, took};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{elapsed, printable, table};

/// Shows it.
pub(crate) async fn run(app: &App, store: &SqliteStore, id: ExecutionId) -> Result<(), CliError> {
    let entries = store.read(id, Version(0)).await?;
    let Some(view) = ExecutionView::fold(id, &entries) else {
        let message = format!("the journal of {id} does not begin with a request");
        return Err(CliError::new(Exit::Broken, code::STORE_CORRUPT, message));
    };
    if app.output.json {
        app.output.value(&view);
    } else {
        app.output.line(drawn(app, &view).trim_end());
    }
    Ok(())
}

fn drawn(app: &App, view: &ExecutionView) -> String {
    let record = &view.record;
    let mut lines = Vec::new();
    let mut fact = |name: &str, value: String| lines.push(format!("{name:<12} {value}"));
    fact("id", record.id.to_string());
    fact("action", format!("{} (pack version {})", record.action, printable(&view.pack_version)));
    fact("status", record.status.to_string());
    fact("origin", origin(&record.origin));
    fact("created", record.created_at.to_string());
    if let Some(finished) = record.finished_at {
        fact("finished", format!("{finished} (after {})", took(view)));
    }
    let mut text = lines.join("\n");
    let mut section =
        |title: &str, body: String| text.push_str(&format!("\n\n{title}:\n{}", indented(body.trim_end())));
    if view.parameters.as_object().is_some_and(|map| !map.is_empty()) {
        section("Parameters", readable(&view.parameters, 0));
    }
    if !view.steps.is_empty() {
        let headings = ["step", "task", "action", "status", "attempts", "took"];
        section("Steps", table(&app.output, &headings, view.steps.iter().map(row)));
    }
    if let Some(result) = view.result.as_ref().filter(|result| **result != Value::Null) {
        section("Result", readable(result, 0));
    }
    if record.status.is_terminal() && !view.errors.is_empty() {
        let line = |mistake: &crate::error::Mistake| {
            let hint = mistake.hint.as_ref().map(|hint| format!("\n  hint: {}", printable(hint))).unwrap_or_default();
            format!("{}: {}{hint}", printable(&mistake.code), printable(&mistake.message))
        };
        section("Errors", mistakes(view).iter().map(line).collect::<Vec<_>>().join("\n"));
    }
    text
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Cli => "command line".to_owned(),
        Origin::Api => "API".to_owned(),
        Origin::Step { execution, step } => format!("step {step} of {execution}"),
    }
}

fn row(step: &StepView) -> Vec<String> {
    let start = step.attempts.first().map(|attempt| attempt.started_at);
    let end = step.attempts.last().and_then(|attempt| attempt.finished_at);
    let took = start.zip(end).map(|(start, end)| u64::try_from(end.since_ms(start)).unwrap_or(0));
    vec![
        step.step.to_string(),
        step.task.to_string(),
        step.action.as_ref().map(ToString::to_string).unwrap_or_default(),
        step.status.to_string(),
        step.attempts.len().to_string(),
        took.map(|ms| elapsed(std::time::Duration::from_millis(ms))).unwrap_or_default(),
    ]
}
