//! Open waits: what steps wait for from outside, kept beside the journals so that whoever has an answer finds them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use runner_model::{Entry, ExecutionId, Fact, ItemIndex, StepId, Timestamp, Wait, WaitKind};

use crate::StoreError;

/// A step, or an item of one, that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenWait {
    /// Whose step.
    pub execution: ExecutionId,
    /// The step.
    pub step: StepId,
    /// The item, in a step that runs over a list.
    pub item: Option<ItemIndex>,
    /// Since when.
    pub opened_at: Timestamp,
    /// For what, and until when.
    pub wait: Wait,
}

/// The kinds of waits, without what belongs to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Awaited {
    /// A person's answer.
    Inquiry,
    /// An event.
    Event,
    /// Somebody to say what an attempt did.
    Outcome,
}

impl Awaited {
    /// The kind of a wait.
    #[must_use]
    pub const fn of(wait: &Wait) -> Self {
        match wait.kind {
            WaitKind::Inquiry { .. } => Self::Inquiry,
            WaitKind::Event { .. } => Self::Event,
            WaitKind::Outcome { .. } => Self::Outcome,
        }
    }

    /// The word, as it is written in the wait.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inquiry => "inquiry",
            Self::Event => "event",
            Self::Outcome => "outcome",
        }
    }
}

/// Which waits to list. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitFilter {
    /// Of this execution.
    pub execution: Option<ExecutionId>,
    /// Of this kind.
    pub kind: Option<Awaited>,
    /// For an event with this key.
    pub key: Option<String>,
}

impl WaitFilter {
    /// Whether a wait is among them.
    #[must_use]
    pub fn admits(&self, open: &OpenWait) -> bool {
        self.execution.is_none_or(|execution| open.execution == execution)
            && self.kind.is_none_or(|kind| Awaited::of(&open.wait) == kind)
            && self.key.as_deref().is_none_or(|key| key_of(&open.wait) == Some(key))
    }
}

/// What steps wait for. A wait is there from [`Fact::WaitOpened`] until its step or item is answered or ends, or the
/// execution does.
#[async_trait]
pub trait Waits {
    /// The first `limit` waits that the filter admits, by execution (oldest first), step and item.
    async fn waits(&self, filter: &WaitFilter, limit: usize) -> Result<Vec<OpenWait>, StoreError>;
}

/// The key of the event that is waited for.
pub(crate) fn key_of(wait: &Wait) -> Option<&str> {
    match &wait.kind {
        WaitKind::Event { key } => Some(key),
        WaitKind::Inquiry { .. } | WaitKind::Outcome { .. } => None,
    }
}

/// What an entry does to the open waits of its execution.
#[derive(Debug)]
pub(crate) enum Change {
    /// A wait is there; it takes the place of an earlier one of the same step or item.
    Open(Box<OpenWait>),
    /// The step or item does not wait any more.
    Close(StepId, Option<ItemIndex>),
    /// Nothing of the execution waits any more.
    CloseAll,
}

/// What entries do, in order.
pub(crate) fn changes(execution: ExecutionId, entries: &[Entry]) -> Vec<Change> {
    let change = |entry: &Entry| match &entry.fact {
        Fact::WaitOpened { step, item, wait } => {
            let (step, item, wait) = (*step, *item, Wait::clone(wait));
            Some(Change::Open(Box::new(OpenWait { execution, step, item, opened_at: entry.at, wait })))
        }
        Fact::Answered { step, item, .. } | Fact::AttemptFinished { step, item, .. } => {
            Some(Change::Close(*step, *item))
        }
        Fact::Finished { .. } => Some(Change::CloseAll),
        _ => None,
    };
    entries.iter().filter_map(change).collect()
}

/// What is open after all the entries of an execution, by step and item.
pub(crate) fn fold(execution: ExecutionId, entries: &[Entry]) -> Vec<OpenWait> {
    let mut open = BTreeMap::new();
    for change in changes(execution, entries) {
        match change {
            Change::Open(wait) => {
                open.insert((wait.step, wait.item), *wait);
            }
            Change::Close(step, item) => {
                open.remove(&(step, item));
            }
            Change::CloseAll => open.clear(),
        }
    }
    open.into_values().collect()
}
