//! What happens besides steps beginning and ending: a wait with the command that ends it, a delay, a pause.

use std::collections::HashMap;
use std::time::Duration;

use runner_executor::{Progress, ProgressEvent, UnitId};
use runner_model::{DelayReason, ExecutionId, Status, StepId, TaskName, Wait, WaitKind, answering};

use crate::output::{elapsed, one_line, printable};
use crate::spelling::Spelling;

/// A line.
pub(super) struct Notice {
    /// What happened, for programs.
    pub(super) word: &'static str,
    /// The same for a terminal.
    pub(super) mark: &'static str,
    /// What there is to say.
    pub(super) text: String,
}

/// Who cancels when the user of this process does.
const OWN_WISH: &str = "the one who asked for it";

impl Notice {
    /// None if there is nothing to say.
    pub(super) fn of(
        event: &ProgressEvent,
        tasks: &HashMap<(ExecutionId, StepId), TaskName>,
        spelling: &Spelling,
    ) -> Option<Self> {
        let place = |unit: &UnitId| {
            let known = tasks.get(&(event.execution, unit.step)).map(ToString::to_string);
            let task = known.unwrap_or_else(|| format!("step {}", unit.step));
            match unit.item {
                None => task,
                Some(item) => format!("{task}[{item}]"),
            }
        };
        let notice = |word, mark, text| Some(Self { word, mark, text });
        match &event.progress {
            Progress::StepSkipped { task, .. } => notice("skipped", "-", format!("{task} its condition was false")),
            Progress::StepDelayed { unit, until, reason } => {
                let wait = u64::try_from(until.since_ms(event.at)).unwrap_or(0);
                let wait = elapsed(Duration::from_millis(wait));
                let text = match reason {
                    Some(DelayReason::Retry | DelayReason::Unknown) => format!("again in {wait}"),
                    Some(DelayReason::Poll) => format!("looks again in {wait}"),
                    None => format!("begins in {wait}"),
                };
                notice("delayed", "…", format!("{} {text}", place(unit)))
            }
            Progress::WaitOpened { unit, task, wait } => {
                let command = spelling.spell(&answering(event.execution, task, unit.item, wait));
                notice("waits", "?", printable(&format!("{} {}: {command}", place(unit), what(wait))))
            }
            Progress::StatusChanged { status: Status::Pausing } => {
                notice("pausing", "‖", "what runs ends first".to_owned())
            }
            Progress::StatusChanged { status: Status::Paused } => {
                let command = spelling.spell(&format!("runner execution resume {}", event.execution));
                notice("paused", "‖", format!("until somebody lets it go on: {command}"))
            }
            Progress::StatusChanged { status: Status::Running } => notice("resumed", "▸", String::new()),
            Progress::CancelRequested { by } if by != OWN_WISH => {
                notice("canceling", "■", printable(&format!("by {by}")))
            }
            _ => None,
        }
    }
}

fn what(wait: &Wait) -> String {
    let what = match &wait.kind {
        WaitKind::Inquiry { prompt, .. } if prompt.is_empty() => "for an answer".to_owned(),
        WaitKind::Inquiry { prompt, .. } => format!("for an answer to “{}”", one_line(prompt, 120)),
        WaitKind::Event { key } => format!("for the event `{}`", one_line(key, 120)),
        WaitKind::Outcome { .. } => "for somebody to say what it did".to_owned(),
    };
    match wait.expires_at {
        None => what,
        Some(end) => format!("{what} until {end}"),
    }
}
