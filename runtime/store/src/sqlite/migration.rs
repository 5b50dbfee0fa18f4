//! The schema and how it grows: numbered steps, forward only, never changed once released.

use rusqlite::{Connection, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};

use super::fault::Problem;
use crate::StoreError;

/// Marks the file as ours: "RUNR".
const APPLICATION_ID: i64 = 0x5255_4e52;

/// The SQL of each step; the number of a step is its place, counted from 1.
const STEPS: &[&str] = &[
    include_str!("migrations/0001_begin.sql"),
    include_str!("migrations/0002_wait.sql"),
    include_str!("migrations/0003_daemon.sql"),
    include_str!("migrations/0004_version.sql"),
    include_str!("migrations/0005_grants.sql"),
    include_str!("migrations/0006_secrets.sql"),
    include_str!("migrations/0007_seal.sql"),
    include_str!("migrations/0008_events.sql"),
];

/// Refuses a file that is not ours or that a newer version has written. Changes nothing.
pub(crate) fn inspect(db: &Connection) -> Result<(), Problem> {
    // One snapshot: between two statements another process may make the schema, and half of it looks foreign.
    check(&*db.unchecked_transaction()?)
}

fn check(db: &Connection) -> Result<(), Problem> {
    let application: i64 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let found = schema(db)?;
    let known = STEPS.len() as i64;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (application, found, tables) != (0, 0, 0) {
        let reason = "the file is a database of another program".to_owned();
        return Err(StoreError::Open { path: db.path().unwrap_or_default().to_owned(), reason }.into());
    }
    if found > known {
        return Err(StoreError::NewerSchema { found, known }.into());
    }
    Ok(())
}

/// Takes the steps that are missing, all in one transaction, and makes sure that the earlier ones are those known here.
pub(crate) fn migrate(db: &mut Connection) -> Result<(), Problem> {
    if schema(db)? < STEPS.len() as i64 {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Again, inside: another process may have been faster.
        check(&transaction)?;
        let done = usize::try_from(schema(&transaction)?).unwrap_or(0);
        transaction.execute_batch(
            "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, checksum BLOB NOT NULL) STRICT",
        )?;
        for (index, sql) in STEPS.iter().enumerate().skip(done) {
            transaction.execute_batch(sql)?;
            transaction.execute("INSERT INTO migrations VALUES (?1, ?2)", params![index as i64 + 1, checksum(sql)])?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", STEPS.len() as i64)?;
        transaction.commit()?;
    }
    verify(db)
}

fn verify(db: &Connection) -> Result<(), Problem> {
    let mut statement = db.prepare("SELECT checksum FROM migrations ORDER BY number")?;
    let recorded = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<Vec<u8>>, _>>()?;
    let known = STEPS.iter().map(|sql| checksum(sql).to_vec());
    if known.eq(recorded) {
        return Ok(());
    }
    Err(StoreError::Corrupt { what: "its schema was made by other steps than those of this version".to_owned() }.into())
}

fn schema(db: &Connection) -> Result<i64, rusqlite::Error> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn checksum(sql: &str) -> [u8; 32] {
    Sha256::digest(sql.as_bytes()).into()
}
