//! Listing executions.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue};
use runner_model::{ActionRef, EventId, ExecutionId, ExecutionRecord, PackRef, RuleRef, Status, Timestamp};
use runner_store::{ExecutionFilter, Order};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::access::Principal;
use crate::api::body::Query;
use crate::api::context::Context;
use crate::api::page::{self, Items};
use crate::api::problem::ApiProblem;
use crate::api::schema;

/// Which executions come first.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sort {
    /// The newest.
    #[default]
    Newest,
    /// The oldest.
    Oldest,
}

/// Which executions to list. Everything that is given must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Has this status.
    #[param(value_type = Option<schema::Status>)]
    status: Option<Status>,
    /// Runs this action.
    #[param(value_type = Option<String>, pattern = r"^[a-z0-9_]{1,60}\.[A-Za-z0-9_.-]{1,60}$", example = "core.noop")]
    action: Option<ActionRef>,
    /// Runs an action of this pack.
    #[param(value_type = Option<String>, pattern = "^[a-z0-9_]{1,128}$")]
    pack: Option<PackRef>,
    /// Was started by a step of this execution.
    #[param(value_type = Option<String>, format = Uuid)]
    parent: Option<ExecutionId>,
    /// Was started by this rule.
    #[param(value_type = Option<String>, pattern = r"^[a-z0-9_]{1,60}\.[A-Za-z0-9_.-]{1,60}$")]
    rule: Option<RuleRef>,
    /// Was started because of this event. StackStorm's `trigger_instance` means the same.
    #[serde(alias = "trigger_instance")]
    #[param(value_type = Option<String>, format = Uuid)]
    event: Option<EventId>,
    /// Was asked for at this moment or later. StackStorm's `timestamp_gt` means the same.
    #[serde(alias = "timestamp_gt")]
    #[param(value_type = Option<String>, format = DateTime)]
    created_after: Option<Timestamp>,
    /// Was asked for before this moment. StackStorm's `timestamp_lt` means the same.
    #[serde(alias = "timestamp_lt")]
    #[param(value_type = Option<String>, format = DateTime)]
    created_before: Option<Timestamp>,
    /// Has not ended (true), or has (false).
    open: Option<bool>,
    /// Whether those are left out that steps of others started. By default they are, unless `parent` is given.
    root: Option<bool>,
    /// Which ones come first: by default the newest.
    #[param(inline)]
    sort: Option<Sort>,
    /// How many to list.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
    /// Where the page before ended: its `next`.
    #[param(value_type = Option<String>, format = Uuid)]
    cursor: Option<String>,
    /// Whether to count all that there are, in the header `X-Total-Count`; beyond 10,000 they are not counted.
    count: Option<bool>,
}

impl ListQuery {
    fn filter(&self) -> ExecutionFilter {
        let root = self.root.unwrap_or_else(|| self.parent.is_none());
        ExecutionFilter {
            status: self.status,
            action: self.action.clone(),
            pack: self.pack.clone(),
            created_after: self.created_after,
            created_before: self.created_before,
            open: self.open,
            parent: self.parent,
            root: root.then_some(true),
            rule: self.rule.clone(),
            event: self.event,
            order: match self.sort.unwrap_or_default() {
                Sort::Newest => Order::Newest,
                Sort::Oldest => Order::Oldest,
            },
            ..ExecutionFilter::default()
        }
    }
}

/// Executions, newest first
#[utoipa::path(get, path = "/api/v1/executions", tag = "executions", params(ListQuery),
    responses((status = 200, description = "A page of executions.", body = Items<schema::ExecutionRecord>,
        headers(("X-Total-Count" = u64, description = "How many there are, if `count` was asked for.")))))]
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiProblem> {
    let limit = page::limit(query.limit)?;
    let cursor = page::cursor(query.cursor.as_deref())?;
    let filters = within(query.filter(), &principal);
    let mut found = Vec::new();
    for filter in &filters {
        found.extend(context.options.store.list(filter, cursor, limit + 1).await?);
    }
    sort(&mut found, query.sort.unwrap_or_default());
    let items = Items::of(found, limit, |record: &ExecutionRecord| record.id.to_string());
    let mut response = Json(items).into_response();
    if query.count == Some(true) {
        let mut count = 0;
        for filter in &filters {
            count += context.options.store.count(filter).await?;
        }
        response.headers_mut().insert(HeaderName::from_static("x-total-count"), HeaderValue::from(count));
    }
    Ok(response)
}

/// The filter as often as whoever asks is held to packs: once for each.
fn within(filter: ExecutionFilter, principal: &Principal) -> Vec<ExecutionFilter> {
    let Some(packs) = principal.packs() else { return vec![filter] };
    let wanted = packs.iter().filter(|pack| filter.pack.as_ref().is_none_or(|only| only == *pack));
    wanted.map(|pack| ExecutionFilter { pack: Some(pack.clone()), ..filter.clone() }).collect()
}

/// Those of several packs in one order.
fn sort(records: &mut Vec<ExecutionRecord>, sort: Sort) {
    records.sort_by_key(|record| record.id);
    records.dedup_by_key(|record| record.id);
    if matches!(sort, Sort::Newest) {
        records.reverse();
    }
}
