//! Reading executions and their journals.

use std::fmt::Write as _;

use runner_model::{Entry, ExecutionId, ExecutionRecord, Status, Timestamp, Version};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params, params_from_iter};

use super::fault::{Problem, unreadable};
use super::waits;
use crate::codec::{self, Hash, Stored};
use crate::{ExecutionFilter, StoreError, catalogue};

/// One line of the catalogue.
pub(crate) fn record(db: &Connection, id: ExecutionId) -> Result<ExecutionRecord, Problem> {
    db.prepare_cached(
        "SELECT id, action, status, origin, created_at, started_at, finished_at FROM executions WHERE id = ?1",
    )?
    .query_row([id.as_bytes()], |row| record_of(row, 0))
    .optional()?
    .ok_or_else(|| StoreError::NotFound.into())
}

/// A page of the catalogue, newest first.
pub(crate) fn list(
    db: &Connection,
    filter: &ExecutionFilter,
    cursor: Option<ExecutionId>,
    limit: usize,
) -> Result<Vec<ExecutionRecord>, Problem> {
    let mut sql = String::from(
        "SELECT id, action, status, origin, created_at, started_at, finished_at FROM executions WHERE true",
    );
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    let mut narrow = |condition: &str, value: Box<dyn ToSql>| {
        values.push(value);
        // Writing to a string cannot fail.
        let _ = write!(sql, " AND {condition} ?{}", values.len());
    };
    if let Some(cursor) = cursor {
        narrow("id <", Box::new(*cursor.as_bytes()));
    }
    if let Some(pack) = &filter.pack {
        narrow("pack =", Box::new(pack.as_str().to_owned()));
    }
    if let Some(action) = &filter.action {
        narrow("action =", Box::new(action.as_str().to_owned()));
    }
    if let Some(moment) = filter.created_after {
        narrow("created_at >=", Box::new(moment.as_millis()));
    }
    if let Some(moment) = filter.created_before {
        narrow("created_at <", Box::new(moment.as_millis()));
    }
    if let Some(parent) = filter.parent {
        narrow("parent =", Box::new(*parent.as_bytes()));
    }
    if let Some(status) = filter.status {
        narrow("status =", Box::new(status.as_str()));
        if status != Status::Succeeded {
            // True anyway, and what the partial index asks for.
            sql.push_str(" AND status <> 'succeeded'");
        }
    }
    match filter.open {
        // A constant, because the partial index asks for it.
        Some(true) => sql.push_str(" AND open = 1"),
        Some(false) => sql.push_str(" AND open = 0"),
        None => {}
    }
    values.push(Box::new(integer(limit as u64)));
    let _ = write!(sql, " ORDER BY id DESC LIMIT ?{}", values.len());
    let mut statement = db.prepare_cached(&sql)?;
    let records = statement.query_map(params_from_iter(values), |row| record_of(row, 0))?;
    Ok(records.collect::<Result<_, _>>()?)
}

/// The executions that steps of this one started, newest last.
pub(crate) fn children(db: &Connection, id: ExecutionId) -> Result<Vec<ExecutionRecord>, Problem> {
    let mut statement = db.prepare_cached(
        "SELECT id, action, status, origin, created_at, started_at, finished_at FROM executions
         WHERE parent = ?1 ORDER BY created_at, id",
    )?;
    let records = statement.query_map([id.as_bytes()], |row| record_of(row, 0))?;
    Ok(records.collect::<Result<_, _>>()?)
}

/// The newest ids between two, both included.
pub(crate) fn between(
    db: &Connection,
    first: ExecutionId,
    last: ExecutionId,
    limit: usize,
) -> Result<Vec<ExecutionId>, Problem> {
    let mut statement =
        db.prepare_cached("SELECT id FROM executions WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT ?3")?;
    let ids =
        statement.query_map(params![first.as_bytes(), last.as_bytes(), integer(limit as u64)], |row| row.get(0))?;
    ids.map(|id| Ok(ExecutionId::from_bytes(id?))).collect()
}

/// The entries of a journal after the first `from`.
pub(crate) fn entries(db: &Connection, id: ExecutionId, from: Version) -> Result<Vec<Entry>, Problem> {
    // One transaction, so that the length, the rows and the blobs belong together.
    entries_in(&*db.unchecked_transaction()?, id, from)
}

