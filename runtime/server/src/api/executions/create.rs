//! Asking for an execution.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use runner_executor::{Execution, ExecutionRequest, ExecutorError, RequestError};
use runner_model::{ActionRef, ExecutionId, Origin};
use runner_store::{Catalogue, StoreError};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::wait::{WaitQuery, ended};
use crate::api::access::Principal;
use crate::api::body::{Body, Query};
use crate::api::context::Context;
use crate::api::envelope::trace_parent;
use crate::api::idempotency::{self, Reserved};
use crate::api::problem::ApiProblem;
use crate::api::schema;

/// What to run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewExecution {
    /// Which action or workflow.
    #[schema(example = "core.noop")]
    action: String,
    /// Its parameters.
    #[serde(default)]
    #[schema(value_type = Object, required = false)]
    parameters: Map<String, Value>,
}

/// A request for an execution, as it came.
pub(crate) struct Asked {
    pub(crate) action: String,
    pub(crate) parameters: Map<String, Value>,
    pub(crate) headers: HeaderMap,
    pub(crate) wait: Option<Duration>,
}

/// Run an action or a workflow
#[utoipa::path(post, path = "/api/v1/executions", tag = "executions", request_body = NewExecution,
    params(WaitQuery, ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$",
        description = "A key of the client's own: a request that comes again with it within 24 hours makes no second execution.")),
    responses(
        (status = 200, description = "It has ended while it was waited for.", body = schema::ExecutionView),
        (status = 201, description = "It is recorded.", body = schema::ExecutionRecord,
            headers(("Location" = String, description = "Where it is."))),
        (status = 202, description = "It has not ended while it was waited for.", body = schema::ExecutionRecord),
        (status = 409, description = "The action is disabled."),
        (status = 429, description = "As many executions wait as are allowed.",
            headers(("Retry-After" = u64, description = "When to ask again, in seconds."))),
    ))]
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(query): Query<WaitQuery>,
    headers: HeaderMap,
    Body(NewExecution { action, parameters }): Body<NewExecution>,
) -> Result<Response, ApiProblem> {
    let wait = query.time()?;
    answer(&context, &principal, Asked { action, parameters, headers, wait }).await
}

/// Runs what is asked for, and answers as it stands then.
pub(crate) async fn answer(context: &Context, principal: &Principal, asked: Asked) -> Result<Response, ApiProblem> {
    let action = sound(context, principal, &asked)?;
    if context.options.executor.is_full() {
        return Err(full());
    }
    let reserved = idempotency::reserve(context, principal, &action, &asked).await?;
    let request = ExecutionRequest {
        id: reserved.as_ref().map(|reserved| reserved.execution),
        trace_parent: trace_parent(&asked.headers),
        ..ExecutionRequest::new(action, asked.parameters, Origin::Api)
    };
    let (id, execution) = submit(context, request).await?;
    let mut response = stands(context, id, execution, asked.wait).await?;
    if reserved.is_some_and(|Reserved { is_known, .. }| is_known) {
        let name = HeaderName::from_static("idempotent-replayed");
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// The action, if there is one and whoever asks may run it. Whether it can be run with these parameters the executor
/// says, too; it is asked before something is reserved, because what is refused is not.
fn sound(context: &Context, principal: &Principal, asked: &Asked) -> Result<ActionRef, ApiProblem> {
    let library = context.library();
    let unknown = |action: ActionRef| {
        let hint = library
            .suggest(&asked.action)
            .filter(|like| like.split('.').next().is_some_and(|pack| principal.may_touch(pack)));
        let hint = hint.map(|like| format!("did you mean `{like}`?"));
        ApiProblem::from(RequestError::UnknownAction { action, hint })
    };
    let action: ActionRef = asked.action.parse().map_err(|error: runner_model::NameError| {
        ApiProblem::new(StatusCode::UNPROCESSABLE_ENTITY, runner_model::code::EXEC_UNKNOWN_ACTION, error.to_string())
    })?;
    if !principal.may_touch(action.pack()) {
        return Err(unknown(action));
    }
    let Some((pack, found)) = library.action(&action) else { return Err(unknown(action)) };
    if !idempotency::asks(&asked.headers) {
        return Ok(action);
    }
    if !found.enabled {
        return Err(RequestError::Disabled { action }.into());
    }
    context.options.packs.check(pack, found)?;
    match found.parameters.bind(asked.parameters.clone()) {
        Ok(_) => Ok(action),
        Err(mistakes) => Err(RequestError::Parameters { action, mistakes }.into()),
    }
}

/// As many executions are at work as are allowed.
pub(crate) fn full() -> ApiProblem {
    RequestError::Full { retry_after: runner_model::limits::QUEUE_RETRY_AFTER }.into()
}

/// How often, and at first after how long, a request is looked at again that is being recorded for somebody else.
const LOOKS_MAX: u32 = 10;
const LOOK_AGAIN: Duration = Duration::from_millis(4);

/// Begins it; one that is there already is simply watched. When this returns it is recorded.
async fn submit(context: &Context, request: ExecutionRequest) -> Result<(ExecutionId, Execution), ApiProblem> {
    let executor = &context.options.executor;
    let mut wait = LOOK_AGAIN;
    for _ in 0..LOOKS_MAX {
        match executor.submit(request.clone()).await {
            Ok(execution) => return Ok((execution.id, execution.quiet())),
            Err(RequestError::Exists { id }) => return Ok((id, executor.execution(id).quiet())),
            // The same request is just being recorded; if that fails, it is for this one to record it.
            Err(RequestError::Begin(ExecutorError::Store(StoreError::Busy))) if request.id.is_some() => {}
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    Err(StoreError::Busy.into())
}

async fn stands(
    context: &Context,
    id: ExecutionId,
    execution: Execution,
    wait: Option<Duration>,
) -> Result<Response, ApiProblem> {
    let location = (header::LOCATION, format!("/api/v1/executions/{id}"));
    let status = match wait {
        None => StatusCode::CREATED,
        Some(wait) => match ended(context, id, execution, wait).await? {
            Some(view) => return Ok((StatusCode::OK, [location], Json(view)).into_response()),
            None => StatusCode::ACCEPTED,
        },
    };
    let record = Catalogue::get(&*context.options.store, id).await?;
    Ok((status, [location], Json(record)).into_response())
}
