//! `/webhooks`: deliveries of other systems, and the list of where they can go.
//!
//! The routes are public: each webhook has a rule of its own of who may deliver ([`admit`]). In this order:
//! the path, the method, whether this process takes more, the key, the length, and only then the signature over the
//! whole body. What is acknowledged is on the disk.

mod admit;
mod body;
mod list;
mod reply;
mod wait;

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use runner_model::code;
use runner_triggers::{Delivered, Delivery, Endpoint};
use utoipa_axum::routes;

use super::context::Context;
use super::envelope::{Verbatim, trace_parent};
use super::events::{DeliveredView, admission};
use super::problem::ApiProblem;
use super::route::{Access, Routes};
use crate::webhook::{Arrived, payload};
use admit::Admitted;
use reply::Taken;
use wait::EndedView;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Access::Viewer, routes!(list::list_webhooks))
        .add(Access::Public, routes!(post, put, patch, delete, get))
}

macro_rules! handler {
    ($(#[$doc:meta])* $name:ident, $($body:tt)*) => {
        $(#[$doc])*
        #[utoipa::path(
            $name,
            path = "/api/v1/webhooks/{*path}",
            tag = "webhooks",
            params(("path" = String, Path, description = "The path of the webhook, as a rule names it")),
            $($body)*
            responses(
                (status = 200, description = "The execution that was waited for has succeeded", body = EndedView),
                (status = 202, description = "The delivery is recorded, and the executions that it makes with it", body = DeliveredView),
                (status = 401, description = "The signature or the API key is missing or wrong, or the delivery too old"),
                (status = 403, description = "The API key does not allow this"),
                (status = 405, description = "The webhook does not take this method"),
                (status = 413, description = "The body is larger than the webhook takes"),
                (status = 422, description = "The execution that was waited for has ended otherwise: as what is said in `status`", body = EndedView),
                (status = 429, description = "As many executions wait as are allowed: nothing is recorded"),
                (status = "default", description = "What the rule answers itself"),
            )
        )]
        async fn $name(
            State(context): State<Arc<Context>>,
            Path(path): Path<String>,
            request: Request,
        ) -> Result<Response, ApiProblem> {
            take(&context, &path, request).await
        }
    };
}

handler! {
    /// Deliver to a webhook
    ///
    /// Who may deliver, and what is answered, is said by the rule: see `GET /api/v1/webhooks`.
    post,
    request_body(content((serde_json::Value = "application/json"), (String = "application/x-www-form-urlencoded"), (String = "text/plain"))),
}
handler! {
    /// Deliver to a webhook that takes PUT
    put,
    request_body(content((serde_json::Value = "application/json"), (String = "application/x-www-form-urlencoded"), (String = "text/plain"))),
}
handler! {
    /// Deliver to a webhook that takes PATCH
    patch,
    request_body(content((serde_json::Value = "application/json"), (String = "application/x-www-form-urlencoded"), (String = "text/plain"))),
}
handler! {
    /// Deliver to a webhook that takes DELETE
    delete,
}
handler! {
    /// Deliver to a webhook that takes GET
    get,
}

/// Takes a delivery: checks it, records it, answers it.
pub(super) async fn take(context: &Arc<Context>, path: &str, request: Request) -> Result<Response, ApiProblem> {
    let (parts, body) = request.into_parts();
    let path = path.trim_matches('/');
    let endpoints = at(context, path, &parts)?;
    admission(context)?;
    let (mut open, mut refused) = (Vec::new(), None);
    for endpoint in endpoints {
        match admit::before(context, &endpoint, &parts).await {
            Ok(secrets) => open.push((endpoint, secrets)),
            Err(problem) => refused = refused.or(Some(problem)),
        }
    }
    let bytes_max = open.iter().map(|(endpoint, _)| endpoint.webhook.body_bytes_max).max();
    let Some(bytes_max) = bytes_max else { return Err(refused.unwrap_or_else(|| unknown(path))) };
    let body = body::read(&parts.headers, body, bytes_max).await?;

    let mut taken = Vec::new();
    for (endpoint, secrets) in open {
        match admit::after(context, &endpoint, &secrets, &parts, body.bytes()) {
            Ok(Admitted::Question(answer)) => return Ok(verbatim(answer.into_response())),
            Ok(Admitted::Delivery(key)) => {
                let payload = payload_of(&endpoint, path, &parts, body.bytes())?;
                taken.push((endpoint, key, payload));
            }
            Err(problem) => refused = refused.or(Some(problem)),
        }
    }
    if taken.is_empty() {
        return Err(refused.unwrap_or_else(|| unknown(path)));
    }
    let mut recorded = Vec::new();
    for (endpoint, key, payload) in taken {
        let trace_parent = trace_parent(&parts.headers);
        let delivery = Delivery { endpoint: endpoint.clone(), key, payload, trace_parent };
        let Delivered { event, fresh } = context.options.triggers.deliver(delivery).await?;
        recorded.push(Taken { endpoint, event, fresh });
    }
    // What is waited for now takes no place from what comes in.
    drop(body);
    reply::answer(context, recorded).await
}

/// The endpoints at a path that take a method.
fn at(context: &Context, path: &str, parts: &Parts) -> Result<Vec<Arc<Endpoint>>, ApiProblem> {
    let takes =
        |endpoint: &Arc<Endpoint>| endpoint.webhook.methods.iter().any(|method| method == parts.method.as_str());
    let mut endpoints = context.options.triggers.endpoints(path);
    if endpoints.is_empty() {
        return Err(unknown(path));
    }
    if endpoints.iter().any(takes) {
        endpoints.retain(takes);
        return Ok(endpoints);
    }
    let mut methods: Vec<_> = endpoints.iter().flat_map(|endpoint| endpoint.webhook.methods.clone()).collect();
    methods.sort();
    methods.dedup();
    let allowed = methods.join(", ");
    let detail = format!("the webhook takes {allowed}, and not {}", parts.method);
    let problem = ApiProblem::new(StatusCode::METHOD_NOT_ALLOWED, code::API_METHOD, detail);
    Err(match HeaderValue::from_str(&allowed) {
        Ok(value) => problem.header(header::ALLOW, value),
        Err(_) => problem,
    })
}

/// No rule answers this path, or none for whoever asks.
fn unknown(path: &str) -> ApiProblem {
    let shown: String = path.chars().take(64).collect();
    ApiProblem::new(StatusCode::NOT_FOUND, code::HOOK_UNKNOWN, format!("no rule answers the webhook `{shown}`"))
        .hint("`runner rule list` shows the rules, and whether they are enabled")
}

fn payload_of(endpoint: &Endpoint, path: &str, parts: &Parts, body: &[u8]) -> Result<serde_json::Value, ApiProblem> {
    let query = parts.uri.query().unwrap_or_default();
    let arrived = Arrived { method: &parts.method, path, query, headers: &parts.headers, body };
    payload(&arrived, &admit::own_headers(endpoint)).map_err(|error| {
        let detail = match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        ApiProblem::new(StatusCode::BAD_REQUEST, code::HOOK_BODY, detail)
    })
}

/// A response that is sent as it is, whatever its status.
fn verbatim(mut response: Response) -> Response {
    response.extensions_mut().insert(Verbatim);
    response
}
