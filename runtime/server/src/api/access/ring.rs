//! Keys that were looked up within the last second, so that a busy client does not cost a read of the store a request;
//! and which of them were used, told to the store beside the requests.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use runner_model::limits::{API_KEY_CACHE, API_KEYS_CACHED_MAX};
use runner_model::{ApiKey, KeyId, Timestamp};
use runner_store::Digest;

use super::ApiProblem;
use super::Context;

/// How fine the time is at which a key was last used.
const USE_MS: i64 = 60_000;

/// See the module.
#[derive(Default)]
pub(crate) struct KeyRing(Mutex<Known>);

#[derive(Default)]
struct Known {
    found: HashMap<Digest, (Timestamp, Option<Arc<ApiKey>>)>,
    any: Option<(Timestamp, bool)>,
    used: HashMap<KeyId, Timestamp>,
}

impl KeyRing {
    /// The key with this digest, valid or not.
    pub(super) async fn find(&self, context: &Context, digest: Digest) -> Result<Option<Arc<ApiKey>>, ApiProblem> {
        let now = context.now();
        let known = self.0.lock().found.get(&digest).filter(|(since, _)| is_fresh(*since, now)).cloned();
        let key = match known {
            Some((_, key)) => key,
            None => {
                let key = context.options.store.key(digest).await?.map(Arc::new);
                self.remember(digest, key.clone(), now);
                key
            }
        };
        if let Some(key) = key.as_ref().filter(|key| key.is_valid(now)) {
            self.used(context, key, now);
        }
        Ok(key)
    }

    fn remember(&self, digest: Digest, key: Option<Arc<ApiKey>>, now: Timestamp) {
        let mut known = self.0.lock();
        if known.found.len() >= API_KEYS_CACHED_MAX {
            known.found.retain(|_, (since, _)| is_fresh(*since, now));
            // So many guesses within a second: they go to the store one by one.
            if known.found.len() >= API_KEYS_CACHED_MAX {
                return;
            }
        }
        known.found.insert(digest, (now, key));
    }

    /// Whether a key was ever made. From then on nobody comes in without one, also when all have expired or are revoked.
    pub(super) async fn any(&self, context: &Context) -> Result<bool, ApiProblem> {
        let now = context.now();
        if let Some((_, any)) = self.0.lock().any.filter(|(since, _)| is_fresh(*since, now)) {
            return Ok(any);
        }
        let any = !context.options.store.keys_of_api().await?.is_empty();
        self.0.lock().any = Some((now, any));
        Ok(any)
    }

    /// Forgets what was looked up: a key was made or taken back here.
    pub(crate) fn forget(&self) {
        let mut known = self.0.lock();
        known.found.clear();
        known.any = None;
    }

    /// Notes a use, once a minute, beside the request.
    fn used(&self, context: &Context, key: &ApiKey, now: Timestamp) {
        {
            let mut known = self.0.lock();
            let last = known.used.get(&key.id).copied().or(key.last_used_at);
            if last.is_some_and(|last| (0..USE_MS).contains(&now.since_ms(last))) {
                return;
            }
            known.used.insert(key.id, now);
        }
        let (store, id) = (context.options.store.clone(), key.id);
        context.beside(async move {
            if let Err(error) = store.touch_key(id, now).await {
                tracing::debug!(%error, "the use of a key is not noted");
            }
        });
    }
}

/// Whether what was looked up at `since` still counts. A clock that was set back makes everything stale.
fn is_fresh(since: Timestamp, now: Timestamp) -> bool {
    (0..API_KEY_CACHE.as_millis() as i64).contains(&now.since_ms(since))
}
