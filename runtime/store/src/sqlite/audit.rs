//! The log: an entry in the transaction of what it tells, and its queries.

use async_trait::async_trait;
use runner_model::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::SqliteStore;
use super::fault::{Problem, broken, unreadable};
use super::query::{count, integer};
use super::select::Select;
use super::writer::Command;
use crate::{Audit, AuditEntry, AuditFilter, AuditFrom, AuditHead, Audited, Deed, StoreError};

#[async_trait]
impl Audit for SqliteStore {
    async fn log(&self, by: Audited, deed: Deed) -> Result<AuditHead, StoreError> {
        self.writer.submit(Log { by, deed }).await
    }

    async fn audit(&self, filter: &AuditFilter, from: AuditFrom, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let filter = filter.clone();
        self.readers.run(move |db| entries(db, &filter, from, limit)).await
    }

    async fn audit_head(&self) -> Result<AuditHead, StoreError> {
        self.readers.run(head).await
    }
}

struct Log {
    by: Audited,
    deed: Deed,
}

impl Command for Log {
    type Answer = AuditHead;

    fn perform(&self, db: &Connection) -> Result<AuditHead, Problem> {
        log(db, &self.by, &self.deed)
    }
}

/// Logs a deed in the transaction that is open, after the change that it tells of: whatever keeps the entry from being
/// written undoes the change.
pub(crate) fn log(db: &Connection, by: &Audited, deed: &Deed) -> Result<AuditHead, Problem> {
    let entry = head(db).map_err(broken)?.entry(by, deed);
    db.prepare_cached(
        "INSERT INTO audit (sequence, at, actor, origin, address, action, subject, details, previous, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        integer(entry.sequence),
        entry.at.as_millis(),
        entry.actor,
        entry.origin,
        entry.address,
        entry.action,
        entry.subject,
        entry.details,
        entry.previous,
        entry.hash,
    ])?;
    db.prepare_cached(
        "INSERT INTO audit_head (one, sequence, hash) VALUES (1, ?1, ?2)
         ON CONFLICT (one) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash",
    )?
    .execute(params![integer(entry.sequence), entry.hash])?;
    Ok(entry.head())
}

/// One row: what the last entry is costs the same however long the log is.
fn head(db: &Connection) -> Result<AuditHead, Problem> {
    let head = db
        .prepare_cached("SELECT sequence, hash FROM audit_head")?
        .query_row([], |row| Ok(AuditHead { sequence: count(row, 0)?, hash: row.get(1)? }))
        .optional();
    match head {
        Ok(head) => Ok(head.unwrap_or_default()),
        Err(error) if error.sqlite_error_code().is_none() => Err(unreadable("a note of the last entry")),
        Err(error) => Err(error.into()),
    }
}

fn entries(db: &Connection, filter: &AuditFilter, from: AuditFrom, limit: usize) -> Result<Vec<AuditEntry>, Problem> {
    let select = select(filter, from, limit);
    let mut statement = db.prepare_cached(&select.sql)?;
    let entries = statement.query_map(rusqlite::params_from_iter(select.values), entry_of)?;
    Ok(entries.collect::<Result<_, _>>()?)
}

fn select(filter: &AuditFilter, from: AuditFrom, limit: usize) -> Select {
    let mut select = Select::new(
        "SELECT sequence, at, actor, origin, address, action, subject, details, previous, hash FROM audit WHERE true",
    );
    select.narrow("subject =", filter.subject.clone());
    select.narrow("actor =", filter.actor.clone());
    select.narrow("at >=", filter.since.map(Timestamp::as_millis));
    // With a dot behind both, a word is the beginning of those below it and of itself.
    select.narrow("instr(action || '.', ", filter.action.as_ref().map(|action| format!("{action}.")));
    if filter.action.is_some() {
        select.sql.push_str(") = 1");
    }
    let order = match from {
        AuditFrom::After(after) => {
            select.narrow("sequence >", Some(integer(after)));
            "ASC"
        }
        AuditFrom::Before(before) => {
            select.narrow("sequence <", before.map(integer));
            "DESC"
        }
    };
    select.push(&format!(" ORDER BY sequence {order} LIMIT"), integer(limit as u64));
    select
}

/// Whatever stands there: a text that is none is read as one, and its hash tells that it is another.
fn entry_of(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let text = |column: usize| -> rusqlite::Result<String> {
        Ok(String::from_utf8_lossy(row.get_ref(column)?.as_bytes()?).into_owned())
    };
    let address = row.get_ref(4)?.as_bytes_or_null()?;
    Ok(AuditEntry {
        sequence: count(row, 0)?,
        at: Timestamp::from_millis(row.get(1)?),
        actor: text(2)?,
        origin: text(3)?,
        address: address.map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
        action: text(5)?,
        subject: text(6)?,
        details: text(7)?,
        previous: row.get(8)?,
        hash: row.get(9)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::migration::migrate;
    use super::super::select::plan;
    use super::*;

    #[test]
    fn no_listing_sorts_and_one_of_a_subject_reads_only_that() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        let of = |subject: Option<&str>| AuditFilter {
            subject: subject.map(str::to_owned),
            action: Some("secret".to_owned()),
            ..AuditFilter::default()
        };
        for (subject, from, expected) in [
            (None, AuditFrom::After(7), "USING INTEGER PRIMARY KEY (rowid>?)"),
            (None, AuditFrom::Before(None), "SCAN audit"),
            (Some("a"), AuditFrom::Before(None), "USING INDEX audit_by_subject (subject=?)"),
            (Some("a"), AuditFrom::After(7), "USING INDEX audit_by_subject (subject=? AND sequence>?)"),
        ] {
            let plan = plan(&db, select(&of(subject), from, 10));
            assert!(plan.len() == 1 && plan[0].ends_with(expected), "{plan:?}");
        }
    }
}
