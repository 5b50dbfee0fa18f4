//! The writer's thread: takes everything that waits, performs it in one transaction, commits, answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use runner_model::limits;
use rusqlite::Connection;
use tracing::{debug, error, warn};

use super::mover::{Mover, move_log};
use super::queue::{Next, Receiver, Riders};
use super::{Counters, Rider};
use crate::StoreError;
use crate::sqlite::fault::{is_fatal, translate};

/// The writer's side: the connection and what is known about it.
pub(super) struct Writing {
    // Dropped before the connection.
    mover: Mover,
    db: Connection,
    counters: Arc<Counters>,
    /// Pages in the log after the latest commit; set by SQLite.
    log_pages: Arc<AtomicU32>,
    /// Pages in the log when it was last begun to be moved into the database.
    log_pages_seen: u32,
    /// Pages from which on the log is moved to its end.
    log_pages_long: u32,
    /// Why nothing may be written any more.
    halted: Option<String>,
    /// Whether anything was committed since the database was last tidied up.
    untidy: bool,
    /// How many commands may come together: those of the last commit, whose callers may have another one soon, and those that
    /// came while it was made.
    expected: usize,
    /// How long the last commit took.
    took: Duration,
}

/// Where a transaction failed.
enum Failure {
    /// Before it began or when it was to be committed: nobody in it is served.
    Whole(rusqlite::Error),
    /// In a command: the others can be served without it.
    Single(rusqlite::Error),
}

