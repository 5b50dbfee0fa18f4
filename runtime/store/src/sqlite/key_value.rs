//! Key-value data: the queries and the commands.

use runner_model::{PackRef, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

use super::fault::{Problem, unreadable};
use super::query::integer;
use super::writer::Command;
use crate::key_value::is_live;
use crate::{StoreError, Swap, codec};

pub(crate) fn get(db: &Connection, pack: &PackRef, key: &str, now: Timestamp) -> Result<Option<Value>, Problem> {
    let found: Option<(Vec<u8>, Option<i64>)> = db
        .prepare_cached("SELECT value, expires_at FROM key_values WHERE pack = ?1 AND key = ?2")?
        .query_row([pack.as_str(), key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        Some((json, expires_at)) if is_live(expires_at.map(Timestamp::from_millis), now) => {
            codec::from_json(&json).map(Some).map_err(|_| unreadable("a value"))
        }
        _ => Ok(None),
    }
}

pub(crate) fn keys(
    db: &Connection,
    pack: &PackRef,
    prefix: &str,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<String>, Problem> {
    // Keys with the prefix stand together, beginning at the prefix itself.
    let mut statement = db.prepare_cached(
        "SELECT key FROM key_values
         WHERE pack = ?1 AND key >= ?2 AND (expires_at IS NULL OR expires_at > ?3) ORDER BY key",
    )?;
    let mut rows = statement.query(params![pack.as_str(), prefix, now.as_millis()])?;
    let mut keys = Vec::new();
    while keys.len() < limit
        && let Some(row) = rows.next()?
    {
        let key: String = row.get(0)?;
        if !key.starts_with(prefix) {
            break;
        }
        keys.push(key);
    }
    Ok(keys)
}

pub(crate) struct Set {
    pack: PackRef,
    key: String,
    json: Vec<u8>,
    expires_at: Option<Timestamp>,
}

impl Set {
    pub(crate) fn new(
        pack: &PackRef,
        key: &str,
        value: &Value,
        expires_at: Option<Timestamp>,
    ) -> Result<Self, StoreError> {
        let json = codec::to_json("the value", value)?;
        Ok(Self { pack: pack.clone(), key: key.to_owned(), json, expires_at })
    }
}

impl Command for Set {
    type Answer = ();

    fn perform(&self, db: &Connection) -> Result<(), Problem> {
        Ok(put(db, &self.pack, &self.key, &self.json, self.expires_at)?)
    }

    fn bytes(&self) -> usize {
        self.json.len()
    }
}

pub(crate) struct Delete {
    pub pack: PackRef,
    pub key: String,
    pub now: Timestamp,
}

impl Command for Delete {
    type Answer = bool;

    fn perform(&self, db: &Connection) -> Result<bool, Problem> {
        let removed: Option<Option<i64>> = db
            .prepare_cached("DELETE FROM key_values WHERE pack = ?1 AND key = ?2 RETURNING expires_at")?
            .query_row([self.pack.as_str(), &self.key], |row| row.get(0))
            .optional()?;
        Ok(removed.is_some_and(|expires_at| is_live(expires_at.map(Timestamp::from_millis), self.now)))
    }
}

pub(crate) struct CompareAndSwap {
    swap: Swap,
    json: Option<Vec<u8>>,
}

impl CompareAndSwap {
    pub(crate) fn new(swap: Swap) -> Result<Self, StoreError> {
        let json = swap.value.as_ref().map(|value| codec::to_json("the value", value)).transpose()?;
        Ok(Self { swap, json })
    }
}

impl Command for CompareAndSwap {
    type Answer = bool;

    fn perform(&self, db: &Connection) -> Result<bool, Problem> {
        let Swap { pack, key, expected, expires_at, now, .. } = &self.swap;
        if get(db, pack, key, *now)? != *expected {
            return Ok(false);
        }
        match &self.json {
            Some(json) => put(db, pack, key, json, *expires_at)?,
            None => {
                db.prepare_cached("DELETE FROM key_values WHERE pack = ?1 AND key = ?2")?
                    .execute([pack.as_str(), key])?;
            }
        }
        Ok(true)
    }

    fn bytes(&self) -> usize {
        self.json.as_ref().map_or(0, Vec::len)
    }
}

pub(crate) struct Sweep {
    pub now: Timestamp,
    pub limit: usize,
}

impl Command for Sweep {
    type Answer = u64;

    fn perform(&self, db: &Connection) -> Result<u64, Problem> {
        Ok(sweep(db, self.now, self.limit)?)
    }
}

/// Removes values that have expired, the first to expire first.
pub(crate) fn sweep(db: &Connection, now: Timestamp, limit: usize) -> Result<u64, rusqlite::Error> {
    let swept = db
        .prepare_cached(
            "DELETE FROM key_values WHERE (pack, key) IN (
                 SELECT pack, key FROM key_values WHERE expires_at <= ?1 ORDER BY expires_at, pack, key LIMIT ?2)",
        )?
        .execute(params![now.as_millis(), integer(limit as u64)])?;
    Ok(swept as u64)
}

fn put(
    db: &Connection,
    pack: &PackRef,
    key: &str,
    json: &[u8],
    expires_at: Option<Timestamp>,
) -> Result<(), rusqlite::Error> {
    db.prepare_cached(
        "INSERT INTO key_values (pack, key, value, expires_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (pack, key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
    )?
    .execute(params![pack.as_str(), key, json, expires_at.map(Timestamp::as_millis)])
    .map(|_| ())
}
