//! Reading journals, and what every query needs.

use std::collections::BTreeSet;

use runner_model::{Entry, ExecutionId, ExecutionRecord, Status, Timestamp, Version};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::blobs::{self, Owner};
use super::fault::{Problem, unreadable};
use super::{catalogue, event, waits};
use crate::catalogue::parent_of;
use crate::codec::{self, Hash, Sealer, Stored};
use crate::{KeySource, StoreError};

/// The entries of a journal after the first `from`.
pub(crate) fn entries(
    db: &Connection,
    keys: Option<&KeySource>,
    id: ExecutionId,
    from: Version,
) -> Result<Vec<Entry>, Problem> {
    // One transaction, so that the length, the rows and the blobs belong together.
    entries_in(&*db.unchecked_transaction()?, keys, id, from)
}

fn entries_in(
    db: &Connection,
    keys: Option<&KeySource>,
    id: ExecutionId,
    from: Version,
) -> Result<Vec<Entry>, Problem> {
    let (row, version, sealed) = db
        .prepare_cached("SELECT row, version, sealed FROM executions WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| Ok((row.get::<_, i64>(0)?, count(row, 1)?, row.get::<_, bool>(2)?)))
        .optional()?
        .ok_or(StoreError::NotFound)?;
    if from.0 >= version {
        return Ok(Vec::new());
    }
    let sealer = if sealed { Some(Sealer::new(keys, codec::owner_of(id))?) } else { None };
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
        let written = codec::read_entries(id, Version(first), stored, sealer.as_ref(), |hash| blobs::get(db, hash))?;
        let known = usize::try_from(from.0.saturating_sub(first)).unwrap_or(usize::MAX);
        entries.extend(written.into_iter().skip(known));
    }
    if next == Some(version) { Ok(entries) } else { Err(incomplete(id)) }
}

fn incomplete(id: ExecutionId) -> Problem {
    StoreError::Corrupt { what: format!("entries of execution {id} are missing") }.into()
}

/// Checks the structure of the database, every journal, and what is kept beside the journals.
pub(crate) fn verify(db: &Connection, keys: Option<&KeySource>) -> Result<(), Problem> {
    check_structure(db)?;
    // One snapshot: what is compared must be of the same moment.
    let snapshot = db.unchecked_transaction()?;
    let mut statement = snapshot.prepare(
        "SELECT id, parent, versions.pack, versions.digest, sealed FROM executions LEFT JOIN versions ON versions.row = pack_version",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, parent) = (ExecutionId::from_bytes(row.get(0)?), row.get::<_, Option<[u8; 16]>>(1)?);
        let otherwise =
            |what: &str| StoreError::Corrupt { what: format!("execution {id} {what} otherwise than it ran") };
        let (pack, digest) = (row.get::<_, Option<String>>(2)?, row.get::<_, Option<String>>(3)?);
        let entries = entries_in(&snapshot, keys, id, Version(0))?;
        let record = catalogue::record(&snapshot, id)?;
        let parent = parent.map(ExecutionId::from_bytes);
        if crate::projection::fold(id, &entries).as_ref() != Ok(&record) || parent_of(&record) != parent {
            return Err(otherwise("is listed").into());
        }
        if crate::projection::is_sealed(&entries) != row.get::<_, bool>(4)? {
            return Err(otherwise("is sealed").into());
        }
        let is_of = pack.as_deref() == Some(record.action.pack());
        if !is_of || digest.as_deref() != crate::projection::pack_digest(&entries) {
            return Err(otherwise("names its pack").into());
        }
        if waits::of(&snapshot, keys, id)? != crate::waits::fold(id, &entries) {
            return Err(otherwise("waits").into());
        }
        if blobs::of(&snapshot, &Owner::Execution(id))? != needed_blobs(&snapshot, id)? {
            return Err(otherwise("keeps its large values").into());
        }
    }
    event::verify(&snapshot, keys)
}

/// The blobs that an execution's journal refers to, each once, sorted.
fn needed_blobs(db: &Connection, id: ExecutionId) -> Result<Vec<Hash>, Problem> {
    let mut statement = db.prepare_cached(
        "SELECT blobs FROM journal
         WHERE execution = (SELECT row FROM executions WHERE id = ?1) AND blobs IS NOT NULL",
    )?;
    let mut rows = statement.query([id.as_bytes()])?;
    let mut needed = BTreeSet::new();
    while let Some(row) = rows.next()? {
        needed.extend(codec::hashes(row.get_ref(0)?.as_blob().map_err(|_| unreadable("entries"))?));
    }
    Ok(needed.into_iter().collect())
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

pub(crate) fn parsed<T>(row: &Row<'_>, column: usize, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
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
