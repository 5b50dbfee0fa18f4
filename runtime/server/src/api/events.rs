//! `/events`: what happened outside, what rules made of it, and telling runner of more.

mod list;
mod send;
mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use runner_executor::RequestError;
use runner_model::{Event, EventId};
use runner_store::{AuditAction, Deed, StoreError};
use runner_triggers::{Delivered, TriggerError};
use serde_json::json;
use utoipa_axum::routes;

use super::access::Principal;
use super::context::Context;
use super::problem::ApiProblem;
use super::route::{Access, Routes};
pub(crate) use list::{EventsQuery, listed};
pub(crate) use view::{DeliveredView, EventView, StartedView};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Access::Viewer, routes!(list::list_events))
        .add(Access::Operator, routes!(send::send_event))
        .add(Access::Viewer, routes!(get_event))
        .add(Access::Operator, routes!(resend_event))
}

/// One event, with the rules that matched it
#[utoipa::path(
    get,
    path = "/api/v1/events/{id}",
    tag = "events",
    params(("id" = String, Path, description = "The id of the event")),
    responses((status = 200, description = "The event", body = EventView))
)]
pub(super) async fn get_event(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<EventView>, ApiProblem> {
    let event = visible(&context, &principal, &id).await?;
    Ok(Json(EventView::of(&context.library(), event)))
}

/// Send an event once more: the rules look at it as they are now
///
/// The payload becomes a new event, so each rule that matches runs again.
#[utoipa::path(
    post,
    path = "/api/v1/events/{id}/resend",
    tag = "events",
    params(("id" = String, Path, description = "The id of the event")),
    responses(
        (status = 202, description = "The new event is recorded", body = DeliveredView),
        (status = 429, description = "As many executions wait as are allowed: nothing is recorded")
    )
)]
pub(super) async fn resend_event(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<DeliveredView>), ApiProblem> {
    let event = visible(&context, &principal, &id).await?;
    admission(&context)?;
    let deed = Deed::new(AuditAction::EventResend, event.id.to_string(), json!({ "trigger": event.trigger.as_str() }));
    context.options.store.log(principal.audited(context.now()), deed).await?;
    let Delivered { event, fresh } = context.options.triggers.resend(event.id).await?;
    Ok((StatusCode::ACCEPTED, Json(DeliveredView::of(&event, !fresh))))
}

/// The event with this id, as far as whoever asks may see it.
async fn visible(context: &Context, principal: &Principal, id: &str) -> Result<Event, ApiProblem> {
    let missing = || ApiProblem::from(StoreError::NoEvent);
    let id: EventId = id.parse().map_err(|_| missing())?;
    let event = context.options.store.event(id).await?;
    seen(principal, event).ok_or_else(missing)
}

/// What a key sees of an event: the matches of its packs. Events of which it sees nothing are not there for it.
fn seen(principal: &Principal, mut event: Event) -> Option<Event> {
    event.matches.retain(|one| principal.may_touch(one.rule.pack()));
    let is_seen = !event.matches.is_empty() || principal.may_touch(event.trigger.pack());
    is_seen.then_some(event)
}

/// Refuses what would only wait: **before** anything is recorded, so that the sender knows that nothing is.
pub(crate) fn admission(context: &Context) -> Result<(), ApiProblem> {
    if context.is_draining() {
        return Err(ApiProblem::draining());
    }
    let options = &context.options;
    if options.executor.is_full() || options.triggers.backlog() >= options.executor.queue_max() {
        return Err(RequestError::Full { retry_after: AGAIN }.into());
    }
    Ok(())
}

/// When to try again what was refused because too much waits: thousands of executions begin in a second.
const AGAIN: Duration = Duration::from_secs(1);

impl From<TriggerError> for ApiProblem {
    fn from(error: TriggerError) -> Self {
        let status = match error {
            TriggerError::Store(error) => return error.into(),
            TriggerError::Stopped => return Self::draining(),
            TriggerError::UnknownRule { .. } | TriggerError::UnknownEvent { .. } => StatusCode::NOT_FOUND,
            TriggerError::UnknownTrigger { .. } | TriggerError::Payload { .. } | TriggerError::Key { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            TriggerError::Chain { .. } => StatusCode::CONFLICT,
        };
        Self::new(status, error.code(), error.to_string()).maybe_hint(error.hint())
    }
}
