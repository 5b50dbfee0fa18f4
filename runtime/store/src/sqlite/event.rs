//! Events: recording them and saying what became of their matches, each in one command.

mod query;

use async_trait::async_trait;
use runner_model::{Event, EventId, ExecutionId, MatchState, RuleRef, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::SqliteStore;
use super::blobs::{self, Owner};
use super::fault::{Problem, broken};
use super::writer::Command;
use crate::codec::{self, WrittenEvent};
use crate::event::{check, held_back};
use crate::{Advance, EventFilter, Events, NewEvent, Once, Recorded, StoreError};
pub(crate) use query::verify;

#[async_trait]
impl Events for SqliteStore {
    async fn record(&self, events: Vec<NewEvent>, advance: Vec<Advance>) -> Result<Vec<Recorded>, StoreError> {
        check(&events)?;
        let mut lines = Vec::with_capacity(events.len());
        for new in &events {
            lines.push(Line::new(new).await?);
        }
        let fates = self.writer.submit(Record { lines, advance }).await?;
        Ok(events.into_iter().zip(fates).map(|(new, fate)| recorded(new.event, fate)).collect())
    }

    async fn settle(&self, event: EventId, rule: &RuleRef, state: MatchState) -> Result<(), StoreError> {
        let json = codec::to_json("what became of the match", &state)?;
        let open = state.is_open();
        self.writer.submit(Settle { event, rule: rule.clone(), open, json }).await
    }

    async fn event(&self, id: EventId) -> Result<Event, StoreError> {
        self.readers.run(move |db| query::one(&*db.unchecked_transaction()?, id)).await
    }

    async fn events(
        &self,
        filter: &EventFilter,
        cursor: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let filter = filter.clone();
        self.readers.run(move |db| query::list(db, &query::page(&filter, cursor, limit))).await
    }

    async fn open_events(&self, after: Option<EventId>, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.readers.run(move |db| query::list(db, &query::open(after, limit))).await
    }

    async fn mark(&self, name: &str) -> Result<Option<String>, StoreError> {
        let name = name.to_owned();
        self.readers.run(move |db| query::mark(db, &name)).await
    }

    async fn ended(&self, limit: usize) -> Result<Vec<ExecutionId>, StoreError> {
        self.readers.run(move |db| query::ended(db, limit)).await
    }
}

/// Records events and what goes with them.
struct Record {
    lines: Vec<Line>,
    advance: Vec<Advance>,
}

/// One event. What can be prepared is prepared in the caller's thread.
struct Line {
    id: EventId,
    trigger: String,
    source: String,
    key: Option<String>,
    received_at: Timestamp,
    written: WrittenEvent,
    matches: Vec<Matched>,
}

struct Matched {
    rule: RuleRef,
    open: bool,
    state: Vec<u8>,
    once: Vec<Once>,
}

/// What became of an event.
enum Fate {
    /// It is recorded; the matches of these rules were held back.
    New(Vec<RuleRef>),
    Known(Box<Event>),
}

fn recorded(mut event: Event, fate: Fate) -> Recorded {
    match fate {
        Fate::Known(known) => Recorded::Known(*known),
        Fate::New(held) => {
            for found in event.matches.iter_mut().filter(|found| held.contains(&found.rule)) {
                found.state = held_back();
            }
            Recorded::New(event)
        }
    }
}

impl Line {
    async fn new(new: &NewEvent) -> Result<Self, StoreError> {
        let NewEvent { event, once } = new;
        let matched = |found: &runner_model::Match| {
            Ok(Matched {
                rule: found.rule.clone(),
                open: found.state.is_open(),
                state: codec::to_json("what became of the match", &found.state)?,
                once: once.iter().filter(|once| once.rule == found.rule).cloned().collect(),
            })
        };
        Ok(Self {
            id: event.id,
            trigger: event.trigger.as_str().to_owned(),
            source: event.source.clone(),
            key: event.key.clone(),
            received_at: event.received_at,
            written: codec::write_event(event).await?,
            matches: event.matches.iter().map(matched).collect::<Result<_, StoreError>>()?,
        })
    }

    /// Whether it is new, and recorded now.
    fn insert(&self, db: &Connection) -> Result<bool, rusqlite::Error> {
        let WrittenEvent { json, references, blobs, digest } = &self.written;
        let inserted = db
            .prepare_cached(
                "INSERT INTO events (id, trigger, source, key, received_at, digest, event, blobs)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                self.id.as_bytes(),
                self.trigger,
                self.source,
                self.key,
                self.received_at.as_millis(),
                digest,
                json,
                references
            ])?;
        if inserted > 0 {
            blobs::insert(db, &Owner::Event(self.id), blobs)?;
        }
        Ok(inserted > 0)
    }

    /// The event that is there in its place.
    fn known(&self, db: &Connection) -> Result<Event, Problem> {
        let same = db
            .prepare_cached("SELECT id FROM events WHERE trigger = ?1 AND source = ?2 AND key = ?3")?
            .query_row(params![self.trigger, self.source, self.key], |row: &Row<'_>| row.get(0))
            .optional()?;
        query::one(db, same.map_or(self.id, EventId::from_bytes))
    }

    fn record(&self, db: &Connection) -> Result<Fate, Problem> {
        if !self.insert(db)? {
            // Others of the same command are written already, so it cannot be refused any more.
            return self.known(db).map(|known| Fate::Known(Box::new(known))).map_err(broken);
        }
        let mut held = Vec::new();
        for found in &self.matches {
            if found.open && self.is_held_back(db, &found.once)? {
                insert_match(db, self.id, &found.rule, false, &codec::to_json("a match", &held_back())?)?;
                held.push(found.rule.clone());
            } else {
                insert_match(db, self.id, &found.rule, found.open, &found.state)?;
            }
        }
        Ok(Fate::New(held))
    }

    /// Takes keys for a match, up to the first that is held.
    fn is_held_back(&self, db: &Connection, once: &[Once]) -> Result<bool, rusqlite::Error> {
        for Once { rule, key, until } in once {
            let taken = db
                .prepare_cached(
                    "INSERT INTO rule_keys (rule, key, held_until) VALUES (?1, ?2, ?3)
                     ON CONFLICT (rule, key) DO UPDATE SET held_until = excluded.held_until WHERE held_until <= ?4",
                )?
                .execute(params![rule.as_str(), key, until.as_millis(), self.received_at.as_millis()])?;
            if taken == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn insert_match(
    db: &Connection,
    event: EventId,
    rule: &RuleRef,
    open: bool,
    state: &[u8],
) -> Result<(), rusqlite::Error> {
    db.prepare_cached("INSERT INTO matches (event, rule, open, state) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![event.as_bytes(), rule.as_str(), open, String::from_utf8_lossy(state)])
        .map(|_| ())
}

impl Command for Record {
    type Answer = Vec<Fate>;

    fn perform(&self, db: &Connection) -> Result<Vec<Fate>, Problem> {
        for advance in &self.advance {
            proceed(db, advance)?;
        }
        self.lines.iter().map(|line| line.record(db)).collect()
    }

    fn bytes(&self) -> usize {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.written.bytes()))
    }
}

fn proceed(db: &Connection, advance: &Advance) -> Result<(), rusqlite::Error> {
    match advance {
        Advance::Mark { name, value } => db
            .prepare_cached(
                "INSERT INTO marks (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            )?
            .execute([name, value]),
        Advance::Ended(id) => db.prepare_cached("DELETE FROM ended WHERE execution = ?1")?.execute([id.as_bytes()]),
    }
    .map(|_| ())
}

/// Says what became of a match.
struct Settle {
    event: EventId,
    rule: RuleRef,
    open: bool,
    json: Vec<u8>,
}

impl Command for Settle {
    type Answer = ();

    fn perform(&self, db: &Connection) -> Result<(), Problem> {
        let state = String::from_utf8_lossy(&self.json);
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
        self.json.len()
    }
}
