//! The store's key-value data, as the host wants it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use runner_host::{Kv, KvError};
use runner_model::{Clock, PackRef, Timestamp};
use runner_store::{KeyValue, Store, StoreError, Swap};
use serde_json::Value;

pub(crate) struct StoredKv {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl StoredKv {
    fn expiry(&self, ttl: Option<Duration>) -> Option<Timestamp> {
        let millis = i64::try_from(ttl?.as_millis()).unwrap_or(i64::MAX);
        Some(self.clock.now().plus_ms(millis))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the form that `map_err` calls")]
fn failed(error: StoreError) -> KvError {
    KvError(format!("{}: {error}", error.code()))
}

#[async_trait]
impl Kv for StoredKv {
    async fn get(&self, pack: &PackRef, key: &str) -> Result<Option<Value>, KvError> {
        KeyValue::get(&*self.store, pack, key, self.clock.now()).await.map_err(failed)
    }

    async fn set(&self, pack: &PackRef, key: &str, value: Value, ttl: Option<Duration>) -> Result<(), KvError> {
        self.store.set(pack, key, value, self.expiry(ttl)).await.map_err(failed)
    }

    async fn delete(&self, pack: &PackRef, key: &str) -> Result<bool, KvError> {
        self.store.delete(pack, key, self.clock.now()).await.map_err(failed)
    }

    async fn compare_and_swap(
        &self,
        pack: &PackRef,
        key: &str,
        expected: Option<Value>,
        value: Option<Value>,
        ttl: Option<Duration>,
    ) -> Result<bool, KvError> {
        let swap = Swap {
            pack: pack.clone(),
            key: key.to_owned(),
            expected,
            value,
            expires_at: self.expiry(ttl),
            now: self.clock.now(),
        };
        self.store.compare_and_swap(swap).await.map_err(failed)
    }

    async fn keys(&self, pack: &PackRef, prefix: &str, limit: usize) -> Result<Vec<String>, KvError> {
        self.store.keys(pack, prefix, self.clock.now(), limit).await.map_err(failed)
    }
}
