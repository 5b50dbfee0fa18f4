//! One place that requests go to: how it is reached, what is added to each request, how much of it there may be at once.

mod way;

use std::time::Duration;

use base64::Engine as _;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use runner_model::limits::{CONNECTION_CONCURRENCY_MAX, HttpLimits};
use runner_model::{ConnectionName, Manners, Mask};
use tokio::sync::Semaphore;
use tracing::warn;
use url::Url;

use super::connection::{Auth, ConnectionConfig, Tls};
use super::connections::{AuthKind, ConnectionInfo, TlsKind};
use super::credentials;
use super::door::Door;
use super::error::{ErrorKind, NetError};
use super::retry::RetryPolicy;
use super::tls;
use super::token::TokenSource;
use crate::simulator::Simulator;
pub(super) use way::Route;

/// What a simulator is sent in place of credentials: real ones have no business there.
const SIMULATED_AUTHORIZATION: &str = "Basic c2ltdWxhdG9yOnNpbXVsYXRvcg==";

/// One place that requests go to.
pub(super) struct Endpoint {
    pub(super) info: ConnectionInfo,
    pub(super) timeout: Option<Duration>,
    pub(super) via: Via,
    /// Where its access tokens come from, if it takes any.
    pub(super) tokens: Option<TokenSource>,
    pub(super) retry: RetryPolicy,
    pub(super) manners: Manners,
    /// Credentials and configured headers, marked as sensitive.
    headers: HeaderMap,
    places: Option<Semaphore>,
    door: Door,
    /// Which of the endpoints it is that the connection has had: each has clients of its own, with its own certificate.
    generation: u64,
    /// What a server must not quote.
    pub(super) credentials: Mask,
}

/// How an endpoint is reached.
pub(super) enum Via {
    Network(Box<Route>),
    Simulator(Simulator),
}

impl Endpoint {
    /// An error without credentials that a server quoted.
    pub(super) fn hidden(&self, mut error: NetError) -> NetError {
        self.credentials.hide_text(&mut error.message);
        error
    }

    /// The endpoint of a connection. Its manners are its own and its kind's together.
    pub(super) fn configured(
        name: &ConnectionName,
        config: &ConnectionConfig,
        limits: &HttpLimits,
        door: &Door,
    ) -> Result<Self, String> {
        if config.addresses.as_ref().is_some_and(Vec::is_empty) {
            return Err("`addresses` is empty: nothing could be reached".to_owned());
        }
        if let Some(mistake) = config.manners.mistakes().into_iter().next() {
            return Err(mistake);
        }
        tls::check(&config.tls)?;
        let limits = limits_of(limits, &config.manners);
        let tokens = match &config.auth {
            Auth::OAuth2(oauth2) => Some(TokenSource::new(oauth2, config, &limits, door, name)?),
            _ => None,
        };
        let info = info(name, config, &limits)?;
        warn_of_risks(name, &info, tokens.as_ref());
        let tls = (info.tls != TlsKind::None).then(|| config.tls.clone());
        Ok(Self {
            info,
            timeout: config.timeout,
            via: Via::Network(Box::new(Route {
                tls,
                reach: Some(config.reach(&config.base_url)),
                limits: limits.clone(),
            })),
            tokens,
            retry: RetryPolicy::of(&config.manners.retry),
            manners: config.manners.clone(),
            headers: own_headers(config)?,
            places: Some(Semaphore::new(limits.connection_concurrency_max)),
            door: door.clone(),
            generation: 0,
            credentials: credentials::of(config),
        })
    }

