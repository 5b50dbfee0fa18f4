//! The connections of a process: made once, shared by all packs.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use runner_model::limits::HttpLimits;
use runner_model::{ConnectionName, Failure, Limits, code};
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::warn;
use url::Url;

use super::connection::{Auth, ConnectionConfig, Tls};
use super::error::{ErrorKind, NetError};
use super::{network, tls};
use crate::simulator::Simulator;

/// What a simulator is sent in place of credentials: real ones have no business there.
const SIMULATED_AUTHORIZATION: &str = "Basic c2ltdWxhdG9yOnNpbXVsYXRvcg==";

/// The connections of a process by name. A clone is the same connections, pools and places included.
#[derive(Clone)]
pub struct Connections {
    by_name: Arc<BTreeMap<ConnectionName, Arc<Endpoint>>>,
    direct_plain: Arc<Endpoint>,
    direct_tls: Arc<Endpoint>,
    limits: HttpLimits,
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

/// One place that requests go to.
pub(super) struct Endpoint {
    pub(super) info: ConnectionInfo,
    pub(super) timeout: Option<Duration>,
    pub(super) via: Via,
    /// Credentials and configured headers, marked as sensitive.
    headers: HeaderMap,
    places: Option<Semaphore>,
}

/// How an endpoint is reached.
pub(super) enum Via {
    Network(Client),
    Simulator(Simulator),
}

/// An HTTP client, made when it is first needed: reading the platform's certificates takes milliseconds.
pub(super) struct Client {
    pub(super) tls: Option<Tls>,
    limits: HttpLimits,
    made: OnceLock<Result<reqwest::Client, NetError>>,
}

impl Client {
    fn new(tls: Option<Tls>, limits: &HttpLimits) -> Self {
        Self { tls, limits: limits.clone(), made: OnceLock::new() }
    }

    /// The client.
    pub(super) fn get(&self) -> Result<&reqwest::Client, NetError> {
        self.made.get_or_init(|| network::client(self.tls.as_ref(), &self.limits)).as_ref().map_err(Clone::clone)
    }
}

impl Connections {
    /// The connections with these settings.
    ///
    /// # Errors
    /// A name that stands twice, or a setting that cannot be meant.
    pub fn new(configs: Vec<(ConnectionName, ConnectionConfig)>, limits: &Limits) -> Result<Self, Failure> {
        let mut by_name = BTreeMap::new();
        for (name, config) in configs {
            let endpoint = Endpoint::configured(&name, &config, &limits.http)
                .map_err(|message| Failure::new(code::CONF_INVALID, format!("the connection `{name}`: {message}")))?;
            if by_name.insert(name.clone(), Arc::new(endpoint)).is_some() {
                return Err(Failure::new(code::CONF_INVALID, format!("the connection `{name}` stands twice")));
            }
        }
        Ok(Self {
            by_name: Arc::new(by_name),
            direct_plain: Arc::new(Endpoint::direct(None, &limits.http)),
            direct_tls: Arc::new(Endpoint::direct(Some(Tls::default()), &limits.http)),
            limits: limits.http.clone(),
        })
    }

    /// No connections at all.
    #[must_use]
    pub fn none(limits: &Limits) -> Self {
        Self {
            by_name: Arc::default(),
            direct_plain: Arc::new(Endpoint::direct(None, &limits.http)),
            direct_tls: Arc::new(Endpoint::direct(Some(Tls::default()), &limits.http)),
            limits: limits.http.clone(),
        }
    }

    /// The same connections, but with a simulator behind this name.
    #[must_use]
    pub fn with_simulator(mut self, name: ConnectionName, kind: &str, simulator: Simulator) -> Self {
        let endpoint = Endpoint::simulated(&name, kind, simulator, &self.limits);
        Arc::make_mut(&mut self.by_name).insert(name, Arc::new(endpoint));
        self
    }

    /// What may be shown of a connection.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<ConnectionInfo> {
        self.by_name.get(name).map(|endpoint| endpoint.info.clone())
    }

    /// What may be shown of all connections, in the order of their names.
    #[must_use]
    pub fn list(&self) -> Vec<ConnectionInfo> {
        self.by_name.values().map(|endpoint| endpoint.info.clone()).collect()
    }

    pub(super) fn endpoint(&self, name: &str) -> Option<(&ConnectionName, &Arc<Endpoint>)> {
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
        f.debug_list().entries(self.by_name.values().map(|endpoint| &endpoint.info)).finish()
    }
}

