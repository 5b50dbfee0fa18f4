//! `/waits`: everything that executions wait for from outside, questions among it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use runner_model::limits::STORE_BATCH_MAX;
use runner_model::{ExecutionId, ExecutionView, Role, WaitKind};
use runner_store::{Awaited, Catalogue, OpenWait, WaitFilter, Waits};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::access::Principal;
use super::body::Query;
use super::context::Context;
use super::executions::Wait;
use super::page::{self, Items};
use super::problem::ApiProblem;
use super::route::{Access, Routes};

pub(super) fn routes() -> Routes {
    Routes::default().add(Access::Viewer, routes!(list))
}

/// Which waits. Everything that is given must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Of this execution: its id, or the beginning of it.
    execution: Option<String>,
    /// For something of this kind.
    #[param(inline)]
    kind: Option<Kind>,
    /// Questions that somebody with this role may answer.
    #[param(inline)]
    role: Option<Asks>,
    /// How many to list.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
    /// Where the page before ended: its `next`.
    cursor: Option<String>,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// An answer.
    Inquiry,
    /// An event.
    Event,
    /// That somebody says what became of an attempt.
    Outcome,
}

/// A role, as questions name it.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Asks {
    Viewer,
    Operator,
    Admin,
}

impl Wanted {
    fn kind(&self) -> Option<Awaited> {
        self.kind.map(|kind| match kind {
            Kind::Inquiry => Awaited::Inquiry,
            Kind::Event => Awaited::Event,
            Kind::Outcome => Awaited::Outcome,
        })
    }

    fn asks(&self, open: &OpenWait) -> bool {
        let Some(role) = self.role else { return true };
        let role = match role {
            Asks::Viewer => Role::Viewer,
            Asks::Operator => Role::Operator,
            Asks::Admin => Role::Admin,
        };
        matches!(&open.wait.kind, WaitKind::Inquiry { roles, .. } if may_answer(role, roles))
    }
}

/// Whether a question with these roles is one for `role`: for it, for one that it includes, or for anybody. Whoever may do
/// everything may answer everything.
pub(super) fn may_answer(role: Role, roles: &[String]) -> bool {
    let includes = |asked: &String| asked.parse::<Role>().is_ok_and(|asked| role >= asked);
    role == Role::Admin || roles.is_empty() || roles.iter().any(includes)
}

/// What executions wait for, the oldest execution first
#[utoipa::path(get, path = "/api/v1/waits", tag = "inquiries", params(Wanted),
    responses((status = 200, description = "A page of it, by execution, step and item.", body = Items<Wait>),
        (status = 404, description = "No execution that may be seen has this id, or begins like it."),
        (status = 409, description = "Several ids begin like that.")))]
async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Items<Wait>>, ApiProblem> {
    let limit = page::limit(wanted.limit)?;
    let execution = match &wanted.execution {
        Some(id) => Some(context.execution(id, &principal).await?.id),
        None => None,
    };
    let filter = WaitFilter { execution, kind: wanted.kind(), key: None };
    let mut open = open(&context, &principal, &filter).await?;
    open.retain(|one| wanted.asks(one));
    let page = Items::among(open, limit, wanted.cursor.as_deref(), place);
    Ok(Json(Items { items: told(&context, page.items).await?, next: page.next }))
}

/// The waits with what their executions say of them.
async fn told(context: &Context, open: Vec<OpenWait>) -> Result<Vec<Wait>, ApiProblem> {
    let mut items = Vec::new();
    let mut last: Option<ExecutionView> = None;
    for one in open {
        let view = match last.take().filter(|view| view.record.id == one.execution) {
            Some(view) => view,
            None => match context.view(one.execution).await {
                Ok(view) => view,
                // It was removed meanwhile.
                Err(problem) if problem.status == StatusCode::NOT_FOUND => continue,
                Err(problem) => return Err(problem),
            },
        };
        items.extend(Wait::of(&one, &view));
        last = Some(view);
    }
    Ok(items)
}

/// Waits that are looked at for one list: what people can be asked at the same time, and answer.
const WAITS_MAX: usize = 20 * STORE_BATCH_MAX;

/// The waits that a filter admits, as far as whoever asks may see their executions.
pub(super) async fn open(
    context: &Context,
    principal: &Principal,
    filter: &WaitFilter,
) -> Result<Vec<OpenWait>, ApiProblem> {
    let store = &*context.options.store;
    let mut open = Waits::waits(store, filter, WAITS_MAX).await?;
    if principal.packs().is_some() {
        let mut seen: BTreeMap<ExecutionId, bool> = BTreeMap::new();
        for id in open.iter().map(|one| one.execution) {
            if let Entry::Vacant(slot) = seen.entry(id) {
                let record = Catalogue::get(store, id).await;
                slot.insert(record.is_ok_and(|record| principal.may_touch(record.action.pack())));
            }
        }
        open.retain(|one| seen.get(&one.execution) == Some(&true));
    }
    Ok(open)
}

/// What sorts a wait among others, and tells where a page ended.
pub(super) fn place(open: &OpenWait) -> String {
    let item = open.item.map_or(0, |item| u64::from(item.0) + 1);
    format!("{}:{:010}:{item:010}", open.execution, open.step.0)
}
