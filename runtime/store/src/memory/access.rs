//! Keys, reservations and switches of the model.

use std::collections::BTreeMap;

use async_trait::async_trait;
use runner_model::{ApiKey, KeyId, RuleRef, Timestamp};

use super::MemoryStore;
use crate::access::{minute, there_is_one};
use crate::{Access, Digest, Reservation, Reserved, StoreError};

#[derive(Debug, Default)]
pub(super) struct Admitted {
    keys: BTreeMap<KeyId, (Digest, ApiKey)>,
    pub(super) reservations: BTreeMap<(String, String), Reservation>,
    switches: BTreeMap<RuleRef, bool>,
}

#[async_trait]
impl Access for MemoryStore {
    async fn add_key(&self, key: ApiKey, digest: Digest) -> Result<(), StoreError> {
        let keys = &mut self.0.lock().admitted.keys;
        if keys.contains_key(&key.id) || keys.values().any(|(taken, _)| *taken == digest) {
            return Err(there_is_one());
        }
        keys.insert(key.id, (digest, key));
        Ok(())
    }

    async fn key(&self, digest: Digest) -> Result<Option<ApiKey>, StoreError> {
        let state = self.0.lock();
        let found = state.admitted.keys.values().find(|(taken, _)| *taken == digest);
        Ok(found.map(|(_, key)| key.clone()))
    }

    async fn keys_of_api(&self) -> Result<Vec<ApiKey>, StoreError> {
        let mut keys: Vec<_> = self.0.lock().admitted.keys.values().map(|(_, key)| key.clone()).collect();
        keys.sort_by_key(|key| (key.created_at, key.id));
        Ok(keys)
    }

    async fn revoke_key(&self, id: KeyId, now: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        let keys = &mut self.0.lock().admitted.keys;
        let Some((_, key)) = keys.get_mut(&id) else { return Ok(None) };
        key.revoked_at.get_or_insert(now);
        Ok(Some(key.clone()))
    }

    async fn touch_key(&self, id: KeyId, now: Timestamp) -> Result<(), StoreError> {
        if let Some((_, key)) = self.0.lock().admitted.keys.get_mut(&id) {
            key.last_used_at = key.last_used_at.max(Some(minute(now)));
        }
        Ok(())
    }

    async fn reserve(&self, reservation: Reservation, now: Timestamp) -> Result<Reserved, StoreError> {
        let reservations = &mut self.0.lock().admitted.reservations;
        let place = (reservation.scope.clone(), reservation.key.clone());
        if let Some(live) = reservations.get(&place).filter(|kept| kept.until > now) {
            return Ok(Reserved::Known { digest: live.digest, execution: live.execution });
        }
        reservations.insert(place, reservation);
        Ok(Reserved::New)
    }

    async fn switch_rule(&self, rule: &RuleRef, enabled: Option<bool>) -> Result<(), StoreError> {
        let switches = &mut self.0.lock().admitted.switches;
        match enabled {
            Some(enabled) => switches.insert(rule.clone(), enabled),
            None => switches.remove(rule),
        };
        Ok(())
    }

    async fn switched_rules(&self) -> Result<BTreeMap<RuleRef, bool>, StoreError> {
        Ok(self.0.lock().admitted.switches.clone())
    }
}
