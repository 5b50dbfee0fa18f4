//! Whether whoever listens still may: a stream can be open for longer than its key is good.

use std::sync::Arc;

use http::HeaderMap;
use runner_model::Timestamp;
use runner_model::limits::API_KEY_CACHE;

use crate::api::access::authenticate;
use crate::api::context::Context;

/// The leave to listen, as it was given at the beginning.
pub(super) struct Leave {
    context: Arc<Context>,
    headers: HeaderMap,
    is_local: bool,
    looked_at: Timestamp,
}

impl Leave {
    pub(super) fn new(context: Arc<Context>, headers: HeaderMap, is_local: bool) -> Self {
        let looked_at = context.now();
        Self { context, headers, is_local, looked_at }
    }

    /// Whether it still holds; looked at again once a second at the most.
    pub(super) async fn holds(&mut self) -> bool {
        let now = self.context.now();
        let age_ms = now.since_ms(self.looked_at);
        if u128::try_from(age_ms).is_ok_and(|age| age < API_KEY_CACHE.as_millis()) {
            return true;
        }
        self.looked_at = now;
        authenticate(&self.context, &self.headers, self.is_local).await.is_ok()
    }
}
