//! The store in one SQLite file, `<data dir>/runner.db`.
//!
//! - **One thread owns the only connection that writes.** Everything that waits for it rides in one transaction and so
//!   shares one flush of the disk (`writer`). Readers have connections of their own and never wait for it.
//! - **Several processes may have the directory open.** SQLite's locks order their transactions; expected versions and
//!   fencing tokens, checked inside of these, keep their executions apart.
//! - **An error of the disk during a commit ends all writing**: after a failed flush the kernel may report success for
//!   the same data, so nothing that is tried again can be trusted.

mod access;
mod audit;
mod blobs;
mod catalogue;
mod command;
mod event;
mod fault;
mod grant;
mod key_value;
mod lease;
mod migration;
mod open;
mod query;
mod reader;
mod secret;
mod select;
mod stats;
mod upkeep;
mod versions;
mod waits;
mod writer;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use runner_model::{Entry, ExecutionId, ExecutionRecord, FencingToken, NodeId, PackRef, Timestamp, Version, limits};
use serde_json::Value;

use crate::{
    Append, Catalogue, Claimed, ExecutionFilter, Journal, KeySource, KeyValue, Lease, Leases, NewExecution, OpenWait,
    StoreError, Swap, WaitFilter, Waits,
};
pub use stats::StoreStats;

/// What may be chosen about the database.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// How long to wait for a lock of another process.
    pub lock_timeout: Duration,
    /// The database's size, in bytes, at which the store behaves as if the disk were full; none: the disk decides.
    pub database_bytes_max: Option<u64>,
    /// Where the keys come from that seal what is secret; none: what is secret is refused.
    pub keys: Option<KeySource>,
    /// What only a test may choose.
    #[doc(hidden)]
    pub test: SqliteTestOptions,
}

/// What only a test may choose: how it shows that what is acknowledged survives a power cut, and that it would not if
/// commits were not flushed.
#[doc(hidden)]
#[derive(Debug, Clone, Default)]
pub struct SqliteTestOptions {
    /// `synchronous=NORMAL`: commits are not flushed, so a power cut loses some.
    pub unflushed: bool,
    /// The name of a registered VFS to open every connection with.
    pub vfs: Option<String>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_millis(limits::STORE_BUSY_MS),
            database_bytes_max: None,
            keys: None,
            test: SqliteTestOptions::default(),
        }
    }
}

/// The store in one file.
#[derive(Debug)]
pub struct SqliteStore {
    // Dropped before the writer, so that the writer's connection is the last and tidies up.
    readers: reader::Readers,
    writer: writer::Writer,
    keys: Option<KeySource>,
}

impl SqliteStore {
    /// Opens the database in `data_dir`, making the directory (for its owner alone) and the database where they are
    /// missing, and bringing the schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::Corrupt`], [`StoreError::NewerSchema`], [`StoreError::Busy`],
    /// [`StoreError::Full`], [`StoreError::Io`].
    pub async fn open(data_dir: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        let data_dir = data_dir.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let opened = open::open(&data_dir, &options)?;
            let keys = options.keys.clone();
            let mover = writer::Mover::new(opened.path.clone(), options.clone());
            let readers = reader::Readers::new(opened.path, options);
            Ok(Self { readers, writer: writer::Writer::start(opened.connection, mover)?, keys })
        });
        opened.await.unwrap_or_else(|error| Err(StoreError::Io { reason: error.to_string() }))
    }

    /// Commits what waits, ends the writer's thread and closes the database. Later calls get [`StoreError::Closed`].
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Reads the whole database and checks its structure, every journal, every line of the
    /// catalogue and every event.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with the first thing that is wrong.
    pub async fn verify(&self) -> Result<(), StoreError> {
        let keys = self.keys.clone();
        self.readers.run(move |db| query::verify(db, keys.as_ref())).await
    }
}

#[async_trait]
impl Journal for SqliteStore {
    async fn create(&self, new: NewExecution) -> Result<Lease, StoreError> {
        self.writer.submit(command::Create::new(new, self.keys.as_ref()).await?).await
    }

    async fn append(&self, append: Append) -> Result<Version, StoreError> {
        self.writer.submit(command::Extend::new(append, self.keys.as_ref()).await?).await
    }

    async fn read(&self, id: ExecutionId, from: Version) -> Result<Vec<Entry>, StoreError> {
        let keys = self.keys.clone();
        self.readers.run(move |db| query::entries(db, keys.as_ref(), id, from)).await
    }
}

