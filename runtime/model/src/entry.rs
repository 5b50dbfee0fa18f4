//! Journal entries: everything that is known about an execution is the list of these.
//!
//! An entry is a fact with the moment it was recorded. The conductor's state is a fold over the facts, and so is what
//! the API shows ([`crate::ExecutionView`]); both may be thrown away and made again. A fact is never changed and new
//! readers must read old ones: fields are added with a default, kinds of facts are added, nothing is renamed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ActionRef, AttemptNumber, EventId, ExecutionId, ItemIndex, Outcome, RouteId, RuleRef, Status, StepId, TaskName,
    Timestamp, Wait,
};

/// A fact and when it was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The moment of recording: what `now()` means to decisions that follow from this entry.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

impl Entry {
    /// A fact recorded at `at`.
    #[must_use]
    pub const fn new(at: Timestamp, fact: Fact) -> Self {
        Self { at, fact }
    }
}

/// What can happen to an execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Fact {
    /// The execution was asked for. Always the first entry.
    Requested(Box<Requested>),
    /// Its executor began to work on it.
    Started,
    /// A value outside the execution was read for a decision, so that the same decision is made again on replay.
    ValuesRead {
        /// Keys of the pack's key-value data and what they held; null for a key that was not there.
        kv: BTreeMap<String, Value>,
    },
    /// Texts that must not be shown anywhere came up: in results that an action calls secret, or in another execution
    /// that this one is a part of, or that is a part of it.
    SecretsLearned {
        /// The texts.
        texts: Vec<String>,
    },
    /// The conductor decided to run a task: the intent.
    StepScheduled {
        /// The step this makes.
        step: StepId,
        /// The task it runs.
        task: TaskName,
        /// The route it is on.
        #[serde(default, skip_serializing_if = "is_first_route")]
        route: RouteId,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Purpose::is_task")]
        purpose: Purpose,
        /// The action that the task calls.
        action: ActionRef,
        /// The rendered input; null for a step that runs over a list, whose items have inputs of their own.
        input: Value,
        /// Names of top-level input keys that must not be shown.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        secret: Vec<String>,
        /// The list that it runs over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        items: Option<Vec<Value>>,
        /// The step that it runs again, of whose items it keeps those that succeeded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        keeps: Option<StepId>,
        /// When it may begin, if later.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// The conductor decided not to run a task, because its condition was false.
    StepSkipped {
        /// The step this makes.
        step: StepId,
        /// The task it does not run.
        task: TaskName,
        /// The route it is on.
        #[serde(default, skip_serializing_if = "is_first_route")]
        route: RouteId,
    },
    /// The conductor decided to run an item of a step.
    ItemScheduled {
        /// The step.
        step: StepId,
        /// The item.
        item: ItemIndex,
        /// The action to call.
        action: ActionRef,
        /// The rendered input.
        input: Value,
        /// Names of top-level input keys that must not be shown.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        secret: Vec<String>,
    },
    /// A try of a step is about to begin. If no outcome follows, what it did is unknown.
    AttemptStarted {
        /// The step.
        step: StepId,
        /// The item, in a step that runs over a list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<ItemIndex>,
        /// Which try.
        attempt: AttemptNumber,
    },
    /// An attempt said how far it is: a later one may go on from there.
    AttemptProgressed {
        /// The step.
        step: StepId,
        /// The item, in a step that runs over a list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<ItemIndex>,
        /// Which try.
        attempt: AttemptNumber,
        /// As the action put it.
        progress: String,
    },
    /// A try of a step ended.
    AttemptFinished {
        /// The step.
        step: StepId,
        /// The item, in a step that runs over a list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<ItemIndex>,
        /// Which try.
        attempt: AttemptNumber,
        /// How.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// The conductor decided what a poll comes to, against the outcome of its last attempt.
    PollEnded {
        /// The step.
        step: StepId,
        /// The item, in a step that runs over a list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<ItemIndex>,
        /// How it ended.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// The conductor decided to try again, later.
    StepDelayed {
        /// The step.
        step: StepId,
        /// The item, in a step that runs over a list; none if the whole list runs again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<ItemIndex>,
        /// The try that will be made.
        attempt: AttemptNumber,
        /// When, at the earliest.
        until: Timestamp,
        /// Why.
        reason: DelayReason,
    },
    /// A step waits for something from outside.
    WaitOpened {
        /// The step.
        step: StepId,
        /// The item, in a step that runs over a list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<ItemIndex>,
        /// For what.
        wait: Box<Wait>,
    },
    /// What a step waited for has come. What it makes of the step follows from the wait.
    Answered {
        /// The step.
        step: StepId,
        /// The item, in a step that runs over a list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<ItemIndex>,
        /// From whom.
        by: String,
        /// The answer to an inquiry, the payload of an event.
        answer: Value,
    },
    /// The execution of a sub-workflow that a step runs has paused, or goes on.
    ChildPaused {
        /// The step.
        step: StepId,
        /// The item, in a step that runs over a list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<ItemIndex>,
        /// Whether it is paused now.
        paused: bool,
    },
    /// Somebody asked to pause: nothing new begins.
    PauseRequested {
        /// Who or what, in a few words.
        by: String,
    },
    /// Nothing is at work any more: the execution is paused, or waits for an answer.
    Rested {
        /// `paused` or `pending`.
        status: Status,
    },
    /// Somebody asked to go on after a pause.
    ResumeRequested {
        /// Who or what, in a few words.
        by: String,
    },
    /// The workflow's timeout has passed: what runs is interrupted.
    DeadlinePassed,
    /// Somebody asked to run parts of an ended execution again. A new phase begins.
    RerunRequested {
        /// Who or what, in a few words.
        by: String,
        /// Which tasks; none of them means those that failed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tasks: Vec<RerunTask>,
    },
    /// Somebody asked to stop the execution.
    CancelRequested {
        /// Who or what, in a few words.
        by: String,
    },
    /// The execution ended. Always the last entry of a phase.
    Finished {
        /// A terminal status.
        status: Status,
        /// What it returns: a workflow's output, an action's result.
        result: Value,
        /// What went wrong, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<ErrorRecord>,
    },
}

fn is_first_route(route: &RouteId) -> bool {
    route.0 == 0
}

/// What a step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// It runs its task.
    #[default]
    Task,
    /// It undoes what a step did that succeeded.
    Compensate {
        /// That step.
        of: StepId,
        /// The item, in a step that ran over a list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<ItemIndex>,
    },
    /// It cleans up after a step that was interrupted by a cancellation.
    OnCancel {
        /// That step; none if it cleans up after the whole workflow.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<StepId>,
    },
}

impl Purpose {
    /// Whether it runs its task.
    #[must_use]
    pub const fn is_task(&self) -> bool {
        matches!(self, Self::Task)
    }
}

/// Why a step is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DelayReason {
    /// Its task's `retry`, or the command `retry`.
    Retry,
    /// Its task's `poll`: the condition does not hold yet.
    Poll,
    /// Its outcome is unknown, and the task says to try again then.
    Unknown,
}

