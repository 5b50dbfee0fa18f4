//! An execution as a reader sees it: the whole journal folded, secrets masked.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ActionRef, AttemptNumber, Entry, ErrorRecord, ExecutionId, ExecutionRecord, Fact, Failure, Outcome, RouteId,
    Status, StepId, TaskName, Timestamp,
};

/// What stands in the place of a secret.
pub const MASK: &str = "********";

/// One execution with everything that may be shown of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionView {
    /// Its line in the catalogue.
    #[serde(flatten)]
    pub record: ExecutionRecord,
    /// The version of its pack.
    pub pack_version: String,
    /// Its parameters, defaults included, secrets masked.
    pub parameters: Value,
    /// What it returned, once it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// What went wrong, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorRecord>,
    /// Its steps, in the order of their start.
    pub steps: Vec<StepView>,
}

/// One step of an execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    /// Its number.
    pub step: StepId,
    /// The task it runs.
    pub task: TaskName,
    /// Its route.
    pub route: RouteId,
    /// The action it calls.
    pub action: ActionRef,
    /// Where it stands.
    pub status: Status,
    /// Its rendered input, secrets masked.
    pub input: Value,
    /// What it returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why it did not succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When it was decided on.
    pub scheduled_at: Timestamp,
    /// Its tries.
    pub attempts: Vec<AttemptView>,
}

/// One try of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptView {
    /// Which one.
    pub attempt: AttemptNumber,
    /// Where it stands.
    pub status: Status,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

impl ExecutionView {
    /// Folds a journal; none if it is not the journal of an execution: it does not begin with a request, or its entries
    /// cannot follow one another.
    #[must_use]
    pub fn fold(id: ExecutionId, entries: &[Entry]) -> Option<Self> {
        let (first, rest) = entries.split_first()?;
        let Fact::Requested(requested) = &first.fact else { return None };
        let mut view = Self {
            record: ExecutionRecord::begin(id, first)?,
            pack_version: requested.pack_version.clone(),
            parameters: masked(&requested.parameters, &requested.secret),
            result: None,
            errors: Vec::new(),
            steps: Vec::new(),
        };
        for entry in rest {
            view.record.apply(entry).ok()?;
            view.apply(entry);
        }
        Some(view)
    }

    fn apply(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::StepScheduled { step, task, route, action, input, secret } => self.steps.push(StepView {
                step: *step,
                task: task.clone(),
                route: *route,
                action: action.clone(),
                status: Status::Scheduled,
                input: masked(input, secret),
                result: None,
                failure: None,
                scheduled_at: entry.at,
                attempts: Vec::new(),
            }),
            Fact::AttemptStarted { step, attempt } => {
                if let Some(view) = self.step_mut(*step) {
                    view.status = Status::Running;
                    view.attempts.push(AttemptView {
                        attempt: *attempt,
                        status: Status::Running,
                        started_at: entry.at,
                        finished_at: None,
                    });
                }
            }
            Fact::AttemptFinished { step, attempt, outcome } => {
                if let Some(view) = self.step_mut(*step) {
                    view.finish(*attempt, outcome, entry.at);
                }
            }
            Fact::Finished { result, errors, .. } => {
                self.result = Some(result.clone());
                self.errors.clone_from(errors);
            }
            Fact::Requested(_) | Fact::Started | Fact::ValuesRead { .. } | Fact::CancelRequested { .. } => {}
        }
    }

    fn step_mut(&mut self, step: StepId) -> Option<&mut StepView> {
        self.steps.iter_mut().rev().find(|view| view.step == step)
    }
}

impl StepView {
    fn finish(&mut self, attempt: AttemptNumber, outcome: &Outcome, at: Timestamp) {
        self.status = outcome.status();
        self.failure = outcome.failure().cloned();
        self.result = match outcome {
            Outcome::Succeeded { result } => Some(result.clone()),
            _ => None,
        };
        if let Some(view) = self.attempts.iter_mut().rev().find(|view| view.attempt == attempt) {
            view.status = outcome.status();
            view.finished_at = Some(at);
        }
    }
}

/// The value with the named top-level keys masked.
#[must_use]
pub fn masked(value: &Value, secret: &[String]) -> Value {
    let mut value = value.clone();
    if let Value::Object(map) = &mut value {
        for key in secret {
            if let Some(slot) = map.get_mut(key).filter(|slot| !slot.is_null()) {
                *slot = Value::String(MASK.to_owned());
            }
        }
    }
    value
}

impl Entry {
    /// The entry as it may be shown: values that are marked secret are masked.
    #[must_use]
    pub fn masked(&self) -> Self {
        let mut entry = self.clone();
        match &mut entry.fact {
            Fact::Requested(requested) => requested.parameters = masked(&requested.parameters, &requested.secret),
            Fact::StepScheduled { input, secret, .. } => *input = masked(input, secret),
            _ => {}
        }
        entry
    }
}
