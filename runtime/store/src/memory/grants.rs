//! Grants of the model.

use async_trait::async_trait;
use runner_model::{GrantRecord, PackRef};

use super::MemoryStore;
use crate::{Grants, StoreError};

#[async_trait]
impl Grants for MemoryStore {
    async fn grant(&self, grant: GrantRecord) -> Result<(), StoreError> {
        self.0.lock().grants.insert(grant.pack.clone(), grant);
        Ok(())
    }

    async fn revoke_grant(&self, pack: &PackRef) -> Result<Option<GrantRecord>, StoreError> {
        Ok(self.0.lock().grants.remove(pack))
    }

    async fn grants(&self) -> Result<Vec<GrantRecord>, StoreError> {
        Ok(self.0.lock().grants.values().cloned().collect())
    }
}
