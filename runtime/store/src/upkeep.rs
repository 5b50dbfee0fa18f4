//! Keeping the store bounded: what is old enough goes, and nothing that something else still needs.

use async_trait::async_trait;
use runner_model::Timestamp;

use crate::{StoreError, StoreStats};

/// What goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Executions that ended before this moment, with their journals and blobs. One that another's step started goes
    /// with the outermost, in the same commit, never before it; one that is open keeps everything that it started.
    pub executions_before: Option<Timestamp>,
    /// How many ended executions are kept at the most: the oldest go.
    pub executions_max: Option<u64>,
    /// Events that were recorded before this moment and for which nothing is left to do.
    pub events_before: Option<Timestamp>,
    /// Keys of deduplication, reservations and key-value data that have expired by this moment go too.
    pub now: Timestamp,
}

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Executions.
    pub executions: u64,
    /// Events.
    pub events: u64,
    /// Blobs; none in a store that keeps large values where they stand.
    pub blobs: u64,
    /// Expired keys, reservations and values.
    pub expired: u64,
    /// Whether there is more to do.
    pub more: bool,
}

/// Upkeep.
#[async_trait]
pub trait Upkeep {
    /// Removes some of what is to go, the oldest first: at most `limit` of each kind, so that others do not wait long for
    /// it. Of executions these are outermost ones, with everything that they started.
    ///
    /// An execution stays, and everything that it belongs to, while its end has not been dealt with
    /// ([`Events::ended`](crate::Events::ended)) or the event that started it says that it is still to be made: it would
    /// be made twice.
    async fn prune(&self, expiry: Expiry, limit: usize) -> Result<Pruned, StoreError>;

    /// What the store has done since it was opened.
    fn stats(&self) -> StoreStats;
}
