//! The interface `kv`: permissions and sizes are checked here, then the store is asked.

use std::time::Duration;

use runner_model::KvAccess;
use runner_model::limits::{KV_KEY_BYTES_MAX, KV_KEYS_MAX, KV_VALUE_BYTES_MAX};
use serde_json::Value;

use super::Guest;
use crate::attempt::PackContext;
use crate::bindings::plugin::kv::{self, KvError};

type Answer<T> = wasmtime::Result<Result<T, KvError>>;

impl kv::Host for Guest {
    async fn get(&mut self, key: String) -> Answer<Option<String>> {
        self.count()?;
        Ok(self.attempt.pack.kv_get(&key).await)
    }

    async fn set(&mut self, key: String, value: String, ttl_seconds: Option<u64>) -> Answer<()> {
        self.count()?;
        Ok(self.attempt.pack.kv_set(&key, &value, ttl_seconds).await)
    }

    async fn delete(&mut self, key: String) -> Answer<bool> {
        self.count()?;
        Ok(self.attempt.pack.kv_delete(&key).await)
    }

    async fn compare_and_swap(
        &mut self,
        key: String,
        expected: Option<String>,
        value: Option<String>,
        ttl_seconds: Option<u64>,
    ) -> Answer<bool> {
        self.count()?;
        Ok(self.attempt.pack.kv_swap(&key, expected.as_deref(), value.as_deref(), ttl_seconds).await)
    }

    async fn keys(&mut self, prefix: String, limit: u32) -> Answer<Vec<String>> {
        self.count()?;
        Ok(self.attempt.pack.kv_keys(&prefix, limit).await)
    }
}

impl PackContext {
    async fn kv_get(&self, key: &str) -> Result<Option<String>, KvError> {
        self.may(KvAccess::Read)?;
        check_key(key)?;
        let value = self.kv.get(&self.pack, key).await.map_err(store)?;
        Ok(value.map(|value| value.to_string()))
    }

    async fn kv_set(&self, key: &str, value: &str, ttl_seconds: Option<u64>) -> Result<(), KvError> {
        self.may(KvAccess::ReadWrite)?;
        check_key(key)?;
        let value = parse(value)?;
        self.kv.set(&self.pack, key, value, ttl_seconds.map(Duration::from_secs)).await.map_err(store)
    }

    async fn kv_delete(&self, key: &str) -> Result<bool, KvError> {
        self.may(KvAccess::ReadWrite)?;
        check_key(key)?;
        self.kv.delete(&self.pack, key).await.map_err(store)
    }

    async fn kv_swap(
        &self,
        key: &str,
        expected: Option<&str>,
        value: Option<&str>,
        ttl_seconds: Option<u64>,
    ) -> Result<bool, KvError> {
        self.may(KvAccess::ReadWrite)?;
        check_key(key)?;
        let expected = expected.map(parse).transpose()?;
        let value = value.map(parse).transpose()?;
        let ttl = ttl_seconds.map(Duration::from_secs);
        self.kv.compare_and_swap(&self.pack, key, expected, value, ttl).await.map_err(store)
    }

    async fn kv_keys(&self, prefix: &str, limit: u32) -> Result<Vec<String>, KvError> {
        self.may(KvAccess::Read)?;
        if prefix.len() > KV_KEY_BYTES_MAX {
            return Err(key_too_large());
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(KV_KEYS_MAX);
        self.kv.keys(&self.pack, prefix, limit).await.map_err(store)
    }

    /// Whether both the pack's wish and the operator's grant reach this far.
    fn may(&self, needed: KvAccess) -> Result<(), KvError> {
        let (name, access) = (&self.pack, if needed == KvAccess::Read { "read" } else { "read_write" });
        if self.permissions.kv < needed {
            return Err(KvError::Denied(format!(
                "the pack `{name}` does not ask for this: add `kv: {access}` to `permissions` in its pack.yaml"
            )));
        }
        let current = self.current.as_ref().map_or(KvAccess::ReadWrite, |current| current.get().kv);
        if self.grant.kv.min(current) < needed {
            return Err(KvError::Denied(format!(
                "the operator has not granted the pack `{name}` this: `runner pack grant {name}`, or write \
                 `kv = \"{access}\"` under `[grants.{name}]` in runner.toml"
            )));
        }
        Ok(())
    }
}

fn check_key(key: &str) -> Result<(), KvError> {
    if key.len() > KV_KEY_BYTES_MAX { Err(key_too_large()) } else { Ok(()) }
}

fn key_too_large() -> KvError {
    KvError::TooLarge(format!("a key has at most {KV_KEY_BYTES_MAX} bytes"))
}

fn parse(text: &str) -> Result<Value, KvError> {
    if text.len() > KV_VALUE_BYTES_MAX {
        return Err(KvError::TooLarge(format!("a value has at most {KV_VALUE_BYTES_MAX} bytes of JSON")));
    }
    serde_json::from_str(text).map_err(|error| KvError::NotJson(format!("the value is not JSON: {error}")))
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn store(error: crate::kv::KvError) -> KvError {
    KvError::Store(error.to_string())
}
