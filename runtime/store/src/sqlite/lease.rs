//! The commands that move leases. What belongs to a node is held for as long as the one row of the node says.

use runner_model::{ExecutionId, FencingToken, NodeId, Timestamp, Version};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::fault::Problem;
use super::query::{count, integer};
use super::writer::Command;
use crate::{Claimed, Lease, StoreError};

pub(crate) struct Claim {
    pub id: ExecutionId,
    pub node: NodeId,
    pub now: Timestamp,
    pub until: Timestamp,
}

impl Command for Claim {
    type Answer = Option<Lease>;

    fn perform(&self, db: &Connection) -> Result<Option<Lease>, Problem> {
        let claimed = db
            .prepare_cached(
                "UPDATE executions SET token = token + 1, owner = ?2
                 WHERE id = ?1
                   AND (owner IS NULL OR owner = ?2
                        OR NOT EXISTS (SELECT 1 FROM nodes WHERE node = owner AND lease_until > ?3))
                 RETURNING id, token, version",
            )?
            .query_row(params![self.id.as_bytes(), self.node.0, self.now.as_millis()], lease_of)
            .optional()?;
        match claimed {
            Some(lease) => {
                until_at_least(db, &self.node, self.until)?;
                Ok(Some(lease))
            }
            None if exists(db, self.id)? => Ok(None),
            None => Err(StoreError::NotFound.into()),
        }
    }
}

pub(crate) struct ClaimOpen {
    pub node: NodeId,
    pub now: Timestamp,
    pub limit: usize,
}

impl Command for ClaimOpen {
    type Answer = Vec<Claimed>;

    fn perform(&self, db: &Connection) -> Result<Vec<Claimed>, Problem> {
        if !holds(db, &self.node.0, self.now)? {
            return Ok(Vec::new());
        }
        let mut rows = open_rows(db, None, self.limit)?;
        let mut last = String::new();
        while rows.len() < self.limit
            && let Some(owner) = next_owner(db, &last)?
        {
            if !holds(db, &owner, self.now)? {
                rows.extend(open_rows(db, Some(&owner), self.limit.saturating_sub(rows.len()))?);
            }
            last = owner;
        }
        let mut claim = db.prepare_cached(
            "UPDATE executions SET token = token + 1, owner = ?2 WHERE row = ?1
             RETURNING id, token, version, parked, wake_at",
        )?;
        let claimed = rows.into_iter().map(|row| claim.query_row(params![row, self.node.0], claimed_of));
        let claimed = claimed.collect::<Result<_, _>>()?;
        self.forget_nodes(db)?;
        Ok(claimed)
    }
}

impl ClaimOpen {
    /// Forgets nodes whose lease is over and that own nothing that is open: they are dead, and there is one a process.
    fn forget_nodes(&self, db: &Connection) -> Result<(), rusqlite::Error> {
        db.prepare_cached(
            "DELETE FROM nodes
             WHERE lease_until <= ?1
               AND NOT EXISTS (SELECT 1 FROM executions WHERE open = 1 AND owner = nodes.node)",
        )?
        .execute([self.now.as_millis()])
        .map(|_| ())
    }
}

/// The open executions of an owner, or of none, oldest first.
fn open_rows(db: &Connection, owner: Option<&str>, limit: usize) -> Result<Vec<i64>, rusqlite::Error> {
    db.prepare_cached("SELECT row FROM executions WHERE open = 1 AND owner IS ?1 ORDER BY id LIMIT ?2")?
        .query_map(params![owner, integer(limit as u64)], |row| row.get(0))?
        .collect()
}

/// The owner of open executions that comes after `last`: one step in the index, however many executions it has.
fn next_owner(db: &Connection, last: &str) -> Result<Option<String>, rusqlite::Error> {
    db.prepare_cached("SELECT owner FROM executions WHERE open = 1 AND owner > ?1 ORDER BY owner LIMIT 1")?
        .query_row([last], |row| row.get(0))
        .optional()
}

fn holds(db: &Connection, node: &str, now: Timestamp) -> Result<bool, rusqlite::Error> {
    db.prepare_cached("SELECT 1 FROM nodes WHERE node = ?1 AND lease_until > ?2")?
        .exists(params![node, now.as_millis()])
}

