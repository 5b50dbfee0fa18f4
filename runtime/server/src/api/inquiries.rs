//! `/inquiries`: what people are asked, and their answers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use runner_executor::Control;
use runner_model::{ExecutionId, ExecutionView, ItemIndex, Role, StepId, TaskName, Timestamp, WaitKind, code};
use runner_store::{Awaited, OpenWait, WaitFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::access::Principal;
use super::body::{Body, Query};
use super::context::Context;
use super::executions::{self, shown, task_of};
use super::page::{self, Items, PageQuery};
use super::problem::ApiProblem;
use super::route::{Access, Routes};
use super::{schema, waits};
use crate::control::Stands;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Access::Viewer, routes!(list))
        .add(Access::Viewer, routes!(get))
        .add(Access::Operator, routes!(answer))
}

/// A question to people.
#[derive(Debug, Serialize, ToSchema)]
struct Inquiry {
    /// What to answer it by: `execution:task`, and `execution:task:item` in a step that runs over a list.
    id: String,
    /// Whose step asks.
    #[schema(value_type = String, format = Uuid)]
    execution: ExecutionId,
    /// The step.
    #[schema(value_type = u32)]
    step: StepId,
    /// The item, in a step that runs over a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    item: Option<ItemIndex>,
    /// The task.
    #[schema(value_type = String)]
    task: TaskName,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// Until when; none is for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// The question, in a sentence.
    prompt: String,
    /// The JSON Schema of the answer.
    schema: Value,
    /// Who may answer: roles; none is anybody.
    roles: Vec<String>,
    /// Who may answer: names of keys; none is anybody.
    users: Vec<String>,
    /// A label by which those who answer find it.
    route: String,
}

impl Inquiry {
    fn of(open: &OpenWait, view: &ExecutionView) -> Option<Self> {
        let WaitKind::Inquiry { prompt, schema, roles, users, route } = shown(view, open.step, open.item)?.kind.clone()
        else {
            return None;
        };
        let task = task_of(view, open.step)?;
        let item = open.item.map(|item| format!(":{item}")).unwrap_or_default();
        Some(Self {
            id: format!("{}:{task}{item}", open.execution),
            execution: open.execution,
            step: open.step,
            item: open.item,
            task,
            opened_at: open.opened_at,
            expires_at: open.wait.expires_at,
            prompt,
            schema,
            roles,
            users,
            route,
        })
    }
}

/// The questions that are open: of one execution, or of all.
async fn open(
    context: &Context,
    principal: &Principal,
    execution: Option<ExecutionId>,
) -> Result<Vec<OpenWait>, ApiProblem> {
    let filter = WaitFilter { execution, kind: Some(Awaited::Inquiry), key: None };
    waits::open(context, principal, &filter).await
}

/// Questions that wait for an answer, the oldest execution first
#[utoipa::path(get, path = "/api/v1/inquiries", tag = "inquiries", params(PageQuery),
    responses((status = 200, description = "A page of questions.", body = Items<Inquiry>)))]
async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(query): Query<PageQuery>,
) -> Result<Json<Items<Inquiry>>, ApiProblem> {
    let limit = page::limit(query.limit)?;
    let open = open(&context, &principal, None).await?;
    let page = Items::among(open, limit, query.cursor.as_deref(), waits::place);
    Ok(Json(Items { items: inquiries(&context, page.items).await?, next: page.next }))
}

/// The questions with what their executions say of them.
async fn inquiries(context: &Context, open: Vec<OpenWait>) -> Result<Vec<Inquiry>, ApiProblem> {
    let mut items = Vec::new();
    let mut last: Option<ExecutionView> = None;
    for one in open {
        let view = match last.take().filter(|view| view.record.id == one.execution) {
            Some(view) => view,
            None => context.view(one.execution).await?,
        };
        items.extend(Inquiry::of(&one, &view));
        last = Some(view);
    }
    Ok(items)
}

/// Which question.
struct Which {
    execution: String,
    task: Option<TaskName>,
    item: Option<ItemIndex>,
}

impl Which {
    fn read(id: &str) -> Option<Self> {
        let mut parts = id.splitn(3, ':');
        let execution = parts.next()?.to_owned();
        let task = parts.next().map(TaskName::new).transpose().ok()?;
        let item = parts.next().map(str::parse).transpose().ok()?.map(ItemIndex);
        Some(Self { execution, task, item })
    }
}

