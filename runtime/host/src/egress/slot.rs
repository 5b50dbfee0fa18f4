//! A connection's endpoint: made at once of its settings, or, where these are fetched, when it is first used, and made
//! anew when it is told that they changed.
//!
//! Whoever has the endpoint that was, ends on it; whoever asks afterwards gets the new one. A look costs a read of a lock
//! that is hardly ever written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use parking_lot::RwLock;
use runner_model::limits::HttpLimits;
use runner_model::{ConnectionName, Failure, Manners};

use super::connection::ConnectionConfig;
use super::connections::ConnectionInfo;
use super::door::Door;
use super::endpoint::{self, Endpoint};
use super::error::{ErrorKind, NetError};

/// Gives the settings of a connection with its secrets, whenever they are needed.
#[async_trait]
pub trait ConnectionSource: Send + Sync {
    /// The settings as they are now.
    ///
    /// # Errors
    /// A secret cannot be had. Requests on the connection fail with this until it can.
    async fn fetch(&self) -> Result<ConnectionConfig, Failure>;
}

/// The endpoint of a connection.
pub(super) struct Slot {
    /// What may be shown of it.
    pub(super) info: ConnectionInfo,
    pub(super) manners: Manners,
    /// With the number of changes that it knows of.
    made: RwLock<Option<(u64, Arc<Endpoint>)>>,
    /// How often it was told of a change.
    changes: AtomicU64,
    fetched: Option<Fetched>,
}

struct Fetched {
    name: ConnectionName,
    source: Arc<dyn ConnectionSource>,
    of_kind: Manners,
    limits: HttpLimits,
    door: Door,
    /// One makes it, the others wait for theirs.
    making: tokio::sync::Mutex<()>,
}

impl Slot {
    /// An endpoint that stays as it is.
    pub(super) fn fixed(endpoint: Endpoint) -> Self {
        Self {
            info: endpoint.info.clone(),
            manners: endpoint.manners.clone(),
            made: RwLock::new(Some((0, Arc::new(endpoint)))),
            changes: AtomicU64::new(0),
            fetched: None,
        }
    }

    /// One that is made when it is used. `shown` is the connection without its secrets.
    pub(super) fn fetched(
        name: &ConnectionName,
        mut shown: ConnectionConfig,
        source: Arc<dyn ConnectionSource>,
        of_kind: &Manners,
        limits: &HttpLimits,
        door: &Door,
    ) -> Result<Self, String> {
        shown.manners = shown.manners.over(of_kind);
        let info = endpoint::info(name, &shown, &endpoint::limits_of(limits, &shown.manners))?;
        let (limits, door, of_kind) = (limits.clone(), door.clone(), of_kind.clone());
        let making = tokio::sync::Mutex::default();
        let fetched = Fetched { name: name.clone(), source, of_kind, limits, door, making };
        Ok(Self {
            info,
            manners: shown.manners,
            made: RwLock::default(),
            changes: AtomicU64::new(0),
            fetched: Some(fetched),
        })
    }

    /// Its settings changed: the next request is sent with the new ones.
    pub(super) fn change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// The endpoint, made with the settings as they are.
    pub(super) async fn endpoint(&self) -> Result<Arc<Endpoint>, NetError> {
        if let Some(endpoint) = self.current() {
            return Ok(endpoint);
        }
        let Some(fetched) = &self.fetched else {
            // Without a source it is never told of a change.
            return Err(NetError::new(ErrorKind::Other, "the connection is not there"));
        };
        let _one = fetched.making.lock().await;
        if let Some(endpoint) = self.current() {
            return Ok(endpoint);
        }
        // What changes from here on is fetched by the next one.
        let changes = self.changes.load(Ordering::Acquire);
        let endpoint = Arc::new(fetched.make(changes).await?);
        *self.made.write() = Some((changes, endpoint.clone()));
        Ok(endpoint)
    }

    fn current(&self) -> Option<Arc<Endpoint>> {
        let changes = self.changes.load(Ordering::Acquire);
        self.made.read().as_ref().filter(|(known, _)| *known == changes).map(|(_, endpoint)| endpoint.clone())
    }
}

impl Fetched {
    async fn make(&self, generation: u64) -> Result<Endpoint, NetError> {
        let unusable =
            |message: String| NetError::new(ErrorKind::Other, format!("the connection `{}`: {message}", self.name));
        let mut config = self.source.fetch().await.map_err(|failure| {
            let refused = unusable(failure.message);
            match failure.hint {
                Some(hint) => refused.with_hint(hint),
                None => refused,
            }
        })?;
        config.manners = config.manners.over(&self.of_kind);
        let made = Endpoint::configured(&self.name, &config, &self.limits, &self.door);
        made.map(|endpoint| endpoint.of_generation(generation)).map_err(unusable)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use runner_model::{Limits, code};
    use serde_json::json;

    use super::*;

    /// Counts how often it is asked; the first time it has nothing to give.
    #[derive(Default)]
    struct Counted(AtomicUsize);

    #[async_trait]
    impl ConnectionSource for Counted {
        async fn fetch(&self) -> Result<ConnectionConfig, Failure> {
            let asked = self.0.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            if asked == 0 {
                return Err(Failure::new(code::CONF_SECRET, "no secret"));
            }
            let auth = json!({ "bearer": { "token": format!("t{asked}") } });
            Ok(serde_json::from_value(json!({ "kind": "k", "base_url": "https://h/", "auth": auth })).unwrap())
        }
    }

    #[tokio::test]
    async fn settings_are_fetched_once_for_each_change_and_a_failure_is_no_answer_for_ever() {
        let source = Arc::new(Counted::default());
        let limits = Limits::default();
        let shown = serde_json::from_value(json!({ "kind": "k", "base_url": "https://h/" })).unwrap();
        let name = ConnectionName::new("box").unwrap();
        let slot = Slot::fetched(&name, shown, source.clone(), &Manners::default(), &limits.http, &Door::new(&limits))
            .unwrap();
        let refused = slot.endpoint().await.map(|_| ()).unwrap_err();
        assert!(refused.to_string().contains("the connection `box`: no secret"), "{refused}");
        let (first, beside, later) = tokio::join!(slot.endpoint(), slot.endpoint(), slot.endpoint());
        let first = first.unwrap();
        assert!(Arc::ptr_eq(&first, &beside.unwrap()) && Arc::ptr_eq(&first, &later.unwrap()));
        assert_eq!(source.0.load(Ordering::Relaxed), 2);
        slot.change();
        let second = slot.endpoint().await.unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        assert!(Arc::ptr_eq(&second, &slot.endpoint().await.unwrap()));
        assert_eq!(source.0.load(Ordering::Relaxed), 3);
    }
}
