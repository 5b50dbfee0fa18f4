//! Who asks, and whether they may.
//!
//! A key comes as `Authorization: Bearer rk_…`, `X-Api-Key` or StackStorm's `St2-Api-Key`. It is looked up by the digest
//! of its secret, so the time that takes says nothing about how much of a guess was right. What was looked up is kept
//! for a second, and no longer: so soon a revoked key ends.
//!
//! Without a key, where that is allowed, everything rests on the request having come from this machine and not from a
//! web page that somebody looks at here: the host it names must be one of ours (a name that an attacker's DNS points at
//! the loopback is not), and its origin, if it has one, the same.

mod host;
mod ring;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use runner_model::{ApiKey, Role, Timestamp, code, limits};
use runner_store::{AuditOrigin, Audited};

use super::AccessMode;
use super::context::Context;
use super::problem::ApiProblem;
use crate::key::key_digest;
use crate::listen::Peer;
pub(crate) use ring::KeyRing;

/// Whoever asks.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    /// What they may do.
    pub(crate) role: Role,
    /// Their key; none for whoever needs none.
    pub(crate) key: Option<Arc<ApiKey>>,
    /// Where the request came from; none over the local socket.
    pub(crate) address: Option<IpAddr>,
    /// The user at the other end of the local socket, as they call themselves.
    pub(crate) user: Option<String>,
}

/// Marks a request that came over the local socket, where only the user of this process comes in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Local;

impl Principal {
    const LOCAL: Self = Self { role: Role::Admin, key: None, address: None, user: None };

    /// Whether they may see and touch what belongs to a pack.
    pub(crate) fn may_touch(&self, pack: &str) -> bool {
        self.key.as_ref().is_none_or(|key| key.may_touch(pack))
    }

    /// The packs that they are held to; none is all of them.
    pub(crate) fn packs(&self) -> Option<&[runner_model::PackRef]> {
        self.key.as_ref()?.packs.as_deref()
    }

    /// Who they are, in a few words, for the journal.
    pub(crate) fn by(&self) -> String {
        self.key.as_ref().map_or_else(|| "the API".to_owned(), |key| format!("the key `{}`", key.name))
    }

    /// Who they are, for the audit log.
    pub(crate) fn audited(&self, at: Timestamp) -> Audited {
        let actor = self.user.clone().unwrap_or_else(|| self.by());
        Audited { at, actor, origin: AuditOrigin::Api { address: self.address.map(|address| address.to_string()) } }
    }

    /// What keeps their requests apart from those of others.
    pub(crate) fn scope(&self) -> String {
        self.key.as_ref().map_or_else(|| "local".to_owned(), |key| key.id.to_string())
    }

    /// What their key is called.
    pub(crate) fn name(&self) -> Option<&str> {
        self.key.as_ref().map(|key| key.name.as_str())
    }
}

impl FromRequestParts<Arc<Context>> for Principal {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Context>) -> Result<Self, ApiProblem> {
        let known = parts.extensions.get::<Self>().cloned();
        known.ok_or_else(|| ApiProblem::defect("a public route asks who asks"))
    }
}

/// Stands before every route that is not for everybody.
pub(crate) async fn guard(
    State((context, needed)): State<(Arc<Context>, Role)>,
    mut request: Request,
    next: Next,
) -> Response {
    let is_local = request.extensions().get::<Local>().is_some();
    // Owned, because a request cannot be shared between threads while it is waited for.
    let headers = request.headers().clone();
    match allowed(&context, &headers, is_local, needed).await {
        Ok(principal) => {
            let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
            let user = request.headers().get(USER_HEADER).filter(|_| is_local);
            let user = user.and_then(|user| user.to_str().ok());
            let user = user.map(|user| user.chars().take(limits::NAME_CHARS_MAX).collect());
            let principal = Principal { address: peer, user, ..principal };
            request.extensions_mut().insert(principal);
        }
        Err(problem) => return problem.into_response(),
    }
    let only_looks = matches!(*request.method(), Method::GET | Method::HEAD);
    if context.is_draining() && !only_looks {
        return ApiProblem::draining().into_response();
    }
    next.run(request).await
}

async fn allowed(
    context: &Context,
    headers: &HeaderMap,
    is_local: bool,
    needed: Role,
) -> Result<Principal, ApiProblem> {
    let principal = authenticate(context, headers, is_local).await?;
    if principal.role < needed {
        let detail = format!("the key has the role {}, and this needs {needed}", principal.role);
        return Err(ApiProblem::new(StatusCode::FORBIDDEN, code::API_ROLE, detail)
            .hint(format!("use a key that was made with `runner key create NAME --role {needed}`")));
    }
    Ok(principal)
}

/// Who sends a request with these headers.
///
/// # Errors
/// A problem with the status 401 or 403.
pub(crate) async fn authenticate(
    context: &Context,
    headers: &HeaderMap,
    is_local: bool,
) -> Result<Principal, ApiProblem> {
    if is_local {
        return Ok(Principal::LOCAL);
    }
    let Some(secret) = secret(headers) else {
        let is_open = context.options.access == AccessMode::Open && !context.keys.any(context).await?;
        if !is_open {
            return Err(unauthorized("the request has no API key"));
        }
        host::check(headers, &context.options.hosts)?;
        return Ok(Principal::LOCAL);
    };
    match context.keys.find(context, key_digest(&secret)).await? {
        Some(key) if key.is_valid(context.now()) => {
            Ok(Principal { role: key.role, key: Some(key), ..Principal::LOCAL })
        }
        _ => Err(unauthorized("the API key opens nothing: it is unknown, expired or revoked")),
    }
}

fn unauthorized(detail: &str) -> ApiProblem {
    ApiProblem::new(StatusCode::UNAUTHORIZED, code::API_KEY, detail)
        .hint("send `Authorization: Bearer rk_…`; `runner key create NAME --role operator` makes a key")
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// The header in which a command says over the local socket who typed it: whoever comes in there could be that user anyway.
pub const USER_HEADER: &str = "x-runner-user";

/// The headers that hold a key.
pub(crate) const KEY_HEADERS: [&str; 2] = ["x-api-key", "st2-api-key"];

/// The secret that a request brings.
fn secret(headers: &HeaderMap) -> Option<String> {
    let bearer = headers.get(header::AUTHORIZATION).map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        match text.split_once(' ') {
            Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => secret.trim().to_owned(),
            // Another scheme is a key that opens nothing, not the absence of one.
            _ => text,
        }
    });
    let plain = || KEY_HEADERS.into_iter().find_map(|name| headers.get(name));
    bearer.or_else(|| plain().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()))
}
