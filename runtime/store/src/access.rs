//! API keys, requests that must not be made twice, and rules that were switched on or off.

use std::collections::BTreeMap;

use async_trait::async_trait;
use runner_model::{ApiKey, ExecutionId, KeyId, RuleRef, Timestamp};
use serde_json::json;

use crate::{AuditAction, Audited, Deed, StoreError};

/// SHA-256.
pub type Digest = [u8; 32];

/// A request that must make only one execution, however often it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Whose request: the same key of somebody else is another one.
    pub scope: String,
    /// The key that whoever asks gave it.
    pub key: String,
    /// Of everything that was asked.
    pub digest: Digest,
    /// The execution that it makes.
    pub execution: ExecutionId,
    /// Until when it is kept.
    pub until: Timestamp,
}

/// What became of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// It is the first.
    New,
    /// There is one with this scope and key.
    Known {
        /// Of everything that was asked then.
        digest: Digest,
        /// The execution that it makes.
        execution: ExecutionId,
    },
}

/// Who may do what, and what was asked already.
#[async_trait]
pub trait Access {
    /// Keeps a key by the digest of its secret.
    ///
    /// # Errors
    /// [`StoreError::Illegal`] if there is one with this id or digest.
    async fn add_key(&self, key: ApiKey, digest: Digest, by: Audited) -> Result<(), StoreError>;

    /// The key with this digest, valid or not.
    async fn key(&self, digest: Digest) -> Result<Option<ApiKey>, StoreError>;

    /// All keys, the oldest first, those that are not valid any more included.
    async fn keys_of_api(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Takes a key back; gives it as it is then, none if there is no such key. A second time changes nothing, and logs
    /// nothing.
    async fn revoke_key(&self, id: KeyId, by: Audited) -> Result<Option<ApiKey>, StoreError>;

    /// Notes that a key was used, to the minute: what it says already is not written again.
    async fn touch_key(&self, id: KeyId, now: Timestamp) -> Result<(), StoreError>;

    /// Reserves, unless a live reservation with the same scope and key is there. Committed when this returns.
    async fn reserve(&self, reservation: Reservation, now: Timestamp) -> Result<Reserved, StoreError>;

    /// Switches a rule on or off, against what its file says; none goes back to the file.
    async fn switch_rule(&self, rule: &RuleRef, enabled: Option<bool>, by: Audited) -> Result<(), StoreError>;

    /// The rules that were switched.
    async fn switched_rules(&self) -> Result<BTreeMap<RuleRef, bool>, StoreError>;
}

/// How a new key is logged.
pub(crate) fn key_made(key: &ApiKey) -> Deed {
    let details = json!({ "name": key.name, "role": key.role, "packs": key.packs, "expires_at": key.expires_at });
    Deed::new(AuditAction::KeyCreate, key.id.to_string(), details)
}

/// How a key that was taken back is logged.
pub(crate) fn key_revoked(key: &ApiKey) -> Deed {
    Deed::new(AuditAction::KeyRevoke, key.id.to_string(), json!({ "name": key.name }))
}

/// How a switch is logged.
pub(crate) fn rule_switched(rule: &RuleRef, enabled: Option<bool>) -> Deed {
    Deed::new(AuditAction::RuleSwitch, rule.as_str(), json!({ "enabled": enabled }))
}

/// The minute in which something happened: a key that is in use is noted once in each.
pub(crate) fn minute(now: Timestamp) -> Timestamp {
    const MINUTE_MS: i64 = 60_000;
    Timestamp::from_millis(now.as_millis().saturating_sub(now.as_millis().rem_euclid(MINUTE_MS)))
}

pub(crate) fn there_is_one() -> StoreError {
    StoreError::Illegal { what: "the key", reason: "there is one with this id or secret".to_owned() }
}
