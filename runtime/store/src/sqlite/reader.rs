//! Connections that only read, opened when they are first needed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use runner_model::limits;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::fault::Problem;
use super::{SqliteOptions, open};
use crate::StoreError;

#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    options: SqliteOptions,
    idle: Arc<Mutex<Vec<Connection>>>,
    places: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, options: SqliteOptions) -> Self {
        Self { path, options, idle: Arc::default(), places: Arc::new(Semaphore::new(limits::STORE_READERS_MAX)) }
    }

    /// Runs a query on a thread that may block.
    pub(crate) async fn run<T, Q>(&self, query: Q) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, Problem> + Send + 'static,
    {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (path, options, idle) = (self.path.clone(), self.options.clone(), Arc::clone(&self.idle));
        let answered = tokio::task::spawn_blocking(move || answer(place, &idle, || connect(&path, &options), query));
        answered.await.unwrap_or_else(|error| Err(StoreError::Io { reason: error.to_string() }))
    }

    /// Waits for the queries at work and closes the connections.
    pub(crate) async fn close(&self) {
        if let Ok(all) = u32::try_from(limits::STORE_READERS_MAX) {
            // An error means that it is closed already.
            let _ = self.places.acquire_many(all).await.map(tokio::sync::SemaphorePermit::forget);
        }
        self.places.close();
        self.idle.lock().clear();
    }
}

fn answer<T>(
    place: OwnedSemaphorePermit,
    idle: &Mutex<Vec<Connection>>,
    connect: impl FnOnce() -> Result<Connection, rusqlite::Error>,
    query: impl FnOnce(&Connection) -> Result<T, Problem>,
) -> Result<T, StoreError> {
    let pooled = idle.lock().pop();
    let connection = match pooled {
        Some(connection) => connection,
        None => connect().map_err(Problem::from)?,
    };
    let answer = query(&connection);
    idle.lock().push(connection);
    // Only now: whoever holds all places knows that every connection is back.
    drop(place);
    Ok(answer?)
}

fn connect(path: &Path, options: &SqliteOptions) -> Result<Connection, rusqlite::Error> {
    let connection = open::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, options)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    Ok(connection)
}
