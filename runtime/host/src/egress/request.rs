//! What a guest asks for, and the checked request that is made of it.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use runner_model::limits::{HttpLimits, URL_BYTES_MAX};
use runner_model::{HttpAsk, HttpTarget, Reach};
use tokio::time::Instant;
use url::Url;

use super::endpoint::Endpoint;
use super::error::{self, ErrorKind, NetError};
use super::pool::Owner;
use super::{header as headers, path, permit};
use crate::attempt::{PackContext, RequestSummary};
use crate::mask::Mask;
use crate::simulator::SimulatorRequest;
use crate::trace::TraceParent;
use crate::traffic::{Ask, Origin};

/// The header of W3C Trace Context.
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// A request as a guest wrote it.
pub(crate) struct Outgoing {
    pub(crate) target: Target,
    pub(crate) method: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) effect: Option<Effect>,
    /// Where it belongs: told to the system behind a connection, unless the guest says something else.
    pub(crate) trace: Option<TraceParent>,
    /// When whoever asked is gone.
    pub(crate) until: Option<Instant>,
    /// The attempt that sends it.
    pub(crate) origin: Origin,
}

/// Where a request goes.
pub(crate) enum Target {
    Connection { name: String, path: String },
    Url(String),
}

/// What a request does to the system behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Read,
    Create,
    Update,
    Delete,
}

impl Effect {
    /// What a method does unless the request says otherwise. An unknown one is taken to change something.
    fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => Self::Read,
            Method::POST => Self::Create,
            Method::DELETE => Self::Delete,
            _ => Self::Update,
        }
    }
}

/// A request that may be sent, credentials included.
pub(super) struct Checked {
    pub(super) method: Method,
    pub(super) url: Url,
    /// The path as the system behind a connection sees it: without the base URL's.
    system_path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    /// Time for one try.
    pub(super) timeout: Duration,
    /// When it must have ended, further tries included.
    pub(super) until: Option<Instant>,
    pub(super) effect: Effect,
    /// Who sends it.
    pub(super) owner: Owner,
    /// Which addresses the grant lets it reach; a connection says so itself.
    pub(super) reach: Reach,
}

