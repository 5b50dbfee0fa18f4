//! The connections of a process: made once, shared by all packs.

use std::collections::BTreeMap;
use std::sync::Arc;

use runner_model::limits::HttpLimits;
use runner_model::{ConnectionName, Failure, Limits, Manners, code};
use serde::Serialize;
use url::Url;

use super::connection::{ConnectionConfig, Tls};
use super::door::Door;
use super::endpoint::Endpoint;
use super::slot::{ConnectionSource, Slot};
use crate::simulator::Simulator;
use crate::traffic::Traffic;

/// The connections of a process by name. A clone is the same connections, pools and places included.
#[derive(Clone)]
pub struct Connections {
    by_name: Arc<BTreeMap<ConnectionName, Arc<Slot>>>,
    door: Door,
    direct_plain: Arc<Endpoint>,
    direct_tls: Arc<Endpoint>,
    /// How the systems of a kind want to be talked to.
    kinds: Arc<BTreeMap<String, Manners>>,
    limits: HttpLimits,
    traffic: Option<Traffic>,
}

/// What may be shown of a connection. No credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionInfo {
    /// Its name.
    pub name: String,
    /// The kind of system behind it.
    pub kind: String,
    /// Where it is; none for a simulator.
    pub base_url: Option<Url>,
    /// How the host authenticates itself.
    pub auth: AuthKind,
    /// Which servers are trusted.
    pub tls: TlsKind,
    /// Whether the client shows a certificate of its own.
    pub client_certificate: bool,
    /// How many requests it takes at the same time.
    pub concurrency: u32,
    /// Whether a simulator stands in for the system.
    pub simulated: bool,
}

/// How the host authenticates itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// Not at all.
    None,
    /// User and password.
    Basic,
    /// A token.
    Bearer,
    /// A token that is fetched.
    #[serde(rename = "oauth2")]
    OAuth2,
}

/// Which servers are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsKind {
    /// There is no TLS.
    None,
    /// Those that the platform trusts.
    Platform,
    /// Those with a certificate of the configured authorities.
    Ca,
    /// The one with the pinned certificate.
    Pinned,
    /// Any.
    Insecure,
}

impl Connections {
    /// The connections with these settings. `kinds` are the manners that packs say of the kinds of systems they bring; a
    /// connection's own are taken before its kind's.
    ///
    /// # Errors
    /// A name that stands twice, or a setting that cannot be meant.
    pub fn new(
        configs: Vec<(ConnectionName, ConnectionConfig)>,
        kinds: BTreeMap<String, Manners>,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        Self::behind(&Door::new(limits), configs, kinds, limits)
    }

    /// The same behind a door that the process has.
    ///
    /// # Errors
    /// A name that stands twice, or a setting that cannot be meant.
    pub fn behind(
        door: &Door,
        configs: Vec<(ConnectionName, ConnectionConfig)>,
        kinds: BTreeMap<String, Manners>,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        let mut by_name = BTreeMap::new();
        for (name, mut config) in configs {
            if let Some(of_kind) = kinds.get(&config.kind) {
                config.manners = config.manners.over(of_kind);
            }
            let endpoint = Endpoint::configured(&name, &config, &limits.http, door)
                .map_err(|message| Failure::new(code::CONF_INVALID, format!("the connection `{name}`: {message}")))?;
            if by_name.insert(name.clone(), Arc::new(Slot::fixed(endpoint))).is_some() {
                return Err(Failure::new(code::CONF_INVALID, format!("the connection `{name}` stands twice")));
            }
        }
        Ok(Self { by_name: Arc::new(by_name), kinds: Arc::new(kinds), ..Self::nothing(door, limits) })
    }

    /// No connections at all.
    #[must_use]
    pub fn none(limits: &Limits) -> Self {
        Self::nothing(&Door::new(limits), limits)
    }

    fn nothing(door: &Door, limits: &Limits) -> Self {
        Self {
            by_name: Arc::default(),
            kinds: Arc::default(),
            door: door.clone(),
            direct_plain: Arc::new(Endpoint::direct(None, &limits.http, door)),
            direct_tls: Arc::new(Endpoint::direct(Some(Tls::default()), &limits.http, door)),
            limits: limits.http.clone(),
            traffic: None,
        }
    }

    /// The same connections, and one whose settings are fetched when it is first used. `shown` is without its secrets.
    ///
    /// # Errors
    /// A name that stands twice, or a setting that cannot be meant.
    pub fn with_source(
        mut self,
        name: ConnectionName,
        shown: ConnectionConfig,
        source: Arc<dyn ConnectionSource>,
    ) -> Result<Self, Failure> {
        let of_kind = self.kinds.get(&shown.kind).cloned().unwrap_or_default();
        let slot = Slot::fetched(&name, shown, source, &of_kind, &self.limits, &self.door)
            .map_err(|message| Failure::new(code::CONF_INVALID, format!("the connection `{name}`: {message}")))?;
        if self.by_name.contains_key(&name) {
            return Err(Failure::new(code::CONF_INVALID, format!("the connection `{name}` stands twice")));
        }
        Arc::make_mut(&mut self.by_name).insert(name, Arc::new(slot));
        Ok(self)
    }

    /// Says that the settings of a connection changed: requests from now on are sent with the new ones. Those that are
    /// under way end with the old.
    pub fn changed(&self, name: &str) {
        if let Some(slot) = self.by_name.get(name) {
            slot.change();
        }
    }

    /// The same connections, but with a simulator behind this name, which is talked to as the system itself would be.
    #[must_use]
    pub fn with_simulator(mut self, name: ConnectionName, kind: &str, simulator: Simulator) -> Self {
        let configured = self.by_name.get(&name).map(|slot| slot.manners.clone());
        let manners = configured.or_else(|| self.kinds.get(kind).cloned()).unwrap_or_default();
        let endpoint = Endpoint::simulated(&name, kind, simulator, manners, &self.limits, &self.door);
        Arc::make_mut(&mut self.by_name).insert(name, Arc::new(Slot::fixed(endpoint)));
        self
    }

    /// The door that they are behind.
    #[must_use]
    pub const fn door(&self) -> &Door {
        &self.door
    }

    /// The same connections, with this between them and the packs.
    #[must_use]
    pub fn with_traffic(mut self, traffic: Option<Traffic>) -> Self {
        self.traffic = traffic;
        self
    }

    /// What stands between them and the packs.
    #[must_use]
    pub const fn traffic(&self) -> Option<&Traffic> {
        self.traffic.as_ref()
    }

    /// What may be shown of a connection.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<ConnectionInfo> {
        self.by_name.get(name).map(|slot| slot.info.clone())
    }

    /// What may be shown of all connections, in the order of their names.
    #[must_use]
    pub fn list(&self) -> Vec<ConnectionInfo> {
        self.by_name.values().map(|slot| slot.info.clone()).collect()
    }

    pub(super) fn slot(&self, name: &str) -> Option<(&ConnectionName, &Arc<Slot>)> {
        self.by_name.get_key_value(name)
    }

    /// The endpoint of requests to absolute URLs.
    pub(super) fn direct(&self, tls: bool) -> &Arc<Endpoint> {
        if tls { &self.direct_tls } else { &self.direct_plain }
    }

    pub(super) const fn limits(&self) -> &HttpLimits {
        &self.limits
    }
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.by_name.values().map(|slot| &slot.info)).finish()
    }
}