/// A question
#[utoipa::path(get, path = "/api/v1/inquiries/{id}", tag = "inquiries",
    params(("id" = String, Path, description = "`execution`, `execution:task` or `execution:task:item`.")),
    responses((status = 200, description = "The question.", body = Inquiry),
        (status = 409, description = "The execution asks several.")))]
async fn get(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<Inquiry>, ApiProblem> {
    let missing = || ApiProblem::missing("there is no such question, or none that waits for an answer");
    let which = Which::read(&id).ok_or_else(missing)?;
    let record = context.execution(&which.execution, &principal).await?;
    let open = open(&context, &principal, Some(record.id)).await?;
    let all = inquiries(&context, open).await?;
    let mut fit = all.into_iter().filter(|one| {
        which.task.as_ref().is_none_or(|task| one.task == *task) && which.item.is_none_or(|item| one.item == Some(item))
    });
    match (fit.next(), fit.next()) {
        (Some(only), None) => Ok(Json(only)),
        (None, _) => Err(missing()),
        (Some(first), Some(second)) => {
            let detail = "the execution asks several questions";
            Err(ApiProblem::new(StatusCode::CONFLICT, code::EXEC_NOT_WAITING, detail)
                .hint(format!("say which: `{}`, `{}`", first.id, second.id)))
        }
    }
}

/// An answer to a question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Response {
    /// The id of the question, as StackStorm's clients send it: the path says it already.
    #[serde(default, rename = "id")]
    _id: Option<String>,
    /// The answer: it must fit the schema of the question.
    response: Value,
}

/// Answer a question
#[utoipa::path(put, path = "/api/v1/inquiries/{id}", tag = "inquiries", request_body = Response,
    params(("id" = String, Path, description = "`execution`, `execution:task` or `execution:task:item`.")),
    responses((status = 200, description = "The answer is recorded.", body = schema::Stands),
        (status = 409, description = "The execution does not wait for that.")))]
async fn answer(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
    Body(Response { response, .. }): Body<Response>,
) -> Result<Json<Stands>, ApiProblem> {
    let missing = || ApiProblem::missing("there is no such question, or none that waits for an answer");
    let Which { execution, task, item } = Which::read(&id).ok_or_else(missing)?;
    respond(&context, &principal, &execution, task, item, response).await
}

/// Gives an answer to an execution, if whoever gives it may.
pub(super) async fn respond(
    context: &Context,
    principal: &Principal,
    execution: &str,
    task: Option<TaskName>,
    item: Option<ItemIndex>,
    answer: Value,
) -> Result<Json<Stands>, ApiProblem> {
    let id = context.execution(execution, principal).await?.id;
    check_may_answer(context, principal, id, task.as_ref(), item).await?;
    executions::ask(context, principal, id, Control::Respond { by: principal.by(), task, item, answer }).await
}

/// Whether whoever asks may answer what an execution asks: everything that the answer could be meant for.
async fn check_may_answer(
    context: &Context,
    principal: &Principal,
    id: ExecutionId,
    task: Option<&TaskName>,
    item: Option<ItemIndex>,
) -> Result<(), ApiProblem> {
    let open = open(context, principal, Some(id)).await?;
    let asked = inquiries(context, open).await?;
    let meant = asked
        .iter()
        .filter(|one| task.is_none_or(|task| one.task == *task) && item.is_none_or(|item| one.item == Some(item)));
    for one in meant {
        if !may_answer(principal, &one.roles, &one.users) {
            let detail = format!("the task `{}` does not ask whoever this key belongs to", one.task);
            let who = one.roles.iter().chain(&one.users).map(|who| format!("`{who}`")).collect::<Vec<_>>();
            return Err(ApiProblem::new(StatusCode::FORBIDDEN, code::API_ROLE, detail)
                .hint(format!("it asks {}", who.join(", "))));
        }
    }
    Ok(())
}

/// A role is that of the key, or one that it includes; a user is the name of the key. Where both are named, both must
/// fit. Whoever may do everything may answer everything.
fn may_answer(principal: &Principal, roles: &[String], users: &[String]) -> bool {
    if principal.role == Role::Admin {
        return true;
    }
    let is = |user: &String| principal.name() == Some(user.as_str());
    waits::may_answer(principal.role, roles) && (users.is_empty() || users.iter().any(is))
}
