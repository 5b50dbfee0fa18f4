//! `GET /ruleenforcements`: what rules have done, as StackStorm lists it: the matches of events, one by one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use runner_model::{Event, Match, MatchState, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::access::Principal;
use crate::api::body::Query;
use crate::api::context::Context;
use crate::api::events::{EventsQuery, listed};
use crate::api::page::Items;
use crate::api::problem::ApiProblem;

/// What a rule has done with an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RuleEnforcement)]
pub(crate) struct EnforcementView {
    /// The event
    trigger_instance: String,
    /// Its trigger
    trigger: String,
    /// The rule
    rule: String,
    /// What it runs
    action: String,
    /// The execution that this makes; null if it makes none
    #[schema(required = true)]
    execution: Option<String>,
    /// When the rule matched
    #[schema(value_type = String, format = DateTime)]
    enforced_at: Timestamp,
    /// `succeeded` if the execution was made or is to be, `skipped` if none is made on purpose, else `failed`
    status: &'static str,
    /// Why no execution is made; null if one is
    #[schema(required = true)]
    failure_reason: Option<String>,
}

impl EnforcementView {
    fn of(event: &Event, one: &Match) -> Self {
        let (status, reason) = match &one.state {
            MatchState::Pending | MatchState::Queued | MatchState::Started => ("succeeded", None),
            MatchState::Skipped { reason } => ("skipped", Some(reason.clone())),
            MatchState::Failed { failure } => ("failed", Some(failure.to_string())),
        };
        Self {
            trigger_instance: event.id.to_string(),
            trigger: event.trigger.to_string(),
            rule: one.rule.to_string(),
            action: one.action.to_string(),
            execution: reason.is_none().then(|| one.execution.to_string()),
            enforced_at: event.received_at,
            status,
            failure_reason: reason,
        }
    }
}

/// What rules have done, the newest event first
///
/// A page holds every match of up to `limit` events.
#[utoipa::path(
    get,
    path = "/api/v1/ruleenforcements",
    tag = "rules",
    params(EventsQuery),
    responses((status = 200, description = "The matches of a page of events", body = Items<EnforcementView>))
)]
pub(super) async fn list_enforcements(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(query): Query<EventsQuery>,
) -> Result<Json<Items<EnforcementView>>, ApiProblem> {
    let rule = query.rule().map(str::to_owned);
    let Items { items, next } = listed(&context, &principal, query).await?;
    let is_meant = |one: &&Match| rule.as_deref().is_none_or(|rule| rule == one.rule.as_str());
    let of_event = |event: &Event| -> Vec<_> {
        event.matches.iter().filter(is_meant).map(|one| EnforcementView::of(event, one)).collect()
    };
    Ok(Json(Items { items: items.iter().flat_map(of_event).collect(), next }))
}
