//! The log of the model.

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::{Audit, AuditEntry, AuditFilter, AuditFrom, AuditHead, Audited, Deed, StoreError};

impl State {
    /// Logs a deed, in the same step as the change that it tells of.
    pub(super) fn log(&mut self, by: &Audited, deed: &Deed) -> AuditHead {
        let entry = self.audit_head().entry(by, deed);
        let head = entry.head();
        self.audit.push(entry);
        head
    }

    fn audit_head(&self) -> AuditHead {
        self.audit.last().map(AuditEntry::head).unwrap_or_default()
    }
}

#[async_trait]
impl Audit for MemoryStore {
    async fn log(&self, by: Audited, deed: Deed) -> Result<AuditHead, StoreError> {
        Ok(self.0.lock().log(&by, &deed))
    }

    async fn audit(&self, filter: &AuditFilter, from: AuditFrom, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let state = self.0.lock();
        let admitted = state.audit.iter().filter(|entry| filter.admits(entry)).cloned();
        Ok(match from {
            AuditFrom::After(after) => admitted.filter(|entry| entry.sequence > after).take(limit).collect(),
            AuditFrom::Before(before) => {
                let is_before = |entry: &AuditEntry| before.is_none_or(|before| entry.sequence < before);
                admitted.rev().filter(is_before).take(limit).collect()
            }
        })
    }

    async fn audit_head(&self) -> Result<AuditHead, StoreError> {
        Ok(self.0.lock().audit_head())
    }
}
