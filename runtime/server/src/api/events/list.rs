//! `GET /events`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use runner_model::limits::{EVENT_LIST_BYTES, EVENT_LIST_READ};
use runner_model::{Event, EventId, Timestamp};
use runner_store::EventFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{EventView, seen};
use crate::api::access::Principal;
use crate::api::body::Query;
use crate::api::context::Context;
use crate::api::page::{self, Items};
use crate::api::problem::ApiProblem;

/// Which events to list. Everything that is given must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Of this trigger: `core.webhook`
    #[param(pattern = "^[a-z0-9_]{1,128}[.][A-Za-z0-9_.-]{1,128}$")]
    trigger: Option<String>,
    /// Of this source, as events show it: `github#1f5e8c02`
    source: Option<String>,
    /// Matched by this rule
    #[param(pattern = "^[a-z0-9_]{1,128}[.][A-Za-z0-9_.-]{1,128}$")]
    rule: Option<String>,
    /// Something is left to do for it (true), or nothing is (false)
    open: Option<bool>,
    /// Recorded at this moment or later: `2026-11-21T10:46:00Z`
    #[param(format = DateTime)]
    after: Option<String>,
    /// Recorded before this moment
    #[param(format = DateTime)]
    before: Option<String>,
    /// How many at the most: from 1 to 1000, 100 if nothing is said
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
    /// Where to go on: the `next` of the page before
    #[param(format = Uuid)]
    cursor: Option<String>,
}

impl EventsQuery {
    /// The rule that is asked for.
    pub(crate) fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }
}

/// What happened outside, the newest first
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "events",
    params(EventsQuery),
    responses((status = 200, description = "A page of events", body = Items<EventView>))
)]
pub(in crate::api) async fn list_events(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(query): Query<EventsQuery>,
) -> Result<Json<Items<EventView>>, ApiProblem> {
    let library = context.library();
    let Items { items, next } = listed(&context, &principal, query).await?;
    let items = items.into_iter().map(|event| EventView::of(&library, event)).collect();
    Ok(Json(Items { items, next }))
}

/// How many pages are read for somebody who may see few of the events: what is missing then is on the next page.
const READS_MAX: usize = 10;

/// A page of events that somebody may see. Where they are large it is a short one: what it holds in memory is bounded.
pub(crate) async fn listed(
    context: &Context,
    principal: &Principal,
    query: EventsQuery,
) -> Result<Items<Event>, ApiProblem> {
    let limit = page::limit(query.limit)?;
    let mut cursor: Option<EventId> = page::cursor(query.cursor.as_deref())?;
    let filter = filter(query)?;
    let (mut items, mut read, mut bytes) = (Vec::new(), 0_usize, 0);
    while read < READS_MAX * limit && bytes < EVENT_LIST_BYTES {
        let wanted = (limit + 1 - items.len()).min(EVENT_LIST_READ);
        let found = context.options.store.events(&filter, cursor, wanted).await?;
        let is_last = found.len() < wanted;
        cursor = found.last().map(|event| event.id);
        read += found.len();
        for event in found.into_iter().filter_map(|event| seen(principal, event)) {
            bytes += length(&event);
            items.push(event);
        }
        if is_last || items.len() > limit {
            return Ok(Items::of(items, limit, |event| event.id.to_string()));
        }
    }
    Ok(Items { items, next: cursor.map(|id| id.to_string()) })
}

/// How long an event is as JSON, in bytes.
fn length(event: &Event) -> usize {
    struct Length(usize);
    impl std::io::Write for Length {
        fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
            self.0 += part.len();
            Ok(part.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut length = Length(0);
    // Events are JSON, and counting does not fail.
    serde_json::to_writer(&mut length, event).map_or(0, |()| length.0)
}

fn filter(query: EventsQuery) -> Result<EventFilter, ApiProblem> {
    let moment = |name: &str, text: Option<String>| -> Result<Option<Timestamp>, ApiProblem> {
        let wrong = |_| {
            ApiProblem::bad(format!("`{name}` is no moment in time"))
                .hint(format!("write it as RFC 3339 does: `{name}=2026-11-21T10:46:00Z`"))
        };
        text.map(|text| text.parse().map_err(wrong)).transpose()
    };
    Ok(EventFilter {
        trigger: name("trigger", query.trigger)?,
        source: query.source,
        rule: name("rule", query.rule)?,
        open: query.open,
        received_after: moment("after", query.after)?,
        received_before: moment("before", query.before)?,
    })
}

fn name<T: std::str::FromStr<Err: std::fmt::Display>>(
    key: &str,
    text: Option<String>,
) -> Result<Option<T>, ApiProblem> {
    text.map(|text| text.parse().map_err(|error| ApiProblem::bad(format!("`{key}`: {error}")))).transpose()
}
