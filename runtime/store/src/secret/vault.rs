//! Seals values on their way in, opens them on their way out.

use std::ops::Deref;
use std::sync::Arc;

use runner_model::{Code, Secret, SecretName, code, limits};

use super::{NewSecret, SealedSecret, SecretRecord, Secrets as _};
use crate::{Audited, KeySource, Keyring, SealError, Store, StoreError};

/// Whose secrets these are, as it is authenticated with each: those of another kind could never be taken for them.
const SCOPE: &str = "operator";
/// How often a value is sealed for the next version while others do the same.
const TRIES_MAX: usize = 10;

/// Secrets with the keys that open them. A clone is the same.
#[derive(Debug, Clone)]
pub struct Vault<S> {
    /// Something that leads to a store.
    store: S,
    keys: KeySource,
}

/// A value.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Which one.
    pub version: u64,
    /// The value; it prints as `***`.
    pub value: Secret,
}

/// What must be so for a value to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MustBe {
    /// Nothing.
    Whatever,
    /// There is a secret with this name.
    There,
}

/// Why a text cannot be a secret's value: a code and a sentence, which holds nothing of it.
///
/// # Errors
/// It cannot.
pub fn check_secret(value: &Secret) -> Result<(), (Code, String)> {
    let bytes = value.expose().len();
    if bytes == 0 {
        return Err((code::SECRET_VALUE, "the value is empty".to_owned()));
    }
    if bytes > limits::SECRET_BYTES_MAX {
        let max = limits::SECRET_BYTES_MAX;
        return Err((code::SECRET_VALUE, format!("the value has {bytes} bytes, at most {max} are kept")));
    }
    Ok(())
}

impl<S: Deref<Target: Store>> Vault<S> {
    /// Over this store, with these keys, which are asked for when the first value goes in or out.
    pub const fn new(store: S, keys: KeySource) -> Self {
        Self { store, keys }
    }

    /// Gives a secret a value.
    ///
    /// # Errors
    /// [`StoreError::NoSecret`] if it must be there and is not; [`StoreError::Key`]; whatever keeps it from being written.
    pub async fn put(
        &self,
        name: &SecretName,
        value: &Secret,
        description: Option<String>,
        must: MustBe,
        by: Audited,
    ) -> Result<SecretRecord, StoreError> {
        let keyring = self.keyring().await?;
        for _ in 0..TRIES_MAX {
            if must == MustBe::There && self.store.sealed_secret(name).await?.is_none() {
                return Err(StoreError::NoSecret(name.clone()));
            }
            let version = self.store.secret_version(name).await?.saturating_add(1);
            let sealed = seal(&keyring, name, version, value)?;
            let new = NewSecret { name: name.clone(), version, sealed, description: description.clone() };
            match self.store.put_secret(new, by.clone()).await {
                // Somebody was faster: the value goes in after theirs.
                Err(StoreError::SecretConflict(_)) => {}
                done => return done,
            }
        }
        Err(StoreError::SecretConflict(name.clone()))
    }

    /// The value of a secret.
    ///
    /// # Errors
    /// [`StoreError::NoSecret`], [`StoreError::Key`], [`StoreError::Sealed`].
    pub async fn open(&self, name: &SecretName) -> Result<Opened, StoreError> {
        let kept = self.store.sealed_secret(name).await?.ok_or_else(|| StoreError::NoSecret(name.clone()))?;
        open(&*self.keyring().await?, &kept)
    }

    /// Seals everything with the current key that is not; says how many there were.
    ///
    /// # Errors
    /// [`StoreError::Key`], [`StoreError::Sealed`]; whatever keeps it from being written.
    pub async fn reseal(&self, by: &Audited) -> Result<usize, StoreError> {
        let keyring = self.keyring().await?;
        let mut resealed = 0;
        for record in self.store.secrets().await? {
            resealed += usize::from(self.reseal_one(&keyring, &record.name, by).await?);
        }
        Ok(resealed)
    }

    async fn reseal_one(&self, keyring: &Keyring, name: &SecretName, by: &Audited) -> Result<bool, StoreError> {
        // One that was removed or replaced meanwhile needs no other key.
        let Some(kept) = self.store.sealed_secret(name).await? else { return Ok(false) };
        if keyring.is_current(&kept.sealed) {
            return Ok(false);
        }
        let version = kept.record.version;
        let sealed = seal(keyring, name, version, &open(keyring, &kept)?.value)?;
        let new = NewSecret { name: name.clone(), version, sealed, description: None };
        match self.store.reseal_secret(new, by.clone()).await {
            Ok(()) => Ok(true),
            Err(StoreError::SecretConflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The keys: fetching them may block.
    async fn keyring(&self) -> Result<Arc<Keyring>, StoreError> {
        let keys = self.keys.clone();
        let fetched = tokio::task::spawn_blocking(move || keys.keyring());
        let fetched = fetched.await.map_err(|error| StoreError::Io { reason: error.to_string() })?;
        Ok(fetched?)
    }
}

fn seal(keyring: &Keyring, name: &SecretName, version: u64, value: &Secret) -> Result<Vec<u8>, StoreError> {
    let place = ["secret", SCOPE, name.as_str(), &version.to_string()];
    keyring.seal(&place, value.expose().as_bytes()).map_err(|reason| unopened(name, reason))
}

fn open(keyring: &Keyring, kept: &SealedSecret) -> Result<Opened, StoreError> {
    let SealedSecret { record, sealed, logged } = kept;
    let (name, version) = (&record.name, record.version);
    let place = ["secret", SCOPE, name.as_str(), &version.to_string()];
    let value = keyring.open(&place, sealed).map_err(|reason| unopened(name, reason))?;
    // It was sealed for this version; whether this is the present one only the log knows.
    if *logged != Some(version) {
        return Err(unopened(name, SealError::Broken));
    }
    let value = std::str::from_utf8(&value).map_err(|_| unopened(name, SealError::Broken))?;
    Ok(Opened { version, value: Secret::new(value.to_owned()) })
}

fn unopened(name: &SecretName, reason: SealError) -> StoreError {
    StoreError::Sealed { what: format!("the secret `{name}`"), reason }
}
