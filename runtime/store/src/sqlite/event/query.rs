//! Reading events, marks, and ends that were announced.

use std::collections::{BTreeMap, BTreeSet};

use runner_model::limits::EVENT_ID_AROUND_MS;
use runner_model::{Event, EventId, ExecutionId, MatchState, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter};

use crate::codec::{self, Sealer, StoredEvent};
use crate::sqlite::blobs::{self, Owner};
use crate::sqlite::fault::{Problem, unreadable};
use crate::sqlite::query::integer;
use crate::sqlite::select::Select;
use crate::{EventFilter, KeySource, StoreError};

/// What is read of an event.
const COLUMNS: &str = "SELECT e.id, e.digest, e.event, e.blobs, e.sealed FROM";

/// One event.
pub(super) fn one(db: &Connection, keys: Option<&KeySource>, id: EventId) -> Result<Event, Problem> {
    let mut statement = db.prepare_cached("SELECT id, digest, event, blobs, sealed FROM events WHERE id = ?1")?;
    let mut rows = statement.query([id.as_bytes()])?;
    match rows.next()? {
        Some(row) => event_of(db, keys, row),
        None => Err(StoreError::NoEvent.into()),
    }
}

/// The events that a query finds.
pub(super) fn list(db: &Connection, keys: Option<&KeySource>, select: &Select) -> Result<Vec<Event>, Problem> {
    // One transaction, so that events, matches and blobs belong together.
    let snapshot = db.unchecked_transaction()?;
    let mut statement = snapshot.prepare_cached(&select.sql)?;
    let mut rows = statement.query(params_from_iter(&select.values))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(event_of(&snapshot, keys, row)?);
    }
    Ok(events)
}

/// A page of events, newest first.
pub(super) fn page(filter: &EventFilter, cursor: Option<EventId>, limit: usize) -> Select {
    let mut query = Select::new(COLUMNS);
    // What is rare is looked for first: the matches of a rule, or what is open.
    match &filter.rule {
        Some(rule) => {
            query.push(
                " matches AS m CROSS JOIN events AS e ON e.id = m.event WHERE m.rule =",
                rule.as_str().to_owned(),
            );
            query.narrow("m.event <", cursor.map(|cursor| *cursor.as_bytes()));
        }
        None => {
            query.sql.push_str(" events AS e WHERE true");
            query.narrow("e.id <", cursor.map(|cursor| *cursor.as_bytes()));
        }
    }
    query.narrow("e.trigger =", filter.trigger.as_ref().map(|trigger| trigger.as_str().to_owned()));
    query.narrow("e.source =", filter.source.clone());
    let (after, before) = (filter.received_after, filter.received_before);
    // The times of ids are about those of their events: with them the others need not be read.
    query.narrow("e.id >=", after.map(|moment| *EventId::earliest(moment.plus_ms(-EVENT_ID_AROUND_MS)).as_bytes()));
    query.narrow("e.id <", before.map(|moment| *EventId::earliest(moment.plus_ms(EVENT_ID_AROUND_MS)).as_bytes()));
    query.narrow("e.received_at >=", after.map(Timestamp::as_millis));
    query.narrow("e.received_at <", before.map(Timestamp::as_millis));
    query.sql.push_str(match filter.open {
        Some(true) => " AND e.id IN (SELECT event FROM matches WHERE open = 1)",
        Some(false) => " AND NOT EXISTS (SELECT 1 FROM matches WHERE event = e.id AND open = 1)",
        None => "",
    });
    let order = if filter.rule.is_some() { " ORDER BY m.event DESC LIMIT" } else { " ORDER BY e.id DESC LIMIT" };
    query.push(order, integer(limit as u64));
    query
}

/// The oldest events for which something is left to do.
pub(super) fn open(after: Option<EventId>, limit: usize) -> Select {
    let mut query = Select::new(COLUMNS);
    query.sql.push_str(" (SELECT DISTINCT event FROM matches WHERE open = 1");
    query.narrow("event >", after.map(|after| *after.as_bytes()));
    query.push(" ORDER BY event LIMIT", integer(limit as u64));
    query.sql.push_str(") AS o CROSS JOIN events AS e ON e.id = o.event ORDER BY o.event");
    query
}

pub(super) fn mark(db: &Connection, name: &str) -> Result<Option<String>, Problem> {
    let found = db.prepare_cached("SELECT value FROM marks WHERE name = ?1")?.query_row([name], |row| row.get(0));
    Ok(found.optional()?)
}

pub(super) fn ended(db: &Connection, limit: usize) -> Result<Vec<ExecutionId>, Problem> {
    let mut statement = db.prepare_cached("SELECT execution FROM ended ORDER BY row LIMIT ?1")?;
    let ids = statement.query_map([integer(limit as u64)], |row| row.get(0))?;
    ids.map(|id| Ok(ExecutionId::from_bytes(id?))).collect()
}

