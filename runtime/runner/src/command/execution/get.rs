//! `runner execution get`: one execution, as its journal tells it.

use std::collections::BTreeMap;
use std::time::Duration;

use runner_model::{DelayReason, ExecutionId, ExecutionView, Origin, Purpose, Status, StepView, answering};
use runner_server::control::Turn;
use serde::Serialize;
use serde_json::Value;

use super::{Chosen, open_waits, turns};
use crate::app::App;
use crate::command::exec::{indented, mistakes, readable, took};
use crate::error::CliError;
use crate::output::{elapsed, one_line, printable, table};
use crate::records::Place;

/// Shows it.
pub(super) async fn run(app: &App, place: &Place, id: ExecutionId) -> Result<(), CliError> {
    let view = place.records().view(id).await?;
    let delayed = turns::of(app, place, &view).await?;
    if app.output.json {
        app.output.value(&Shown { view: &view, delayed });
    } else {
        app.output.line(drawn(app, &view, &delayed).trim_end());
    }
    Ok(())
}

/// An execution, with what no journal says of it.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    view: &'a ExecutionView,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    delayed: Vec<Turn>,
}

fn drawn(app: &App, view: &ExecutionView, delayed: &[Turn]) -> String {
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
        let details: Vec<_> = view.steps.iter().flat_map(details).collect();
        if !details.is_empty() {
            section("Details", details.join("\n"));
        }
    }
    if !record.status.is_terminal() {
        let waits: Vec<_> = open_waits(view).iter().map(|open| waits(app, view, open)).collect();
        if !waits.is_empty() {
            section("Waits for", waits.join("\n"));
        }
        if !delayed.is_empty() {
            let lines: Vec<_> = delayed.iter().map(|turn| printable(&turns::line(turn, &view.steps))).collect();
            section("Delayed", lines.join("\n"));
        }
        section("Now", printable(&app.spelled(&view.explain(app.now()))));
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
        Origin::Rule { rule, event, .. } => format!("rule {rule}, event {event}"),
    }
}

fn row(step: &StepView) -> Vec<String> {
    let attempts = || {
        let items = step.items.iter().flatten().flat_map(|item| &item.attempts);
        step.attempts.iter().chain(items)
    };
    let start = attempts().map(|attempt| attempt.started_at).min();
    let end = attempts().map(|attempt| attempt.finished_at).collect::<Option<Vec<_>>>();
    let end = end.and_then(|ends| ends.into_iter().max()).filter(|_| step.status.is_terminal());
    let took = start.zip(end).map(|(start, end)| u64::try_from(end.since_ms(start)).unwrap_or(0));
    let route = if step.route.0 == 0 { String::new() } else { format!(" (route {})", step.route) };
    let purpose = match step.purpose {
        Purpose::Task => String::new(),
        Purpose::Compensate { of, .. } => format!(" (undoes step {of})"),
        Purpose::OnCancel { .. } => " (cleans up)".to_owned(),
    };
    vec![
        step.step.to_string(),
        format!("{}{route}{purpose}", step.task),
        step.action.as_ref().map(ToString::to_string).unwrap_or_default(),
        step.status.to_string(),
        attempts().count().to_string(),
        took.map(|ms| elapsed(Duration::from_millis(ms))).unwrap_or_default(),
    ]
}

/// What a row has no place for: items, a delay, how far an attempt is.
fn details(step: &StepView) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = |text: String| lines.push(format!("{} {text}", step.task));
    if let Some(items) = step.items.as_ref().filter(|items| !items.is_empty()) {
        let done = items.iter().filter(|item| item.status.is_terminal()).count();
        let mut counts: BTreeMap<Status, usize> = BTreeMap::new();
        items.iter().for_each(|item| *counts.entry(item.status).or_default() += 1);
        let counts: Vec<_> = counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
        line(format!("{done} of {} items have ended: {}", items.len(), counts.join(", ")));
    }
    if let Some(until) = step.until.filter(|_| step.status == Status::Delayed) {
        let reason = match step.delayed_for.filter(|_| !step.attempts.is_empty()) {
            None => "begins",
            Some(DelayReason::Retry | DelayReason::Unknown) => "is tried again",
            Some(DelayReason::Poll) => "looks again",
        };
        line(format!("{reason} at {until}"));
    }
    if let Some(progress) = &step.progress {
        line(format!("said: {}", one_line(progress, 120)));
    }
    lines
}

fn waits(app: &App, view: &ExecutionView, open: &Chosen) -> String {
    let item = open.item.map(|item| format!("[{item}]")).unwrap_or_default();
    let until = open.wait.expires_at.map(|end| format!(" until {end}")).unwrap_or_default();
    let command = app.spelled(&answering(view.record.id, &open.task, open.item, &open.wait));
    format!("{}{item} since {}{until}: {}", open.task, open.since, printable(&command))
}