impl Writing {
    pub(super) fn new(mut db: Connection, mover: Mover, counters: Arc<Counters>) -> Result<Self, rusqlite::Error> {
        // SQLite's own checkpoints would run inside the commit, while its riders wait, and would keep silent about a
        // failed flush. So it only says how long the log is.
        let log_pages = Arc::new(AtomicU32::new(0));
        let noted = Arc::clone(&log_pages);
        db.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            noted.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self {
            mover,
            db,
            counters,
            log_pages,
            log_pages_seen: 0,
            log_pages_long: limits::STORE_LOG_PAGES_LONG,
            halted: None,
            untidy: false,
            expected: 0,
            took: Duration::ZERO,
        })
    }

    /// Serves commands until the queue is closed and empty. Tidies up once when there is nothing to do.
    pub(super) fn run(mut self, commands: &Receiver) {
        let mut waiting = Riders::new();
        loop {
            if waiting.is_empty() {
                let patience = self.untidy.then_some(Duration::from_millis(limits::STORE_IDLE_MS));
                match commands.next(patience) {
                    Next::Riders(riders) => waiting = riders,
                    Next::Idle => {
                        self.tidy();
                        continue;
                    }
                    Next::Closed => return,
                }
            }
            self.serve(&mut waiting, commands);
            self.look_at_log();
        }
    }

    /// Serves what waits, and those that come aboard meanwhile.
    fn serve(&mut self, waiting: &mut Riders, commands: &Receiver) {
        let mut batch = Batch::default();
        batch.board(waiting);
        let patience = self.took.min(limits::STORE_BATCH_WAIT_MAX);
        let mut boarding = Boarding { waiting, commands, until: Instant::now() + patience, waited: Duration::ZERO };
        self.settle(batch, Some(&mut boarding));
    }

    /// Performs what rides together and answers it.
    fn settle(&mut self, mut batch: Batch, mut boarding: Option<&mut Boarding<'_>>) {
        if let Some(reason) = &self.halted {
            let halted = StoreError::Halted { reason: reason.clone() };
            return batch.answer(&Err(halted));
        }
        let started = Instant::now();
        match self.transact(&mut batch, boarding.as_deref_mut()) {
            Ok(()) => {
                let (waited, behind) = boarding.map_or_else(Default::default, |boarding| boarding.end());
                self.took = started.elapsed().saturating_sub(waited);
                self.expected = batch.riders.len().saturating_add(behind);
                self.counters.committed(batch.riders.len(), self.took);
                self.untidy = true;
                batch.answer(&Ok(()));
            }
            Err(Failure::Single(cause)) if batch.riders.len() > 1 && !is_fatal(&cause) => {
                debug!(error = %cause, commands = batch.riders.len(), "a command failed, each is performed by itself");
                for rider in batch.riders {
                    self.settle(Batch::of(rider), None);
                }
            }
            Err(Failure::Single(cause) | Failure::Whole(cause)) => {
                let error = self.take_note(&cause).unwrap_or_else(|| translate(&cause));
                batch.answer(&Err(error));
            }
        }
    }

    /// Performs all in one transaction. After an error nothing of it is there.
    fn transact(&mut self, batch: &mut Batch, boarding: Option<&mut Boarding<'_>>) -> Result<(), Failure> {
        self.execute("BEGIN IMMEDIATE").map_err(Failure::Whole)?;
        let done = self
            .perform(batch, boarding)
            .map_err(Failure::Single)
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

    /// Performs those that are aboard, and waits until a half of those that are expected have come: a fuller commit costs
    /// everybody less, and the other half is on its way while this one is written. It waits no longer for them than a commit
    /// takes, which they would otherwise wait for, and not at all where there are only two who append.
    fn perform(&self, batch: &mut Batch, mut boarding: Option<&mut Boarding<'_>>) -> Result<(), rusqlite::Error> {
        let enough = self.expected.min(limits::STORE_BATCH_MAX) / 2;
        let mut performed = 0;
        loop {
            for rider in batch.riders.iter_mut().skip(performed) {
                rider.perform(&self.db)?;
            }
            performed = batch.riders.len();
            // Who waits already found no place: more would find none either.
            let is_open = |boarding: &&mut Boarding<'_>| performed < enough && boarding.waiting.is_empty();
            let Some(boarding) = boarding.as_deref_mut().filter(is_open) else { return Ok(()) };
            boarding.fill(batch, enough);
            if batch.riders.len() == performed {
                return Ok(());
            }
        }
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

    /// Has the log moved into the database when it has grown, beside what goes on here. A log that has grown long all the
    /// same is moved to its end, so that it begins anew: after the other one there is little left.
    fn look_at_log(&mut self) {
        if let Some(moved) = self.mover.ended() {
            self.note_moved(moved);
        }
        let pages = self.log_pages.load(Ordering::Relaxed);
        // A shorter log than at the last checkpoint has begun anew.
        self.log_pages_seen = self.log_pages_seen.min(pages);
        if self.mover.is_at_work() || self.halted.is_some() {
            return;
        }
        let grown = pages - self.log_pages_seen;
        let is_time = grown < limits::STORE_LOG_PAGES_MAX || pages >= self.log_pages_long.saturating_mul(4);
        if pages >= self.log_pages_long && is_time {
            self.checkpoint();
            // Where readers keep it from beginning anew, another try after every commit would not change that.
            self.log_pages_long = pages.saturating_add(limits::STORE_LOG_PAGES_LONG);
        } else if grown >= limits::STORE_LOG_PAGES_MAX {
            self.log_pages_seen = pages;
            if let Err(error) = self.mover.begin() {
                warn!(%error, "the log is not moved into the database");
            }
        }
        if pages < limits::STORE_LOG_PAGES_LONG {
            self.log_pages_long = limits::STORE_LOG_PAGES_LONG;
        }
    }

    /// Moves the log into the database as far as no reader needs it.
    fn checkpoint(&mut self) {
        if let Some(moved) = self.mover.end() {
            self.note_moved(moved);
        }
        if self.halted.is_some() {
            return;
        }
        self.log_pages_seen = self.log_pages.load(Ordering::Relaxed);
        let moved = move_log(&self.db);
        if let Ok(took) = &moved {
            self.counters.waited_for_log(*took);
        }
        self.note_moved(moved);
    }

    fn note_moved(&mut self, moved: Result<Duration, rusqlite::Error>) {
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

/// What rides in one commit.
#[derive(Default)]
struct Batch {
    riders: Vec<Box<dyn Rider>>,
    bytes: usize,
}

impl Batch {
    fn of(rider: Box<dyn Rider>) -> Self {
        Self { bytes: rider.bytes(), riders: vec![rider] }
    }

    /// Takes as much of what waits as may ride in one commit, and one command at least.
    fn board(&mut self, waiting: &mut Riders) {
        while self.riders.len() < limits::STORE_BATCH_MAX
            && self.bytes < limits::STORE_BATCH_BYTES_MAX
            && let Some(rider) = waiting.pop_front()
        {
            self.bytes = self.bytes.saturating_add(rider.bytes());
            self.riders.push(rider);
        }
    }

    fn answer(self, committed: &Result<(), StoreError>) {
        for rider in self.riders {
            rider.answer(committed.clone());
        }
    }
}

/// Where others come aboard from, and until when.
struct Boarding<'a> {
    waiting: &'a mut Riders,
    commands: &'a Receiver,
    until: Instant,
    /// How long it took until now.
    waited: Duration,
}

impl Boarding<'_> {
    /// Lets others aboard, until there are so many.
    fn fill(&mut self, batch: &mut Batch, enough: usize) {
        let missing = enough.saturating_sub(batch.riders.len());
        let began = Instant::now();
        self.commands.fill(self.waiting, missing, self.until);
        self.waited += began.elapsed();
        batch.board(self.waiting);
    }

    /// How long was waited, and how many are left behind.
    fn end(&self) -> (Duration, usize) {
        (self.waited, self.waiting.len().saturating_add(self.commands.len()))
    }
}
