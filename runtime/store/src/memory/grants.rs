//! Grants of the model.

use async_trait::async_trait;
use runner_model::{GrantRecord, PackRef};

use super::MemoryStore;
use crate::grant::{granted, revoked};
use crate::{Audited, Grants, StoreError};

#[async_trait]
impl Grants for MemoryStore {
    async fn grant(&self, grant: GrantRecord, by: Audited) -> Result<(), StoreError> {
        let mut state = self.0.lock();
        state.log(&by, &granted(&grant));
        state.grants.insert(grant.pack.clone(), grant);
        Ok(())
    }

    async fn revoke_grant(&self, pack: &PackRef, by: Audited) -> Result<Option<GrantRecord>, StoreError> {
        let mut state = self.0.lock();
        let Some(grant) = state.grants.remove(pack) else { return Ok(None) };
        state.log(&by, &revoked(&grant));
        Ok(Some(grant))
    }

    async fn grants(&self) -> Result<Vec<GrantRecord>, StoreError> {
        Ok(self.0.lock().grants.values().cloned().collect())
    }
}
