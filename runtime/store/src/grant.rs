//! What operators granted to packs.

use async_trait::async_trait;
use runner_model::{GrantRecord, PackRef};
use serde_json::json;

use crate::{AuditAction, Audited, Deed, StoreError};

/// The grants, one a pack: a new one takes the place of the one before.
#[async_trait]
pub trait Grants {
    /// Records a grant. Committed when this returns.
    async fn grant(&self, grant: GrantRecord, by: Audited) -> Result<(), StoreError>;

    /// Takes the grant of a pack back; gives what it was, none if there was none. Then nothing is logged.
    async fn revoke_grant(&self, pack: &PackRef, by: Audited) -> Result<Option<GrantRecord>, StoreError>;

    /// All grants, by pack.
    async fn grants(&self) -> Result<Vec<GrantRecord>, StoreError>;
}

/// How a grant is logged.
pub(crate) fn granted(grant: &GrantRecord) -> Deed {
    let details = json!({ "digest": grant.digest, "granted": grant.granted });
    Deed::new(AuditAction::PackGrant, grant.pack.as_str(), details)
}

/// How a grant that was taken back is logged.
pub(crate) fn revoked(grant: &GrantRecord) -> Deed {
    Deed::new(AuditAction::PackRevoke, grant.pack.as_str(), json!({ "digest": grant.digest }))
}
