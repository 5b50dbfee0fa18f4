//! One execution, and parts of what is known of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::header;
use runner_graph::{Direction, Graph, SvgOptions, Theme};
use runner_model::mask::masked;
use runner_model::{
    Entry, ErrorRecord, ExecutionId, ExecutionRecord, ExecutionView, Fact, ItemIndex, PackRef, Status, StepId,
    TaskName, Timestamp, Version, answering,
};
use runner_store::{Catalogue, Journal, OpenWait, WaitFilter, Waits};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::turns::{self, Turn};
use crate::api::access::Principal;
use crate::api::body::Query;
use crate::api::context::Context;
use crate::api::page::Items;
use crate::api::problem::ApiProblem;
use crate::api::schema;

/// An execution: its parameters, its steps, its result
#[utoipa::path(get, path = "/api/v1/executions/{id}", tag = "executions",
    params(("id" = String, Path, description = "Its id, or the beginning of it.")),
    responses((status = 200, description = "The execution.", body = schema::ExecutionView),
        (status = 409, description = "Several ids begin like that.")))]
pub(super) async fn get(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<Shown>, ApiProblem> {
    let record = context.execution(&id, &principal).await?;
    let view = context.view(record.id).await?;
    let delayed = turns::of(&context, &view).await;
    Ok(Json(Shown { view, delayed }))
}

/// An execution, with what no journal says of it.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    view: ExecutionView,
    /// What of it waits for its turn, because of policies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    delayed: Vec<Turn>,
}

/// Everything that is recorded of an execution.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Recorded {
    /// In the order in which it was recorded.
    #[schema(value_type = Vec<schema::Entry>)]
    entries: Vec<Entry>,
}

/// Everything that is recorded of an execution, secrets masked
#[utoipa::path(get, path = "/api/v1/executions/{id}/journal", tag = "executions",
    params(("id" = String, Path, description = "Its id, or the beginning of it.")),
    responses((status = 200, description = "The journal.", body = Recorded),
        (status = 409, description = "Several ids begin like that.")))]
pub(super) async fn journal(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<Recorded>, ApiProblem> {
    let record = context.execution(&id, &principal).await?;
    let entries = Journal::read(&*context.options.store, record.id, Version(0)).await?;
    Ok(Json(Recorded { entries: masked(&entries) }))
}

/// The executions that its steps started
#[utoipa::path(get, path = "/api/v1/executions/{id}/children", tag = "executions",
    params(("id" = String, Path, description = "Its id, or the beginning of it.")),
    responses((status = 200, description = "All of them, newest last.", body = Items<schema::ExecutionRecord>),
        (status = 409, description = "Several ids begin like that.")))]
pub(super) async fn children(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<Items<ExecutionRecord>>, ApiProblem> {
    let record = context.execution(&id, &principal).await?;
    let mut items = Catalogue::children(&*context.options.store, record.id).await?;
    items.retain(|child| principal.may_touch(child.action.pack()));
    Ok(Json(Items { items, next: None }))
}

/// What became of an execution.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Became {
    #[schema(value_type = String, format = Uuid)]
    id: ExecutionId,
    #[schema(value_type = schema::Status)]
    status: Status,
    /// What it returned; null if it has not ended.
    result: Value,
    /// What went wrong, in order.
    #[schema(value_type = Vec<schema::ErrorRecord>)]
    errors: Vec<ErrorRecord>,
}

/// What an execution returned
#[utoipa::path(get, path = "/api/v1/executions/{id}/result", tag = "executions",
    params(("id" = String, Path, description = "Its id, or the beginning of it.")),
    responses((status = 200, description = "The result.", body = Became),
        (status = 409, description = "Several ids begin like that.")))]
pub(super) async fn result(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<Became>, ApiProblem> {
    let record = context.execution(&id, &principal).await?;
    let view = context.view(record.id).await?;
    let (id, status) = (view.record.id, view.record.status);
    Ok(Json(Became { id, status, result: view.result.unwrap_or_default(), errors: view.errors }))
}

/// Something that a step waits for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Wait {
    /// Whose step.
    #[schema(value_type = String, format = Uuid)]
    pub(crate) execution: ExecutionId,
    /// The step.
    #[schema(value_type = u32)]
    pub(crate) step: StepId,
    /// The item, in a step that runs over a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    pub(crate) item: Option<ItemIndex>,
    /// The task.
    #[schema(value_type = String)]
    pub(crate) task: TaskName,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) opened_at: Timestamp,
    /// For what, and until when.
    #[schema(value_type = Object)]
    pub(crate) wait: runner_model::Wait,
    /// The command that answers it.
    pub(crate) command: String,
}

impl Wait {
    pub(crate) fn of(open: &OpenWait, view: &ExecutionView) -> Option<Self> {
        let task = task_of(view, open.step)?;
        let OpenWait { execution, step, item, opened_at, .. } = *open;
        let wait = shown(view, step, item)?.clone();
        let command = answering(execution, &task, item, &wait);
        Some(Self { execution, step, item, task, opened_at, wait, command })
    }
}

/// What a step or an item of one waits for, as it may be shown: the store's own is not masked.
pub(crate) fn shown(view: &ExecutionView, step: StepId, item: Option<ItemIndex>) -> Option<&runner_model::Wait> {
    let step = view.steps.iter().find(|own| own.step == step)?;
    let waits_for = match item {
        None => step.waits_for.as_ref(),
        Some(item) => step.items.iter().flatten().find(|own| own.item == item)?.waits_for.as_ref(),
    };
    waits_for.map(|waits| &waits.wait)
}

