//! What can be asked of an execution that is there.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use runner_executor::Control;
use runner_model::{ExecutionId, ItemIndex, Status, TaskName, code};
use runner_store::Catalogue;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::access::Principal;
use crate::api::body::Body;
use crate::api::context::Context;
use crate::api::elsewhere;
use crate::api::inquiries;
use crate::api::problem::ApiProblem;
use crate::api::schema;
use crate::control::Stands;

/// Logs that somebody asks it, and asks. When this returns it is recorded.
pub(crate) async fn ask(
    context: &Context,
    principal: &Principal,
    id: ExecutionId,
    ask: Control,
) -> Result<Json<Stands>, ApiProblem> {
    // Before it is done: what cannot be logged is not.
    context.options.store.log(principal.audited(context.now()), ask.deed(id)).await?;
    let cancels = matches!(ask, Control::Cancel { .. });
    match elsewhere::control(context, id, ask).await {
        Ok(status) => Ok(Json(Stands { id, status })),
        Err(problem) if cancels && problem.code() == code::EXEC_ENDED.id() => {
            // To be asked twice for the same changes nothing.
            let status = Catalogue::get(&*context.options.store, id).await?.status;
            if status == Status::Canceled { Ok(Json(Stands { id, status })) } else { Err(problem) }
        }
        Err(problem) => Err(problem),
    }
}

/// Finds it, and asks.
async fn find_and_ask(
    context: &Context,
    principal: &Principal,
    id: &str,
    what: impl FnOnce(String) -> Control,
) -> Result<Json<Stands>, ApiProblem> {
    let record = context.execution(id, principal).await?;
    ask(context, principal, record.id, what(principal.by())).await
}

/// Begin nothing new: what runs ends, and the execution rests until it is resumed
#[utoipa::path(post, path = "/api/v1/executions/{id}/pause", tag = "executions",
    params(("id" = String, Path, description = "Its id, or the beginning of it.")),
    responses((status = 200, description = "It is recorded.", body = schema::Stands),
        (status = 409, description = "That cannot be asked of it now.")))]
pub(super) async fn pause(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<Stands>, ApiProblem> {
    find_and_ask(&context, &principal, &id, |by| Control::Pause { by }).await
}

/// Go on after a pause
#[utoipa::path(post, path = "/api/v1/executions/{id}/resume", tag = "executions",
    params(("id" = String, Path, description = "Its id, or the beginning of it.")),
    responses((status = 200, description = "It is recorded.", body = schema::Stands),
        (status = 409, description = "That cannot be asked of it now.")))]
pub(super) async fn resume(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<Stands>, ApiProblem> {
    find_and_ask(&context, &principal, &id, |by| Control::Resume { by }).await
}

/// Stop: what runs is interrupted, what is to be undone is undone
#[utoipa::path(post, path = "/api/v1/executions/{id}/cancel", tag = "executions",
    params(("id" = String, Path, description = "Its id, or the beginning of it.")),
    responses((status = 200, description = "It is recorded.", body = schema::Stands),
        (status = 409, description = "It has ended otherwise.")))]
pub(super) async fn cancel(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<Stands>, ApiProblem> {
    find_and_ask(&context, &principal, &id, |by| Control::Cancel { by }).await
}

/// Stop, as StackStorm's clients say it
#[utoipa::path(delete, path = "/api/v1/executions/{id}", tag = "executions",
    params(("id" = String, Path, description = "Its id, or the beginning of it.")),
    responses((status = 200, description = "It is recorded.", body = schema::Stands),
        (status = 409, description = "It has ended otherwise.")))]
pub(super) async fn delete(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<Stands>, ApiProblem> {
    find_and_ask(&context, &principal, &id, |by| Control::Cancel { by }).await
}

/// Where an execution is to stand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    status: WantedStatus,
}

/// What can be asked for, in StackStorm's words: both the way there and the end of it.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WantedStatus {
    Canceling,
    Canceled,
    Pausing,
    Paused,
    Resuming,
    Running,
}

/// Pause, resume or stop, as StackStorm's clients say it
#[utoipa::path(put, path = "/api/v1/executions/{id}", tag = "executions", request_body = Wanted,
    params(("id" = String, Path, description = "Its id, or the beginning of it.")),
    responses((status = 200, description = "It is recorded.", body = schema::Stands),
        (status = 409, description = "That cannot be asked of it now.")))]
pub(super) async fn put(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
    Body(Wanted { status }): Body<Wanted>,
) -> Result<Json<Stands>, ApiProblem> {
    find_and_ask(&context, &principal, &id, |by| match status {
        WantedStatus::Canceling | WantedStatus::Canceled => Control::Cancel { by },
        WantedStatus::Pausing | WantedStatus::Paused => Control::Pause { by },
        WantedStatus::Resuming | WantedStatus::Running => Control::Resume { by },
    })
    .await
}

/// An answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Answered {
    /// The task that waits; it may be left out if only one does.
    #[serde(default)]
    task: Option<String>,
    /// The item that waits; it may be left out if only one does.
    #[serde(default)]
    item: Option<u32>,
    /// The answer: it must fit the schema of what was asked.
    answer: Value,
}

/// Answer what an execution waits for
#[utoipa::path(post, path = "/api/v1/executions/{id}/respond", tag = "executions", request_body = Answered,
    params(("id" = String, Path, description = "Its id, or the beginning of it.")),
    responses((status = 200, description = "It is recorded.", body = schema::Stands),
        (status = 409, description = "It does not wait for that.")))]
pub(super) async fn respond(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
    Body(Answered { task, item, answer }): Body<Answered>,
) -> Result<Json<Stands>, ApiProblem> {
    let task = task
        .as_deref()
        .map(TaskName::new)
        .transpose()
        .map_err(|error| ApiProblem::new(StatusCode::UNPROCESSABLE_ENTITY, code::API_REQUEST, error.to_string()))?;
    inquiries::respond(&context, &principal, &id, task, item.map(ItemIndex), answer).await
}
