//! `/actions`: what there is to run.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use runner_model::{PackRef, code};
use runner_pack::{Action, Body as Runs};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::access::Principal;
use super::body::{MaybeBody, Query};
use super::context::Context;
use super::executions::{self, Asked, WaitQuery};
use super::page::{self, Items};
use super::problem::ApiProblem;
use super::route::{Access, Routes};
use super::schema;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Access::Viewer, routes!(list))
        .add(Access::Viewer, routes!(get))
        .add(Access::Operator, routes!(run))
}

/// Which actions to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Of this pack.
    #[param(value_type = Option<String>, pattern = "^[a-z0-9_]{1,128}$")]
    pack: Option<PackRef>,
    /// How many to list.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
    /// Where the page before ended: its `next`.
    cursor: Option<String>,
}

/// An action or a workflow.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Action)]
struct Described {
    /// Its full name.
    #[schema(example = "core.noop")]
    r#ref: String,
    /// Its pack.
    pack: String,
    /// Its own name.
    name: String,
    /// What it does.
    description: String,
    /// Whether it may be run.
    enabled: bool,
    /// What runs it: `wasm`, `workflow`, …
    runner_type: &'static str,
    /// Where its code is, if it has any: `component#function`.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry_point: Option<String>,
    /// Whether running it twice does no more than running it once, whatever it takes.
    idempotent: bool,
    /// The parameters on which that depends, each with the values for which it is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotent_where: Option<BTreeMap<String, Vec<Value>>>,
    /// How long an attempt may take, in seconds; null is the operator's limit.
    timeout: Option<f64>,
    /// Labels.
    tags: Vec<Label>,
    /// What it takes, as a JSON Schema.
    #[schema(value_type = Object)]
    parameters: Value,
    /// What it returns, as a JSON Schema.
    output_schema: Option<Value>,
    /// The file that describes it.
    source: String,
}

/// A label.
#[derive(Debug, Serialize, ToSchema)]
struct Label {
    /// What it is about.
    name: String,
    /// What it says; empty if it is a mere word.
    value: String,
}

impl Described {
    fn of(action: &Action) -> Self {
        let entry_point = match &action.body {
            Runs::Wasm { component, function } => Some(format!("{component}#{function}")),
            _ => None,
        };
        let label = |tag: &runner_pack::Tag| Label { name: tag.name.clone(), value: tag.value.clone() };
        Self {
            r#ref: action.reference.to_string(),
            pack: action.reference.pack().to_owned(),
            name: action.reference.name().to_owned(),
            description: action.description.clone(),
            enabled: action.enabled,
            runner_type: runner_type(action),
            entry_point,
            idempotent: action.idempotent.is_always(),
            idempotent_where: action.idempotent.condition().cloned(),
            timeout: action.timeout.map(|timeout| timeout.as_secs_f64()),
            tags: action.tags.iter().map(label).collect(),
            parameters: action.parameters.json_schema(),
            output_schema: action.output_schema.clone(),
            source: action.source.display().to_string(),
        }
    }
}

const fn runner_type(action: &Action) -> &'static str {
    match action.body {
        Runs::Wasm { .. } => "wasm",
        Runs::Noop => "noop",
        Runs::Inquiry => "inquiry",
        Runs::WaitFor => "wait_for",
        Runs::Workflow(_) => "workflow",
    }
}

/// Actions and workflows, by name
#[utoipa::path(get, path = "/api/v1/actions", tag = "actions", params(ListQuery),
    responses((status = 200, description = "A page of actions.", body = Items<Described>)))]
async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(query): Query<ListQuery>,
) -> Result<Json<Items<Described>>, ApiProblem> {
    let limit = page::limit(query.limit)?;
    let library = context.library();
    let wanted =
        |pack: &PackRef| principal.may_touch(pack.as_str()) && query.pack.as_ref().is_none_or(|only| only == pack);
    let packs = library.packs().filter(|pack| wanted(pack.reference()));
    let mut actions: Vec<_> = packs.flat_map(|pack| pack.actions.values()).collect();
    actions.sort_by(|a, b| a.reference.as_str().cmp(b.reference.as_str()));
    let page = Items::among(actions, limit, query.cursor.as_deref(), |action| action.reference.to_string());
    let items = page.items.into_iter().map(|action| Described::of(action)).collect();
    Ok(Json(Items { items, next: page.next }))
}

/// An action or a workflow
#[utoipa::path(get, path = "/api/v1/actions/{action}", tag = "actions",
    params(("action" = String, Path, description = "Its full name: `pack.name`.")),
    responses((status = 200, description = "The action.", body = Described)))]
async fn get(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(action): Path<String>,
) -> Result<Json<Described>, ApiProblem> {
    let library = context.library();
    let found = action.parse().ok().and_then(|reference| library.action(&reference));
    match found.filter(|(pack, _)| principal.may_touch(pack.reference().as_str())) {
        Some((_, action)) => Ok(Json(Described::of(action))),
        None => Err(ApiProblem::missing("there is no such action").hint("`GET /api/v1/actions` lists what there is")),
    }
}

/// Run an action or a workflow: the body is its parameters. Each action stands in this document with its own, too
#[utoipa::path(post, path = "/api/v1/actions/{action}/executions", tag = "actions", request_body(content = Option<Object>),
    params(("action" = String, Path, description = "Its full name: `pack.name`."), WaitQuery,
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "A key of the client's own: a request that comes again with it within 24 hours makes no second execution.")),
    responses(
        (status = 200, description = "It has ended while it was waited for.", body = schema::ExecutionView),
        (status = 201, description = "It is recorded.", body = schema::ExecutionRecord,
            headers(("Location" = String, description = "Where it is."))),
        (status = 202, description = "It has not ended while it was waited for.", body = schema::ExecutionRecord),
        (status = 409, description = "The action is disabled."),
        (status = 429, description = "As many executions wait as are allowed.",
            headers(("Retry-After" = u64, description = "When to ask again, in seconds."))),
    ))]
async fn run(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(action): Path<String>,
    Query(query): Query<WaitQuery>,
    headers: HeaderMap,
    MaybeBody(parameters): MaybeBody<Option<Map<String, Value>>>,
) -> Result<Response, ApiProblem> {
    let wait = query.time()?;
    let asked = Asked { action, parameters: parameters.unwrap_or_default(), headers, wait };
    let is_unknown = |problem: &ApiProblem| problem.code() == code::EXEC_UNKNOWN_ACTION.id();
    executions::answer(&context, &principal, asked).await.map_err(|problem| match is_unknown(&problem) {
        // Here it is the address that names it.
        true => problem.with_status(StatusCode::NOT_FOUND),
        false => problem,
    })
}