/// The task of a step.
pub(crate) fn task_of(view: &ExecutionView, step: StepId) -> Option<TaskName> {
    view.steps.iter().find(|own| own.step == step).map(|own| own.task.clone())
}

/// Everything that an execution waits for.
async fn waits_of(context: &Context, view: &ExecutionView) -> Result<Vec<Wait>, ApiProblem> {
    let filter = WaitFilter { execution: Some(view.record.id), ..WaitFilter::default() };
    let open = Waits::waits(&*context.options.store, &filter, runner_model::limits::ITEMS_MAX).await?;
    Ok(open.iter().filter_map(|open| Wait::of(open, view)).collect())
}

/// What an execution waits for
#[utoipa::path(get, path = "/api/v1/executions/{id}/waits", tag = "executions",
    params(("id" = String, Path, description = "Its id, or the beginning of it.")),
    responses((status = 200, description = "All of it, by step and item.", body = Items<Wait>),
        (status = 409, description = "Several ids begin like that.")))]
pub(super) async fn waits(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<Items<Wait>>, ApiProblem> {
    let record = context.execution(&id, &principal).await?;
    let view = context.view(record.id).await?;
    Ok(Json(Items { items: waits_of(&context, &view).await?, next: None }))
}

/// What an execution waits for, or why it failed, in a sentence.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Explained {
    #[schema(value_type = String, format = Uuid)]
    id: ExecutionId,
    #[schema(value_type = schema::Status)]
    status: Status,
    /// The sentence.
    text: String,
    /// The process that works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<String>,
    /// What it waits for from outside.
    waits: Vec<Wait>,
    /// What of it waits for its turn, because of policies.
    delayed: Vec<Turn>,
}

/// What an execution waits for, or why it failed, in a sentence
#[utoipa::path(get, path = "/api/v1/executions/{id}/explain", tag = "executions",
    params(("id" = String, Path, description = "Its id, or the beginning of it.")),
    responses((status = 200, description = "The sentence.", body = Explained),
        (status = 409, description = "Several ids begin like that.")))]
pub(super) async fn explain(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<Explained>, ApiProblem> {
    let record = context.execution(&id, &principal).await?;
    let view = context.view(record.id).await?;
    let process = context.options.store.owner(record.id).await?.map(|node| node.to_string());
    let waits = waits_of(&context, &view).await?;
    let delayed = turns::of(&context, &view).await;
    let (id, status) = (view.record.id, view.record.status);
    let text = match turns::sentence(&delayed) {
        Some(turn) => format!("{}; {turn}", view.explain(context.now())),
        None => view.explain(context.now()),
    };
    Ok(Json(Explained { id, status, text, process, waits, delayed }))
}

/// How to draw.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Drawing {
    /// The colours: by default as the viewer prefers.
    #[param(inline)]
    theme: Option<Colours>,
    /// Which way it reads: by default down.
    #[param(inline)]
    direction: Option<Way>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Colours {
    Auto,
    Light,
    Dark,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Way {
    Down,
    Right,
}

impl Drawing {
    fn options(&self) -> SvgOptions {
        let theme = match self.theme {
            None | Some(Colours::Auto) => Theme::Auto,
            Some(Colours::Light) => Theme::Light,
            Some(Colours::Dark) => Theme::Dark,
        };
        let direction = match self.direction {
            None | Some(Way::Down) => Direction::Down,
            Some(Way::Right) => Direction::Right,
        };
        SvgOptions { theme, direction, ..SvgOptions::default() }
    }
}

/// An execution as a picture: what ran, how it ended, which ways were taken
#[utoipa::path(get, path = "/api/v1/executions/{id}/graph.svg", tag = "executions",
    params(("id" = String, Path, description = "Its id, or the beginning of it."), Drawing),
    responses((status = 200, description = "The picture.", body = String, content_type = "image/svg+xml"),
        (status = 409, description = "Several ids begin like that.")))]
pub(super) async fn graph(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
    Query(drawing): Query<Drawing>,
) -> Result<Response, ApiProblem> {
    let record = context.execution(&id, &principal).await?;
    let entries = Journal::read(&*context.options.store, record.id, Version(0)).await?;
    let view = ExecutionView::fold(record.id, &entries);
    let requested = entries.first().and_then(|entry| match &entry.fact {
        Fact::Requested(requested) => Some(requested),
        _ => None,
    });
    let (Some(view), Some(requested)) = (view, requested) else {
        return Err(ApiProblem::defect("a journal does not begin with a request"));
    };
    let packs = &context.options.packs;
    let pack = PackRef::new(requested.action.pack()).ok();
    let pinned = pack.and_then(|pack| packs.pinned(&pack, &requested.pack_digest));
    let action = pinned.and_then(|pack| pack.actions.get(requested.action.name()).cloned());
    let Some(action) = action else {
        return Err(ApiProblem::missing("the version of the pack that it ran on is not here any more"));
    };
    let graph = Graph::of(&action.plan(), action.reference.as_str()).with_execution(&view);
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        // It is looked at by itself, too: then it may do nothing.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ];
    Ok((headers, graph.to_svg(&drawing.options())).into_response())
}
