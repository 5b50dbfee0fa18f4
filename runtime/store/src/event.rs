//! Events, and what goes into the same commit with them: how far whoever emitted them has come.

use std::collections::BTreeSet;

use async_trait::async_trait;
use runner_model::{Event, EventId, ExecutionId, MatchState, RuleRef, Timestamp, TriggerRef};

use crate::StoreError;

/// An event to record.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// The event, with its matches.
    pub event: Event,
    /// Keys under which rules refuse to be matched again: of a match whose key is held already the state becomes
    /// [`MatchState::Skipped`].
    pub once: Vec<Once>,
}

/// A rule's own deduplication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// Whose.
    pub rule: RuleRef,
    /// The key.
    pub key: String,
    /// Until when it is held.
    pub until: Timestamp,
}

/// How far whoever emits events has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advance {
    /// A mark by name gets a value: the last instant of a schedule, the cursor of a sensor.
    Mark {
        /// Its name: `schedule/core.nightly`.
        name: String,
        /// The value.
        value: String,
    },
    /// The end of an execution has been dealt with ([`Append::announce`](crate::Append::announce)).
    Ended(ExecutionId),
}

/// What became of an event that was to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// It is recorded; its matches are as they are written, those that were held back by [`Once`] included.
    New(Event),
    /// One with the same trigger, source and key is there already, or one with the same id, because it is recorded once
    /// more: that one.
    Known(Event),
}

/// Which events to list. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this trigger.
    pub trigger: Option<TriggerRef>,
    /// Of this source.
    pub source: Option<String>,
    /// Matched by this rule.
    pub rule: Option<RuleRef>,
    /// Something is left to do for it (true), or nothing is (false).
    pub open: Option<bool>,
    /// Recorded at this moment or later.
    pub received_after: Option<Timestamp>,
    /// Recorded before this moment.
    pub received_before: Option<Timestamp>,
}

impl EventFilter {
    /// Whether an event is among them.
    #[must_use]
    pub fn admits(&self, event: &Event) -> bool {
        self.trigger.as_ref().is_none_or(|trigger| event.trigger == *trigger)
            && self.source.as_ref().is_none_or(|source| event.source == *source)
            && self.rule.as_ref().is_none_or(|rule| event.matches.iter().any(|one| one.rule == *rule))
            && self.open.is_none_or(|open| event.is_open() == open)
            && self.received_after.is_none_or(|moment| event.received_at >= moment)
            && self.received_before.is_none_or(|moment| event.received_at < moment)
    }
}

/// All events.
#[async_trait]
pub trait Events {
    /// Records events and what goes with them, all in one commit. An event whose trigger, source and key are those of
    /// one that is there is not recorded. Committed when this returns.
    ///
    /// The time in an event's id is that of its record, give or take
    /// [`EVENT_ID_AROUND_MS`](runner_model::limits::EVENT_ID_AROUND_MS): events are found by their time through it.
    ///
    /// A key of [`Once`] is held if it was taken until a moment after the event was recorded; it is taken for matches
    /// that are open.
    ///
    /// # Errors
    /// [`StoreError::Illegal`] if a rule matches an event twice; [`StoreError::NoKey`] or [`StoreError::Key`] if one is to
    /// be sealed and there is no key.
    async fn record(&self, events: Vec<NewEvent>, advance: Vec<Advance>) -> Result<Vec<Recorded>, StoreError>;

    /// Says what became of a match. Does nothing if the match is not open any more.
    ///
    /// # Errors
    /// [`StoreError::NoEvent`] if there is no such event, or the rule did not match it.
    async fn settle(&self, event: EventId, rule: &RuleRef, state: MatchState) -> Result<(), StoreError>;

    /// One event.
    ///
    /// # Errors
    /// [`StoreError::NoEvent`].
    async fn event(&self, id: EventId) -> Result<Event, StoreError>;

    /// The newest `limit` events that the filter admits and that are older than `cursor`, newest first.
    async fn events(
        &self,
        filter: &EventFilter,
        cursor: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError>;

    /// The oldest `limit` events for which something is left to do and that are newer than `after`, oldest first.
    async fn open_events(&self, after: Option<EventId>, limit: usize) -> Result<Vec<Event>, StoreError>;

    /// The value of a mark.
    async fn mark(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Executions whose end was announced and not dealt with yet, the first to end first.
    async fn ended(&self, limit: usize) -> Result<Vec<ExecutionId>, StoreError>;
}

/// What becomes of a match that a rule's own deduplication holds back.
pub(crate) fn held_back() -> MatchState {
    MatchState::Skipped { reason: "the rule has matched an event with this key already".to_owned() }
}

/// Refuses events that a rule matches twice: what becomes of a match is said by the rule.
pub(crate) fn check(events: &[NewEvent]) -> Result<(), StoreError> {
    for NewEvent { event, .. } in events {
        let rules: BTreeSet<_> = event.matches.iter().map(|one| &one.rule).collect();
        if rules.len() < event.matches.len() {
            return Err(StoreError::Illegal { what: "the event", reason: "a rule matches it twice".to_owned() });
        }
    }
    Ok(())
}
