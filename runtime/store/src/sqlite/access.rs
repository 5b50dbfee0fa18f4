//! API keys, reservations and switched rules: queries and commands.

use std::collections::BTreeMap;

use async_trait::async_trait;
use runner_model::{ApiKey, ExecutionId, KeyId, PackRef, RuleRef, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::SqliteStore;
use super::audit::log;
use super::fault::{Problem, unreadable};
use super::query::parsed;
use super::writer::Command;
use crate::access::{key_made, key_revoked, minute, rule_switched, there_is_one};
use crate::{Access, Audited, Digest, Reservation, Reserved, StoreError, codec};

#[async_trait]
impl Access for SqliteStore {
    async fn add_key(&self, key: ApiKey, digest: Digest, by: Audited) -> Result<(), StoreError> {
        let packs = key.packs.as_ref().map(|packs| codec::to_json("the key", packs)).transpose()?;
        self.writer.submit(AddKey { key, packs, digest, by }).await
    }

    async fn key(&self, digest: Digest) -> Result<Option<ApiKey>, StoreError> {
        self.readers.run(move |db| key(db, &digest)).await
    }

    async fn keys_of_api(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.readers.run(keys).await
    }

    async fn revoke_key(&self, id: KeyId, by: Audited) -> Result<Option<ApiKey>, StoreError> {
        self.writer.submit(RevokeKey { id, by }).await
    }

    async fn touch_key(&self, id: KeyId, now: Timestamp) -> Result<(), StoreError> {
        let minute = minute(now);
        // Every request comes by here: the writer, who may be waiting for the disk, is asked once a minute.
        if self.readers.run(move |db| is_touched(db, id, minute)).await? {
            return Ok(());
        }
        self.writer.submit(TouchKey { id, minute }).await
    }

    async fn reserve(&self, reservation: Reservation, now: Timestamp) -> Result<Reserved, StoreError> {
        self.writer.submit(Reserve { reservation, now }).await
    }

    async fn switch_rule(&self, rule: &RuleRef, enabled: Option<bool>, by: Audited) -> Result<(), StoreError> {
        self.writer.submit(SwitchRule { rule: rule.clone(), enabled, by }).await
    }

    async fn switched_rules(&self) -> Result<BTreeMap<RuleRef, bool>, StoreError> {
        self.readers.run(switched_rules).await
    }
}

fn key(db: &Connection, digest: &Digest) -> Result<Option<ApiKey>, Problem> {
    let found = db
        .prepare_cached(
            "SELECT id, name, role, packs, created_at, expires_at, revoked_at, last_used_at
             FROM api_keys WHERE digest = ?1",
        )?
        .query_row([digest], key_of)
        .optional()?;
    Ok(found)
}

fn keys(db: &Connection) -> Result<Vec<ApiKey>, Problem> {
    let mut statement = db.prepare_cached(
        "SELECT id, name, role, packs, created_at, expires_at, revoked_at, last_used_at
         FROM api_keys ORDER BY created_at, id",
    )?;
    let keys = statement.query_map([], key_of)?;
    Ok(keys.collect::<Result<_, _>>()?)
}

fn is_touched(db: &Connection, id: KeyId, minute: Timestamp) -> Result<bool, Problem> {
    let mut statement = db.prepare_cached("SELECT 1 FROM api_keys WHERE id = ?1 AND last_used_at >= ?2")?;
    Ok(statement.exists(params![id.as_bytes(), minute.as_millis()])?)
}

fn key_of(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    let moment = |column: usize| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp::from_millis));
    let packs = |text: &str| codec::from_json::<Vec<PackRef>>(text.as_bytes()).ok();
    Ok(ApiKey {
        id: KeyId::from_bytes(row.get(0)?),
        name: row.get(1)?,
        role: parsed(row, 2, |text| text.parse().ok())?,
        packs: row.get::<_, Option<String>>(3)?.map(|_| parsed(row, 3, packs)).transpose()?,
        created_at: Timestamp::from_millis(row.get(4)?),
        expires_at: moment(5)?,
        revoked_at: moment(6)?,
        last_used_at: moment(7)?,
    })
}

