//! `/schedules`: rules that wait for a time, and when they come next.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use runner_model::Timestamp;
use runner_triggers::ScheduleState;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::access::Principal;
use super::body::Query;
use super::context::Context;
use super::page::{self, Items};
use super::problem::ApiProblem;
use super::route::{Access, Routes};

pub(super) fn routes() -> Routes {
    Routes::default().add(Access::Viewer, routes!(list_schedules))
}

/// A rule with a schedule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Schedule)]
pub(crate) struct ScheduleView {
    /// The rule
    rule: String,
    /// When, as people read it
    #[schema(example = "30 2 * * * Europe/Berlin")]
    what: String,
    /// What happens while an earlier execution has not ended: `allow`, `skip`, `queue` or `cancel_previous`
    overlap: &'static str,
    /// What happens with instants that were missed: `skip`, `last` or `all`
    on_missed: &'static str,
    /// Whether it is at work
    enabled: bool,
    /// The newest of its instants that is dealt with; null if it is not at work, or none has come
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last: Option<Timestamp>,
    /// When it comes next; nothing if it is not at work, or never comes again
    #[schema(value_type = Vec<String>)]
    next: Vec<Timestamp>,
}

impl From<ScheduleState> for ScheduleView {
    fn from(state: ScheduleState) -> Self {
        Self {
            rule: state.rule.to_string(),
            what: state.what,
            overlap: state.overlap.as_str(),
            on_missed: state.on_missed.as_str(),
            enabled: state.enabled,
            last: state.last,
            next: state.next,
        }
    }
}

/// How much to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SchedulesQuery {
    /// How many instants of each: from 1 to 100, 10 if nothing is said
    #[param(minimum = 1, maximum = 100)]
    count: Option<usize>,
    /// How many schedules at the most: from 1 to 1000, 100 if nothing is said
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
    /// Where to go on: the `next` of the page before
    cursor: Option<String>,
}

const COUNT: usize = 10;
const COUNT_MAX: usize = 100;

/// Rules with a schedule, and when each comes next
#[utoipa::path(
    get,
    path = "/api/v1/schedules",
    tag = "rules",
    params(SchedulesQuery),
    responses((status = 200, description = "A page of schedules, by rule", body = Items<ScheduleView>))
)]
async fn list_schedules(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(query): Query<SchedulesQuery>,
) -> Result<Json<Items<ScheduleView>>, ApiProblem> {
    let count = query.count.unwrap_or(COUNT);
    if !(1..=COUNT_MAX).contains(&count) {
        return Err(ApiProblem::bad(format!("`count` is {count}: it must be from 1 to {COUNT_MAX}")));
    }
    let limit = page::limit(query.limit)?;
    let mut all = context.options.triggers.schedules(count);
    all.retain(|state| principal.may_touch(state.rule.pack()));
    all.sort_by(|one, other| one.rule.as_str().cmp(other.rule.as_str()));
    let all = all.into_iter().map(ScheduleView::from).collect();
    Ok(Json(Items::among(all, limit, query.cursor.as_deref(), |view| view.rule.clone())))
}
