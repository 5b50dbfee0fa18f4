//! What belongs to something sealed, sealed for the place where it stands: whose it is, which part of it, which number.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::{KeySource, Keyring, StoreError};

/// Seals and opens the parts of one execution or event.
#[derive(Debug, Clone)]
pub(crate) struct Sealer {
    keys: Arc<Keyring>,
    /// Whose parts: `execution ID`, `event ID`.
    owner: String,
}

impl Sealer {
    /// One with the keys of this source. Asking for them may block.
    pub(crate) fn new(source: Option<&KeySource>, owner: String) -> Result<Self, StoreError> {
        let keys = source.ok_or(StoreError::NoKey)?.keyring()?;
        Ok(Self { keys, owner })
    }

    /// The same, for whoever must not block.
    pub(crate) async fn prepare(source: Option<&KeySource>, owner: String) -> Result<Self, StoreError> {
        let source = source.cloned();
        let made = tokio::task::spawn_blocking(move || Self::new(source.as_ref(), owner));
        made.await.unwrap_or_else(|error| Err(StoreError::Io { reason: error.to_string() }))
    }

    /// Seals a part for its place.
    pub(crate) fn seal(&self, part: &str, place: &[&str], plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.keys.seal(&self.place(part, place), plain).map_err(|reason| self.failed(part, reason))
    }

    /// Opens a part that was sealed for this very place.
    pub(crate) fn open(&self, part: &str, place: &[&str], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        self.keys.open(&self.place(part, place), sealed).map_err(|reason| self.failed(part, reason))
    }

    /// A text by which others find what is sealed, and which tells nothing to who has no key; the first is by the
    /// current key.
    pub(crate) fn tags(keys: &Keyring, text: &str) -> Vec<String> {
        keys.tags("key", text).iter().map(|tag| format!("sealed {}", hex::encode(tag))).collect()
    }

    /// The tag by the current key.
    pub(crate) fn tag(&self, text: &str) -> String {
        Self::tags(&self.keys, text).into_iter().next().unwrap_or_default()
    }

    fn place<'a>(&'a self, part: &'a str, place: &[&'a str]) -> Vec<&'a str> {
        [&[part, self.owner.as_str()], place].concat()
    }

    fn failed(&self, part: &str, reason: crate::SealError) -> StoreError {
        StoreError::Sealed { what: format!("the {part} of {}", self.owner), reason }
    }
}
