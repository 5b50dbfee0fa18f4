//! A grant that may be taken back while an attempt runs.

use std::sync::Arc;

use parking_lot::RwLock;
use runner_model::Permissions;

/// What a pack is granted now. A clone is the same grant.
///
/// An attempt keeps what its pack was granted when it began ([`crate::PackContext::grant`]), as far as that is granted
/// still: what is taken back holds for its next request, what is added for the next attempt.
#[derive(Debug, Clone, Default)]
pub struct CurrentGrant(Arc<RwLock<Arc<Permissions>>>);

impl CurrentGrant {
    /// A grant as it is now.
    #[must_use]
    pub fn of(permissions: Permissions) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(permissions))))
    }

    /// What it is now.
    #[must_use]
    pub fn get(&self) -> Arc<Permissions> {
        self.0.read().clone()
    }

    /// Puts another in its place.
    pub fn set(&self, permissions: Permissions) {
        *self.0.write() = Arc::new(permissions);
    }
}
