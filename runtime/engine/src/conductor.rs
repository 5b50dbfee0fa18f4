//! What a workflow does next: a fold over journal entries.
//!
//! [`State::apply`] takes the next entry into the state; [`State::outstanding`] says what has been decided and not yet
//! been recorded. Whoever drives it records the outstanding commands as entries and applies those too. Recovery is
//! the same fold over the journal, after which `outstanding` and [`State::in_flight`] say where to go on.
//!
//! The semantics are Orquesta's: every matching transition fires; what a branch publishes is a *delta*, and a context
//! is the merge of the deltas on the way to it, in the order of arrival; a task that several transitions lead to runs
//! once for each of them, on a route of its own, unless it joins them.
//!
//! **Nothing here reads a clock, a store or the environment.** An entry that does not follow from the state is refused
//! ([`Stop::Mismatch`]): the journal belongs to another plan.

mod context;
mod decide;
mod finish;
mod state;
mod transition;

use runner_model::{ActionRef, ErrorRecord, RouteId, Status, StepId, TaskName};
use serde_json::Value;

pub use state::{InFlight, State};

/// Something that was decided and is not yet recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Start a step.
    StartStep {
        /// The step.
        step: StepId,
        /// The task it runs.
        task: TaskName,
        /// Its route.
        route: RouteId,
        /// The action to call.
        action: ActionRef,
        /// The rendered input.
        input: Value,
    },
    /// Interrupt what runs: the execution is being cancelled.
    InterruptStep {
        /// The step.
        step: StepId,
    },
    /// End the execution.
    Finish {
        /// A terminal status.
        status: Status,
        /// What it returns.
        result: Value,
        /// What went wrong, in order.
        errors: Vec<ErrorRecord>,
    },
}

/// Why an entry could not be applied.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Stop {
    /// A decision reads a key: record its value ([`runner_model::Fact::ValuesRead`]), apply that, and apply the entry
    /// again. The state is as it was.
    #[error("the value of the key `{key}` is needed")]
    NeedsKv {
        /// The key.
        key: String,
    },
    /// The entry does not follow from the state.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

/// A journal that does not fit the plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal does not fit the workflow: {what}")]
pub struct Mismatch {
    /// What does not fit, in a lowercase sentence.
    pub what: String,
}

#[cfg(test)]
mod tests;
