//! The catalogue of executions: what lists show, kept beside the journals.

use async_trait::async_trait;
use runner_model::{
    ActionRef, EventId, ExecutionId, ExecutionRecord, Origin, PackRef, RuleRef, Status, Timestamp, limits,
};

use crate::StoreError;

/// Which executions to list. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecutionFilter {
    /// Has this status.
    pub status: Option<Status>,
    /// Runs this action.
    pub action: Option<ActionRef>,
    /// Runs an action of this pack.
    pub pack: Option<PackRef>,
    /// Was asked for at this moment or later.
    pub created_after: Option<Timestamp>,
    /// Was asked for before this moment.
    pub created_before: Option<Timestamp>,
    /// Has not ended (true), or has (false).
    pub open: Option<bool>,
    /// Was started by a step of this execution.
    pub parent: Option<ExecutionId>,
    /// Was started by no step (true), or by one (false).
    pub root: Option<bool>,
    /// Was started by this rule.
    pub rule: Option<RuleRef>,
    /// Was started because of this event.
    pub event: Option<EventId>,
    /// Ended at this moment or later.
    pub finished_after: Option<Timestamp>,
    /// Ended before this moment.
    pub finished_before: Option<Timestamp>,
    /// Which ones come first.
    pub order: Order,
}

/// Which executions come first in a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// The newest.
    #[default]
    Newest,
    /// The oldest.
    Oldest,
}

impl ExecutionFilter {
    /// Whether an execution is among them.
    #[must_use]
    pub fn admits(&self, record: &ExecutionRecord) -> bool {
        self.status.is_none_or(|status| record.status == status)
            && self.action.as_ref().is_none_or(|action| record.action == *action)
            && self.pack.as_ref().is_none_or(|pack| record.action.pack() == pack.as_str())
            && self.created_after.is_none_or(|moment| record.created_at >= moment)
            && self.created_before.is_none_or(|moment| record.created_at < moment)
            && self.open.is_none_or(|open| record.status.is_terminal() != open)
            && self.parent.is_none_or(|parent| parent_of(record) == Some(parent))
            && self.root.is_none_or(|root| parent_of(record).is_none() == root)
            && self.rule.as_ref().is_none_or(|rule| cause_of(record).is_some_and(|(own, _)| own == rule))
            && self.event.is_none_or(|event| cause_of(record).is_some_and(|(_, own)| own == event))
            && self.finished_after.is_none_or(|moment| record.finished_at.is_some_and(|end| end >= moment))
            && self.finished_before.is_none_or(|moment| record.finished_at.is_some_and(|end| end < moment))
    }
}

/// All executions, without their journals.
#[async_trait]
pub trait Catalogue {
    /// One execution.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn get(&self, id: ExecutionId) -> Result<ExecutionRecord, StoreError>;

    /// The first `limit` executions that the filter admits, in the filter's [`Order`], and that come after `cursor` in
    /// it. The id of the last one is the cursor of the next page.
    async fn list(
        &self,
        filter: &ExecutionFilter,
        cursor: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Vec<ExecutionRecord>, StoreError>;

    /// How many executions the filter admits, or [`limits::EXECUTION_COUNT_MAX`] if there are more: whoever asks need
    /// not wait for millions to be counted.
    async fn count(&self, filter: &ExecutionFilter) -> Result<u64, StoreError>;

    /// The executions that steps of this one started, newest last; none if there is no such execution.
    async fn children(&self, id: ExecutionId) -> Result<Vec<ExecutionRecord>, StoreError>;

    /// The versions of packs that executions began with, each once: those that are needed to end what is open, and to run
    /// again what has ended and was not removed. A version is a pack and its digest ([`runner_model::Requested`]).
    async fn versions(&self) -> Result<Vec<(PackRef, String)>, StoreError>;

    /// The newest executions whose id begins with `prefix`, at most [`limits::EXECUTION_PREFIX_MATCHES_MAX`], newest
    /// first. Hyphens and upper or lower case do not matter.
    ///
    /// # Errors
    /// [`StoreError::ShortPrefix`].
    async fn find(&self, prefix: &str) -> Result<Vec<ExecutionId>, StoreError>;
}

/// The execution whose step started this one.
pub(crate) const fn parent_of(record: &ExecutionRecord) -> Option<ExecutionId> {
    record.origin.parent()
}

/// The rule that started an execution, and the event.
pub(crate) const fn cause_of(record: &ExecutionRecord) -> Option<(&RuleRef, EventId)> {
    match &record.origin {
        Origin::Rule { rule, event, .. } => Some((rule, *event)),
        _ => None,
    }
}

/// The first and the last id that begin with `prefix`; none if it is not the beginning of an id.
pub(crate) fn range(prefix: &str) -> Result<Option<(ExecutionId, ExecutionId)>, StoreError> {
    let digits: String = prefix.chars().filter(|c| *c != '-').collect();
    if digits.chars().count() < limits::EXECUTION_PREFIX_CHARS_MIN {
        return Err(StoreError::ShortPrefix { prefix: prefix.to_owned() });
    }
    let first = format!("{digits:0<32}").parse();
    let last = format!("{digits:f<32}").parse();
    Ok(first.ok().zip(last.ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_an_id_is_a_range_of_ids() {
        let (first, last) = range("019A-b").unwrap().unwrap();
        assert_eq!(first.to_string(), "019ab000-0000-0000-0000-000000000000");
        assert_eq!(last.to_string(), "019abfff-ffff-ffff-ffff-ffffffffffff");
        let whole = first.to_string();
        assert_eq!(range(&whole).unwrap(), Some((first, first)));
    }

    #[test]
    fn what_cannot_begin_an_id_finds_nothing_and_too_little_is_refused() {
        assert_eq!(range("01zz").unwrap(), None);
        assert_eq!(range(&"0".repeat(33)).unwrap(), None);
        assert_eq!(range("{019").unwrap(), None);
        assert!(matches!(range("01-9"), Err(StoreError::ShortPrefix { .. })));
    }
}
