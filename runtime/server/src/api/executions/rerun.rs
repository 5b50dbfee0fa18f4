//! Running an execution again: anew, or parts of it once more.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use runner_executor::{Control, ExecutionRequest};
use runner_model::{ExecutionId, Fact, Origin, RerunTask, RouteId, Status, TaskName, Version, code};
use runner_store::{AuditAction, Deed, Journal};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::control::ask;
use crate::api::access::Principal;
use crate::api::body::MaybeBody;
use crate::api::context::Context;
use crate::api::problem::ApiProblem;
use crate::api::schema;
use crate::control::Stands;

/// What to run again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Again {
    /// Go on with the same execution, from these tasks.
    #[serde(default)]
    #[schema(required = false)]
    tasks: Vec<Task>,
    /// `anew` (by default, unless `tasks` are given): another execution with the same parameters. `failed`: go on with
    /// the same one, from all tasks that failed.
    #[serde(default)]
    mode: Option<Mode>,
}

/// How.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Anew,
    Failed,
    Tasks,
}

/// A task: its name, or more than that.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum Task {
    /// Its name: all of it, on every route.
    Name(String),
    /// More than that.
    Some(SomeOf),
}

/// A task, and which part of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SomeOf {
    /// Its name.
    task: String,
    /// The route of the step; none is every route on which it ran.
    #[serde(default)]
    route: Option<u32>,
    /// Whether a step that runs over a list runs over all of it, not only over the items that failed.
    #[serde(default)]
    #[schema(required = false)]
    reset_items: bool,
}

impl Task {
    fn read(self) -> Result<RerunTask, ApiProblem> {
        let SomeOf { task, route, reset_items } = match self {
            Self::Name(task) => SomeOf { task, route: None, reset_items: true },
            Self::Some(part) => part,
        };
        let task = TaskName::new(&task).map_err(|error| unfit(error.to_string()))?;
        Ok(RerunTask { task, route: route.map(RouteId), reset_items })
    }
}

fn unfit(detail: impl Into<String>) -> ApiProblem {
    ApiProblem::new(StatusCode::UNPROCESSABLE_ENTITY, code::API_REQUEST, detail)
}

/// Run an ended execution again: anew, or go on with it
#[utoipa::path(post, path = "/api/v1/executions/{id}/rerun", tag = "executions", request_body(content = Option<Again>),
    params(("id" = String, Path, description = "Its id, or the beginning of it.")),
    responses(
        (status = 200, description = "The execution goes on.", body = schema::Stands),
        (status = 201, description = "Another execution is recorded.", body = schema::Stands,
            headers(("Location" = String, description = "Where it is."))),
        (status = 409, description = "It cannot be run again, or not from there."),
        (status = 429, description = "As many executions wait as are allowed."),
    ))]
pub(super) async fn rerun(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
    MaybeBody(again): MaybeBody<Option<Again>>,
) -> Result<Response, ApiProblem> {
    let Again { tasks, mode } = again.unwrap_or_default();
    let record = context.execution(&id, &principal).await?;
    let tasks = tasks.into_iter().map(Task::read).collect::<Result<Vec<_>, _>>()?;
    match (mode, tasks.is_empty()) {
        (None | Some(Mode::Anew), true) => anew(&context, &principal, record.id).await,
        (Some(Mode::Anew | Mode::Failed), false) => Err(unfit("`tasks` are given: leave out `mode`")),
        (Some(Mode::Tasks), true) => Err(unfit("`mode` is `tasks`: name them")),
        (Some(Mode::Failed), true) | (None | Some(Mode::Tasks), false) => {
            let stands = ask(&context, &principal, record.id, Control::Rerun { by: principal.by(), tasks }).await?;
            Ok(stands.into_response())
        }
    }
}

/// Another execution with the same parameters, those that are secret included.
async fn anew(context: &Context, principal: &Principal, id: ExecutionId) -> Result<Response, ApiProblem> {
    let entries = Journal::read(&*context.options.store, id, Version(0)).await?;
    let Some(Fact::Requested(requested)) = entries.first().map(|entry| &entry.fact) else {
        return Err(ApiProblem::defect("a journal does not begin with a request"));
    };
    if requested.simulate != context.options.packs.simulate() {
        let (was, are) = if requested.simulate { ("simulated", "real") } else { ("real", "simulated") };
        let detail = format!("the execution {id} ran with {was} systems, and those of this process are {are}");
        return Err(ApiProblem::new(StatusCode::CONFLICT, code::EXEC_SIMULATED, detail));
    }
    let Value::Object(parameters) = requested.parameters.clone() else {
        return Err(ApiProblem::defect("the parameters of an execution are no map"));
    };
    let deed = Deed::new(AuditAction::ExecutionRerun, id.to_string(), json!({ "anew": true }));
    context.options.store.log(principal.audited(context.now()), deed).await?;
    let request = ExecutionRequest::again(requested, &entries, parameters, Origin::Api);
    let id = context.options.executor.submit(request).await?.id;
    let location = [(header::LOCATION, format!("/api/v1/executions/{id}"))];
    Ok((StatusCode::CREATED, location, Json(Stands { id, status: Status::Requested })).into_response())
}
