//! Leases: which process works on which execution, and until when.
//!
//! A lease that has run out still belongs to its holder until somebody claims the execution: it is the claim that
//! raises the token and so shuts the former holder out.

use async_trait::async_trait;
use runner_model::{ExecutionId, FencingToken, NodeId, Timestamp, Version};

use crate::StoreError;

/// The right to write to one execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Which one.
    pub id: ExecutionId,
    /// Goes with every write. Begins at 1.
    pub token: FencingToken,
    /// How many entries its journal had at that moment.
    pub version: Version,
}

/// The leases of all executions.
#[async_trait]
pub trait Leases {
    /// Takes the execution until `until` if it is free, its lease ended by `now`, or `node` holds it already; none if
    /// another node holds it. The token grows by one. An ended execution may be claimed too, for a rerun.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn claim(
        &self,
        id: ExecutionId,
        node: &NodeId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError>;

    /// Takes up to `limit` executions that have not ended and that nobody holds at `now`: longest overdue first.
    async fn claim_expired(
        &self,
        node: &NodeId,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Lease>, StoreError>;

    /// Moves the end of every lease that `node` holds to `until`, and returns how many they are. One that ran out but
    /// was not claimed counts as held.
    async fn renew(&self, node: &NodeId, until: Timestamp) -> Result<u64, StoreError>;

    /// Gives an execution back, so that others may claim it at once.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Fenced`].
    async fn release(&self, id: ExecutionId, token: FencingToken) -> Result<(), StoreError>;
}
