//! Access tokens of a connection (RFC 6749 §4.4, client credentials): fetched once by however many wait, kept, renewed
//! before they end.
//!
//! Written here and not taken from the crate `oauth2`: the grant is one POST, which has to go through the connection's
//! own TLS and limits, and what is hard about it, that all requests share one token, no crate does. **Neither the secret
//! nor a token stands in an error**: of what the endpoint answers only its error code is shown, which is a fixed set.

mod answer;
mod request;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderValue;
use runner_model::ConnectionName;
use runner_model::limits::{HttpLimits, TOKEN_TIMEOUT};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::warn;
use url::Url;

use super::client::Client;
use super::connection::{ConnectionConfig, OAuth2};
use super::door::Door;
use super::error::{ErrorKind, NetError};
use super::gate::{Gate, Side};
use super::tls;
use request::TokenRequest;

/// The part of a token's life after which it is renewed.
const RENEWED_AFTER: f64 = 0.8;

/// Where the access tokens of a connection come from.
pub(super) struct TokenSource {
    /// The endpoint, as it is named in messages: without its query.
    shown: String,
    request: TokenRequest,
    client: Client,
    /// Whether the endpoint has TLS settings of its own.
    has_own_tls: bool,
    /// How many fetches have ended. Whoever finds a higher number than when it began to wait has not waited in vain.
    ended: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// Why the last fetch failed, if it did.
    failed: Option<NetError>,
}

/// An access token, ready to be sent.
#[derive(Clone)]
pub(super) struct Token {
    header: HeaderValue,
    /// Which fetch it came from.
    number: u64,
    renewed_at: Option<Instant>,
    ends_at: Option<Instant>,
}

impl Token {
    pub(super) const fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// For how long it is good, if the endpoint said so.
    pub(super) fn lifetime(&self) -> Option<Duration> {
        self.ends_at.map(|ends| ends.saturating_duration_since(Instant::now()))
    }
}

impl TokenSource {
    /// The source that these settings of a connection mean.
    pub(super) fn new(
        oauth2: &OAuth2,
        config: &ConnectionConfig,
        limits: &HttpLimits,
        door: &Door,
        name: &ConnectionName,
    ) -> Result<Self, String> {
        let url = &oauth2.token_url;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err("the token endpoint is neither `http:` nor `https:`".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err("the URL of the token endpoint holds credentials or a fragment".to_owned());
        }
        let own = oauth2.token_tls.as_ref();
        own.map_or(Ok(()), tls::check).map_err(|mistake| format!("for the token endpoint: {mistake}"))?;
        let tls = (url.scheme() == "https").then(|| own.unwrap_or(&config.tls).clone());
        let gate = Gate::new(door, config.reach(url), url, Side::Connection(name.to_string()));
        Ok(Self {
            shown: shown(url),
            request: TokenRequest::new(oauth2)?,
            client: Client::new(tls, limits, gate),
            has_own_tls: own.is_some(),
            ended: AtomicU64::new(0),
            state: Mutex::default(),
        })
    }