/// A task to run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RerunTask {
    /// The task.
    pub task: TaskName,
    /// The route of the step to run again; none is every route on which it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteId>,
    /// Whether a step that runs over a list runs over all of it, not only over the items that failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset_items: bool,
}

/// The request that an execution began with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requested {
    /// What to run.
    pub action: ActionRef,
    /// The version of its pack, as written in `pack.yaml`.
    pub pack_version: String,
    /// SHA-256 over the pack's files, in hex: the execution ends on the very pack it began with.
    pub pack_digest: String,
    /// The parameters, defaults included.
    pub parameters: Value,
    /// Names of parameters that must not be shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret: Vec<String>,
    /// Where in its result stands what must not be shown: JSON pointers, in which `*` is any key or index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret_output: Vec<String>,
    /// Whether something secret may be in it: then all that is recorded of it is sealed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
    /// Where the request came from.
    pub origin: Origin,
    /// How many workflows it is nested in.
    #[serde(default, skip_serializing_if = "is_outermost")]
    pub depth: u32,
    /// Whether connections are bound to simulators.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulate: bool,
    /// The trace that it belongs to, as whoever asked for it says: a W3C `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes by reference")]
fn is_outermost(depth: &u32) -> bool {
    *depth == 0
}

/// Where a request came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// `runner exec`.
    Cli,
    /// The REST API.
    Api,
    /// A step of another execution.
    Step {
        /// That execution.
        execution: ExecutionId,
        /// That step.
        step: StepId,
    },
    /// A rule, because of an event.
    Rule {
        /// The rule.
        rule: RuleRef,
        /// The event.
        event: EventId,
        /// How many executions came one after the other from the end of another, before this one.
        #[serde(default, skip_serializing_if = "is_outermost")]
        chain: u32,
    },
}

impl Origin {
    /// The execution whose step asked.
    #[must_use]
    pub const fn parent(&self) -> Option<ExecutionId> {
        match self {
            Self::Step { execution, .. } => Some(*execution),
            Self::Cli | Self::Api | Self::Rule { .. } => None,
        }
    }
}

/// One thing that went wrong in an execution, in the shape of StackStorm's error records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// The task it happened in; none if it belongs to the whole workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskName>,
    /// The task's route, if not the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteId>,
    /// The transition whose evaluation failed: its index in the task's `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition: Option<usize>,
    /// A stable code.
    pub code: String,
    /// A lowercase sentence.
    pub message: String,
    /// What the user can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Data that belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Code, Failure, code};

    fn round_trip(entry: &Entry) -> Value {
        let written = serde_json::to_string(entry).unwrap();
        assert_eq!(&serde_json::from_str::<Entry>(&written).unwrap(), entry);
        serde_json::from_str(&written).unwrap()
    }

    #[test]
    fn entries_are_written_flat_and_read_back() {
        let at = Timestamp::from_millis(0);
        let timeout: Code = code::HOST_TIMEOUT;
        let entry = Entry::new(
            at,
            Fact::AttemptFinished {
                step: StepId(3),
                item: None,
                attempt: AttemptNumber::FIRST,
                outcome: Outcome::Timeout { failure: Failure::new(timeout, "stopped after 1 s") },
            },
        );
        assert_eq!(
            round_trip(&entry),
            json!({
                "at": "1970-01-01T00:00:00.000Z", "type": "attempt_finished", "step": 3, "attempt": 1,
                "status": "timeout", "failure": {"code": timeout.id(), "message": "stopped after 1 s"},
            })
        );
        round_trip(&Entry::new(at, Fact::Started));
        round_trip(&Entry::new(
            at,
            Fact::Requested(Box::new(Requested {
                action: "core.noop".parse().unwrap(),
                pack_version: "0.1.0".into(),
                pack_digest: "00".into(),
                parameters: json!({}),
                secret: vec![],
                secret_output: vec![],
                sealed: false,
                origin: Origin::Cli,
                depth: 0,
                simulate: false,
                trace_parent: None,
            })),
        ));
    }
}
