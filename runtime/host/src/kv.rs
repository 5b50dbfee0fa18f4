//! What the host needs of a store of key-value data.

use std::time::Duration;

use async_trait::async_trait;
use runner_model::PackRef;
use serde_json::Value;

/// Key-value data of packs. Sizes and permissions are checked before it is called.
#[async_trait]
pub trait Kv: Send + Sync {
    /// The value of a key; none if it is not there or has expired.
    async fn get(&self, pack: &PackRef, key: &str) -> Result<Option<Value>, KvError>;
    /// Sets a key, for `ttl` or for good.
    async fn set(&self, pack: &PackRef, key: &str, value: Value, ttl: Option<Duration>) -> Result<(), KvError>;
    /// Removes a key. Returns whether it was there.
    async fn delete(&self, pack: &PackRef, key: &str) -> Result<bool, KvError>;
    /// Sets a key to `value` only if it holds `expected`; none means "is not there", on both sides. Returns whether it did.
    async fn compare_and_swap(
        &self,
        pack: &PackRef,
        key: &str,
        expected: Option<Value>,
        value: Option<Value>,
        ttl: Option<Duration>,
    ) -> Result<bool, KvError>;
    /// Keys that begin with `prefix`, sorted, at most `limit` of them.
    async fn keys(&self, pack: &PackRef, prefix: &str, limit: usize) -> Result<Vec<String>, KvError>;
}

/// The store failed. The text reaches the guest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KvError(pub String);

/// No key-value data at all: for whoever is granted none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKv;

fn nowhere<T>() -> Result<T, KvError> {
    Err(KvError("there is no store here".to_owned()))
}

#[async_trait]
impl Kv for NoKv {
    async fn get(&self, _: &PackRef, _: &str) -> Result<Option<Value>, KvError> {
        nowhere()
    }
    async fn set(&self, _: &PackRef, _: &str, _: Value, _: Option<Duration>) -> Result<(), KvError> {
        nowhere()
    }
    async fn delete(&self, _: &PackRef, _: &str) -> Result<bool, KvError> {
        nowhere()
    }
    async fn compare_and_swap(
        &self,
        _: &PackRef,
        _: &str,
        _: Option<Value>,
        _: Option<Value>,
        _: Option<Duration>,
    ) -> Result<bool, KvError> {
        nowhere()
    }
    async fn keys(&self, _: &PackRef, _: &str, _: usize) -> Result<Vec<String>, KvError> {
        nowhere()
    }
}