#[async_trait]
impl Leases for SqliteStore {
    async fn claim(
        &self,
        id: ExecutionId,
        node: &NodeId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        self.writer.submit(lease::Claim { id, node: node.clone(), now, until }).await
    }

    async fn claim_open(&self, node: &NodeId, now: Timestamp, limit: usize) -> Result<Vec<Claimed>, StoreError> {
        self.writer.submit(lease::ClaimOpen { node: node.clone(), now, limit }).await
    }

    async fn renew(&self, node: &NodeId, until: Timestamp) -> Result<(), StoreError> {
        self.writer.submit(lease::Renew { node: node.clone(), until }).await
    }

    async fn expire(&self, node: &NodeId) -> Result<(), StoreError> {
        self.writer.submit(lease::Expire { node: node.clone() }).await
    }

    async fn park(&self, id: ExecutionId, token: FencingToken, wake_at: Option<Timestamp>) -> Result<(), StoreError> {
        self.writer.submit(lease::Park { id, token, expected: None, wake_at }).await
    }

    async fn park_if_unchanged(&self, lease: Lease, wake_at: Option<Timestamp>) -> Result<(), StoreError> {
        let Lease { id, token, version } = lease;
        self.writer.submit(lease::Park { id, token, expected: Some(version), wake_at }).await
    }

    async fn release(&self, id: ExecutionId, token: FencingToken) -> Result<(), StoreError> {
        self.writer.submit(lease::Release { id, token }).await
    }

    async fn owner(&self, id: ExecutionId) -> Result<Option<NodeId>, StoreError> {
        self.readers.run(move |db| lease::owner(db, id)).await
    }
}

#[async_trait]
impl Catalogue for SqliteStore {
    async fn get(&self, id: ExecutionId) -> Result<ExecutionRecord, StoreError> {
        self.readers.run(move |db| catalogue::record(db, id)).await
    }

    async fn list(
        &self,
        filter: &ExecutionFilter,
        cursor: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Vec<ExecutionRecord>, StoreError> {
        let filter = filter.clone();
        self.readers.run(move |db| catalogue::list(db, &filter, cursor, limit)).await
    }

    async fn count(&self, filter: &ExecutionFilter) -> Result<u64, StoreError> {
        let filter = filter.clone();
        self.readers.run(move |db| catalogue::count(db, &filter)).await
    }

    async fn children(&self, id: ExecutionId) -> Result<Vec<ExecutionRecord>, StoreError> {
        self.readers.run(move |db| catalogue::children(db, id)).await
    }

    async fn versions(&self) -> Result<Vec<(PackRef, String)>, StoreError> {
        self.readers.run(versions::list).await
    }

    async fn find(&self, prefix: &str) -> Result<Vec<ExecutionId>, StoreError> {
        let Some((first, last)) = crate::catalogue::range(prefix)? else { return Ok(Vec::new()) };
        self.readers.run(move |db| catalogue::between(db, first, last, limits::EXECUTION_PREFIX_MATCHES_MAX)).await
    }
}

#[async_trait]
impl Waits for SqliteStore {
    async fn waits(&self, filter: &WaitFilter, limit: usize) -> Result<Vec<OpenWait>, StoreError> {
        let (keys, filter) = (self.keys.clone(), filter.clone());
        self.readers.run(move |db| waits::list(db, keys.as_ref(), &filter, limit)).await
    }
}

#[async_trait]
impl KeyValue for SqliteStore {
    async fn get(&self, pack: &PackRef, key: &str, now: Timestamp) -> Result<Option<Value>, StoreError> {
        let (pack, key) = (pack.clone(), key.to_owned());
        self.readers.run(move |db| key_value::get(db, &pack, &key, now)).await
    }

    async fn set(
        &self,
        pack: &PackRef,
        key: &str,
        value: Value,
        expires_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.writer.submit(key_value::Set::new(pack, key, &value, expires_at)?).await
    }

    async fn delete(&self, pack: &PackRef, key: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.writer.submit(key_value::Delete { pack: pack.clone(), key: key.to_owned(), now }).await
    }

    async fn compare_and_swap(&self, swap: Swap) -> Result<bool, StoreError> {
        self.writer.submit(key_value::CompareAndSwap::new(swap)?).await
    }

    async fn keys(
        &self,
        pack: &PackRef,
        prefix: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let (pack, prefix) = (pack.clone(), prefix.to_owned());
        self.readers.run(move |db| key_value::keys(db, &pack, &prefix, now, limit)).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<u64, StoreError> {
        self.writer.submit(key_value::Sweep { now, limit }).await
    }
}
