//! Key-value data that outlives executions. Each pack has its own.

use async_trait::async_trait;
use runner_model::{PackRef, Timestamp};
use serde_json::Value;

use crate::StoreError;

/// A change on condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Swap {
    /// Whose data.
    pub pack: PackRef,
    /// Which key.
    pub key: String,
    /// What it must hold now, compared as JSON; none: it must not be there.
    pub expected: Option<Value>,
    /// What it shall hold; none: it shall go.
    pub value: Option<Value>,
    /// When the new value expires.
    pub expires_at: Option<Timestamp>,
    /// The present moment.
    pub now: Timestamp,
}

/// JSON values by pack and key. What has expired by `now` is not there. The limits of keys and values are the caller's
/// to keep.
#[async_trait]
pub trait KeyValue {
    /// The value of a key.
    async fn get(&self, pack: &PackRef, key: &str, now: Timestamp) -> Result<Option<Value>, StoreError>;

    /// Sets a key, whatever it held; the former expiry goes with the former value.
    async fn set(
        &self,
        pack: &PackRef,
        key: &str,
        value: Value,
        expires_at: Option<Timestamp>,
    ) -> Result<(), StoreError>;

    /// Removes a key and returns whether it was there.
    async fn delete(&self, pack: &PackRef, key: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// Makes the change if its condition holds, and returns whether it did.
    async fn compare_and_swap(&self, swap: Swap) -> Result<bool, StoreError>;

    /// The first `limit` keys that begin with `prefix`, sorted by their bytes.
    async fn keys(&self, pack: &PackRef, prefix: &str, now: Timestamp, limit: usize)
    -> Result<Vec<String>, StoreError>;

    /// Removes up to `limit` values that have expired, of all packs, and returns how many: what has expired is absent
    /// at once but takes space until it is swept or overwritten.
    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<u64, StoreError>;
}

/// Whether something with this expiry is still there.
pub(crate) fn is_live(expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at.is_none_or(|moment| moment > now)
}