fn entries_in(db: &Connection, id: ExecutionId, from: Version) -> Result<Vec<Entry>, Problem> {
    let (row, version) = db
        .prepare_cached("SELECT row, version FROM executions WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| Ok((row.get::<_, i64>(0)?, count(row, 1)?)))
        .optional()?
        .ok_or(StoreError::NotFound)?;
    if from.0 >= version {
        return Ok(Vec::new());
    }
    let mut statement = db.prepare_cached(
        "SELECT first, count, entries, digest, blobs FROM journal
         WHERE execution = ?1
           AND first >= (SELECT max(first) FROM journal WHERE execution = ?1 AND first <= ?2)
         ORDER BY first",
    )?;
    let mut rows = statement.query(params![row, integer(from.0)])?;
    let mut entries: Vec<Entry> = Vec::new();
    let mut next = None;
    while let Some(row) = rows.next()? {
        let (first, count) = (count(row, 0)?, count(row, 1)?);
        if first != *next.get_or_insert(first) {
            return Err(incomplete(id));
        }
        next = first.checked_add(count);
        let columns = (row.get_ref(2)?.as_blob(), row.get_ref(3)?.as_blob(), row.get_ref(4)?.as_blob_or_null());
        let (Ok(json), Ok(digest), Ok(references)) = columns else { return Err(unreadable("entries")) };
        let stored = Stored { json, count, references, digest };
        let written = codec::read_entries(id, Version(first), stored, |hash| blob(db, hash))?;
        let known = usize::try_from(from.0.saturating_sub(first)).unwrap_or(usize::MAX);
        entries.extend(written.into_iter().skip(known));
    }
    if next == Some(version) { Ok(entries) } else { Err(incomplete(id)) }
}

/// A large value: its length, and its compressed bytes.
fn blob(db: &Connection, hash: &Hash) -> Result<Option<(u64, Vec<u8>)>, Problem> {
    let found = db
        .prepare_cached("SELECT bytes, data FROM blobs WHERE hash = ?1")?
        .query_row([hash], |row| Ok((count(row, 0)?, row.get(1)?)))
        .optional()?;
    Ok(found)
}

fn incomplete(id: ExecutionId) -> Problem {
    StoreError::Corrupt { what: format!("entries of execution {id} are missing") }.into()
}

/// Checks the structure of the database, every journal, and what is kept beside the journals.
pub(crate) fn verify(db: &Connection) -> Result<(), Problem> {
    check_structure(db)?;
    // One snapshot: what is compared must be of the same moment.
    let snapshot = db.unchecked_transaction()?;
    let mut statement = snapshot.prepare("SELECT id, parent FROM executions")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, parent) = (ExecutionId::from_bytes(row.get(0)?), row.get::<_, Option<[u8; 16]>>(1)?);
        let otherwise =
            |what: &str| StoreError::Corrupt { what: format!("execution {id} {what} otherwise than it ran") };
        let entries = entries_in(&snapshot, id, Version(0))?;
        let record = record(&snapshot, id)?;
        let parent = parent.map(ExecutionId::from_bytes);
        if crate::projection::fold(id, &entries).as_ref() != Ok(&record) || catalogue::parent_of(&record) != parent {
            return Err(otherwise("is listed").into());
        }
        if waits::of(&snapshot, id)? != crate::waits::fold(id, &entries) {
            return Err(otherwise("waits").into());
        }
    }
    Ok(())
}

/// SQLite's own check of every page.
pub(crate) fn check_structure(db: &Connection) -> Result<(), Problem> {
    let finding: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if finding == "ok" { Ok(()) } else { Err(StoreError::Corrupt { what: finding.replace('\n', " ") }.into()) }
}

/// The record in the seven columns from `at`: id, action, status, origin, and the three moments.
pub(crate) fn record_of(row: &Row<'_>, at: usize) -> rusqlite::Result<ExecutionRecord> {
    Ok(ExecutionRecord {
        id: ExecutionId::from_bytes(row.get(at)?),
        action: parsed(row, at + 1, |text| text.parse().ok())?,
        status: parsed(row, at + 2, Status::from_word)?,
        origin: parsed(row, at + 3, |text| codec::from_json(text.as_bytes()).ok())?,
        created_at: Timestamp::from_millis(row.get(at + 4)?),
        started_at: row.get::<_, Option<i64>>(at + 5)?.map(Timestamp::from_millis),
        finished_at: row.get::<_, Option<i64>>(at + 6)?.map(Timestamp::from_millis),
    })
}

fn parsed<T>(row: &Row<'_>, column: usize, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
    parse(row.get_ref(column)?.as_str()?)
        .ok_or_else(|| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, "unknown text".into()))
}

/// A column that counts something and so is not negative.
pub(crate) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// A count as SQLite keeps it. Counts beyond its range are beyond everything that is stored, so the end will do.
pub(crate) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
