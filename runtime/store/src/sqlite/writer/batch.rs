//! The writer's thread: takes everything that waits, performs it in one transaction, commits, answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use runner_model::limits;
use rusqlite::Connection;
use tracing::{debug, error, warn};

use super::{Counters, Rider};
use crate::StoreError;
use crate::sqlite::fault::{is_fatal, translate};

/// The writer's side: the connection and what is known about it.
pub(super) struct Writing {
    db: Connection,
    counters: Arc<Counters>,
    /// Pages in the log after the latest commit; set by SQLite.
    log_pages: Arc<AtomicU32>,
    /// Pages in the log at the last checkpoint. Where readers keep the log from beginning anew it grows on, and a
    /// checkpoint after every commit would not change that.
    log_pages_seen: u32,
    /// Why nothing may be written any more.
    halted: Option<String>,
    /// Whether anything was committed since the database was last tidied up.
    untidy: bool,
}

/// Where a transaction failed.
enum Failure {
    /// Before it began or when it was to be committed: nobody in it is served.
    Whole(rusqlite::Error),
    /// In a command: the others can be served without it.
    Single(rusqlite::Error),
}

impl Writing {
    pub(super) fn new(mut db: Connection, counters: Arc<Counters>) -> Result<Self, rusqlite::Error> {
        // SQLite's own checkpoints would run inside the commit, while its riders wait, and would keep silent about a
        // failed flush. So it only says how long the log is; the checkpoint is made here, after the answers.
        let log_pages = Arc::new(AtomicU32::new(0));
        let noted = Arc::clone(&log_pages);
        db.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            noted.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { db, counters, log_pages, log_pages_seen: 0, halted: None, untidy: false })
    }

    /// Serves commands until every sender is gone and the queue is empty.
    pub(super) fn run(mut self, commands: &Receiver<Box<dyn Rider>>) {
        while let Some(first) = self.next(commands) {
            let batch = gather(first, commands);
            self.serve(batch);
            let pages = self.log_pages.load(Ordering::Relaxed);
            // A shorter log than at the last checkpoint has begun anew.
            self.log_pages_seen = self.log_pages_seen.min(pages);
            if pages - self.log_pages_seen >= limits::STORE_LOG_PAGES_MAX {
                self.checkpoint();
            }
        }
    }

    /// The next command; none when the store is closed. Tidies up once when there is nothing to do.
    fn next(&mut self, commands: &Receiver<Box<dyn Rider>>) -> Option<Box<dyn Rider>> {
        if self.untidy {
            match commands.recv_timeout(Duration::from_millis(limits::STORE_IDLE_MS)) {
                Ok(first) => return Some(first),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.tidy(),
            }
        }
        commands.recv().ok()
    }

    fn serve(&mut self, mut batch: Vec<Box<dyn Rider>>) {
        if let Some(reason) = &self.halted {
            let halted = StoreError::Halted { reason: reason.clone() };
            return answer(batch, &Err(halted));
        }
        let started = Instant::now();
        match self.transact(&mut batch) {
            Ok(()) => {
                self.counters.committed(batch.len(), started.elapsed());
                self.untidy = true;
                answer(batch, &Ok(()));
            }
            Err(Failure::Single(cause)) if batch.len() > 1 && !is_fatal(&cause) => {
                debug!(error = %cause, commands = batch.len(), "a command failed, each is performed by itself");
                for rider in batch {
                    self.serve(vec![rider]);
                }
            }
            Err(Failure::Single(cause) | Failure::Whole(cause)) => {
                let error = self.take_note(&cause).unwrap_or_else(|| translate(&cause));
                answer(batch, &Err(error));
            }
        }
    }

    /// Performs all in one transaction. After an error nothing of it is there.
    fn transact(&mut self, batch: &mut [Box<dyn Rider>]) -> Result<(), Failure> {
        self.execute("BEGIN IMMEDIATE").map_err(Failure::Whole)?;
        let done = batch
            .iter_mut()
            .try_for_each(|rider| rider.perform(&self.db).map_err(Failure::Single))
            .and_then(|()| self.execute("COMMIT").map_err(Failure::Whole));
        // Some errors end the transaction by themselves.
        if done.is_err()
            && !self.db.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            self.halt(&error);
        }
        done
    }

    fn execute(&self, statement: &str) -> Result<(), rusqlite::Error> {
        self.db.prepare_cached(statement)?.execute([]).map(|_| ())
    }

    /// Stops all writing if the error asks for it, and returns what callers are told then.
    fn take_note(&mut self, cause: &rusqlite::Error) -> Option<StoreError> {
        if !is_fatal(cause) {
            return None;
        }
        self.halt(cause);
        match translate(cause) {
            damaged @ StoreError::Corrupt { .. } => Some(damaged),
            _ => self.halted.clone().map(|reason| StoreError::Halted { reason }),
        }
    }

    fn halt(&mut self, cause: &rusqlite::Error) {
        error!(error = %cause, "the store stops writing");
        self.halted.get_or_insert_with(|| cause.to_string());
    }

    /// Moves the log into the database as far as no reader needs it.
    fn checkpoint(&mut self) {
        if self.halted.is_some() {
            return;
        }
        self.log_pages_seen = self.log_pages.load(Ordering::Relaxed);
        let moved = self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(0));
        match moved {
            Ok(_) => self.counters.checkpointed(),
            Err(cause) if is_fatal(&cause) => self.halt(&cause),
            Err(cause) => warn!(error = %cause, "the log could not be moved into the database"),
        }
    }

    fn tidy(&mut self) {
        self.untidy = false;
        if self.halted.is_some() {
            return;
        }
        if let Err(cause) = self.db.execute_batch("PRAGMA optimize") {
            warn!(error = %cause, "the statistics for queries could not be brought up to date");
            if is_fatal(&cause) {
                self.halt(&cause);
            }
        }
        self.checkpoint();
    }
}

/// The first command and what waits behind it, as much as may ride in one commit.
fn gather(first: Box<dyn Rider>, commands: &Receiver<Box<dyn Rider>>) -> Vec<Box<dyn Rider>> {
    let mut bytes = first.bytes();
    let mut batch = vec![first];
    while batch.len() < limits::STORE_BATCH_MAX && bytes < limits::STORE_BATCH_BYTES_MAX {
        let Ok(rider) = commands.try_recv() else { break };
        bytes = bytes.saturating_add(rider.bytes());
        batch.push(rider);
    }
    batch
}

fn answer(batch: Vec<Box<dyn Rider>>, committed: &Result<(), StoreError>) {
    for rider in batch {
        rider.answer(committed.clone());
    }
}