    pub(super) fn simulated(
        name: &ConnectionName,
        kind: &str,
        simulator: Simulator,
        manners: Manners,
        limits: &HttpLimits,
        door: &Door,
    ) -> Self {
        // What cannot be meant was refused when the pack was loaded.
        let mut headers = kind_headers(&manners).unwrap_or_default();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static(SIMULATED_AUTHORIZATION));
        let limits = limits_of(limits, &manners);
        Self {
            info: ConnectionInfo {
                name: name.to_string(),
                kind: kind.to_owned(),
                base_url: None,
                auth: AuthKind::None,
                tls: TlsKind::None,
                client_certificate: false,
                concurrency: places_of(&limits),
                simulated: true,
            },
            timeout: None,
            via: Via::Simulator(simulator),
            tokens: None,
            retry: RetryPolicy::of(&manners.retry),
            manners,
            headers,
            places: Some(Semaphore::new(limits.connection_concurrency_max)),
            door: door.clone(),
            generation: 0,
            credentials: Mask::default(),
        }
    }

    /// Requests to absolute URLs: no credentials, and no common limit of places, since one slow host must not hold up
    /// the others.
    pub(super) fn direct(tls: Option<Tls>, limits: &HttpLimits, door: &Door) -> Self {
        Self {
            info: ConnectionInfo {
                name: String::new(),
                kind: String::new(),
                base_url: None,
                auth: AuthKind::None,
                tls: if tls.is_some() { TlsKind::Platform } else { TlsKind::None },
                client_certificate: false,
                concurrency: u32::MAX,
                simulated: false,
            },
            timeout: None,
            via: Via::Network(Box::new(Route { tls, reach: None, limits: limits.clone() })),
            tokens: None,
            retry: RetryPolicy::unknown(),
            manners: Manners::default(),
            headers: HeaderMap::new(),
            places: None,
            door: door.clone(),
            generation: 0,
            credentials: Mask::default(),
        }
    }

    /// The same as the connection's endpoint with this number.
    pub(super) fn of_generation(self, generation: u64) -> Self {
        Self { generation, ..self }
    }

    /// Whether the connection sets this header itself. `authorization` is never a guest's on a connection.
    pub(super) fn sets_header(&self, name: &HeaderName) -> bool {
        self.headers.contains_key(name) || (*name == header::AUTHORIZATION && !self.info.name.is_empty())
    }

    /// Adds credentials and configured headers; an access token is added when the request is sent.
    pub(super) fn add_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
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

/// What may be shown of a connection.
pub(super) fn info(
    name: &ConnectionName,
    config: &ConnectionConfig,
    limits: &HttpLimits,
) -> Result<ConnectionInfo, String> {
    let base_url = base(&config.base_url)?;
    let encrypted = base_url.scheme() == "https";
    let client_certificate = config.tls.client_certificate.is_some();
    if client_certificate && !encrypted {
        return Err("`tls.client_certificate` needs a base URL with `https:`".to_owned());
    }
    Ok(ConnectionInfo {
        name: name.to_string(),
        kind: config.kind.clone(),
        base_url: Some(base_url),
        auth: auth_kind(&config.auth),
        tls: if encrypted { tls_kind(&config.tls) } else { TlsKind::None },
        client_certificate,
        concurrency: places_of(limits),
        simulated: false,
    })
}

fn warn_of_risks(name: &ConnectionName, info: &ConnectionInfo, tokens: Option<&TokenSource>) {
    if info.tls == TlsKind::Insecure {
        warn!(connection = %name, "the connection trusts any server: whoever is on the way can read its credentials");
    } else if info.tls == TlsKind::None && info.auth != AuthKind::None {
        warn!(connection = %name, "the connection sends its credentials unencrypted");
    }
    if let Some(risk) = tokens.and_then(TokenSource::risk) {
        warn!(connection = %name, risk, "whoever is on the way to the token endpoint can read its credentials");
    }
}

fn places_of(limits: &HttpLimits) -> u32 {
    u32::try_from(limits.connection_concurrency_max).unwrap_or(u32::MAX)
}

/// The limits with the number of places that these manners ask for.
pub(super) fn limits_of(limits: &HttpLimits, manners: &Manners) -> HttpLimits {
    let mut limits = limits.clone();
    if let Some(count) = manners.concurrency {
        let count = count.clamp(1, CONNECTION_CONCURRENCY_MAX);
        limits.connection_concurrency_max = usize::try_from(count).unwrap_or(limits.connection_concurrency_max);
    }
    limits
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

/// The headers of a kind.
fn kind_headers(manners: &Manners) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &manners.headers {
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is not a header's name"))?;
        let value = HeaderValue::from_str(value).map_err(|_| format!("the header `{name}` is malformed"))?;
        headers.insert(parsed, value);
    }
    Ok(headers)
}

/// The headers of a connection: its kind's, its own, and the credentials.
fn own_headers(config: &ConnectionConfig) -> Result<HeaderMap, String> {
    let mut headers = kind_headers(&config.manners)?;
    for (name, value) in &config.headers {
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is not a header's name"))?;
        headers.insert(parsed, sensitive(value.expose()).ok_or_else(|| format!("the header `{name}` is malformed"))?);
    }
    let authorization = match &config.auth {
        Auth::None | Auth::OAuth2(_) => return Ok(headers),
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

/// The value of a header that is shown nowhere.
pub(super) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

const fn auth_kind(auth: &Auth) -> AuthKind {
    match auth {
        Auth::None => AuthKind::None,
        Auth::Basic { .. } => AuthKind::Basic,
        Auth::Bearer { .. } => AuthKind::Bearer,
        Auth::OAuth2(_) => AuthKind::OAuth2,
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
