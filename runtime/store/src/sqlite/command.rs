//! The commands that write journals: beginning an execution and extending it.

use runner_model::{Entry, ExecutionId, ExecutionRecord, FencingToken, NodeId, Timestamp, Version};
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use super::fault::Problem;
use super::query::{self, integer};
use super::writer::Command;
use crate::codec::{self, Written};
use crate::{Append, Lease, NewExecution, StoreError, projection};

/// The end of a lease that nobody holds: before every moment.
pub(crate) const FREE: i64 = i64::MIN;

/// Begins an execution. What can be prepared is prepared in the caller's thread.
pub(crate) struct Create {
    record: ExecutionRecord,
    origin: Vec<u8>,
    owner: NodeId,
    lease_until: Timestamp,
    written: Written,
}

impl Create {
    pub(crate) fn new(new: NewExecution) -> Result<Self, StoreError> {
        let record = projection::fold(new.id, &new.entries)?;
        Ok(Self {
            origin: codec::to_json("the origin", &record.origin)?,
            written: codec::write_entries(new.id, Version(0), &new.entries)?,
            record,
            owner: new.owner,
            lease_until: new.lease_until,
        })
    }
}

impl Command for Create {
    type Answer = Lease;

    fn perform(&self, db: &Connection) -> Result<Lease, Problem> {
        let record = &self.record;
        let open = !record.status.is_terminal();
        let inserted = db
            .prepare_cached(
                "INSERT INTO executions (id, pack, action, status, open, origin, created_at, started_at, finished_at,
                                         version, token, owner, lease_until)
                 VALUES (:id, :pack, :action, :status, :open, :origin, :created_at, :started_at, :finished_at,
                         :version, 1, :owner, :lease_until)
                 ON CONFLICT (id) DO NOTHING",
            )?
            .execute(named_params! {
                ":id": record.id.as_bytes(),
                ":pack": record.action.pack(),
                ":action": record.action.as_str(),
                ":status": record.status.as_str(),
                ":open": open,
                ":origin": String::from_utf8_lossy(&self.origin),
                ":created_at": record.created_at.as_millis(),
                ":started_at": record.started_at.map(Timestamp::as_millis),
                ":finished_at": record.finished_at.map(Timestamp::as_millis),
                ":version": integer(self.written.count),
                ":owner": open.then_some(self.owner.0.as_str()),
                ":lease_until": if open { self.lease_until.as_millis() } else { FREE },
            })?;
        if inserted == 0 {
            return Err(StoreError::Exists.into());
        }
        insert_entries(db, db.last_insert_rowid(), Version(0), &self.written)?;
        Ok(Lease { id: record.id, token: FencingToken(1), version: Version(self.written.count) })
    }

    fn bytes(&self) -> usize {
        self.written.json.len()
    }
}

/// Extends an execution's journal.
pub(crate) struct Extend {
    id: ExecutionId,
    token: FencingToken,
    expected: Version,
    entries: Vec<Entry>,
    written: Written,
}

impl Extend {
    pub(crate) fn new(append: Append) -> Result<Self, StoreError> {
        let Append { id, token, expected, entries } = append;
        let written = codec::write_entries(id, expected, &entries)?;
        Ok(Self { id, token, expected, entries, written })
    }
}

impl Command for Extend {
    type Answer = Version;

    fn perform(&self, db: &Connection) -> Result<Version, Problem> {
        let (row, version, token, mut record) = db
            .prepare_cached(
                "SELECT row, version, token, id, action, status, origin, created_at, started_at, finished_at
                 FROM executions WHERE id = ?1",
            )?
            .query_row([self.id.as_bytes()], |row| {
                Ok((row.get(0)?, query::count(row, 1)?, query::count(row, 2)?, query::record_of(row, 3)?))
            })
            .optional()?
            .ok_or(StoreError::NotFound)?;
        if token != self.token.0 {
            return Err(StoreError::Fenced.into());
        }
        if version != self.expected.0 {
            return Err(StoreError::VersionConflict { expected: self.expected, found: Version(version) }.into());
        }
        projection::proceed(&mut record, &self.entries)?;
        if self.written.count == 0 {
            return Ok(self.expected);
        }
        insert_entries(db, row, self.expected, &self.written)?;
        let version = Version(version.saturating_add(self.written.count));
        update(db, row, version, &record)?;
        Ok(version)
    }

    fn bytes(&self) -> usize {
        self.written.json.len()
    }
}

/// Brings the catalogue's line up to date; the end of an execution is the end of its lease.
fn update(db: &Connection, row: i64, version: Version, record: &ExecutionRecord) -> Result<(), rusqlite::Error> {
    let open = !record.status.is_terminal();
    db.prepare_cached(
        "UPDATE executions
         SET version = :version, status = :status, open = :open, started_at = :started_at, finished_at = :finished_at,
             owner = iif(:open, owner, NULL), lease_until = iif(:open, lease_until, :free)
         WHERE row = :row",
    )?
    .execute(named_params! {
        ":row": row,
        ":version": integer(version.0),
        ":status": record.status.as_str(),
        ":open": open,
        ":started_at": record.started_at.map(Timestamp::as_millis),
        ":finished_at": record.finished_at.map(Timestamp::as_millis),
        ":free": FREE,
    })
    .map(|_| ())
}

fn insert_entries(db: &Connection, execution: i64, first: Version, written: &Written) -> Result<(), rusqlite::Error> {
    db.prepare_cached("INSERT INTO journal (execution, first, count, digest, entries) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![execution, integer(first.0), integer(written.count), written.digest, written.json])
        .map(|_| ())
}
