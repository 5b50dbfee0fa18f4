//! Key-value data under a plan: reads find the store's, writes stay here and are noted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use runner_model::PackRef;
use serde_json::Value;

use super::Planner;
use crate::kv::{Kv, KvError};

/// Key-value data that a plan leaves as it is.
pub struct PlannedKv {
    planner: Arc<Planner>,
    below: Arc<dyn Kv>,
    /// What was written; none is "removed".
    written: Mutex<BTreeMap<(PackRef, String), Option<Value>>>,
}

impl PlannedKv {
    /// Over this data.
    #[must_use]
    pub fn new(planner: Arc<Planner>, below: Arc<dyn Kv>) -> Self {
        Self { planner, below, written: Mutex::default() }
    }

    fn write(&self, pack: &PackRef, key: &str, before: Option<Value>, after: Option<Value>) {
        self.planner.kv(pack, key, before, after.clone());
        self.written.lock().insert((pack.clone(), key.to_owned()), after);
    }
}

#[async_trait]
impl Kv for PlannedKv {
    async fn get(&self, pack: &PackRef, key: &str) -> Result<Option<Value>, KvError> {
        let written = self.written.lock().get(&(pack.clone(), key.to_owned())).cloned();
        match written {
            Some(value) => Ok(value),
            None => self.below.get(pack, key).await,
        }
    }

    async fn set(&self, pack: &PackRef, key: &str, value: Value, _: Option<Duration>) -> Result<(), KvError> {
        let before = self.get(pack, key).await?;
        self.write(pack, key, before, Some(value));
        Ok(())
    }

    async fn delete(&self, pack: &PackRef, key: &str) -> Result<bool, KvError> {
        let before = self.get(pack, key).await?;
        let was_there = before.is_some();
        self.write(pack, key, before, None);
        Ok(was_there)
    }

    async fn compare_and_swap(
        &self,
        pack: &PackRef,
        key: &str,
        expected: Option<Value>,
        value: Option<Value>,
        _: Option<Duration>,
    ) -> Result<bool, KvError> {
        let before = self.get(pack, key).await?;
        if before != expected {
            return Ok(false);
        }
        self.write(pack, key, before, value);
        Ok(true)
    }

    async fn keys(&self, pack: &PackRef, prefix: &str, limit: usize) -> Result<Vec<String>, KvError> {
        let mut keys: BTreeSet<_> = self.below.keys(pack, prefix, usize::MAX).await?.into_iter().collect();
        for ((of, key), value) in self.written.lock().iter() {
            if of == pack && key.starts_with(prefix) {
                if value.is_some() {
                    keys.insert(key.clone())
                } else {
                    keys.remove(key)
                };
            }
        }
        Ok(keys.into_iter().take(limit).collect())
    }
}
