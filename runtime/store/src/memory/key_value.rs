//! The key-value data of the model.

use async_trait::async_trait;
use runner_model::{PackRef, Timestamp};
use serde_json::Value;

use super::{MemoryStore, State};
use crate::key_value::is_live;
use crate::{KeyValue, StoreError, Swap, codec};

#[derive(Debug)]
pub(super) struct Kept {
    value: Value,
    pub(super) expires_at: Option<Timestamp>,
}

impl State {
    /// Removes values that have expired, the first to expire first.
    pub(super) fn sweep(&mut self, now: Timestamp, limit: usize) -> u64 {
        let expired = self.values.iter().filter(|(_, kept)| !is_live(kept.expires_at, now));
        let mut expired: Vec<_> = expired.map(|(place, kept)| (kept.expires_at, place.clone())).collect();
        expired.sort();
        expired.truncate(limit);
        for (_, place) in &expired {
            self.values.remove(place);
        }
        expired.len() as u64
    }

    fn live(&self, pack: &PackRef, key: &str, now: Timestamp) -> Option<&Value> {
        let kept = self.values.get(&(pack.clone(), key.to_owned()))?;
        is_live(kept.expires_at, now).then_some(&kept.value)
    }
}

#[async_trait]
impl KeyValue for MemoryStore {
    async fn get(&self, pack: &PackRef, key: &str, now: Timestamp) -> Result<Option<Value>, StoreError> {
        Ok(self.0.lock().live(pack, key, now).cloned())
    }

    async fn set(
        &self,
        pack: &PackRef,
        key: &str,
        value: Value,
        expires_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        codec::to_json("the value", &value)?;
        self.0.lock().values.insert((pack.clone(), key.to_owned()), Kept { value, expires_at });
        Ok(())
    }

    async fn delete(&self, pack: &PackRef, key: &str, now: Timestamp) -> Result<bool, StoreError> {
        let removed = self.0.lock().values.remove(&(pack.clone(), key.to_owned()));
        Ok(removed.is_some_and(|kept| is_live(kept.expires_at, now)))
    }

    async fn compare_and_swap(&self, swap: Swap) -> Result<bool, StoreError> {
        codec::to_json("the value", &swap.value)?;
        let mut state = self.0.lock();
        if state.live(&swap.pack, &swap.key, swap.now) != swap.expected.as_ref() {
            return Ok(false);
        }
        let place = (swap.pack, swap.key);
        match swap.value {
            Some(value) => state.values.insert(place, Kept { value, expires_at: swap.expires_at }),
            None => state.values.remove(&place),
        };
        Ok(true)
    }

    async fn keys(
        &self,
        pack: &PackRef,
        prefix: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let state = self.0.lock();
        let from = (pack.clone(), prefix.to_owned());
        let with_prefix = state
            .values
            .range(from..)
            .take_while(|((owner, key), _)| owner == pack && key.starts_with(prefix))
            .filter(|(_, kept)| is_live(kept.expires_at, now));
        Ok(with_prefix.take(limit).map(|((_, key), _)| key.clone()).collect())
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<u64, StoreError> {
        Ok(self.0.lock().sweep(now, limit))
    }
}
