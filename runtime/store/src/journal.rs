//! The journal: what the executor writes and recovery reads.

use async_trait::async_trait;
use runner_model::{Entry, ExecutionId, FencingToken, NodeId, Timestamp, Version};

use crate::{Lease, StoreError};

/// An execution to begin with.
#[derive(Debug, Clone, PartialEq)]
pub struct NewExecution {
    /// Its id, not used before.
    pub id: ExecutionId,
    /// Its first entries; they begin with [`runner_model::Fact::Requested`].
    pub entries: Vec<Entry>,
    /// Who is going to work on it.
    pub owner: NodeId,
    /// Until when nobody else may, at least: the owner's lease is moved there unless it lasts longer.
    pub lease_until: Timestamp,
}

/// Entries to add to a journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Append {
    /// Whose journal.
    pub id: ExecutionId,
    /// The token of the writer's lease.
    pub token: FencingToken,
    /// How many entries the writer knows of.
    pub expected: Version,
    /// What happened since. An empty list checks the token and the version and writes nothing.
    pub entries: Vec<Entry>,
    /// Whether the execution is sealed, as its request says ([`runner_model::Requested::sealed`]).
    pub sealed: bool,
    /// Whether the end of the execution, if it is among the entries, is to be dealt with by somebody
    /// ([`Events::ended`](crate::Events::ended)).
    pub announce: bool,
}

/// The journals of all executions.
#[async_trait]
pub trait Journal {
    /// Begins an execution and gives its owner the first lease. It is committed when this returns.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; [`StoreError::Illegal`] if the entries do not begin with a request;
    /// [`StoreError::NoKey`] or [`StoreError::Key`] if the execution is to be sealed and there is no key.
    async fn create(&self, new: NewExecution) -> Result<Lease, StoreError>;

    /// Adds entries, all or none, and returns how many there are now. They are committed when this returns. A
    /// parked execution is not any more. If the execution has ended with them it has no owner any more, though its
    /// token stays good until somebody claims.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], then [`StoreError::Fenced`] if the token is not the current one, then
    /// [`StoreError::VersionConflict`], then [`StoreError::Illegal`] for a move that the execution's status forbids, or
    /// for entries that are sealed in an execution that is not, or the other way round.
    async fn append(&self, append: Append) -> Result<Version, StoreError>;

    /// The entries after the first `from`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Corrupt`] if they are not what was written.
    async fn read(&self, id: ExecutionId, from: Version) -> Result<Vec<Entry>, StoreError>;
}
