//! Events: recording them and saying what became of their matches, each in one command.

mod query;
mod record;

use async_trait::async_trait;
use runner_model::{Event, EventId, ExecutionId, MatchState, RuleRef};
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::fault::Problem;
use super::writer::Command;
use crate::codec::Sealer;
use crate::event::check;
use crate::{Advance, EventFilter, Events, NewEvent, Recorded, StoreError, codec};
pub(crate) use query::verify;
use record::Record;

#[async_trait]
impl Events for SqliteStore {
    async fn record(&self, events: Vec<NewEvent>, advance: Vec<Advance>) -> Result<Vec<Recorded>, StoreError> {
        check(&events)?;
        let record = Record::new(&events, advance, self.keys.as_ref()).await?;
        let fates = self.writer.submit(record).await?;
        Ok(events.into_iter().zip(fates).map(|(new, fate)| fate.of(new.event)).collect())
    }

    async fn settle(&self, event: EventId, rule: &RuleRef, state: MatchState) -> Result<(), StoreError> {
        let json = codec::to_json("what became of the match", &state)?;
        // Of the others it is known what they say.
        let is_told = matches!(state, MatchState::Failed { .. });
        let sealed = is_told && self.readers.run(move |db| Ok(query::is_sealed(db, event)?)).await?;
        let text = match sealed {
            false => String::from_utf8_lossy(&json).into_owned(),
            true => {
                let sealer = Sealer::prepare(self.keys.as_ref(), codec::owner_of_event(event)).await?;
                record::sealed_state(&sealer, rule, &json)?
            }
        };
        self.writer.submit(Settle { event, rule: rule.clone(), open: state.is_open(), text }).await
    }

    async fn event(&self, id: EventId) -> Result<Event, StoreError> {
        let keys = self.keys.clone();
        self.readers.run(move |db| query::one(&*db.unchecked_transaction()?, keys.as_ref(), id)).await
    }

    async fn events(
        &self,
        filter: &EventFilter,
        cursor: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let (keys, filter) = (self.keys.clone(), filter.clone());
        self.readers.run(move |db| query::list(db, keys.as_ref(), &query::page(&filter, cursor, limit))).await
    }

    async fn open_events(&self, after: Option<EventId>, limit: usize) -> Result<Vec<Event>, StoreError> {
        let keys = self.keys.clone();
        self.readers.run(move |db| query::list(db, keys.as_ref(), &query::open(after, limit))).await
    }

    async fn mark(&self, name: &str) -> Result<Option<String>, StoreError> {
        let name = name.to_owned();
        self.readers.run(move |db| query::mark(db, &name)).await
    }

    async fn ended(&self, limit: usize) -> Result<Vec<ExecutionId>, StoreError> {
        self.readers.run(move |db| query::ended(db, limit)).await
    }
}

/// Says what became of a match.
struct Settle {
    event: EventId,
    rule: RuleRef,
    open: bool,
    text: String,
}

impl Command for Settle {
    type Answer = ();

    fn perform(&self, db: &Connection) -> Result<(), Problem> {
        let state = &self.text;
        let settled = db
            .prepare_cached("UPDATE matches SET open = ?3, state = ?4 WHERE event = ?1 AND rule = ?2 AND open = 1")?
            .execute(params![self.event.as_bytes(), self.rule.as_str(), self.open, state])?;
        let found = settled > 0
            || db
                .prepare_cached("SELECT 1 FROM matches WHERE event = ?1 AND rule = ?2")?
                .exists(params![self.event.as_bytes(), self.rule.as_str()])?;
        if found { Ok(()) } else { Err(StoreError::NoEvent.into()) }
    }

    fn bytes(&self) -> usize {
        self.text.len()
    }
}
