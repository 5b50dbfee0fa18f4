//! The door to the writer's thread: a bounded queue of commands, each answered after the commit it rode in.

mod batch;
mod mover;
mod queue;

use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use runner_model::limits;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::fault::Problem;
use super::stats::{Counters, StoreStats};
use crate::StoreError;
pub(crate) use mover::Mover;

/// A change to the database. It is performed again in another transaction when a neighbour in the first one failed.
pub(crate) trait Command: Send + 'static {
    /// What the caller learns.
    type Answer: Send + 'static;

    /// Checks first, then writes: a refused command must have written nothing.
    fn perform(&self, db: &Connection) -> Result<Self::Answer, Problem>;

    /// About how much it writes, in bytes.
    fn bytes(&self) -> usize {
        0
    }
}

/// A command on its way, whatever its type.
trait Rider: Send {
    fn bytes(&self) -> usize;

    /// Performs the command and keeps its answer; an error is SQLite's.
    fn perform(&mut self, db: &Connection) -> Result<(), rusqlite::Error>;

    /// Sends the answer: the command's own if its transaction was committed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Seat<C: Command> {
    command: C,
    answer: Result<C::Answer, StoreError>,
    /// The command goes back with its answer, so that a large one is freed by its caller.
    reply: oneshot::Sender<(Result<C::Answer, StoreError>, C)>,
    /// The place in the queue, free again when the answer is sent.
    _place: OwnedSemaphorePermit,
}

impl<C: Command> Rider for Seat<C> {
    fn bytes(&self) -> usize {
        self.command.bytes()
    }

    fn perform(&mut self, db: &Connection) -> Result<(), rusqlite::Error> {
        self.answer = match self.command.perform(db) {
            Ok(answer) => Ok(answer),
            Err(Problem::Refused(error)) => Err(error),
            Err(Problem::Broken(error)) => return Err(error),
        };
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        // Nobody may be waiting any more: what is written is written all the same.
        let _ = self.reply.send((committed.and(self.answer), self.command));
    }
}

#[derive(Debug)]
pub(crate) struct Writer {
    /// Its places are bounded by `places`.
    queue: Arc<queue::Queue>,
    places: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<()>>>,
    counters: Arc<Counters>,
}

impl Writer {
    /// Starts the thread that owns the connection from now on.
    pub(crate) fn start(connection: Connection, mover: Mover) -> Result<Self, StoreError> {
        let queue = Arc::new(queue::Queue::default());
        let counters = Arc::new(Counters::default());
        let writing = batch::Writing::new(connection, mover, Arc::clone(&counters)).map_err(Problem::from)?;
        let commands = queue::Receiver::of(Arc::clone(&queue));
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writing.run(&commands))
            .map_err(|error| StoreError::Io { reason: error.to_string() })?;
        Ok(Self {
            queue,
            places: Arc::new(Semaphore::new(limits::STORE_QUEUE_MAX)),
            thread: Mutex::new(Some(thread)),
            counters,
        })
    }

    /// Waits for a place in the queue and then for the commit.
    pub(crate) async fn submit<C: Command>(&self, command: C) -> Result<C::Answer, StoreError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let seat = Box::new(Seat { command, answer: Err(StoreError::Closed), reply, _place: place });
        self.queue.push(seat)?;
        answer.await.map_err(|_| StoreError::Closed)?.0
    }

    pub(crate) fn stats(&self) -> StoreStats {
        let free = self.places.available_permits();
        self.counters.snapshot(limits::STORE_QUEUE_MAX.saturating_sub(free) as u64)
    }

    /// Lets the thread finish what waits, and waits for its end.
    pub(crate) async fn close(&self) {
        self.places.close();
        self.queue.close();
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            let ended = tokio::task::spawn_blocking(move || thread.join().is_ok()).await;
            report(ended.unwrap_or(false));
        }
    }
}

impl Drop for Writer {
    /// Without [`Writer::close`] the end of the thread is waited for here, so that what was accepted is committed.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.lock().take() {
            report(thread.join().is_ok());
        }
    }
}

fn report(ended_well: bool) {
    if !ended_well {
        tracing::error!("the store's writer panicked");
    }
}
