//! Moves the log into the database beside the writer, which goes on meanwhile: the flush of a database takes as long as
//! many commits do. What has come since then the writer moves itself, which is little.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::sqlite::{SqliteOptions, open};

type Moved = (Option<Connection>, Result<Duration, rusqlite::Error>);

/// Whoever moves the log.
pub(crate) struct Mover {
    path: PathBuf,
    options: SqliteOptions,
    /// Its connection, from the first time on.
    idle: Option<Connection>,
    /// Joined before this is gone, so that the writer's connection is the last.
    at_work: Option<JoinHandle<Moved>>,
}

impl Mover {
    pub(crate) fn new(path: PathBuf, options: SqliteOptions) -> Self {
        Self { path, options, idle: None, at_work: None }
    }

    pub(super) fn is_at_work(&self) -> bool {
        self.at_work.is_some()
    }

    /// Begins, unless it is at work.
    pub(super) fn begin(&mut self) -> std::io::Result<()> {
        if self.at_work.is_some() {
            return Ok(());
        }
        let (connection, path, options) = (self.idle.take(), self.path.clone(), self.options.clone());
        let work = move || {
            let connection = match connection.map_or_else(|| open::for_the_log(&path, &options), Ok) {
                Ok(connection) => connection,
                Err(error) => return (None, Err(error)),
            };
            let moved = move_log(&connection);
            (Some(connection), moved)
        };
        self.at_work = Some(std::thread::Builder::new().name("store-log".to_owned()).spawn(work)?);
        Ok(())
    }

    /// How it went, if it has ended since this was asked last.
    pub(super) fn ended(&mut self) -> Option<Result<Duration, rusqlite::Error>> {
        self.at_work.as_ref()?.is_finished().then(|| self.end()).flatten()
    }

    /// Waits for its end, if it is at work.
    pub(super) fn end(&mut self) -> Option<Result<Duration, rusqlite::Error>> {
        // A panic has been reported, and harms nothing: the log is still there.
        let (connection, moved) = self.at_work.take()?.join().ok()?;
        self.idle = connection;
        Some(moved)
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.end();
    }
}

/// Moves the log as far as no reader needs it. How long it took.
pub(super) fn move_log(db: &Connection) -> Result<Duration, rusqlite::Error> {
    let started = Instant::now();
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(0))?;
    Ok(started.elapsed())
}