fn switched_rules(db: &Connection) -> Result<BTreeMap<RuleRef, bool>, Problem> {
    let mut statement = db.prepare_cached("SELECT rule, enabled FROM rule_switches")?;
    let mut rows = statement.query([])?;
    let mut switched = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let rule = row.get_ref(0)?.as_str().ok().and_then(|text| text.parse().ok());
        switched.insert(rule.ok_or_else(|| unreadable("a rule"))?, row.get(1)?);
    }
    Ok(switched)
}

struct AddKey {
    key: ApiKey,
    packs: Option<Vec<u8>>,
    digest: Digest,
    by: Audited,
}

impl Command for AddKey {
    type Answer = ();

    fn perform(&self, db: &Connection) -> Result<(), Problem> {
        let key = &self.key;
        let added = db
            .prepare_cached(
                "INSERT INTO api_keys (id, digest, name, role, packs, created_at, expires_at, revoked_at, last_used_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                key.id.as_bytes(),
                self.digest,
                key.name,
                key.role.as_str(),
                self.packs.as_deref().map(String::from_utf8_lossy),
                key.created_at.as_millis(),
                key.expires_at.map(Timestamp::as_millis),
                key.revoked_at.map(Timestamp::as_millis),
                key.last_used_at.map(Timestamp::as_millis),
            ])?;
        if added == 0 {
            return Err(there_is_one().into());
        }
        log(db, &self.by, &key_made(key)).map(|_| ())
    }
}

struct RevokeKey {
    id: KeyId,
    by: Audited,
}

impl Command for RevokeKey {
    type Answer = Option<ApiKey>;

    fn perform(&self, db: &Connection) -> Result<Option<ApiKey>, Problem> {
        let revoked = db
            .prepare_cached("UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")?
            .execute(params![self.id.as_bytes(), self.by.at.as_millis()])?;
        let key = db
            .prepare_cached(
                "SELECT id, name, role, packs, created_at, expires_at, revoked_at, last_used_at
                 FROM api_keys WHERE id = ?1",
            )?
            .query_row([self.id.as_bytes()], key_of)
            .optional()?;
        if let Some(key) = key.as_ref().filter(|_| revoked > 0) {
            log(db, &self.by, &key_revoked(key))?;
        }
        Ok(key)
    }
}

struct TouchKey {
    id: KeyId,
    minute: Timestamp,
}

impl Command for TouchKey {
    type Answer = ();

    fn perform(&self, db: &Connection) -> Result<(), Problem> {
        db.prepare_cached(
            "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)",
        )?
        .execute(params![self.id.as_bytes(), self.minute.as_millis()])?;
        Ok(())
    }
}

struct Reserve {
    reservation: Reservation,
    now: Timestamp,
}

impl Command for Reserve {
    type Answer = Reserved;

    fn perform(&self, db: &Connection) -> Result<Reserved, Problem> {
        let Reservation { scope, key, digest, execution, until } = &self.reservation;
        let reserved = db
            .prepare_cached(
                "INSERT INTO reservations (scope, key, digest, execution, kept_until) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (scope, key) DO UPDATE
                 SET digest = excluded.digest, execution = excluded.execution, kept_until = excluded.kept_until
                 WHERE kept_until <= ?6",
            )?
            .execute(params![scope, key, digest, execution.as_bytes(), until.as_millis(), self.now.as_millis()])?;
        if reserved > 0 {
            return Ok(Reserved::New);
        }
        let known = db
            .prepare_cached("SELECT digest, execution FROM reservations WHERE scope = ?1 AND key = ?2")?
            .query_row([scope, key], |row| Ok((row.get(0)?, row.get(1)?)));
        let (digest, execution) = known?;
        Ok(Reserved::Known { digest, execution: ExecutionId::from_bytes(execution) })
    }
}

struct SwitchRule {
    rule: RuleRef,
    enabled: Option<bool>,
    by: Audited,
}

impl Command for SwitchRule {
    type Answer = ();

    fn perform(&self, db: &Connection) -> Result<(), Problem> {
        match self.enabled {
            Some(enabled) => db
                .prepare_cached(
                    "INSERT INTO rule_switches (rule, enabled) VALUES (?1, ?2)
                     ON CONFLICT (rule) DO UPDATE SET enabled = excluded.enabled",
                )?
                .execute(params![self.rule.as_str(), enabled])?,
            None => db.prepare_cached("DELETE FROM rule_switches WHERE rule = ?1")?.execute([self.rule.as_str()])?,
        };
        log(db, &self.by, &rule_switched(&self.rule, self.enabled)).map(|_| ())
    }
}