impl Checked {
    /// A read of this path of a connection, for its test.
    pub(super) fn test(endpoint: &Endpoint, path: &str, timeout: Duration) -> Result<Self, NetError> {
        let path = path::normalise(path)?;
        let mut headers = HeaderMap::new();
        let agent = concat!("runner/", env!("CARGO_PKG_VERSION"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        endpoint.add_headers(&mut headers);
        let url = endpoint.url_of(&path)?;
        let (method, effect) = (Method::GET, Effect::Read);
        let (owner, reach) = (Owner::Host, Reach::default());
        Ok(Self { method, url, system_path: path, headers, body: None, timeout, until: None, effect, owner, reach })
    }

    /// A read of the very thing that this request is about, with its credentials.
    pub(super) fn reading(&self) -> Self {
        let mut headers = self.headers.clone();
        headers.remove(header::CONTENT_TYPE);
        let mut url = self.url.clone();
        url.set_query(None);
        Self {
            method: Method::GET,
            url,
            system_path: self.system_path.clone(),
            headers,
            body: None,
            timeout: self.timeout,
            until: self.until,
            effect: Effect::Read,
            owner: self.owner.clone(),
            reach: self.reach.clone(),
        }
    }

    /// What may be told of it: no credentials. They are learned by whoever must not write them down.
    pub(super) fn ask(&self, endpoint: &Endpoint, origin: &Origin, mask: &Mask) -> Ask {
        for value in self.headers.values().filter(|value| value.is_sensitive()) {
            learn(mask, &String::from_utf8_lossy(value.as_bytes()));
        }
        let SimulatorRequest { method, path, query, mut headers, body } = self.for_simulator();
        headers.retain(|(name, _)| !self.headers.get(name).is_some_and(HeaderValue::is_sensitive));
        let target = match endpoint.info.name.as_str() {
            "" => self.url.origin().ascii_serialization(),
            name => name.to_owned(),
        };
        Ask { origin: origin.clone(), target, kind: endpoint.info.kind.clone(), method, path, query, headers, body }
    }

    /// The time that is left, if it is limited.
    pub(super) fn left(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// The same request for a simulator.
    pub(super) fn for_simulator(&self) -> SimulatorRequest {
        SimulatorRequest {
            method: self.method.as_str().to_owned(),
            path: self.system_path.clone(),
            query: path::decode_query(self.url.query().unwrap_or_default()),
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            body: self.body.as_deref().unwrap_or_default().to_vec(),
        }
    }
}

/// Learns a credential as it is sent, and what is in it.
fn learn(mask: &Mask, value: &str) {
    mask.learn(value);
    let Some((scheme, rest)) = value.split_once(' ') else { return };
    mask.learn(rest);
    let pair = STANDARD.decode(rest).ok().filter(|_| scheme == "Basic").and_then(|pair| String::from_utf8(pair).ok());
    if let Some((_, password)) = pair.as_deref().and_then(|pair| pair.split_once(':')) {
        mask.learn(password);
    }
}

/// What an observer may know of a request before it was checked.
pub(super) fn summary(outgoing: &Outgoing) -> RequestSummary {
    let (target, path) = match &outgoing.target {
        Target::Connection { name, path } => (name.clone(), path.clone()),
        Target::Url(text) => match Url::parse(text) {
            Ok(url) => (url.origin().ascii_serialization(), url.path().to_owned()),
            Err(_) => ("a malformed URL".to_owned(), String::new()),
        },
    };
    RequestSummary { method: outgoing.method.clone(), target, path, result: Ok(0), elapsed: Duration::ZERO }
}

/// Checks a request in the order that the module above gives.
pub(super) async fn check(
    pack: &PackContext,
    limits: &HttpLimits,
    outgoing: Outgoing,
) -> Result<(Checked, Arc<Endpoint>), NetError> {
    let method = method(&outgoing.method)?;
    let Resolved { mut url, system_path, endpoint, reach } = match &outgoing.target {
        Target::Connection { name, path } => through_connection(pack, &method, name, path).await?,
        Target::Url(text) => to_url(pack, &method, text)?,
    };
    add_query(&mut url, &outgoing.query)?;
    let mut headers = headers::check(limits, &outgoing.headers, |name| endpoint.sets_header(name))?;
    if let Some(body) = &outgoing.body
        && body.len() > limits.request_bytes_max
    {
        return Err(error::too_large("the request's body", limits.request_bytes_max, "bytes"));
    }
    if !headers.contains_key(header::USER_AGENT) {
        headers.insert(header::USER_AGENT, user_agent(pack));
    }
    let is_known = matches!(outgoing.target, Target::Connection { .. }) && !headers.contains_key(TRACE_PARENT);
    let trace = outgoing.trace.filter(|_| is_known).and_then(|trace| HeaderValue::from_str(&trace.to_string()).ok());
    if let Some(trace) = trace {
        headers.insert(TRACE_PARENT, trace);
    }
    endpoint.add_headers(&mut headers);
    let effect = outgoing.effect.unwrap_or_else(|| Effect::of(&method));
    let timeout = super::time_allowed(limits, endpoint.timeout, outgoing.timeout);
    // What a guest asks for is its time for everything, what host and connection allow is for each try.
    let asked = outgoing.timeout.map(|timeout| Instant::now() + timeout);
    let until = asked.into_iter().chain(outgoing.until).min();
    let body = outgoing.body.map(Bytes::from);
    let owner = Owner::Pack(pack.pack.clone());
    Ok((Checked { method, url, system_path, headers, body, timeout, until, effect, owner, reach }, endpoint))
}

/// Where a request goes, and which addresses it may find there.
struct Resolved {
    url: Url,
    system_path: String,
    endpoint: Arc<Endpoint>,
    reach: Reach,
}

async fn through_connection(
    pack: &PackContext,
    method: &Method,
    name: &str,
    written: &str,
) -> Result<Resolved, NetError> {
    let Some((name, slot)) = pack.connections.slot(name) else {
        return Err(NetError::new(
            ErrorKind::UnknownConnection,
            format!("there is no connection `{}`", name.escape_debug()),
        )
        .with_hint("add it to the connections of the configuration; `runner connection list` shows those there are"));
    };
    let path = path::normalise(written)?;
    let target = HttpTarget::Connection { name, kind: &slot.info.kind };
    permit::check(pack, &HttpAsk { target, method: method.as_str(), path: &path })?;
    // Only now: whoever is denied has no secret fetched.
    let endpoint = slot.endpoint().await?;
    let url = endpoint.url_of(&path)?;
    Ok(Resolved { url, system_path: path, endpoint, reach: Reach::default() })
}

fn to_url(pack: &PackContext, method: &Method, text: &str) -> Result<Resolved, NetError> {
    let bad = |message: &str| NetError::new(ErrorKind::BadRequest, message);
    // The parser would remove them without a word.
    if text.chars().any(char::is_control) {
        return Err(bad("the URL holds a control character"));
    }
    let mut url = Url::parse(text).map_err(|error| bad(&format!("the URL is malformed: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("the URL is neither `http:` nor `https:`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("the URL holds credentials").with_hint("use a connection: its credentials stay in the host"));
    }
    url.set_fragment(None);
    path::refuse_hidden_dots(url.path())?;
    let path = url.path().to_owned();
    let ask = HttpAsk { target: HttpTarget::Url(&url), method: method.as_str(), path: &path };
    permit::check(pack, &ask)?;
    // The operator's word alone, as it is now: what a pack asks for opens no network.
    let reach = match &pack.current {
        Some(grant) => grant.get().reach(&ask, &url),
        None => pack.grant.reach(&ask, &url),
    };
    let endpoint = Arc::clone(pack.connections.direct(url.scheme() == "https"));
    Ok(Resolved { url, system_path: path, endpoint, reach })
}

fn add_query(url: &mut Url, pairs: &[(String, String)]) -> Result<(), NetError> {
    if !pairs.is_empty() {
        let added = path::encode_query(pairs);
        let query = match url.query().filter(|query| !query.is_empty()) {
            Some(query) => format!("{query}&{added}"),
            None => added,
        };
        url.set_query(Some(&query));
    }
    if url.as_str().len() > URL_BYTES_MAX {
        return Err(error::too_large("the URL", URL_BYTES_MAX, "bytes"));
    }
    Ok(())
}

fn method(text: &str) -> Result<Method, NetError> {
    let well_formed = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    match Method::from_bytes(text.as_bytes()) {
        // CONNECT opens a tunnel past this door.
        Ok(method) if well_formed && method != Method::CONNECT => Ok(method),
        _ => Err(NetError::new(
            ErrorKind::BadRequest,
            format!("`{}` is not a method that can be sent", text.escape_debug()),
        )
        .with_hint("write it in capitals, such as `GET`")),
    }
}

fn user_agent(pack: &PackContext) -> HeaderValue {
    let text = format!("runner/{} {}/{}", env!("CARGO_PKG_VERSION"), pack.pack, pack.version);
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("runner"))
}
