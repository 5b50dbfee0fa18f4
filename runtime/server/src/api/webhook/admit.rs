//! Who may deliver: an API key, a signature, or anybody, as the rule says.

use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use runner_model::{Role, RuleRef, Secret, code};
use runner_pack::WebhookAuth;
use runner_triggers::Endpoint;

use super::{body, unknown};
use crate::api::access::{KEY_HEADERS, Local, authenticate};
use crate::api::context::Context;
use crate::api::problem::ApiProblem;
use crate::webhook::{self, Refused};

/// What may come in.
pub(super) enum Admitted {
    /// A delivery, and what makes it the same as another.
    Delivery(Option<String>),
    /// The sender asks whether this is the place that it was told about: the answer.
    Question(String),
}

/// What can be said before the body is read: whether the key opens the webhook, whether there is a secret. Gives the
/// secrets.
pub(super) async fn before(context: &Context, endpoint: &Endpoint, parts: &Parts) -> Result<Vec<Secret>, ApiProblem> {
    match &endpoint.webhook.auth {
        WebhookAuth::None => Ok(Vec::new()),
        WebhookAuth::Key => by_key(context, endpoint, parts).await.map(|()| Vec::new()),
        WebhookAuth::Signature { secret, .. } => {
            let secrets = (context.options.webhook_secrets)(secret);
            if secrets.is_empty() { Err(no_secret(secret)) } else { Ok(secrets) }
        }
    }
}

/// What the body says: whether the signature is that of what was sent.
pub(super) fn after(
    context: &Context,
    endpoint: &Endpoint,
    secrets: &[Secret],
    parts: &Parts,
    body: &[u8],
) -> Result<Admitted, ApiProblem> {
    let hook = &endpoint.webhook;
    if body.len() > hook.body_bytes_max {
        return Err(body::too_large(hook.body_bytes_max));
    }
    let WebhookAuth::Signature { scheme, secret } = &hook.auth else {
        return own_delivery(endpoint, &parts.headers).map(Admitted::Delivery);
    };
    let verified = webhook::verify(scheme, secrets, &parts.headers, body, context.now(), hook.replay_window);
    let verified = verified.map_err(|refused| refusal(endpoint, secret, &refused))?;
    if let Some(answer) = webhook::challenge(scheme, body) {
        return Ok(Admitted::Question(answer));
    }
    // What is signed goes before what anybody can change on the way.
    match verified.delivery {
        Some(delivery) => Ok(Admitted::Delivery(Some(delivery))),
        None => own_delivery(endpoint, &parts.headers).map(Admitted::Delivery),
    }
}

async fn by_key(context: &Context, endpoint: &Endpoint, parts: &Parts) -> Result<(), ApiProblem> {
    let headers = with_query_key(parts);
    let is_local = parts.extensions.get::<Local>().is_some();
    let principal = authenticate(context, headers.as_ref().unwrap_or(&parts.headers), is_local).await?;
    if principal.role < Role::Operator {
        let detail = format!("the key has the role {}, and a delivery needs operator", principal.role);
        return Err(ApiProblem::new(StatusCode::FORBIDDEN, code::API_ROLE, detail)
            .hint("use a key that was made with `runner key create NAME --role operator`"));
    }
    // A key that may not touch one of the packs would set off its rule all the same.
    let all = endpoint.rules.iter().all(|rule| principal.may_touch(rule.pack()));
    if all { Ok(()) } else { Err(unknown(&endpoint.webhook.path)) }
}

/// StackStorm takes a key in the query as well: many systems that send webhooks cannot set a header.
fn with_query_key(parts: &Parts) -> Option<HeaderMap> {
    let has_key = parts.headers.contains_key(http::header::AUTHORIZATION)
        || KEY_HEADERS.iter().any(|name| parts.headers.contains_key(*name));
    let query = parts.uri.query().filter(|_| !has_key)?;
    let key = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "st2-api-key")?.1;
    let mut headers = parts.headers.clone();
    headers.insert("st2-api-key", HeaderValue::from_str(&key).ok()?);
    Some(headers)
}

/// The delivery's id in the header that the rule names.
fn own_delivery(endpoint: &Endpoint, headers: &HeaderMap) -> Result<Option<String>, ApiProblem> {
    let Some(name) = &endpoint.webhook.delivery_header else { return Ok(None) };
    webhook::delivery(headers, name)
        .map_err(|refused| ApiProblem::new(StatusCode::BAD_REQUEST, code::HOOK_DELIVERY, refused.reason))
}

/// Headers that only say who sent it.
pub(super) fn own_headers(endpoint: &Endpoint) -> Vec<&str> {
    match &endpoint.webhook.auth {
        WebhookAuth::Signature { scheme, .. } => webhook::own_headers(scheme),
        WebhookAuth::Key | WebhookAuth::None => Vec::new(),
    }
}

/// What the sender is told. The operator is told the same, with the rules that it is about.
fn refusal(endpoint: &Endpoint, secret: &str, refused: &Refused) -> ApiProblem {
    if refused.code == code::HOOK_SECRET {
        return no_secret(secret);
    }
    let rules: Vec<_> = endpoint.rules.iter().map(RuleRef::as_str).collect();
    tracing::warn!(path = endpoint.webhook.path, ?rules, reason = refused.reason, "a delivery was refused");
    ApiProblem::new(StatusCode::UNAUTHORIZED, refused.code, refused.reason.clone())
}

/// The operator has to say the secret first.
fn no_secret(name: &str) -> ApiProblem {
    tracing::error!(secret = name, "a webhook cannot check signatures: its secret is missing in the configuration");
    let detail = format!("the secret `{name}` of the webhook is not configured, or cannot be used");
    ApiProblem::new(StatusCode::SERVICE_UNAVAILABLE, code::HOOK_SECRET, detail)
        .hint(format!(
            "write `{name} = {{ env = \"WEBHOOK_SECRET\" }}` below `[webhooks.secrets]` in the configuration"
        ))
        .retry_after(std::time::Duration::from_secs(60))
}
