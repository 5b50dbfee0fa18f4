//! Large values, and who needs them: a blob goes with the last execution or event that refers to it.

use runner_model::{EventId, ExecutionId};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::fault::Problem;
use super::query::{count, integer};
use crate::codec::{Blob, Hash};

/// Who needs a blob.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Owner {
    Execution(ExecutionId),
    Event(EventId),
}

impl Owner {
    /// As it is kept: the id, and whether it is an event's.
    const fn columns(&self) -> (&[u8; 16], bool) {
        match self {
            Self::Execution(id) => (id.as_bytes(), false),
            Self::Event(id) => (id.as_bytes(), true),
        }
    }
}

/// Keeps blobs for their owner.
pub(crate) fn insert(db: &Connection, owner: &Owner, blobs: &[Blob]) -> Result<(), rusqlite::Error> {
    let (id, is_event) = owner.columns();
    for blob in blobs {
        db.prepare_cached("INSERT INTO blobs (hash, bytes, data) VALUES (?1, ?2, ?3) ON CONFLICT (hash) DO NOTHING")?
            .execute(params![blob.hash, integer(blob.bytes), blob.data])?;
        db.prepare_cached("INSERT INTO blob_uses (owner, of_event, hash) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
            .execute(params![id, is_event, blob.hash])?;
    }
    Ok(())
}

/// A large value: its length, and its compressed bytes.
pub(crate) fn get(db: &Connection, hash: &Hash) -> Result<Option<(u64, Vec<u8>)>, Problem> {
    let found = db
        .prepare_cached("SELECT bytes, data FROM blobs WHERE hash = ?1")?
        .query_row([hash], |row| Ok((count(row, 0)?, row.get(1)?)))
        .optional()?;
    Ok(found)
}

/// The blobs that an owner needs.
pub(crate) fn of(db: &Connection, owner: &Owner) -> Result<Vec<Hash>, rusqlite::Error> {
    db.prepare_cached("SELECT hash FROM blob_uses WHERE owner = ?1 AND of_event = ?2 ORDER BY hash")?
        .query_map(owner.columns(), |row| row.get(0))?
        .collect()
}

/// Forgets an owner and removes the blobs that nobody else needs; returns how many.
pub(crate) fn release(db: &Connection, owner: &Owner) -> Result<u64, rusqlite::Error> {
    let hashes = of(db, owner)?;
    if hashes.is_empty() {
        return Ok(0);
    }
    db.prepare_cached("DELETE FROM blob_uses WHERE owner = ?1 AND of_event = ?2")?.execute(owner.columns())?;
    let mut delete = db.prepare_cached(
        "DELETE FROM blobs WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM blob_uses WHERE blob_uses.hash = ?1)",
    )?;
    let mut removed = 0_u64;
    for hash in hashes {
        removed = removed.saturating_add(delete.execute([hash])? as u64);
    }
    Ok(removed)
}
