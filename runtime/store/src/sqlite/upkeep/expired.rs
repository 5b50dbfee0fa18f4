//! What has expired: rules' keys, reservations, key-value data.

use runner_model::Timestamp;
use rusqlite::{Connection, params};

use crate::sqlite::fault::Problem;
use crate::sqlite::key_value::sweep;
use crate::sqlite::query::integer;
use crate::sqlite::writer::Command;

/// Whether anything has.
pub(super) fn any(db: &Connection, now: Timestamp) -> Result<bool, Problem> {
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM rule_keys WHERE held_until <= ?1)
                 OR EXISTS (SELECT 1 FROM reservations WHERE kept_until <= ?1)
                 OR EXISTS (SELECT 1 FROM key_values WHERE expires_at <= ?1)",
        )?
        .query_row([now.as_millis()], |row| row.get(0))?)
}

/// Removes up to `limit` of each and returns how many, and whether there are more.
pub(super) struct Remove {
    pub now: Timestamp,
    pub limit: usize,
}

impl Command for Remove {
    type Answer = (u64, bool);

    fn perform(&self, db: &Connection) -> Result<(u64, bool), Problem> {
        let (now, limit) = (self.now.as_millis(), integer(self.limit as u64));
        let keys = db
            .prepare_cached(
                "DELETE FROM rule_keys WHERE (rule, key) IN (
                     SELECT rule, key FROM rule_keys WHERE held_until <= ?1 ORDER BY held_until, rule, key LIMIT ?2)",
            )?
            .execute(params![now, limit])?;
        let reservations = db
            .prepare_cached(
                "DELETE FROM reservations WHERE (scope, key) IN (
                     SELECT scope, key FROM reservations WHERE kept_until <= ?1 ORDER BY kept_until, scope, key LIMIT ?2)",
            )?
            .execute(params![now, limit])?;
        let removed =
            (keys as u64).saturating_add(reservations as u64).saturating_add(sweep(db, self.now, self.limit)?);
        Ok((removed, any(db, self.now)?))
    }
}
