//! Sealed secrets: queries and commands.

use async_trait::async_trait;
use runner_model::{SecretName, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::SqliteStore;
use super::audit::log;
use super::fault::Problem;
use super::query::{count, integer, parsed};
use super::writer::Command;
use crate::secret::{deleted, put, resealed, version_said};
use crate::{Audited, NewSecret, SealedSecret, SecretRecord, Secrets, StoreError};

#[async_trait]
impl Secrets for SqliteStore {
    async fn secret_version(&self, name: &SecretName) -> Result<u64, StoreError> {
        let name = name.clone();
        self.readers.run(move |db| last_version(db, &name)).await
    }

    async fn put_secret(&self, new: NewSecret, by: Audited) -> Result<SecretRecord, StoreError> {
        self.writer.submit(Put { new, by }).await
    }

    async fn reseal_secret(&self, new: NewSecret, by: Audited) -> Result<(), StoreError> {
        self.writer.submit(Reseal { new, by }).await
    }

    async fn sealed_secret(&self, name: &SecretName) -> Result<Option<SealedSecret>, StoreError> {
        let name = name.clone();
        self.readers.run(move |db| sealed(db, &name)).await
    }

    async fn secrets(&self) -> Result<Vec<SecretRecord>, StoreError> {
        self.readers.run(all).await
    }

    async fn delete_secret(&self, name: &SecretName, by: Audited) -> Result<bool, StoreError> {
        self.writer.submit(Delete { name: name.clone(), by }).await
    }
}

fn last_version(db: &Connection, name: &SecretName) -> Result<u64, Problem> {
    let version = db
        .prepare_cached("SELECT version FROM secrets WHERE name = ?1")?
        .query_row([name.as_str()], |row| count(row, 0))
        .optional()?;
    Ok(version.unwrap_or(0))
}

/// In one statement, so that the value and what the log says of it are of the same moment. The words are those of
/// [`OF_VERSIONS`](crate::secret::OF_VERSIONS).
fn sealed(db: &Connection, name: &SecretName) -> Result<Option<SealedSecret>, Problem> {
    let found = db
        .prepare_cached(
            "SELECT name, version, description, created_at, rotated_at, set_by, sealed, audit.action, audit.details
             FROM secrets LEFT JOIN audit ON audit.sequence = (
                 SELECT max(sequence) FROM audit WHERE subject = ?1
                 AND action IN ('secret.set', 'secret.rotate', 'secret.reseal', 'secret.delete'))
             WHERE name = ?1 AND sealed IS NOT NULL",
        )?
        .query_row([name.as_str()], |row| {
            let said = row.get::<_, Option<String>>(7)?.zip(row.get::<_, Option<String>>(8)?);
            let logged = said.and_then(|(action, details)| version_said(&action, &details));
            Ok(SealedSecret { record: record_of(row)?, sealed: row.get(6)?, logged })
        })
        .optional()?;
    Ok(found)
}

fn all(db: &Connection) -> Result<Vec<SecretRecord>, Problem> {
    let mut statement = db.prepare_cached(
        "SELECT name, version, description, created_at, rotated_at, set_by
         FROM secrets WHERE sealed IS NOT NULL ORDER BY name",
    )?;
    let records = statement.query_map([], record_of)?;
    Ok(records.collect::<Result<_, _>>()?)
}

fn record_of(row: &Row<'_>) -> rusqlite::Result<SecretRecord> {
    Ok(SecretRecord {
        name: parsed(row, 0, |text| SecretName::new(text).ok())?,
        version: count(row, 1)?,
        description: row.get(2)?,
        created_at: Timestamp::from_millis(row.get(3)?),
        rotated_at: Timestamp::from_millis(row.get(4)?),
        set_by: row.get(5)?,
    })
}

struct Put {
    new: NewSecret,
    by: Audited,
}

impl Command for Put {
    type Answer = SecretRecord;

    fn perform(&self, db: &Connection) -> Result<SecretRecord, Problem> {
        let NewSecret { name, version, sealed, description } = &self.new;
        if *version != last_version(db, name)?.saturating_add(1) {
            return Err(StoreError::SecretConflict(name.clone()).into());
        }
        let is_new: bool = !db
            .prepare_cached("SELECT 1 FROM secrets WHERE name = ?1 AND sealed IS NOT NULL")?
            .exists([name.as_str()])?;
        // What was removed begins anew, but for its version.
        let record = db
            .prepare_cached(
                "INSERT INTO secrets (name, version, sealed, description, created_at, rotated_at, set_by)
                 VALUES (?1, ?2, ?3, ifnull(?4, ''), ?5, ?5, ?6)
                 ON CONFLICT (name) DO UPDATE SET
                     version = excluded.version,
                     description = CASE WHEN secrets.sealed IS NULL THEN excluded.description
                                        ELSE ifnull(?4, secrets.description) END,
                     created_at = CASE WHEN secrets.sealed IS NULL THEN excluded.created_at
                                       ELSE secrets.created_at END,
                     rotated_at = excluded.rotated_at,
                     set_by = excluded.set_by,
                     sealed = excluded.sealed
                 RETURNING name, version, description, created_at, rotated_at, set_by",
            )?
            .query_row(
                params![name.as_str(), integer(*version), sealed, description, self.by.at.as_millis(), self.by.actor],
                record_of,
            )?;
        log(db, &self.by, &put(name, *version, is_new))?;
        Ok(record)
    }

    fn bytes(&self) -> usize {
        self.new.sealed.len()
    }
}

struct Reseal {
    new: NewSecret,
    by: Audited,
}

impl Command for Reseal {
    type Answer = ();

    fn perform(&self, db: &Connection) -> Result<(), Problem> {
        let NewSecret { name, version, sealed, .. } = &self.new;
        let changed = db
            .prepare_cached("UPDATE secrets SET sealed = ?3 WHERE name = ?1 AND version = ?2 AND sealed IS NOT NULL")?
            .execute(params![name.as_str(), integer(*version), sealed])?;
        if changed == 0 {
            return Err(StoreError::SecretConflict(name.clone()).into());
        }
        log(db, &self.by, &resealed(name, *version)).map(|_| ())
    }

    fn bytes(&self) -> usize {
        self.new.sealed.len()
    }
}

struct Delete {
    name: SecretName,
    by: Audited,
}

impl Command for Delete {
    type Answer = bool;

    fn perform(&self, db: &Connection) -> Result<bool, Problem> {
        let version = db
            .prepare_cached(
                "UPDATE secrets SET sealed = NULL, description = '' WHERE name = ?1 AND sealed IS NOT NULL
                 RETURNING version",
            )?
            .query_row([self.name.as_str()], |row| count(row, 0))
            .optional()?;
        let Some(version) = version else { return Ok(false) };
        log(db, &self.by, &deleted(&self.name, version))?;
        Ok(true)
    }
}
