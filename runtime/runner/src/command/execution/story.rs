//! A journal told in lines: what happened, to which step, and what there is to say of it.

use std::collections::BTreeMap;

use runner_model::{DelayReason, Entry, Fact, ItemIndex, OnExpiry, Outcome, Purpose, StepId, Wait, WaitKind};
use serde_json::Value;

use crate::output::one_line;

/// Characters of a value that a line shows.
const VALUE_CHARS_MAX: usize = 120;

/// An entry in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// What happened: `started`, `waits`.
    pub(super) word: String,
    /// The step it happened to: its task, with its item if it has one.
    pub(super) place: String,
    /// What there is to say.
    pub(super) text: String,
}

/// Tells the entries of one execution, in order: the names of its steps are learned on the way.
#[derive(Debug, Default)]
pub(super) struct Story {
    tasks: BTreeMap<StepId, String>,
}

impl Story {
    /// The next entry.
    pub(super) fn tell(&mut self, entry: &Entry) -> Told {
        if let Fact::StepScheduled { step, task, purpose, .. } = &entry.fact {
            let name = match purpose {
                Purpose::Task => task.to_string(),
                Purpose::Compensate { .. } => format!("{task} (undo)"),
                Purpose::OnCancel { .. } => format!("{task} (clean up)"),
            };
            self.tasks.insert(*step, name);
        } else if let Fact::StepSkipped { step, task, .. } = &entry.fact {
            self.tasks.insert(*step, task.to_string());
        }
        let place = entry.fact.step().map(|step| self.place(step, entry.fact.item())).unwrap_or_default();
        let (word, text) = words(entry);
        Told { word, place, text }
    }

    /// The name of a step or an item.
    pub(super) fn place(&self, step: StepId, item: Option<ItemIndex>) -> String {
        let task = self.tasks.get(&step).cloned().unwrap_or_else(|| format!("step {step}"));
        match item {
            None => task,
            Some(item) => format!("{task}[{item}]"),
        }
    }
}

fn words(entry: &Entry) -> (String, String) {
    let (word, text) = match &entry.fact {
        Fact::Requested(requested) => {
            let simulated = if requested.simulate { " (simulated)" } else { "" };
            ("requested", format!("{} {}{simulated}", requested.action, value(&requested.parameters)))
        }
        Fact::Started => ("started", String::new()),
        Fact::SecretsLearned { texts } => ("secrets", format!("{} not shown from here on", texts.len())),
        Fact::ValuesRead { kv } => {
            let read = kv.iter().map(|(key, held)| format!("{key}={}", value(held)));
            ("read", read.collect::<Vec<_>>().join(" "))
        }
        Fact::StepScheduled { action, input, items, until, .. } => {
            let over = items.as_ref().map(|items| format!(" over {} items", items.len())).unwrap_or_default();
            let until = until.map(|until| format!(" at {until}")).unwrap_or_default();
            ("scheduled", format!("{action}{over}{until} {}", value(input)))
        }
        Fact::StepSkipped { .. } => ("skipped", "its condition was false".to_owned()),
        Fact::ItemScheduled { action, input, .. } => ("scheduled", format!("{action} {}", value(input))),
        Fact::AttemptStarted { attempt, .. } if attempt.0 == 1 => ("started", String::new()),
        Fact::AttemptStarted { attempt, .. } => ("started", format!("attempt {attempt}")),
        Fact::AttemptProgressed { progress, .. } => ("progress", one_line(progress, VALUE_CHARS_MAX)),
        Fact::AttemptFinished { outcome, .. } => return (outcome.status().as_str().to_owned(), outcome_text(outcome)),
        Fact::PollEnded { outcome, .. } => return (outcome.status().as_str().to_owned(), outcome_text(outcome)),
        Fact::StepDelayed { attempt, until, reason, .. } => {
            let reason = match reason {
                DelayReason::Retry => "again",
                DelayReason::Poll => "the condition does not hold yet, again",
                DelayReason::Unknown => "the outcome is unknown, again",
            };
            ("delayed", format!("{reason} at {until}, attempt {attempt}"))
        }
        Fact::WaitOpened { wait, .. } => ("waits", wait_text(wait)),
        Fact::Answered { by, answer, .. } => ("answered", format!("by {by}: {}", value(answer))),
        Fact::ChildPaused { paused: true, .. } => ("paused", "the workflow that it runs".to_owned()),
        Fact::ChildPaused { paused: false, .. } => ("resumed", "the workflow that it runs".to_owned()),
        Fact::PauseRequested { by } => ("pausing", format!("by {by}")),
        Fact::Rested { status } => return (status.as_str().to_owned(), String::new()),
        Fact::ResumeRequested { by } => ("resumed", format!("by {by}")),
        Fact::DeadlinePassed => ("late", "the workflow's timeout has passed".to_owned()),
        Fact::RerunRequested { by, tasks } => {
            let named: Vec<_> = tasks.iter().map(|task| task.task.to_string()).collect();
            let from = if named.is_empty() { "what failed".to_owned() } else { named.join(", ") };
            ("rerun", format!("by {by}, from {from}"))
        }
        Fact::CancelRequested { by } => ("canceling", format!("by {by}")),
        Fact::Finished { status, result, errors } => {
            let errors: String =
                errors.iter().map(|error| format!(" {}: {}", error.code, one_line(&error.message, 200))).collect();
            return (status.as_str().to_owned(), format!("{}{errors}", value(result)).trim().to_owned());
        }
    };
    (word.to_owned(), text.trim_end().to_owned())
}

fn outcome_text(outcome: &Outcome) -> String {
    match (outcome, outcome.failure()) {
        (Outcome::Succeeded { result }, _) => value(result),
        (_, Some(failure)) => format!("{}: {}", failure.code, one_line(&failure.message, 200)),
        (_, None) => String::new(),
    }
}

fn wait_text(wait: &Wait) -> String {
    let what = match &wait.kind {
        WaitKind::Inquiry { prompt, .. } if prompt.is_empty() => "for an answer".to_owned(),
        WaitKind::Inquiry { prompt, .. } => format!("for an answer: {}", one_line(prompt, VALUE_CHARS_MAX)),
        WaitKind::Event { key } => format!("for the event {}", one_line(key, VALUE_CHARS_MAX)),
        WaitKind::Outcome { attempt, .. } => format!("for somebody to say what attempt {attempt} did"),
    };
    let until = wait.expires_at.map(|end| format!(", until {end}")).unwrap_or_default();
    let then = match (&wait.on_expiry, wait.expires_at) {
        (_, None) => String::new(),
        (OnExpiry::Timeout, _) => ", then it times out".to_owned(),
        (OnExpiry::Fail, _) => ", then it fails".to_owned(),
        (OnExpiry::Answer(answer), _) => format!(", then the answer is {}", value(answer)),
    };
    format!("{what}{until}{then}")
}

/// A value; nothing, if there is none.
fn value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Object(map) if map.is_empty() => String::new(),
        other => one_line(&other.to_string(), VALUE_CHARS_MAX),
    }
}
