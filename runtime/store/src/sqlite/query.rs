//! Reading executions and their journals.

use std::fmt::Write as _;

use runner_model::{Entry, ExecutionId, ExecutionRecord, Status, Timestamp, Version};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params, params_from_iter};

use super::fault::{Problem, unreadable};
use crate::{ExecutionFilter, StoreError, codec};

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
    // One transaction, so that the length and the rows belong together.
    let snapshot = db.unchecked_transaction()?;
    let (row, version) = snapshot
        .prepare_cached("SELECT row, version FROM executions WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| Ok((row.get::<_, i64>(0)?, count(row, 1)?)))
        .optional()?
        .ok_or(StoreError::NotFound)?;
    if from.0 >= version {
        return Ok(Vec::new());
    }
    let mut statement = snapshot.prepare_cached(
        "SELECT first, count, entries, digest FROM journal
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
        let (json, digest) = (row.get_ref(2)?.as_blob(), row.get_ref(3)?.as_blob());
        let (Ok(json), Ok(digest)) = (json, digest) else { return Err(unreadable("entries")) };
        let written = codec::read_entries(id, Version(first), count, json, digest)?;
        let known = usize::try_from(from.0.saturating_sub(first)).unwrap_or(usize::MAX);
        entries.extend(written.into_iter().skip(known));
    }
    if next == Some(version) { Ok(entries) } else { Err(incomplete(id)) }
}

fn incomplete(id: ExecutionId) -> Problem {
    StoreError::Corrupt { what: format!("entries of execution {id} are missing") }.into()
}

/// Checks the structure of the database and every journal.
pub(crate) fn verify(db: &Connection) -> Result<(), Problem> {
    check_structure(db)?;
    let mut statement = db.prepare("SELECT id FROM executions")?;
    let mut ids = statement.query([])?;
    while let Some(row) = ids.next()? {
        let id = ExecutionId::from_bytes(row.get(0)?);
        let folded = crate::projection::fold(id, &entries(db, id, Version(0))?);
        if folded.ok() != Some(record(db, id)?) {
            return Err(StoreError::Corrupt { what: format!("execution {id} is listed otherwise than it ran") }.into());
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
