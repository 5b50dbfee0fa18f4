//! What operators granted to packs.

use async_trait::async_trait;
use runner_model::{GrantRecord, PackRef};

use crate::StoreError;

/// The grants, one a pack: a new one takes the place of the one before.
#[async_trait]
pub trait Grants {
    /// Records a grant. Committed when this returns.
    async fn grant(&self, grant: GrantRecord) -> Result<(), StoreError>;

    /// Takes the grant of a pack back; gives what it was, none if there was none.
    async fn revoke_grant(&self, pack: &PackRef) -> Result<Option<GrantRecord>, StoreError>;

    /// All grants, by pack.
    async fn grants(&self) -> Result<Vec<GrantRecord>, StoreError>;
}
