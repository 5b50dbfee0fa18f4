//! Secrets of the model.

use async_trait::async_trait;
use runner_model::SecretName;

use super::{MemoryStore, State};
use crate::secret::{OF_VERSIONS, deleted, put, resealed, version_said};
use crate::{Audited, NewSecret, SealedSecret, SecretRecord, Secrets, StoreError};

/// The record of the last value, and the value unless it was removed.
pub(super) type Kept = (SecretRecord, Option<Vec<u8>>);

impl State {
    fn logged_version(&self, name: &SecretName) -> Option<u64> {
        let is_of = |action: &str| OF_VERSIONS.iter().any(|known| known.as_str() == action);
        let mut entries = self.audit.iter().rev();
        let last = entries.find(|entry| entry.subject == name.as_str() && is_of(&entry.action))?;
        version_said(&last.action, &last.details)
    }
}

#[async_trait]
impl Secrets for MemoryStore {
    async fn secret_version(&self, name: &SecretName) -> Result<u64, StoreError> {
        Ok(self.0.lock().secrets.get(name).map_or(0, |(record, _)| record.version))
    }

    async fn put_secret(&self, new: NewSecret, by: Audited) -> Result<SecretRecord, StoreError> {
        let mut state = self.0.lock();
        let last = state.secrets.get(&new.name);
        if new.version != last.map_or(0, |(record, _)| record.version).saturating_add(1) {
            return Err(StoreError::SecretConflict(new.name));
        }
        let before = last.and_then(|(record, sealed)| sealed.as_ref().map(|_| record.clone()));
        let record = SecretRecord {
            name: new.name.clone(),
            version: new.version,
            description: new
                .description
                .or_else(|| before.as_ref().map(|before| before.description.clone()))
                .unwrap_or_default(),
            created_at: before.as_ref().map_or(by.at, |before| before.created_at),
            rotated_at: by.at,
            set_by: by.actor.clone(),
        };
        state.secrets.insert(new.name.clone(), (record.clone(), Some(new.sealed)));
        state.log(&by, &put(&new.name, new.version, before.is_none()));
        Ok(record)
    }

    async fn reseal_secret(&self, new: NewSecret, by: Audited) -> Result<(), StoreError> {
        let mut state = self.0.lock();
        match state.secrets.get_mut(&new.name) {
            Some((record, Some(sealed))) if record.version == new.version => *sealed = new.sealed,
            _ => return Err(StoreError::SecretConflict(new.name)),
        }
        state.log(&by, &resealed(&new.name, new.version));
        Ok(())
    }

    async fn sealed_secret(&self, name: &SecretName) -> Result<Option<SealedSecret>, StoreError> {
        let state = self.0.lock();
        let Some((record, Some(sealed))) = state.secrets.get(name) else { return Ok(None) };
        let logged = state.logged_version(name);
        Ok(Some(SealedSecret { record: record.clone(), sealed: sealed.clone(), logged }))
    }

    async fn secrets(&self) -> Result<Vec<SecretRecord>, StoreError> {
        let state = self.0.lock();
        let there = state.secrets.values().filter(|(_, sealed)| sealed.is_some());
        Ok(there.map(|(record, _)| record.clone()).collect())
    }

    async fn delete_secret(&self, name: &SecretName, by: Audited) -> Result<bool, StoreError> {
        let mut state = self.0.lock();
        let Some((record, sealed)) = state.secrets.get_mut(name) else { return Ok(false) };
        let version = record.version;
        if sealed.take().is_none() {
            return Ok(false);
        }
        state.log(&by, &deleted(name, version));
        Ok(true)
    }
}
