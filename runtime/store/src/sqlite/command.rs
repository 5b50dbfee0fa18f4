//! The commands that write journals: beginning an execution and extending it.

use runner_model::{Course, Entry, ExecutionId, ExecutionRecord, FencingToken, NodeId, Status, Timestamp, Version};
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use super::blobs::{self, Owner};
use super::fault::Problem;
use super::query::{self, integer};
use super::writer::Command;
use super::{lease, versions, waits};
use crate::codec::{self, Sealer, Written};
use crate::{Append, KeySource, Lease, NewExecution, StoreError, catalogue, projection};

/// Begins an execution. What can be prepared is prepared in the caller's thread.
pub(crate) struct Create {
    record: ExecutionRecord,
    origin: Vec<u8>,
    /// Of the version of the pack that it begins with.
    pack_digest: Option<String>,
    owner: NodeId,
    lease_until: Timestamp,
    written: Written,
    waits: Vec<waits::Change>,
    sealed: bool,
}

/// The sealer of an execution, if it is sealed.
async fn sealer(sealed: bool, keys: Option<&KeySource>, id: ExecutionId) -> Result<Option<Sealer>, StoreError> {
    Ok(if sealed { Some(Sealer::prepare(keys, codec::owner_of(id)).await?) } else { None })
}

impl Create {
    pub(crate) async fn new(mut new: NewExecution, keys: Option<&KeySource>) -> Result<Self, StoreError> {
        let record = projection::fold(new.id, &new.entries)?;
        let sealed = projection::is_sealed(&new.entries);
        let sealer = sealer(sealed, keys, new.id).await?;
        Ok(Self {
            sealed,
            origin: codec::to_json("the origin", &record.origin)?,
            pack_digest: projection::pack_digest(&new.entries).map(str::to_owned),
            written: codec::write_entries(new.id, Version(0), &mut new.entries, sealer.as_ref()).await?,
            waits: waits::prepare(new.id, &new.entries, sealer.as_ref())?,
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
        let pack_version = match &self.pack_digest {
            Some(digest) => Some(versions::row_of(db, record.action.pack(), digest)?),
            None => None,
        };
        let inserted = db
            .prepare_cached(
                "INSERT INTO executions (id, pack, action, status, open, origin, created_at, started_at, finished_at,
                                         version, token, owner, parent, rule, event, pack_version, sealed)
                 VALUES (:id, :pack, :action, :status, :open, :origin, :created_at, :started_at, :finished_at,
                         :version, 1, :owner, :parent, :rule, :event, :pack_version, :sealed)
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
                ":parent": catalogue::parent_of(record).map(|parent| *parent.as_bytes()),
                ":rule": catalogue::cause_of(record).map(|(rule, _)| rule.as_str()),
                ":event": catalogue::cause_of(record).map(|(_, event)| *event.as_bytes()),
                ":pack_version": pack_version,
                ":sealed": self.sealed,
            })?;
        if inserted == 0 {
            return Err(StoreError::Exists.into());
        }
        insert_entries(db, record.id, db.last_insert_rowid(), Version(0), &self.written)?;
        // Nothing of a new execution waits yet.
        if waits::opens(&self.waits) {
            waits::change(db, record.id, &self.waits)?;
        }
        let parent = catalogue::parent_of(record);
        tell_parent(db, parent.as_ref().map(ExecutionId::as_bytes), Status::Requested, record.status)?;
        if open {
            lease::until_at_least(db, &self.owner, self.lease_until)?;
        }
        Ok(Lease { id: record.id, token: FencingToken(1), version: Version(self.written.count) })
    }

    fn bytes(&self) -> usize {
        self.written.bytes()
    }
}

/// Extends an execution's journal.
pub(crate) struct Extend {
    id: ExecutionId,
    token: FencingToken,
    expected: Version,
    entries: Vec<Entry>,
    written: Written,
    waits: Vec<waits::Change>,
    /// Whether something begins to wait.
    opens: bool,
    sealed: bool,
    /// Whether somebody is to deal with the end that is among the entries.
    announces: bool,
}

impl Extend {
    pub(crate) async fn new(append: Append, keys: Option<&KeySource>) -> Result<Self, StoreError> {
        let Append { id, token, expected, mut entries, sealed, announce } = append;
        let announces = announce && projection::ends(&entries);
        let sealer = sealer(sealed, keys, id).await?;
        let written = codec::write_entries(id, expected, &mut entries, sealer.as_ref()).await?;
        let waits = waits::prepare(id, &entries, sealer.as_ref())?;
        Ok(Self { id, token, expected, entries, written, opens: waits::opens(&waits), waits, sealed, announces })
    }
}

impl Command for Extend {
    type Answer = Version;