/// Moves the end of a node's lease to `until` unless it is later already.
pub(crate) fn until_at_least(db: &Connection, node: &NodeId, until: Timestamp) -> Result<(), rusqlite::Error> {
    db.prepare_cached(
        "INSERT INTO nodes (node, lease_until) VALUES (?1, ?2)
         ON CONFLICT (node) DO UPDATE SET lease_until = excluded.lease_until
         WHERE excluded.lease_until > lease_until",
    )?
    .execute(params![node.0, until.as_millis()])
    .map(|_| ())
}

pub(crate) struct Renew {
    pub node: NodeId,
    pub until: Timestamp,
}

impl Command for Renew {
    type Answer = ();

    fn perform(&self, db: &Connection) -> Result<(), Problem> {
        db.prepare_cached("INSERT OR REPLACE INTO nodes (node, lease_until) VALUES (?1, ?2)")?
            .execute(params![self.node.0, self.until.as_millis()])?;
        Ok(())
    }
}

pub(crate) struct Expire {
    pub node: NodeId,
}

impl Command for Expire {
    type Answer = ();

    fn perform(&self, db: &Connection) -> Result<(), Problem> {
        db.prepare_cached("DELETE FROM nodes WHERE node = ?1")?.execute([&self.node.0])?;
        Ok(())
    }
}

pub(crate) struct Park {
    pub id: ExecutionId,
    pub token: FencingToken,
    /// How many entries there must be; none: it does not matter.
    pub expected: Option<Version>,
    pub wake_at: Option<Timestamp>,
}

impl Command for Park {
    type Answer = ();

    fn perform(&self, db: &Connection) -> Result<(), Problem> {
        let parked = db
            .prepare_cached(
                "UPDATE executions SET parked = 1, wake_at = ?4
                 WHERE id = ?1 AND token = ?2 AND version = ifnull(?3, version) AND open = 1",
            )?
            .execute(params![
                self.id.as_bytes(),
                integer(self.token.0),
                self.expected.map(|version| integer(version.0)),
                self.wake_at.map(Timestamp::as_millis)
            ])?;
        if parked == 0 { Err(self.refusal(db)?.into()) } else { Ok(()) }
    }
}

impl Park {
    fn refusal(&self, db: &Connection) -> Result<StoreError, Problem> {
        let found = db
            .prepare_cached("SELECT token, version FROM executions WHERE id = ?1")?
            .query_row([self.id.as_bytes()], |row| Ok((count(row, 0)?, Version(count(row, 1)?))))
            .optional()?;
        Ok(match (found, self.expected) {
            (None, _) => StoreError::NotFound,
            (Some((token, _)), _) if token != self.token.0 => StoreError::Fenced,
            (Some((_, found)), Some(expected)) if found != expected => StoreError::VersionConflict { expected, found },
            (Some(_), _) => StoreError::has_ended(),
        })
    }
}

pub(crate) struct Release {
    pub id: ExecutionId,
    pub token: FencingToken,
}

impl Command for Release {
    type Answer = ();

    fn perform(&self, db: &Connection) -> Result<(), Problem> {
        let released = db
            .prepare_cached("UPDATE executions SET owner = NULL WHERE id = ?1 AND token = ?2")?
            .execute(params![self.id.as_bytes(), integer(self.token.0)])?;
        match released {
            0 if exists(db, self.id)? => Err(StoreError::Fenced.into()),
            0 => Err(StoreError::NotFound.into()),
            _ => Ok(()),
        }
    }
}

/// Who owns an execution.
pub(crate) fn owner(db: &Connection, id: ExecutionId) -> Result<Option<NodeId>, Problem> {
    let owner: Option<Option<String>> = db
        .prepare_cached("SELECT owner FROM executions WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(owner.ok_or(StoreError::NotFound)?.map(NodeId))
}

fn exists(db: &Connection, id: ExecutionId) -> Result<bool, rusqlite::Error> {
    db.prepare_cached("SELECT 1 FROM executions WHERE id = ?1")?.exists([id.as_bytes()])
}

fn lease_of(row: &Row<'_>) -> rusqlite::Result<Lease> {
    Ok(Lease {
        id: ExecutionId::from_bytes(row.get(0)?),
        token: FencingToken(count(row, 1)?),
        version: Version(count(row, 2)?),
    })
}

fn claimed_of(row: &Row<'_>) -> rusqlite::Result<Claimed> {
    let wake_at = row.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis);
    Ok(Claimed { lease: lease_of(row)?, wake_at: row.get::<_, bool>(3)?.then_some(wake_at) })
}
