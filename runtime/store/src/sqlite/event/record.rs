//! The command that records events: the events, their matches, the keys that rules hold, and how far whoever emits them
//! has come. One insert a row, and nothing is read unless an event is there already.

use runner_model::{Event, EventId, Match, MatchState, RuleRef, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use zeroize::Zeroizing;

use super::query;
use crate::codec::{self, Sealer, WrittenEvent};
use crate::event::held_back;
use crate::sqlite::blobs::{self, Owner};
use crate::sqlite::fault::{Problem, broken};
use crate::sqlite::writer::Command;
use crate::{Advance, KeySource, NewEvent, Once, Recorded, StoreError};

/// Records events and what goes with them.
pub(super) struct Record {
    lines: Vec<Line>,
    advance: Vec<Advance>,
    /// For reading what is there already.
    keys: Option<KeySource>,
}

impl Record {
    pub(super) async fn new(
        events: &[NewEvent],
        advance: Vec<Advance>,
        keys: Option<&KeySource>,
    ) -> Result<Self, StoreError> {
        let mut lines = Vec::with_capacity(events.len());
        for new in events {
            lines.push(Line::new(new, keys).await?);
        }
        Ok(Self { lines, advance, keys: keys.cloned() })
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
    sealed: bool,
}

struct Matched {
    rule: RuleRef,
    open: bool,
    state: String,
    once: Vec<Once>,
}

/// Finds the event that has the key of another one.
const SAME: &str = "SELECT id FROM events WHERE trigger = ?1 AND source = ?2 AND key = ?3";

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
    async fn new(new: &NewEvent, keys: Option<&KeySource>) -> Result<Self, StoreError> {
        let NewEvent { event, once } = new;
        let sealer = match event.sealed {
            true => Some(Sealer::prepare(keys, codec::owner_of_event(event.id)).await?),
            false => None,
        };
        let matched = |found: &Match| {
            let json = codec::to_json("what became of the match", &found.state)?;
            let mut once: Vec<_> = once.iter().filter(|once| once.rule == found.rule).cloned().collect();
            if let Some(sealer) = &sealer {
                once.iter_mut().for_each(|once| once.key = sealer.tag(&once.key));
            }
            Ok(Matched {
                rule: found.rule.clone(),
                open: found.state.is_open(),
                state: match (&sealer, &found.state) {
                    (Some(sealer), MatchState::Failed { .. }) => sealed_state(sealer, &found.rule, &json)?,
                    _ => String::from_utf8_lossy(&json).into_owned(),
                },
                once,
            })
        };
        Ok(Self {
            id: event.id,
            trigger: event.trigger.as_str().to_owned(),
            source: event.source.clone(),
            key: event.key.clone(),
            received_at: event.received_at,
            written: codec::write_event(event, sealer.as_ref()).await?,
            sealed: event.sealed,
            matches: event.matches.iter().map(matched).collect::<Result<_, StoreError>>()?,
        })
    }

    /// Whether it is new, and recorded now.
    fn insert(&self, db: &Connection) -> Result<bool, rusqlite::Error> {
        let WrittenEvent { json, references, blobs, digest } = &self.written;
        let inserted = db
            .prepare_cached(
                "INSERT INTO events (id, trigger, source, key, received_at, digest, event, blobs, sealed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                self.id.as_bytes(),
                self.trigger,
                self.source,
                self.key,
                self.received_at.as_millis(),
                digest,
                json,
                references,
                self.sealed
            ])?;
        if inserted > 0 {
            blobs::insert(db, &Owner::Event(self.id), blobs)?;
        }
        Ok(inserted > 0)
    }

    /// The event that is there in its place.
    fn known(&self, db: &Connection, keys: Option<&KeySource>) -> Result<Event, Problem> {
        let same = db
            .prepare_cached(SAME)?
            .query_row(params![self.trigger, self.source, self.key], |row: &Row<'_>| row.get(0))
            .optional()?;
        query::one(db, keys, same.map_or(self.id, EventId::from_bytes))
    }

    fn record(&self, db: &Connection, keys: Option<&KeySource>) -> Result<Fate, Problem> {
        if !self.insert(db)? {
            // Others of the same command are written already, so it cannot be refused any more.
            return self.known(db, keys).map(|known| Fate::Known(Box::new(known))).map_err(broken);
        }
        let mut held = Vec::new();
        for found in &self.matches {
            if found.open && self.is_held_back(db, &found.once)? {
                let state = String::from_utf8_lossy(&codec::to_json("a match", &held_back())?).into_owned();
                insert_match(db, self.id, &found.rule, false, &state)?;
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

/// What a match is called where what became of it is sealed, and how that begins in its column.
const MATCH: &str = "match";
const SEALED: &str = "sealed ";

/// What became of a match, sealed, as it is written.
pub(super) fn sealed_state(sealer: &Sealer, rule: &RuleRef, json: &[u8]) -> Result<String, StoreError> {
    Ok(format!("{SEALED}{}", hex::encode(sealer.seal(MATCH, &[rule.as_str()], json)?)))
}

/// The JSON of what became of a match, if it is sealed.
pub(super) fn opened_state(sealer: &Sealer, rule: &str, text: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    let Some(sealed) = text.strip_prefix(SEALED) else { return Ok(None) };
    sealer.open(MATCH, &[rule], &hex::decode(sealed).unwrap_or_default()).map(Some)
}

fn insert_match(
    db: &Connection,
    event: EventId,
    rule: &RuleRef,
    open: bool,
    state: &str,
) -> Result<(), rusqlite::Error> {
    db.prepare_cached("INSERT INTO matches (event, rule, open, state) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![event.as_bytes(), rule.as_str(), open, state])
        .map(|_| ())
}

impl Command for Record {
    type Answer = Vec<Fate>;

    fn perform(&self, db: &Connection) -> Result<Vec<Fate>, Problem> {
        for advance in &self.advance {
            proceed(db, advance)?;
        }
        self.lines.iter().map(|line| line.record(db, self.keys.as_ref())).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::migration;

    #[test]
    fn an_event_that_has_come_before_is_found_by_its_key() {
        let mut db = Connection::open_in_memory().unwrap();
        migration::migrate(&mut db).unwrap();
        let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {SAME}")).unwrap();
        let step: String = plan.query_row(["t", "s", "k"], |row| row.get("detail")).unwrap();
        assert!(step.contains("events_by_key (key=? AND source=? AND trigger=?)"), "{step}");
    }
}