    fn perform(&self, db: &Connection) -> Result<Version, Problem> {
        let found = Found::read(db, self.id)?;
        if found.token != self.token.0 {
            return Err(StoreError::Fenced.into());
        }
        if found.version != self.expected.0 {
            let found = Version(found.version);
            return Err(StoreError::VersionConflict { expected: self.expected, found }.into());
        }
        let course = projection::moved(found.course, &self.entries)?;
        if self.written.count == 0 {
            return Ok(self.expected);
        }
        if found.sealed != self.sealed {
            return Err(projection::sealed_otherwise(found.sealed).into());
        }
        insert_entries(db, self.id, found.row, self.expected, &self.written)?;
        let version = Version(found.version.saturating_add(self.written.count));
        update(db, &found, version, &course)?;
        // What only closes needs no look where nothing is open.
        if found.waits || self.opens {
            waits::change(db, self.id, &self.waits)?;
        }
        tell_parent(db, found.parent.as_ref(), found.course.status, course.status)?;
        if self.announces && course.status.is_terminal() {
            announce(db, self.id)?;
        }
        Ok(version)
    }

    fn bytes(&self) -> usize {
        self.written.bytes()
    }
}

/// What there is of an execution before its journal is extended.
struct Found {
    row: i64,
    version: u64,
    token: u64,
    course: Course,
    sealed: bool,
    parent: Option<[u8; 16]>,
    /// Whether anything in it waits.
    waits: bool,
}

impl Found {
    fn read(db: &Connection, id: ExecutionId) -> Result<Self, Problem> {
        db.prepare_cached(
            "SELECT row, version, token, status, started_at, finished_at, sealed, parent,
                    EXISTS (SELECT 1 FROM waits WHERE execution = ?1)
             FROM executions WHERE id = ?1",
        )?
        .query_row([id.as_bytes()], |row| {
            let course = Course {
                status: query::parsed(row, 3, Status::from_word)?,
                started_at: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis),
                finished_at: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
            };
            Ok(Self {
                row: row.get(0)?,
                version: query::count(row, 1)?,
                token: query::count(row, 2)?,
                course,
                sealed: row.get(6)?,
                parent: row.get(7)?,
                waits: row.get(8)?,
            })
        })
        .optional()?
        .ok_or_else(|| StoreError::NotFound.into())
    }
}

/// What most steps change of the catalogue's line. No index holds any of it.
const ADVANCE: &str = "UPDATE executions SET version = ?2, parked = 0, wake_at = NULL WHERE row = ?1";

/// Brings the catalogue's line up to date. Who appends is at work on it; an execution that has ended has no owner.
fn update(db: &Connection, found: &Found, version: Version, course: &Course) -> Result<(), rusqlite::Error> {
    if *course == found.course {
        return db.prepare_cached(ADVANCE)?.execute([found.row, integer(version.0)]).map(|_| ());
    }
    db.prepare_cached(
        "UPDATE executions
         SET version = :version, status = :status, open = :open, started_at = :started_at, finished_at = :finished_at,
             owner = iif(:open, owner, NULL), parked = 0, wake_at = NULL
         WHERE row = :row",
    )?
    .execute(named_params! {
        ":row": found.row,
        ":version": integer(version.0),
        ":status": course.status.as_str(),
        ":open": !course.status.is_terminal(),
        ":started_at": course.started_at.map(Timestamp::as_millis),
        ":finished_at": course.finished_at.map(Timestamp::as_millis),
    })
    .map(|_| ())
}

/// Un-parks the execution whose step started this one, if there is something to look at for it.
fn tell_parent(
    db: &Connection,
    parent: Option<&[u8; 16]>,
    before: Status,
    after: Status,
) -> Result<(), rusqlite::Error> {
    let Some(parent) = parent.filter(|_| projection::is_news_to_parent(before, after)) else { return Ok(()) };
    db.prepare_cached("UPDATE executions SET parked = 0, wake_at = NULL WHERE id = ?1 AND parked = 1")?
        .execute([parent])
        .map(|_| ())
}

/// Notes that somebody is to deal with the end of an execution; once is enough.
fn announce(db: &Connection, id: ExecutionId) -> Result<(), rusqlite::Error> {
    db.prepare_cached("INSERT INTO ended (execution) VALUES (?1) ON CONFLICT (execution) DO NOTHING")?
        .execute([id.as_bytes()])
        .map(|_| ())
}

fn insert_entries(
    db: &Connection,
    id: ExecutionId,
    row: i64,
    first: Version,
    written: &Written,
) -> Result<(), rusqlite::Error> {
    blobs::insert(db, &Owner::Execution(id), &written.blobs)?;
    let Written { json, count, references, digest, .. } = written;
    db.prepare_cached(
        "INSERT INTO journal (execution, first, count, digest, entries, blobs) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![row, integer(first.0), integer(*count), digest, json, references])
    .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::migration;

    #[test]
    fn a_step_that_moves_no_status_writes_to_no_index() {
        let mut db = Connection::open_in_memory().unwrap();
        migration::migrate(&mut db).unwrap();
        let mut explain = db.prepare(&format!("EXPLAIN {ADVANCE}")).unwrap();
        let codes = explain.query_map([1, 2], |row| row.get::<_, String>(1)).unwrap();
        let codes: Vec<_> = codes.collect::<Result<_, _>>().unwrap();
        assert!(codes.contains(&"Insert".to_owned()) && !codes.contains(&"IdxInsert".to_owned()), "{codes:?}");
    }
}
