//! The commands that move leases.

use runner_model::{ExecutionId, FencingToken, NodeId, Timestamp, Version};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::command::FREE;
use super::fault::Problem;
use super::query::{count, integer};
use super::writer::Command;
use crate::{Lease, StoreError};

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
                "UPDATE executions SET token = token + 1, owner = ?2, lease_until = ?3
                 WHERE id = ?1 AND (lease_until <= ?4 OR owner IS NULL OR owner = ?2)
                 RETURNING id, token, version",
            )?
            .query_row(params![self.id.as_bytes(), self.node.0, self.until.as_millis(), self.now.as_millis()], lease_of)
            .optional()?;
        match claimed {
            Some(lease) => Ok(Some(lease)),
            None if exists(db, self.id)? => Ok(None),
            None => Err(StoreError::NotFound.into()),
        }
    }
}

pub(crate) struct ClaimExpired {
    pub node: NodeId,
    pub now: Timestamp,
    pub until: Timestamp,
    pub limit: usize,
}

impl Command for ClaimExpired {
    type Answer = Vec<Lease>;

    fn perform(&self, db: &Connection) -> Result<Vec<Lease>, Problem> {
        let mut overdue = db.prepare_cached(
            "SELECT row FROM executions WHERE open = 1 AND lease_until <= ?1 ORDER BY lease_until, id LIMIT ?2",
        )?;
        let rows: Vec<i64> = overdue
            .query_map(params![self.now.as_millis(), integer(self.limit as u64)], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut claim = db.prepare_cached(
            "UPDATE executions SET token = token + 1, owner = ?2, lease_until = ?3 WHERE row = ?1
             RETURNING id, token, version",
        )?;
        let leases =
            rows.into_iter().map(|row| claim.query_row(params![row, self.node.0, self.until.as_millis()], lease_of));
        Ok(leases.collect::<Result<_, _>>()?)
    }
}

pub(crate) struct Renew {
    pub node: NodeId,
    pub until: Timestamp,
}

impl Command for Renew {
    type Answer = u64;

    fn perform(&self, db: &Connection) -> Result<u64, Problem> {
        let renewed = db
            .prepare_cached("UPDATE executions SET lease_until = ?2 WHERE owner = ?1")?
            .execute(params![self.node.0, self.until.as_millis()])?;
        Ok(renewed as u64)
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
            .prepare_cached("UPDATE executions SET owner = NULL, lease_until = ?3 WHERE id = ?1 AND token = ?2")?
            .execute(params![self.id.as_bytes(), integer(self.token.0), FREE])?;
        match released {
            0 if exists(db, self.id)? => Err(StoreError::Fenced.into()),
            0 => Err(StoreError::NotFound.into()),
            _ => Ok(()),
        }
    }
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
