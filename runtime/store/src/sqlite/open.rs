//! Opening the database: the directory, the connection that writes, what is asserted about it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use runner_model::limits;
use rusqlite::{Connection, OpenFlags};

use super::fault::Problem;
use super::{SqliteOptions, migration, query};
use crate::StoreError;

pub(crate) struct Opened {
    pub path: PathBuf,
    /// The connection that writes.
    pub connection: Connection,
}

pub(crate) fn open(data_dir: &Path, options: &SqliteOptions) -> Result<Opened, StoreError> {
    let refuse =
        |error: &io::Error| StoreError::Open { path: data_dir.display().to_string(), reason: error.to_string() };
    make_directory(data_dir).map_err(|error| refuse(&error))?;
    let path = data_dir.join("runner.db");
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = connect(&path, flags, options)
        .map_err(|error| StoreError::Open { path: path.display().to_string(), reason: error.to_string() })?;
    restrict(&path).map_err(|error| refuse(&error))?;
    prepare(&mut connection, options)?;
    Ok(Opened { path, connection })
}

/// Makes the directory for its owner alone. One that exists is left as its owner made it: it may hold other things, and
/// the database's own files are for their owner alone in any case.
fn make_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    // The name of a directory is data of the one above, which must be on the disk before anything is acknowledged.
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    fs::File::open(above)?.sync_all()
}

/// A connection that one thread uses at a time and that waits for locks.
pub(crate) fn connect(path: &Path, flags: OpenFlags, options: &SqliteOptions) -> Result<Connection, rusqlite::Error> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match &options.test.vfs {
        None => Connection::open_with_flags(path, flags)?,
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str())?,
    };
    connection.busy_timeout(options.lock_timeout)?;
    Ok(connection)
}

/// A connection that moves the log into the database, with flushes as the writer's.
pub(crate) fn for_the_log(path: &Path, options: &SqliteOptions) -> Result<Connection, rusqlite::Error> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, options)?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA checkpoint_fullfsync = ON; PRAGMA trusted_schema = OFF;
         PRAGMA wal_autocheckpoint = 0;",
    )?;
    Ok(connection)
}

/// For its owner alone; SQLite gives its log the same permissions. By path: opening and closing the file here would
/// drop the locks that another store of this process holds on it (POSIX locks belong to the process).
fn restrict(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if fs::metadata(path)?.permissions().mode() & 0o777 != 0o600 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

fn prepare(db: &mut Connection, options: &SqliteOptions) -> Result<(), StoreError> {
    patiently(options.lock_timeout, || migration::inspect(db))?;
    patiently(options.lock_timeout, || configure(db, options))?;
    if let Some(bytes) = options.database_bytes_max {
        limit_size(db, bytes).map_err(Problem::from)?;
    }
    if size(db).map_err(Problem::from)? <= limits::STORE_CHECK_BYTES_MAX {
        query::check_structure(db)?;
    }
    patiently(options.lock_timeout, || migration::migrate(db))
}

fn configure(db: &Connection, options: &SqliteOptions) -> Result<(), Problem> {
    // 2 is FULL: every commit is flushed before it is acknowledged.
    let wanted: i64 = if options.test.unflushed { 1 } else { 2 };
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    db.execute_batch(&format!(
        "PRAGMA synchronous = {wanted};
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA journal_size_limit = {};",
        limits::STORE_LOG_BYTES_KEPT
    ))?;
    let synchronous: i64 = db.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    let foreign_keys: bool = db.query_row("PRAGMA foreign_keys", [], |row| row.get(0))?;
    // What is acknowledged rests on these, so they are not taken on trust.
    if mode != "wal" || synchronous != wanted || !foreign_keys {
        let reason = format!(
            "SQLite refuses the settings that the store needs (journal_mode {mode}, synchronous {synchronous}, \
             foreign_keys {foreign_keys}); is it on a network file system?"
        );
        return Err(StoreError::Open { path: db.path().unwrap_or_default().to_owned(), reason }.into());
    }
    db.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn limit_size(db: &Connection, bytes: u64) -> Result<(), rusqlite::Error> {
    let page: i64 = db.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let pages = query::integer(bytes).checked_div(page).unwrap_or(1).max(1);
    db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
}

fn size(db: &Connection) -> Result<u64, rusqlite::Error> {
    let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    db.query_row(sql, [], |row| query::count(row, 0))
}

/// Tries again while another process is at the same place: for some of the locks that it takes to change the journal
/// mode or to recover a log, SQLite does not wait by itself.
fn patiently<T>(lock_timeout: Duration, mut step: impl FnMut() -> Result<T, Problem>) -> Result<T, StoreError> {
    let deadline = Instant::now() + lock_timeout;
    loop {
        match step().map_err(StoreError::from) {
            Err(StoreError::Busy) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
            done => return done,
        }
    }
}
