//! What a daemon records and what its guests say, as the executor of this process would tell it: so that both are drawn
//! alike.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use runner_executor::{Progress, ProgressEvent, UnitId};
use runner_host::{LogLevel, LogLine, RequestSummary};
use runner_model::{ActionRef, Entry, ExecutionId, ExecutionRecord, Fact, ItemIndex, StepId, TaskName};
use runner_server::control::{Line, Said};

/// Remembers what facts only mean together with earlier ones.
pub(super) struct Hearing {
    root: ExecutionId,
    parts: BTreeMap<ExecutionId, Part>,
}

/// An execution.
#[derive(Default)]
struct Part {
    record: Option<ExecutionRecord>,
    steps: HashMap<StepId, (TaskName, ActionRef)>,
    items: HashMap<(StepId, ItemIndex), ActionRef>,
}

impl Hearing {
    pub(super) const fn new(root: ExecutionId) -> Self {
        Self { root, parts: BTreeMap::new() }
    }

    /// What a fact tells, if it tells something.
    pub(super) fn fact(&mut self, execution: ExecutionId, depth: u32, entry: &Entry) -> Option<ProgressEvent> {
        let part = self.parts.entry(execution).or_default();
        part.take(execution, entry);
        let progress = part.progress(&entry.fact)?;
        Some(ProgressEvent { root: self.root, execution, depth, at: entry.at, progress })
    }

    /// What a guest says.
    pub(super) fn line(&self, line: Line) -> Option<ProgressEvent> {
        let unit = UnitId { step: line.step?, item: line.item };
        let progress = match line.said {
            Said::Log { level, message, fields } => {
                Progress::Log { unit, line: LogLine { level: log_level(&level), message, fields } }
            }
            Said::Heartbeat { progress } => Progress::Heartbeat { unit, progress },
            Said::Request { method, target, path, result, elapsed_ms } => {
                let result = result.parse::<u16>().map_err(|_| result);
                let elapsed = Duration::from_millis(elapsed_ms);
                Progress::Request { unit, summary: RequestSummary { method, target, path, result, elapsed } }
            }
            _ => return None,
        };
        Some(ProgressEvent { root: self.root, execution: line.execution, depth: line.depth, at: line.at, progress })
    }
}

impl Part {
    fn take(&mut self, id: ExecutionId, entry: &Entry) {
        match &mut self.record {
            None => self.record = ExecutionRecord::begin(id, entry),
            // What is recorded follows from what was: the store sees to that.
            Some(record) => drop(record.apply(entry)),
        }
        match &entry.fact {
            Fact::StepScheduled { step, task, action, .. } => {
                self.steps.insert(*step, (task.clone(), action.clone()));
            }
            Fact::ItemScheduled { step, item, action, .. } => {
                self.items.insert((*step, *item), action.clone());
            }
            _ => {}
        }
    }

    fn progress(&self, fact: &Fact) -> Option<Progress> {
        let unit = |step: StepId, item: Option<ItemIndex>| UnitId { step, item };
        Some(match fact {
            Fact::AttemptStarted { step, item, .. } => {
                let (task, action) = self.steps.get(step)?.clone();
                let own = item.and_then(|item| self.items.get(&(*step, item)).cloned());
                Progress::StepStarted { unit: unit(*step, *item), task, action: own.unwrap_or(action) }
            }
            Fact::AttemptFinished { step, item, outcome, .. } => {
                let (status, failure) = (outcome.status(), outcome.failure().cloned());
                Progress::StepFinished { unit: unit(*step, *item), status, failure }
            }
            Fact::StepSkipped { step, task, .. } => {
                Progress::StepSkipped { unit: unit(*step, None), task: task.clone() }
            }
            Fact::StepScheduled { step, until: Some(until), .. } => {
                Progress::StepDelayed { unit: unit(*step, None), until: *until, reason: None }
            }
            Fact::StepDelayed { step, item, until, reason, .. } => {
                Progress::StepDelayed { unit: unit(*step, *item), until: *until, reason: Some(*reason) }
            }
            Fact::WaitOpened { step, item, wait } => {
                let (task, _) = self.steps.get(step)?.clone();
                Progress::WaitOpened { unit: unit(*step, *item), task, wait: (**wait).clone() }
            }
            Fact::CancelRequested { by } => Progress::CancelRequested { by: by.clone() },
            Fact::Finished { status, .. } => Progress::Finished { status: *status },
            Fact::Rested { .. }
            | Fact::PauseRequested { .. }
            | Fact::ResumeRequested { .. }
            | Fact::RerunRequested { .. } => Progress::StatusChanged { status: self.record.as_ref()?.status },
            _ => return None,
        })
    }
}

fn log_level(word: &str) -> LogLevel {
    match word {
        "trace" => LogLevel::Trace,
        "debug" => LogLevel::Debug,
        "warn" => LogLevel::Warn,
        "error" => LogLevel::Error,
        _ => LogLevel::Info,
    }
}
