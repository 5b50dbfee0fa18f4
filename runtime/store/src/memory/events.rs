//! The events of the model, and how far whoever emits them has come.

use std::collections::BTreeMap;

use async_trait::async_trait;
use runner_model::{Event, EventId, ExecutionId, MatchState, RuleRef, Timestamp};

use super::{MemoryStore, State};
use crate::event::{check, held_back};
use crate::{Advance, EventFilter, Events, NewEvent, Once, Recorded, StoreError, codec};

#[derive(Debug, Default)]
pub(super) struct Happened {
    pub(super) events: BTreeMap<EventId, Event>,
    /// Until when each rule holds its keys.
    pub(super) keys: BTreeMap<(RuleRef, String), Timestamp>,
    marks: BTreeMap<String, String>,
    /// In the order in which they ended.
    pub(super) ended: Vec<ExecutionId>,
}

impl Happened {
    /// Notes that an execution ended; once is enough.
    pub(super) fn announce(&mut self, id: ExecutionId) {
        if !self.ended.contains(&id) {
            self.ended.push(id);
        }
    }

    fn record(&mut self, new: NewEvent) -> Recorded {
        let NewEvent { mut event, once } = new;
        let same = event.key.as_ref().and_then(|_| self.events.values().find(|known| is_same(known, &event)));
        if let Some(known) = same.or_else(|| self.events.get(&event.id)) {
            return Recorded::Known(known.clone());
        }
        for once in once {
            self.hold_back(&mut event, once);
        }
        self.events.insert(event.id, event.clone());
        Recorded::New(event)
    }

    fn hold_back(&mut self, event: &mut Event, once: Once) {
        let Some(found) = event.matches.iter_mut().find(|found| found.rule == once.rule) else { return };
        if !found.state.is_open() {
            return;
        }
        let key = (once.rule, once.key);
        if self.keys.get(&key).is_some_and(|until| *until > event.received_at) {
            found.state = held_back();
        } else {
            self.keys.insert(key, once.until);
        }
    }

    fn advance(&mut self, advance: Advance) {
        match advance {
            Advance::Mark { name, value } => {
                self.marks.insert(name, value);
            }
            Advance::Ended(id) => self.ended.retain(|ended| *ended != id),
        }
    }
}

fn is_same(known: &Event, event: &Event) -> bool {
    (&known.trigger, &known.source, &known.key) == (&event.trigger, &event.source, &event.key)
}

impl State {
    fn event(&self, id: EventId) -> Result<&Event, StoreError> {
        self.happened.events.get(&id).ok_or(StoreError::NoEvent)
    }
}

#[async_trait]
impl Events for MemoryStore {
    async fn record(&self, events: Vec<NewEvent>, advance: Vec<Advance>) -> Result<Vec<Recorded>, StoreError> {
        check(&events)?;
        events.iter().try_for_each(|new| codec::check_event(&new.event))?;
        let happened = &mut self.0.lock().happened;
        advance.into_iter().for_each(|advance| happened.advance(advance));
        Ok(events.into_iter().map(|new| happened.record(new)).collect())
    }

    async fn settle(&self, event: EventId, rule: &RuleRef, state: MatchState) -> Result<(), StoreError> {
        codec::to_json("what became of the match", &state)?;
        let events = &mut self.0.lock().happened.events;
        let matches = events.get_mut(&event).into_iter().flat_map(|event| &mut event.matches);
        let found = matches.into_iter().find(|found| found.rule == *rule).ok_or(StoreError::NoEvent)?;
        if found.state.is_open() {
            found.state = state;
        }
        Ok(())
    }

    async fn event(&self, id: EventId) -> Result<Event, StoreError> {
        self.0.lock().event(id).cloned()
    }

    async fn events(
        &self,
        filter: &EventFilter,
        cursor: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let state = self.0.lock();
        let older = state.happened.events.values().rev().filter(|event| cursor.is_none_or(|cursor| event.id < cursor));
        Ok(older.filter(|event| filter.admits(event)).take(limit).cloned().collect())
    }

    async fn open_events(&self, after: Option<EventId>, limit: usize) -> Result<Vec<Event>, StoreError> {
        let state = self.0.lock();
        let newer = state.happened.events.values().filter(|event| after.is_none_or(|after| event.id > after));
        Ok(newer.filter(|event| event.is_open()).take(limit).cloned().collect())
    }

    async fn mark(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self.0.lock().happened.marks.get(name).cloned())
    }

    async fn ended(&self, limit: usize) -> Result<Vec<ExecutionId>, StoreError> {
        Ok(self.0.lock().happened.ended.iter().take(limit).copied().collect())
    }
}
