//! What the sender is answered: what came of the delivery, the rule's own words, or the result.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use runner_engine::rule::frame;
use runner_engine::{EventInfo, Occasion, Template};
use runner_model::Event;
use runner_pack::Reply;
use runner_triggers::Endpoint;
use serde_json::Value;

use super::verbatim;
use super::wait::wait;
use crate::api::context::Context;
use crate::api::events::DeliveredView;
use crate::api::problem::ApiProblem;

/// A delivery that is recorded.
pub(super) struct Taken {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) event: Event,
    pub(super) fresh: bool,
}

/// Answers. Where several endpoints took the delivery the first one's rule says how.
pub(super) async fn answer(context: &Context, mut taken: Vec<Taken>) -> Result<Response, ApiProblem> {
    let accepted = accepted(&taken);
    let Some(Taken { endpoint, event, .. }) = (!taken.is_empty()).then(|| taken.swap_remove(0)) else {
        return Err(ApiProblem::defect("a delivery was taken by nobody"));
    };
    match &endpoint.webhook.reply {
        Reply::Accepted => Ok(accepted),
        Reply::Wait { timeout } => {
            let ended = wait(context, &event, *timeout).await?;
            Ok(ended.unwrap_or(accepted))
        }
        Reply::Custom { status, headers, body } => {
            // It is recorded already: a sender that is told of a mistake of the rule would only send it again.
            Ok(custom(context, &endpoint, event, *status, headers, body).unwrap_or(accepted))
        }
    }
}

fn accepted(taken: &[Taken]) -> Response {
    let mut all = taken.iter().map(|one| DeliveredView::of(&one.event, !one.fresh));
    let Some(mut view) = all.next() else { return StatusCode::ACCEPTED.into_response() };
    for other in all {
        view.executions.extend(other.executions);
        view.duplicate &= other.duplicate;
    }
    (StatusCode::ACCEPTED, Json(view)).into_response()
}

/// The rule's own answer; none if it cannot be made.
fn custom(
    context: &Context,
    endpoint: &Endpoint,
    event: Event,
    status: u16,
    headers: &[(String, String)],
    body: &Template,
) -> Option<Response> {
    let (path, id) = (&endpoint.webhook.path, event.id);
    let (kind, bytes) = match render(context, endpoint, event, body) {
        Ok(rendered) => rendered,
        Err(error) => {
            tracing::warn!(path, event = %id, %error, "the reply of a webhook could not be made");
            return None;
        }
    };
    let status = StatusCode::from_u16(status).ok()?;
    let is_empty = bytes.is_empty() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let mut response = Response::new(if is_empty { Body::empty() } else { Body::from(bytes) });
    *response.status_mut() = status;
    if !is_empty {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for (name, value) in headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else { continue };
        response.headers_mut().insert(name, value);
    }
    Some(verbatim(response))
}

/// The body, and what it is: a text as it is, null as nothing, anything else as JSON.
fn render(
    context: &Context,
    endpoint: &Endpoint,
    event: Event,
    body: &Template,
) -> Result<(&'static str, Vec<u8>), String> {
    let rule = endpoint.rules.first().and_then(|rule| context.options.triggers.rule(rule.as_str()));
    let config = rule.map(|rule| rule.pack.config.clone()).unwrap_or_default();
    let occasion = Occasion {
        event: EventInfo { trigger: event.trigger, source: event.source, id: event.id, occurred_at: event.occurred_at },
        payload: Arc::new(event.payload),
        config: Arc::new(config),
        now: context.now(),
    };
    match body.render(&frame(&occasion)).map_err(|error| error.to_string())? {
        Value::Null => Ok(("text/plain; charset=utf-8", Vec::new())),
        Value::String(text) => Ok(("text/plain; charset=utf-8", text.into_bytes())),
        value => Ok(("application/json", value.to_string().into_bytes())),
    }
}