impl Endpoint {
    fn configured(name: &ConnectionName, config: &ConnectionConfig, limits: &HttpLimits) -> Result<Self, String> {
        let base_url = base(&config.base_url)?;
        let encrypted = base_url.scheme() == "https";
        let info = ConnectionInfo {
            name: name.to_string(),
            kind: config.kind.clone(),
            auth: auth_kind(&config.auth),
            tls: if encrypted { tls_kind(&config.tls) } else { TlsKind::None },
            base_url: Some(base_url),
            simulated: false,
        };
        tls::check(&config.tls)?;
        if info.tls == TlsKind::Insecure {
            warn!(connection = %name, "the connection trusts any server: whoever is on the way can read its credentials");
        } else if !encrypted && info.auth != AuthKind::None {
            warn!(connection = %name, "the connection sends its credentials unencrypted");
        }
        Ok(Self {
            info,
            timeout: config.timeout,
            via: Via::Network(Client::new(encrypted.then(|| config.tls.clone()), limits)),
            headers: own_headers(config)?,
            places: Some(Semaphore::new(limits.connection_concurrency_max)),
        })
    }

    fn simulated(name: &ConnectionName, kind: &str, simulator: Simulator, limits: &HttpLimits) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static(SIMULATED_AUTHORIZATION));
        Self {
            info: ConnectionInfo {
                name: name.to_string(),
                kind: kind.to_owned(),
                base_url: None,
                auth: AuthKind::None,
                tls: TlsKind::None,
                simulated: true,
            },
            timeout: None,
            via: Via::Simulator(simulator),
            headers,
            places: Some(Semaphore::new(limits.connection_concurrency_max)),
        }
    }

    /// Requests to absolute URLs: no credentials, and no common limit of places, since one slow host must not hold up
    /// the others.
    fn direct(tls: Option<Tls>, limits: &HttpLimits) -> Self {
        Self {
            info: ConnectionInfo {
                name: String::new(),
                kind: String::new(),
                base_url: None,
                auth: AuthKind::None,
                tls: if tls.is_some() { TlsKind::Platform } else { TlsKind::None },
                simulated: false,
            },
            timeout: None,
            via: Via::Network(Client::new(tls, limits)),
            headers: HeaderMap::new(),
            places: None,
        }
    }

    /// Waits for a place among the requests on this connection.
    pub(super) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.places.as_ref()?.acquire().await.ok()
    }

    /// Whether the connection sets this header itself. `authorization` is never a guest's on a connection.
    pub(super) fn sets_header(&self, name: &HeaderName) -> bool {
        self.headers.contains_key(name) || (*name == header::AUTHORIZATION && !self.info.name.is_empty())
    }

    /// Adds credentials and configured headers.
    pub(super) fn add_headers(&self, headers: &mut HeaderMap) {
        headers.extend(self.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    }

    /// The URL of a normalised path behind this connection.
    pub(super) fn url_of(&self, path: &str) -> Result<Url, NetError> {
        let Some(base) = &self.info.base_url else {
            // A simulator has no address; the URL only carries path and query.
            let mut url = Url::parse("http://simulator.invalid/")
                .map_err(|error| NetError::new(ErrorKind::Other, error.to_string()))?;
            url.set_path(path);
            return Ok(url);
        };
        let mut url = base.clone();
        let whole = format!("{}{path}", base.path().trim_end_matches('/'));
        url.set_path(&whole);
        // What was checked is what is sent, whatever the parser thinks of it.
        if url.path() == whole { Ok(url) } else { Err(NetError::new(ErrorKind::BadRequest, "the path is malformed")) }
    }
}

fn base(url: &Url) -> Result<Url, String> {
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("its base URL is neither `http:` nor `https:`".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("its base URL holds credentials: put them into `auth`".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("its base URL has a query or a fragment".to_owned());
    }
    Ok(url.clone())
}

fn own_headers(config: &ConnectionConfig) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &config.headers {
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is not a header's name"))?;
        headers.insert(parsed, sensitive(value.expose()).ok_or_else(|| format!("the header `{name}` is malformed"))?);
    }
    let authorization = match &config.auth {
        Auth::None => return Ok(headers),
        Auth::Basic { username, .. } if username.contains(':') => {
            return Err("a user name for basic authentication has no `:`".to_owned());
        }
        Auth::Basic { username, password } => {
            let pair = format!("{username}:{}", password.expose());
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
        }
        Auth::Bearer { token } => format!("Bearer {}", token.expose()),
    };
    let value = sensitive(&authorization).ok_or("its token holds characters that cannot be sent")?;
    headers.insert(header::AUTHORIZATION, value);
    Ok(headers)
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

const fn auth_kind(auth: &Auth) -> AuthKind {
    match auth {
        Auth::None => AuthKind::None,
        Auth::Basic { .. } => AuthKind::Basic,
        Auth::Bearer { .. } => AuthKind::Bearer,
    }
}

const fn tls_kind(tls: &Tls) -> TlsKind {
    match tls {
        Tls { insecure: true, .. } => TlsKind::Insecure,
        Tls { pin_sha256: Some(_), .. } => TlsKind::Pinned,
        Tls { ca_pem: Some(_), .. } => TlsKind::Ca,
        _ => TlsKind::Platform,
    }
}
