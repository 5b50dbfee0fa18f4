//! One execution of the model: its journal, its line in the catalogue, its owner.

use runner_model::{Entry, ExecutionRecord, FencingToken, NodeId, PackRef, Timestamp, Version};

use crate::{Append, Lease, StoreError, projection};

#[derive(Debug)]
pub(super) struct Execution {
    pub(super) record: ExecutionRecord,
    pub(super) entries: Vec<Entry>,
    pub(super) owner: Option<NodeId>,
    /// Whether it is parked, and until when.
    pub(super) parked: Option<Option<Timestamp>>,
    token: FencingToken,
}

impl Execution {
    pub(super) fn begin(record: ExecutionRecord, entries: Vec<Entry>, owner: &NodeId) -> Self {
        let owner = (!record.status.is_terminal()).then(|| owner.clone());
        Self { record, entries, owner, parked: None, token: FencingToken(1) }
    }

    pub(super) fn is_open(&self) -> bool {
        !self.record.status.is_terminal()
    }

    /// The version of its pack that it began with.
    pub(super) fn version_of_pack(&self) -> Option<(PackRef, String)> {
        let digest = projection::pack_digest(&self.entries)?;
        Some((PackRef::new(self.record.action.pack()).ok()?, digest.to_owned()))
    }

    pub(super) fn lease(&self) -> Lease {
        Lease { id: self.record.id, token: self.token, version: self.version() }
    }

    pub(super) fn give(&mut self, node: &NodeId) -> Lease {
        self.token = self.token.next();
        self.owner = Some(node.clone());
        self.lease()
    }

    pub(super) fn check(&self, token: FencingToken) -> Result<(), StoreError> {
        if self.token == token { Ok(()) } else { Err(StoreError::Fenced) }
    }

    pub(super) fn park(
        &mut self,
        token: FencingToken,
        expected: Option<Version>,
        wake_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.check(token)?;
        expected.map_or(Ok(()), |expected| self.check_version(expected))?;
        if !self.is_open() {
            return Err(StoreError::has_ended());
        }
        self.parked = Some(wake_at);
        Ok(())
    }

    pub(super) fn append(&mut self, append: Append) -> Result<Version, StoreError> {
        self.check(append.token)?;
        self.check_version(append.expected)?;
        let mut record = self.record.clone();
        projection::proceed(&mut record, &append.entries)?;
        if append.entries.is_empty() {
            return Ok(self.version());
        }
        let sealed = projection::is_sealed(&self.entries);
        if append.sealed != sealed {
            return Err(projection::sealed_otherwise(sealed));
        }
        self.record = record;
        self.entries.extend(append.entries);
        self.parked = None;
        if !self.is_open() {
            self.owner = None;
        }
        Ok(self.version())
    }

    fn check_version(&self, expected: Version) -> Result<(), StoreError> {
        match self.version() {
            found if found == expected => Ok(()),
            found => Err(StoreError::VersionConflict { expected, found }),
        }
    }

    fn version(&self) -> Version {
        Version(self.entries.len() as u64)
    }
}
