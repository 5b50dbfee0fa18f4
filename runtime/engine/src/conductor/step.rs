//! Steps, and the units that are tried.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use runner_model::{
    ActionRef, AttemptNumber, DelayReason, Failure, ItemIndex, Outcome, Purpose, RouteId, Status, StepId, TaskName,
    Timestamp, Wait,
};
use serde_json::Value;

use super::context::Context;
use super::state::Source;

/// What is tried until it has an outcome: a step, or an item of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId {
    /// The step.
    pub step: StepId,
    /// The item, in a step that runs over a list.
    pub item: Option<ItemIndex>,
}

/// One run of a task.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) task: usize,
    /// The step whose transition led here; none for the first tasks.
    pub(super) from: Option<Source>,
    pub(super) route: RouteId,
    pub(super) purpose: Purpose,
    pub(super) context: Context,
    /// `requested` until it is recorded, `scheduled` from then on, and how it ended.
    pub(super) status: Status,
    /// What the next attempt of the whole step is.
    pub(super) attempt: AttemptNumber,
    /// Whether it starts although something has failed: it stood beside a `fail`.
    pub(super) spared: bool,
    /// Whether it runs again what ran before a rerun: such steps come first.
    pub(super) reruns: bool,
    /// The step that it runs again, of whose items it keeps those that succeeded.
    pub(super) keeps: Option<StepId>,
    /// Whether one of its transitions was taken.
    pub(super) led_on: bool,
    /// Its place among what the execution passed, once it is recorded.
    pub(super) passage: usize,
    /// How often it was tried again by its `retry`.
    pub(super) tries: u32,
    /// How often it was tried again by the command `retry`.
    pub(super) commands: u32,
    /// When its first attempt began.
    pub(super) began: Option<Timestamp>,
    /// Until when its first attempt, or a list's next turn, is delayed.
    pub(super) until: Option<Timestamp>,
    /// The outcome that led to trying again, in case it comes to nothing.
    pub(super) last: Option<Outcome>,
    /// What it returned, for what undoes it.
    pub(super) kept: Option<Arc<Value>>,
    pub(super) work: Work,
}

/// What a step has to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Work {
    /// Nothing: its condition was false.
    Skip,
    /// One call.
    One(Box<Unit>),
    /// A call for each item of a list.
    Many(Box<Items>),
}

/// Something that is tried.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unit {
    pub(super) state: UnitState,
    /// The attempt that runs, or the next one.
    pub(super) attempt: AttemptNumber,
    pub(super) action: ActionRef,
    pub(super) input: Arc<Value>,
    /// The longest that one attempt may take, in milliseconds.
    pub(super) timeout_ms: Option<i64>,
    /// The longest that an attempt may be without a sign of life, in milliseconds.
    pub(super) heartbeat_ms: Option<i64>,
    /// When the attempt began that runs.
    pub(super) started: Option<Timestamp>,
    /// When the first attempt began: where `poll.timeout` counts from.
    pub(super) began: Option<Timestamp>,
    pub(super) polls: u32,
    /// How far the last attempt that said so was.
    pub(super) progress: Option<String>,
}

/// Where a unit stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum UnitState {
    /// Decided, not recorded.
    Decided,
    /// May begin.
    Ready,
    /// To be delayed; that is not recorded.
    ToDelay {
        until: Timestamp,
        reason: DelayReason,
    },
    Delayed {
        until: Timestamp,
        /// None before the first attempt.
        reason: Option<DelayReason>,
    },
    Running,
    /// Its sub-workflow is paused.
    Paused,
    /// To wait; that is not recorded.
    ToWait(Box<Wait>),
    /// To end as its poll decided; that is not recorded.
    ToEnd(Box<Outcome>),
    Waiting(Box<Wait>),
}

/// The items of a step that runs over a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Items {
    pub(super) values: Arc<Vec<Value>>,
    pub(super) concurrency: usize,
    /// Items whose turn has not come.
    pub(super) pending: VecDeque<u32>,
    /// Items that were decided on and have no outcome.
    pub(super) active: BTreeMap<u32, Unit>,
    /// How items ended.
    pub(super) done: Vec<Option<(Status, Arc<Value>)>>,
    /// The first failure: no further item begins.
    pub(super) failure: Option<(u32, Option<Failure>)>,
    /// Whether no further item begins although none failed: one was cancelled, or something else failed.
    pub(super) halted: bool,
    /// That the whole list is to be tried again, later; that is not recorded.
    pub(super) to_delay: Option<(Timestamp, DelayReason)>,
}

/// A try of a step that began and of whose end nothing is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct InFlight {
    /// What is tried.
    pub unit: UnitId,
    /// The task it belongs to.
    pub task: TaskName,
    /// Which try.
    pub attempt: AttemptNumber,
    /// The action that it calls.
    pub action: ActionRef,
    /// With what.
    pub input: Arc<Value>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it must have ended.
    pub deadline: Option<Timestamp>,
    /// The longest that it may be without a sign of life, in milliseconds.
    pub heartbeat_ms: Option<i64>,
    /// How far the last attempt that said so was.
    pub progress: Option<String>,
    /// Whether it is a sub-workflow that is paused.
    pub is_paused: bool,
}

/// Something that an execution passed: a step, or an engine command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The name of the task or of the command; a compensation is `task__compensate`.
    pub name: String,
    /// The route it was on.
    pub route: RouteId,
    /// Whether the branch ended there.
    pub terminal: bool,
}

impl Step {
    pub(super) const fn is_open(&self) -> bool {
        !self.status.is_terminal()
    }

    pub(super) fn unit_mut(&mut self, item: Option<ItemIndex>) -> Option<&mut Unit> {
        match (&mut self.work, item) {
            (Work::One(unit), None) => Some(unit),
            (Work::Many(items), Some(item)) => items.active.get_mut(&item.0),
            _ => None,
        }
    }

    pub(super) fn unit(&self, item: Option<ItemIndex>) -> Option<&Unit> {
        match (&self.work, item) {
            (Work::One(unit), None) => Some(unit),
            (Work::Many(items), Some(item)) => items.active.get(&item.0),
            _ => None,
        }
    }

    /// Its units that have no outcome.
    pub(super) fn open_units(&self) -> Vec<(Option<ItemIndex>, &Unit)> {
        if !self.is_open() {
            return Vec::new();
        }
        match &self.work {
            Work::Skip => Vec::new(),
            Work::One(unit) => vec![(None, unit)],
            Work::Many(items) => items.active.iter().map(|(item, unit)| (Some(ItemIndex(*item)), unit)).collect(),
        }
    }
}

impl Unit {
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        Some(self.started?.plus_ms(self.timeout_ms?))
    }
}

pub(super) fn step_id(number: usize) -> StepId {
    StepId(u32::try_from(number).unwrap_or(u32::MAX))
}

pub(super) fn step_number(step: StepId) -> usize {
    usize::try_from(step.0).unwrap_or(usize::MAX)
}
