//! What a workflow does next: a fold over journal entries.
//!
//! [`State::apply`] takes the next entry into the state; [`State::outstanding`] says what has been decided and not yet
//! been recorded, [`State::due`] what the time says. Whoever drives it records those commands as entries and applies
//! them too. Recovery is the same fold over the journal, after which `outstanding` and [`State::in_flight`] say where to
//! go on.
//!
//! The semantics are Orquesta's: every matching transition fires; what a branch publishes is a *delta*, and a context
//! is the merge of the deltas on the way to it, in the order of arrival; a task that several transitions lead to runs
//! once for each of them, on a route of its own, unless it joins them.
//!
//! A task runs as a **step**; what is tried until it has an outcome is a **unit**: the step itself, or one item of a
//! step that runs over a list.
//!
//! **Nothing here reads a clock, a store or the environment.** An entry that does not follow from the state is refused
//! ([`Stop::Mismatch`]): the journal belongs to another plan.

mod attempt;
mod chance;
mod command;
mod context;
mod decide;
mod fact;
mod finish;
mod items;
mod join;
mod poll;
mod rerun;
mod retry;
mod settings;
mod state;
mod step;
mod transition;
mod unwind;

pub use command::Command;
pub use rerun::RerunError;
pub use state::State;
pub use step::{InFlight, Passage, UnitId};

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

impl Mismatch {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

impl Stop {
    pub(crate) fn mismatch(what: impl Into<String>) -> Self {
        Mismatch::new(what).into()
    }
}

#[cfg(test)]
mod tests;
