//! Where the keys come from, as the store sees it: asked whenever something is to be sealed or opened, and never for
//! anything else, so that whoever has no secrets needs no key.

use std::fmt;
use std::sync::Arc;

use runner_model::Code;

use crate::Keyring;

/// Why there are no keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KeyError {
    /// What kind of mistake.
    pub code: Code,
    /// A lowercase sentence; it holds nothing of a key.
    pub message: String,
}

type Ask = dyn Fn() -> Result<Arc<Keyring>, KeyError> + Send + Sync;

/// Gives the keys when they are asked for. A clone is the same source. Asking may block, the first time: a file is
/// read, a command is run. Whoever makes it keeps what it found, and gives other keys once there are others.
#[derive(Clone)]
pub struct KeySource(Arc<Ask>);

impl KeySource {
    /// A source that asks this.
    pub fn new(ask: impl Fn() -> Result<Arc<Keyring>, KeyError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// A source that has these keys.
    #[must_use]
    pub fn of(keys: Keyring) -> Self {
        let keys = Arc::new(keys);
        Self::new(move || Ok(keys.clone()))
    }

    /// The keys.
    ///
    /// # Errors
    /// There are none.
    pub fn keyring(&self) -> Result<Arc<Keyring>, KeyError> {
        (self.0)()
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySource")
    }
}
