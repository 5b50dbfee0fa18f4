//! The command that records events: the events, their matches, the keys that rules hold, and how far whoever emits them
//! has come. One insert a row, and nothing is read unless an event is there already.

use runner_model::{Event, EventId, Match, RuleRef, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::query;
use crate::codec::{self, WrittenEvent};
use crate::event::held_back;
use crate::sqlite::blobs::{self, Owner};
use crate::sqlite::fault::{Problem, broken};
use crate::sqlite::writer::Command;
use crate::{Advance, NewEvent, Once, Recorded, StoreError};

/// Records events and what goes with them.
pub(super) struct Record {
    lines: Vec<Line>,
    advance: Vec<Advance>,
}

impl Record {
    pub(super) async fn new(events: &[NewEvent], advance: Vec<Advance>) -> Result<Self, StoreError> {
        let mut lines = Vec::with_capacity(events.len());
        for new in events {
            lines.push(Line::new(new).await?);
        }
        Ok(Self { lines, advance })
    }
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
pub(super) enum Fate {
    /// It is recorded; the matches of these rules were held back.
    New(Vec<RuleRef>),
    Known(Box<Event>),
}

impl Fate {
    /// What is said of an event that was to be recorded.
    pub(super) fn of(self, mut event: Event) -> Recorded {
        match self {
            Self::Known(known) => Recorded::Known(*known),
            Self::New(held) => {
                for found in event.matches.iter_mut().filter(|found| held.contains(&found.rule)) {
                    found.state = held_back();
                }
                Recorded::New(event)
            }
        }
    }
}

impl Line {
    async fn new(new: &NewEvent) -> Result<Self, StoreError> {
        let NewEvent { event, once } = new;
        let matched = |found: &Match| {
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
