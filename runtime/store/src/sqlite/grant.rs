//! What operators granted to packs: a query and two commands.

use async_trait::async_trait;
use runner_model::{GrantRecord, PackRef, Permissions, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::SqliteStore;
use super::audit::log;
use super::fault::Problem;
use super::query::parsed;
use super::writer::Command;
use crate::{Audited, Grants, StoreError, codec, grant};

#[async_trait]
impl Grants for SqliteStore {
    async fn grant(&self, grant: GrantRecord, by: Audited) -> Result<(), StoreError> {
        let text = |permissions: &Permissions| codec::to_json("the grant", permissions);
        let (wish, granted) = (text(&grant.wish)?, text(&grant.granted)?);
        self.writer.submit(Grant { grant, wish, granted, by }).await
    }

    async fn revoke_grant(&self, pack: &PackRef, by: Audited) -> Result<Option<GrantRecord>, StoreError> {
        self.writer.submit(Revoke { pack: pack.clone(), by }).await
    }

    async fn grants(&self) -> Result<Vec<GrantRecord>, StoreError> {
        self.readers.run(grants).await
    }
}

fn grants(db: &Connection) -> Result<Vec<GrantRecord>, Problem> {
    let mut statement =
        db.prepare_cached("SELECT pack, digest, wish, granted, granted_by, at FROM grants ORDER BY pack")?;
    let grants = statement.query_map([], grant_of)?;
    Ok(grants.collect::<Result<_, _>>()?)
}

fn grant_of(row: &Row<'_>) -> rusqlite::Result<GrantRecord> {
    let permissions = |text: &str| codec::from_json::<Permissions>(text.as_bytes()).ok();
    Ok(GrantRecord {
        pack: parsed(row, 0, |text| PackRef::new(text).ok())?,
        digest: row.get(1)?,
        wish: parsed(row, 2, permissions)?,
        granted: parsed(row, 3, permissions)?,
        by: row.get(4)?,
        at: Timestamp::from_millis(row.get(5)?),
    })
}

struct Grant {
    grant: GrantRecord,
    wish: Vec<u8>,
    granted: Vec<u8>,
    by: Audited,
}

impl Command for Grant {
    type Answer = ();

    fn perform(&self, db: &Connection) -> Result<(), Problem> {
        let GrantRecord { pack, digest, by, at, .. } = &self.grant;
        let (wish, granted) = (String::from_utf8_lossy(&self.wish), String::from_utf8_lossy(&self.granted));
        db.prepare_cached(
            "INSERT INTO grants (pack, digest, wish, granted, granted_by, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (pack) DO UPDATE SET digest = excluded.digest, wish = excluded.wish,
                 granted = excluded.granted, granted_by = excluded.granted_by, at = excluded.at",
        )?
        .execute(params![pack.as_str(), digest, wish, granted, by, at.as_millis()])?;
        log(db, &self.by, &grant::granted(&self.grant))?;
        Ok(())
    }
}

struct Revoke {
    pack: PackRef,
    by: Audited,
}

impl Command for Revoke {
    type Answer = Option<GrantRecord>;

    fn perform(&self, db: &Connection) -> Result<Option<GrantRecord>, Problem> {
        let revoked = db
            .prepare_cached("DELETE FROM grants WHERE pack = ?1 RETURNING pack, digest, wish, granted, granted_by, at")?
            .query_row([self.pack.as_str()], grant_of)
            .optional()?;
        if let Some(grant) = &revoked {
            log(db, &self.by, &grant::revoked(grant))?;
        }
        Ok(revoked)
    }
}
