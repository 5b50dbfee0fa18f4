//! `POST /events`: telling the rules of something, and the executions that wait for it.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use runner_executor::Control;
use runner_model::{TriggerRef, code, limits};
use runner_store::{AuditAction, Awaited, Catalogue, Deed, WaitFilter};
use runner_triggers::{Delivered, Emitted};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{AllOfBuilder, AnyOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::view::started;
use super::{StartedView, admission};
use crate::api::access::Principal;
use crate::api::body::Body;
use crate::api::context::Context;
use crate::api::elsewhere;
use crate::api::problem::ApiProblem;

/// Something that happened. It has a `trigger`, for the rules; or a `key`, for the steps that wait for it with
/// `core.wait_for`; or both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EventMembers)]
pub(crate) struct NewEvent {
    /// Of what kind: a trigger that a sensor declares
    #[serde(default)]
    #[schema(pattern = "^[a-z0-9_]{1,128}[.][A-Za-z0-9_.-]{1,128}$")]
    trigger: Option<String>,
    /// What makes it the same as another of its trigger and source, and what ties it to the steps that wait for it
    #[serde(default)]
    #[schema(min_length = 1, max_length = 512)]
    key: Option<String>,
    /// From where; the name of the API key if nothing is said
    #[serde(default)]
    #[schema(max_length = 512)]
    source: Option<String>,
    /// What it brings; an empty object if nothing is said
    #[serde(default)]
    payload: Option<Value>,
}

/// The same as the document says it: one of two members has to be there, which a derive cannot say.
struct NewEventBody;

impl ToSchema for NewEventBody {
    fn name() -> Cow<'static, str> {
        "NewEvent".into()
    }
}

impl PartialSchema for NewEventBody {
    fn schema() -> RefOr<Schema> {
        let needs = |member: &str| {
            let text = ObjectBuilder::new().schema_type(Type::String);
            ObjectBuilder::new().property(member, text).required(member)
        };
        let either = AnyOfBuilder::new().item(needs("trigger")).item(needs("key"));
        AllOfBuilder::new().item(NewEvent::schema()).item(either).into()
    }
}

/// What came of an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SentEvent)]
pub(crate) struct SentEvent {
    /// The id of the event; none if it has no trigger
    #[schema(required = true)]
    event: Option<String>,
    /// The executions that it makes: their ids are known before they are there
    executions: Vec<StartedView>,
    /// Whether the event was there already
    duplicate: bool,
    /// The executions that waited for it and took it
    took: Vec<TookView>,
}

/// An execution that waited for an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Took)]
struct TookView {
    /// Its id
    id: String,
    /// How it stands now
    status: String,
}

/// Say that something has happened
///
/// With a `trigger` the rules look at it: it is recorded before this is answered, once for each `key`. With a `key` it
/// goes to every step that waits for it.
#[utoipa::path(
    post,
    path = "/api/v1/events",
    tag = "events",
    request_body = NewEventBody,
    responses(
        (status = 202, description = "It is recorded, and taken by whoever waited for it", body = SentEvent),
        (status = 404, description = "It has only a key, and nothing waits for that"),
        (status = 429, description = "As many executions wait as are allowed: nothing is recorded")
    )
)]
pub(in crate::api) async fn send_event(
    State(context): State<Arc<Context>>,
    principal: Principal,
    headers: HeaderMap,
    Body(new): Body<NewEvent>,
) -> Result<(StatusCode, Json<SentEvent>), ApiProblem> {
    admission(&context)?;
    let payload = new.payload.clone().unwrap_or_else(|| Value::Object(Map::new()));
    let key = new.key.clone();
    if new.trigger.is_none() && key.is_none() {
        return Err(unprocessable("the event has neither a `trigger` nor a `key`")
            .hint("write `\"trigger\": \"pack.name\"` for the rules, or `\"key\"` for a step that waits"));
    }
    let mut sent = SentEvent { event: None, executions: Vec::new(), duplicate: false, took: Vec::new() };
    if key.as_deref() == Some("") {
        return Err(unprocessable("`key` is empty"));
    }
    if new.trigger.is_some() {
        let Delivered { event, fresh } = emit(&context, &principal, &headers, new, payload.clone()).await?;
        sent.executions = started(&event);
        (sent.event, sent.duplicate) = (Some(event.id.to_string()), !fresh);
    }
    if let Some(key) = key {
        sent.took = tell(&context, &principal, &key, &payload).await?;
        if sent.took.is_empty() && sent.event.is_none() {
            let detail = format!("nothing waits for the event `{key}`");
            return Err(ApiProblem::new(StatusCode::NOT_FOUND, code::EXEC_NOT_WAITING, detail));
        }
    }
    Ok((StatusCode::ACCEPTED, Json(sent)))
}

async fn emit(
    context: &Context,
    principal: &Principal,
    headers: &HeaderMap,
    new: NewEvent,
    payload: Value,
) -> Result<Delivered, ApiProblem> {
    let trigger = new.trigger.unwrap_or_default();
    let trigger: TriggerRef = trigger.parse().map_err(|error| unprocessable(format!("`trigger`: {error}")))?;
    if !principal.may_touch(trigger.pack()) {
        let detail = format!("there is no trigger `{trigger}`");
        return Err(ApiProblem::new(StatusCode::UNPROCESSABLE_ENTITY, code::RULE_UNKNOWN_TRIGGER, detail));
    }
    let source = new.source.unwrap_or_else(|| principal.name().unwrap_or("api").to_owned());
    if source.len() > limits::EVENT_KEY_BYTES_MAX {
        return Err(unprocessable(format!("`source` is longer than {} bytes", limits::EVENT_KEY_BYTES_MAX)));
    }
    let trace_parent = headers.get("traceparent").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let emitted = Emitted { trigger, source, key: new.key, payload, occurred_at: None, trace_parent, chain: 0 };
    let deed = Deed::new(AuditAction::EventSend, emitted.trigger.to_string(), json!({ "source": emitted.source }));
    context.options.store.log(principal.audited(context.now()), deed).await?;
    Ok(context.options.triggers.emit(emitted).await?)
}

/// Brings the event to the steps that wait for its key, as far as whoever sends it may touch them.
async fn tell(
    context: &Context,
    principal: &Principal,
    key: &str,
    payload: &Value,
) -> Result<Vec<TookView>, ApiProblem> {
    let filter = WaitFilter { kind: Some(Awaited::Event), key: Some(key.to_owned()), ..WaitFilter::default() };
    let waits = context.options.store.waits(&filter, limits::STORE_BATCH_MAX).await?;
    let mut ids: Vec<_> = waits.into_iter().map(|wait| wait.execution).collect();
    ids.dedup();
    let mut took = Vec::new();
    for id in ids {
        let record = Catalogue::get(&*context.options.store, id).await?;
        if !principal.may_touch(record.action.pack()) {
            continue;
        }
        let ask = Control::Event { by: principal.by(), key: key.to_owned(), payload: payload.clone() };
        context.options.store.log(principal.audited(context.now()), ask.deed(id)).await?;
        // One that ended meanwhile, or whose process does not answer, keeps nothing from the others.
        match elsewhere::control(context, id, ask).await {
            Ok(status) => took.push(TookView { id: id.to_string(), status: status.to_string() }),
            Err(problem) => tracing::warn!(%id, code = problem.code(), "an event could not be brought to an execution"),
        }
    }
    Ok(took)
}

fn unprocessable(detail: impl Into<String>) -> ApiProblem {
    ApiProblem::new(StatusCode::UNPROCESSABLE_ENTITY, code::API_REQUEST, detail)
}
