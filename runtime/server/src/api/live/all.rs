//! All executions: how each stands, whenever that changes.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use runner_executor::{Heard, Listener, Progress, ProgressEvent};
use runner_model::limits::STREAM_HEARTBEAT;
use runner_model::{ActionRef, ExecutionRecord, Status, StepId};
use runner_store::Catalogue;
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::IntoParams;

use super::{HEARTBEAT, Leave, Source, event, respond};
use crate::api::access::{Local, Principal};
use crate::api::body::Query;
use crate::api::context::Context;
use crate::api::problem::ApiProblem;
use crate::api::schema;

/// Which changes to send. Everything that is given must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Of executions of this action.
    #[param(value_type = Option<String>, pattern = r"^[a-z0-9_]{1,60}\.[A-Za-z0-9_.-]{1,60}$")]
    action: Option<ActionRef>,
    /// To this status.
    #[param(value_type = Option<schema::Status>)]
    status: Option<Status>,
}

/// How executions stand, as server-sent events, whenever that changes
///
/// Each event is `execution`; its data is the execution's record. `lost` says how many events of the process were missed
/// because they came faster than they were received. Only what this process drives is heard.
#[utoipa::path(get, path = "/api/v1/stream", tag = "executions", params(Wanted),
    responses((status = 200, description = "The events; they end when the process does.", body = String, content_type = "text/event-stream")))]
pub(super) async fn follow(
    State(context): State<Arc<Context>>,
    principal: Principal,
    local: Option<Extension<Local>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, ApiProblem> {
    let place = context.streams.enter()?;
    let leave = Leave::new(context.clone(), headers, local.is_some());
    let listener = context.options.executor.listen();
    Ok(respond(All { context, leave, principal, wanted, listener, has_begun: false }, place))
}

struct All {
    context: Arc<Context>,
    leave: Leave,
    principal: Principal,
    wanted: Wanted,
    listener: Listener,
    has_begun: bool,
}

/// How often, and at first after how long, an execution is looked at again that does not stand yet as was said: what
/// happens is said before it is committed.
const LOOKS_MAX: u32 = 9;
const LOOK_AGAIN: Duration = Duration::from_millis(4);

impl All {
    /// The execution of an event, as it stands after that.
    async fn record(&self, said: &ProgressEvent) -> Option<ExecutionRecord> {
        let wanted = stands(&said.progress);
        let mut wait = LOOK_AGAIN;
        for _ in 0..LOOKS_MAX {
            let record = Catalogue::get(&*self.context.options.store, said.execution).await.ok();
            match (record, wanted) {
                (Some(record), Some(wanted)) if record.status == wanted => return Some(record),
                // How it ended is said by itself.
                (Some(record), None) => return Some(record).filter(|record| !record.status.is_terminal()),
                _ => {}
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        // It stands otherwise already: that is said by itself too.
        None
    }

    /// How the execution of an event stands, if that is worth telling.
    async fn told(&self, said: &ProgressEvent) -> Option<Bytes> {
        if !changes(&said.progress) {
            return None;
        }
        let record = self.record(said).await?;
        let ExecutionRecord { action, status, .. } = &record;
        let fits = self.principal.may_touch(action.pack())
            && self.wanted.action.as_ref().is_none_or(|wanted| wanted == action)
            && self.wanted.status.is_none_or(|wanted| wanted == *status);
        let data = serde_json::to_string(&record).ok()?;
        fits.then(|| event("execution", None, &data))
    }
}

/// How an execution stands after this, if that is said.
const fn stands(progress: &Progress) -> Option<Status> {
    match progress {
        Progress::StatusChanged { status } | Progress::Finished { status } => Some(*status),
        _ => None,
    }
}

/// Whether an execution stands differently after this; that it runs shows in its first step.
const fn changes(progress: &Progress) -> bool {
    match progress {
        Progress::StatusChanged { .. } | Progress::Finished { .. } | Progress::CancelRequested { .. } => true,
        Progress::StepStarted { unit, .. } => matches!(unit.step, StepId(0)),
        _ => false,
    }
}

impl Source for All {
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.has_begun, true) {
            // So that whoever listens knows that nothing is missed from here on.
            return Some(HEARTBEAT);
        }
        let heartbeat = Instant::now() + STREAM_HEARTBEAT;
        loop {
            let heard = tokio::select! {
                heard = self.listener.recv() => heard?,
                () = tokio::time::sleep_until(heartbeat) => {
                    return if self.leave.holds().await { Some(HEARTBEAT) } else { None };
                }
                () = self.context.drained() => return None,
            };
            if !self.leave.holds().await {
                return None;
            }
            match heard {
                Heard::Lost(events) => return Some(event("lost", None, &format!("{{\"events\":{events}}}"))),
                Heard::Event(said) => {
                    if let Some(bytes) = self.told(&said).await {
                        return Some(bytes);
                    }
                }
            }
        }
    }
}