    /// Why somebody on the way to the endpoint could read the client's secret, if so.
    pub(super) fn risk(&self) -> Option<&'static str> {
        match &self.client.tls {
            None => Some("it is not encrypted"),
            Some(tls) if tls.insecure => Some("any server is trusted"),
            Some(_) => None,
        }
    }

    /// The endpoint, without its query.
    pub(super) fn endpoint(&self) -> &str {
        &self.shown
    }

    /// A token: the one that is kept, or a fresh one, fetched once for all who wait.
    pub(super) async fn get(&self, limits: &HttpLimits) -> Result<Token, NetError> {
        let before = self.ended.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        let now = Instant::now();
        if let Some(token) = &mut state.token
            && token.ends_at.is_none_or(|ends| now < ends)
        {
            if token.renewed_at.is_none_or(|at| now < at) {
                return Ok(token.clone());
            }
            // It is good for a while yet: if there is no other now, the next attempt is made when half of that is over.
            token.renewed_at = token.ends_at.map(|ends| now + ends.saturating_duration_since(now) / 2);
            let old = token.clone();
            return Ok(self.fetch(&mut state, limits).await.unwrap_or_else(|error| {
                warn!(endpoint = self.shown, %error, "the access token could not be renewed: the old one is used on");
                old
            }));
        }
        self.shared(before, state, limits).await
    }

    /// A token in place of one that the server refused. Whoever was refused with the same one gets the same new one.
    pub(super) async fn replace(&self, refused: &Token, limits: &HttpLimits) -> Result<Token, NetError> {
        let before = self.ended.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        match &state.token {
            Some(token) if token.number != refused.number => return Ok(token.clone()),
            _ => state.token = None,
        }
        self.shared(before, state, limits).await
    }

    /// Fetches a token, unless a fetch has failed since this was asked for: then that failure is everybody's.
    async fn shared(
        &self,
        before: u64,
        mut state: tokio::sync::MutexGuard<'_, State>,
        limits: &HttpLimits,
    ) -> Result<Token, NetError> {
        if self.ended.load(Ordering::Acquire) != before
            && let Some(failed) = &state.failed
        {
            return Err(failed.clone());
        }
        self.fetch(&mut state, limits).await
    }

    /// Dropped halfway, it leaves the state as it was, and the next one fetches.
    async fn fetch(&self, state: &mut State, limits: &HttpLimits) -> Result<Token, NetError> {
        let time = limits.timeout.min(TOKEN_TIMEOUT);
        let late = |_| Err(self.failed(&format!("gave no answer within {time:?}")).passing());
        let answer = tokio::time::timeout(time, self.ask()).await.unwrap_or_else(late);
        let number = self.ended.fetch_add(1, Ordering::AcqRel) + 1;
        let result = answer.map(|granted| {
            let now = Instant::now();
            Token {
                header: granted.header,
                number,
                renewed_at: granted.lifetime.map(|life| now + life.mul_f64(RENEWED_AFTER)),
                ends_at: granted.lifetime.map(|life| now + life),
            }
        });
        state.failed = result.as_ref().err().cloned();
        if let Ok(token) = &result {
            state.token = Some(token.clone());
        }
        let outcome = if result.is_ok() { "granted" } else { "failed" };
        metrics::counter!("runner_http_tokens_total", "outcome" => outcome).increment(1);
        result
    }

    async fn ask(&self) -> Result<answer::Granted, NetError> {
        let (status, body) = self.request.send(&self.client).await.map_err(|error| self.unreached(error))?;
        answer::read(status, &body).map_err(|refusal| {
            let mut error = self.failed(&refusal.message);
            if refusal.passing {
                error = error.passing();
            }
            match refusal.hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            }
        })
    }

    /// The endpoint could not be reached: the network's own error, with the endpoint's name and what its settings are.
    fn unreached(&self, error: NetError) -> NetError {
        let mut failed = self.failed(&format!("cannot be reached: {}", error.message));
        if error.retryable() {
            failed = failed.passing();
        }
        match (error.kind, error.hint) {
            (ErrorKind::Tls, _) if self.has_own_tls => {
                failed.with_hint("look at `auth.token_tls` of the connection: its `ca_file`, or its `pin`")
            }
            (ErrorKind::Tls, _) => failed.with_hint(
                "the token endpoint is trusted as the connection itself is: if it has another authority or pin, write \
                 `token_tls = { ca_file = \"…\" }` into `auth` of the connection",
            ),
            (_, Some(hint)) => failed.with_hint(hint),
            _ => failed.with_hint("look at `auth.token_url` of the connection"),
        }
    }

    fn failed(&self, what: &str) -> NetError {
        NetError::new(ErrorKind::Token, format!("no access token: the token endpoint {} {what}", self.shown))
    }
}

fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}