/// The event in the first five columns: id, digest, JSON, references, whether it is sealed. Its matches are as they stand now.
fn event_of(db: &Connection, keys: Option<&KeySource>, row: &Row<'_>) -> Result<Event, Problem> {
    let id = EventId::from_bytes(row.get(0)?);
    let sealer = if row.get(4)? { Some(Sealer::new(keys, codec::owner_of_event(id))?) } else { None };
    let columns = (row.get_ref(1)?.as_blob(), row.get_ref(2)?.as_blob(), row.get_ref(3)?.as_blob_or_null());
    let (Ok(digest), Ok(json), Ok(references)) = columns else { return Err(unreadable("an event")) };
    let mut event =
        codec::read_event(id, StoredEvent { json, references, digest }, sealer.as_ref(), |hash| blobs::get(db, hash))?;
    let mut states = states(db, id, sealer.as_ref())?;
    for found in &mut event.matches {
        found.state = states.remove(found.rule.as_str()).ok_or_else(|| unreadable("an event without its matches"))?;
    }
    if states.is_empty() { Ok(event) } else { Err(unreadable("a match that its event does not have")) }
}

/// What became of the matches of an event, by rule.
fn states(db: &Connection, event: EventId, sealer: Option<&Sealer>) -> Result<BTreeMap<String, MatchState>, Problem> {
    let mut statement = db.prepare_cached("SELECT rule, open, state FROM matches WHERE event = ?1")?;
    let mut rows = statement.query([event.as_bytes()])?;
    let mut states = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let text = row.get_ref(2)?.as_str().map_err(|_| unreadable("a match"))?;
        let rule: String = row.get(0)?;
        let opened = match sealer {
            Some(sealer) => super::record::opened_state(sealer, &rule, text)?,
            None => None,
        };
        let json = opened.as_ref().map_or(text.as_bytes(), |opened| opened.as_slice());
        let state: MatchState = codec::from_json(json).map_err(|_| unreadable("a match"))?;
        if state.is_open() != row.get::<_, bool>(1)? {
            return Err(unreadable("a match"));
        }
        states.insert(rule, state);
    }
    Ok(states)
}

/// Whether an event is sealed; one that is not there is not.
pub(super) fn is_sealed(db: &Connection, event: EventId) -> Result<bool, rusqlite::Error> {
    db.prepare_cached("SELECT 1 FROM events WHERE id = ?1 AND sealed = 1")?.exists([event.as_bytes()])
}

/// Checks every event, and what is kept beside it.
pub(crate) fn verify(db: &Connection, keys: Option<&KeySource>) -> Result<(), Problem> {
    let mut statement =
        db.prepare("SELECT id, digest, event, blobs, sealed, trigger, source, key, received_at FROM events")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let event = event_of(db, keys, row)?;
        let listed: (String, String, Option<String>, i64) = (row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?);
        if event.sealed != row.get::<_, bool>(4)? {
            return Err(unreadable("an event that is sealed otherwise than it is"));
        }
        let is = (event.trigger.as_str(), &event.source, &event.key, event.received_at.as_millis());
        if (listed.0.as_str(), &listed.1, &listed.2, listed.3) != is {
            return Err(unreadable("an event that is listed otherwise than it is"));
        }
        let references = row.get_ref(3)?.as_blob_or_null().ok().flatten().unwrap_or_default();
        let needed: BTreeSet<_> = codec::hashes(references).collect();
        if !blobs::of(db, &Owner::Event(event.id))?.into_iter().eq(needed) {
            return Err(unreadable("an event whose large values are not kept for it"));
        }
    }
    let strays = "SELECT count(*) FROM matches WHERE NOT EXISTS (SELECT 1 FROM events WHERE id = matches.event)";
    match db.query_row(strays, [], |row| row.get::<_, i64>(0))? {
        0 => Ok(()),
        _ => Err(unreadable("a match without an event")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::{migration, select};

    #[test]
    fn no_common_listing_of_events_reads_more_than_it_gives() {
        let mut db = Connection::open_in_memory().unwrap();
        migration::migrate(&mut db).unwrap();
        let any = EventFilter::default;
        let (rule, trigger) = (Some("core.r".parse().unwrap()), Some("core.webhook".parse().unwrap()));
        let last = "e USING INDEX sqlite_autoindex_events_1 (id=?)";
        let cases = [
            (any(), vec!["SCAN e USING INDEX sqlite_autoindex_events_1"]),
            (EventFilter { trigger, ..any() }, vec!["events_by_trigger (trigger=?)"]),
            (EventFilter { source: Some("github".into()), ..any() }, vec!["events_by_source (source=?)"]),
            (EventFilter { rule, ..any() }, vec!["matches_by_rule (rule=?)", last]),
        ];
        for (filter, expected) in cases {
            let plan = select::plan(&db, page(&filter, None, 9));
            let fits =
                plan.len() == expected.len() && plan.iter().zip(&expected).all(|(step, index)| step.contains(index));
            assert!(fits, "{filter:?}: {plan:?}");
        }
        // What is open is gone through in the order of an index that holds nothing else.
        let plan = select::plan(&db, open(Some(EventId::from_bytes([7; 16])), 9));
        assert!(plan.iter().any(|step| step.contains("matches_open (event>?)")), "{plan:?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
        let plan = select::plan(&db, page(&EventFilter { open: Some(true), ..any() }, None, 9));
        assert!(plan[0].contains(last) && !plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
    }
}
