//! Secrets by name, sealed.
//!
//! - **What is kept opens only in its place**: the name and the version are authenticated with it, and a version is never
//!   used twice, also not after the secret was removed. A value that is copied to another name, or put back after it was
//!   replaced, does not open; nor does a whole row of an earlier day, since the audit log knows a later version.
//! - The old value goes when a new one comes.
//! - [`Secrets`] knows no key: it keeps sealed bytes. [`Vault`] is the one that seals and opens.

mod vault;

use async_trait::async_trait;
use runner_model::{SecretName, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{AuditAction, Audited, Deed, StoreError};
pub use vault::{MustBe, Opened, Vault, check_secret};

/// What may be shown of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRecord {
    /// Its name.
    pub name: SecretName,
    /// How many values it has had; each new one makes it larger.
    pub version: u64,
    /// What it is for, in the words of whoever put it in.
    pub description: String,
    /// When it was put in first, or again after it was removed.
    pub created_at: Timestamp,
    /// When it got its present value.
    pub rotated_at: Timestamp,
    /// Who gave it its present value.
    pub set_by: String,
}

/// A secret as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// What may be shown.
    pub record: SecretRecord,
    /// The value, sealed for its name and version.
    pub sealed: Vec<u8>,
    /// The version that the audit log knows; none if it knows none, or that it was removed.
    pub logged: Option<u64>,
}

/// A value to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSecret {
    /// Its name.
    pub name: SecretName,
    /// The version that it was sealed for: one more than the last, or, with another key, the present one.
    pub version: u64,
    /// The value, sealed.
    pub sealed: Vec<u8>,
    /// What it is for; none leaves what is there.
    pub description: Option<String>,
}

/// Sealed values by name.
#[async_trait]
pub trait Secrets {
    /// The last version of a name, also of one that was removed; 0 if there never was one.
    async fn secret_version(&self, name: &SecretName) -> Result<u64, StoreError>;

    /// Keeps a value, and forgets the one before.
    ///
    /// # Errors
    /// [`StoreError::SecretConflict`] if the version is not the one that follows.
    async fn put_secret(&self, new: NewSecret, by: Audited) -> Result<SecretRecord, StoreError>;

    /// Keeps the present value, sealed with another key.
    ///
    /// # Errors
    /// [`StoreError::SecretConflict`] if the version is not the present one.
    async fn reseal_secret(&self, new: NewSecret, by: Audited) -> Result<(), StoreError>;

    /// A secret as it is kept.
    async fn sealed_secret(&self, name: &SecretName) -> Result<Option<SealedSecret>, StoreError>;

    /// All secrets, by name.
    async fn secrets(&self) -> Result<Vec<SecretRecord>, StoreError>;

    /// Removes a secret; says whether there was one. Its value goes, its name and version stay.
    async fn delete_secret(&self, name: &SecretName, by: Audited) -> Result<bool, StoreError>;
}

/// How a value is logged: never the value.
pub(crate) fn put(name: &SecretName, version: u64, is_new: bool) -> Deed {
    let action = if is_new { AuditAction::SecretSet } else { AuditAction::SecretRotate };
    Deed::new(action, name.as_str(), json!({ "version": version }))
}

/// How another key is logged.
pub(crate) fn resealed(name: &SecretName, version: u64) -> Deed {
    Deed::new(AuditAction::SecretReseal, name.as_str(), json!({ "version": version }))
}

/// How it is logged that a secret was removed.
pub(crate) fn deleted(name: &SecretName, version: u64) -> Deed {
    Deed::new(AuditAction::SecretDelete, name.as_str(), json!({ "version": version }))
}

/// The words of the entries that say which version is the present one.
pub(crate) const OF_VERSIONS: [AuditAction; 4] =
    [AuditAction::SecretSet, AuditAction::SecretRotate, AuditAction::SecretReseal, AuditAction::SecretDelete];

/// The version that such an entry says is the present one.
pub(crate) fn version_said(action: &str, details: &str) -> Option<u64> {
    if action == AuditAction::SecretDelete.as_str() {
        return None;
    }
    serde_json::from_str::<serde_json::Value>(details).ok()?.get("version")?.as_u64()
}
