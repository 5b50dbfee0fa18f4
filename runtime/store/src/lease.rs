//! Leases: which process works on which execution, and until when.
//!
//! An execution has an owner, and an owner has a lease: one row for the process, however many executions wait in it.
//! What belongs to a process whose lease is over still does until somebody claims it: it is the claim that raises the
//! token and so shuts the former owner out.

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

/// An open execution that was taken over, and what is known of it without reading its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// The right to write to it.
    pub lease: Lease,
    /// None: it was at work, so its journal has to be read. `Some`: it is parked, and there is nothing to do for it
    /// before this moment, or before something comes for it if there is none.
    pub wake_at: Option<Option<Timestamp>>,
}

/// The owners of all executions, and the leases of the owners.
///
/// A node whose lease is over at `now` holds nothing, and neither does one that never had a lease.
#[async_trait]
pub trait Leases {
    /// Takes the execution if it is free, its owner's lease is over, or `node` holds it already; none if another node
    /// holds it. The token grows by one, and the lease of `node` lasts until `until` at least. An ended execution may
    /// be claimed too, for a rerun. A parked one stays parked until something is appended.
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

    /// Takes up to `limit` executions that have not ended and that nobody holds at `now`, all in one commit: first
    /// those without an owner, then owner by owner, oldest first. Fewer than `limit` means that there are no more.
    /// A node whose own lease is over gets none: [`Leases::renew`] comes first.
    async fn claim_open(&self, node: &NodeId, now: Timestamp, limit: usize) -> Result<Vec<Claimed>, StoreError>;

    /// Moves the end of the lease of `node`, and with it of everything it owns, to `until`.
    async fn renew(&self, node: &NodeId, until: Timestamp) -> Result<(), StoreError>;

    /// Ends the lease of a node at once: for whoever knows, by a lock of the operating system, that it is dead.
    async fn expire(&self, node: &NodeId) -> Result<(), StoreError>;

    /// Notes that nothing of an open execution is in memory any more: it waits for `wake_at`, or for something to come
    /// for it. It keeps its owner. Any entry that is appended un-parks it, and so does the end of an execution that
    /// one of its steps started, or that such a one pauses or goes on: in the same commit, so that whoever claims it
    /// after a crash looks at it.
    ///
    /// An append under the same token that is committed before this one is not noticed, and what it began would not be
    /// looked at after a crash: where one may be under way, [`Leases::park_if_unchanged`] is the one to use.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Fenced`]; [`StoreError::Illegal`] if it has ended.
    async fn park(&self, id: ExecutionId, token: FencingToken, wake_at: Option<Timestamp>) -> Result<(), StoreError>;

    /// The same, if the journal still has as many entries as the lease says: whoever was woken while the execution was
    /// being parked, and has gone on with it, is not taken for parked.
    ///
    /// # Errors
    /// As [`Leases::park`], and [`StoreError::VersionConflict`].
    async fn park_if_unchanged(&self, lease: Lease, wake_at: Option<Timestamp>) -> Result<(), StoreError>;

    /// Gives an execution back, so that others may claim it at once.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Fenced`].
    async fn release(&self, id: ExecutionId, token: FencingToken) -> Result<(), StoreError>;

    /// Who owns an execution, whether or not its lease is over; none if it is free or has ended.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn owner(&self, id: ExecutionId) -> Result<Option<NodeId>, StoreError>;
}
