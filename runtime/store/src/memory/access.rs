//! Keys, reservations and switches of the model.

use std::collections::BTreeMap;

use async_trait::async_trait;
use runner_model::{ApiKey, KeyId, RuleRef, Timestamp};

use super::MemoryStore;
use crate::access::{key_made, key_revoked, minute, rule_switched, there_is_one};
use crate::{Access, Audited, Digest, Reservation, Reserved, StoreError};

#[derive(Debug, Default)]
pub(super) struct Admitted {
    keys: BTreeMap<KeyId, (Digest, ApiKey)>,
    pub(super) reservations: BTreeMap<(String, String), Reservation>,
    switches: BTreeMap<RuleRef, bool>,
}

#[async_trait]
impl Access for MemoryStore {
    async fn add_key(&self, key: ApiKey, digest: Digest, by: Audited) -> Result<(), StoreError> {
        let mut state = self.0.lock();
        let keys = &mut state.admitted.keys;
        if keys.contains_key(&key.id) || keys.values().any(|(taken, _)| *taken == digest) {
            return Err(there_is_one());
        }
        keys.insert(key.id, (digest, key.clone()));
        state.log(&by, &key_made(&key));
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

    async fn revoke_key(&self, id: KeyId, by: Audited) -> Result<Option<ApiKey>, StoreError> {
        let mut state = self.0.lock();
        let Some((_, key)) = state.admitted.keys.get_mut(&id) else { return Ok(None) };
        let is_new = key.revoked_at.is_none();
        key.revoked_at.get_or_insert(by.at);
        let key = key.clone();
        if is_new {
            state.log(&by, &key_revoked(&key));
        }
        Ok(Some(key))
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

    async fn switch_rule(&self, rule: &RuleRef, enabled: Option<bool>, by: Audited) -> Result<(), StoreError> {
        let mut state = self.0.lock();
        let switches = &mut state.admitted.switches;
        match enabled {
            Some(enabled) => switches.insert(rule.clone(), enabled),
            None => switches.remove(rule),
        };
        state.log(&by, &rule_switched(rule, enabled));
        Ok(())
    }

    async fn switched_rules(&self) -> Result<BTreeMap<RuleRef, bool>, StoreError> {
        Ok(self.0.lock().admitted.switches.clone())
    }
}
