//! Waiting for the first execution that a delivery makes.

use std::pin::pin;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use runner_model::limits::STREAM_LOOK;
use runner_model::{Event, ExecutionView, Match, MatchState, RuleRef, Status};
use runner_store::{Catalogue, StoreError};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api::context::Context;
use crate::api::problem::ApiProblem;

/// How soon to look at first whether the execution is there: most are made, or found impossible, in milliseconds.
const LOOK_FIRST: Duration = Duration::from_millis(20);

/// What became of a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryEnded)]
pub(crate) struct EndedView {
    /// The id of the event
    event: String,
    /// The id of the execution, if one was made
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    execution: Option<String>,
    /// How it ended: `succeeded`, `failed`, `timeout`, `canceled`, `abandoned`; `skipped` if none was made on purpose
    status: String,
    /// What it returned
    result: Value,
    /// What went wrong
    #[schema(value_type = Vec<Object>)]
    errors: Vec<Value>,
}

/// How the first execution of an event ended, as a response: 200 if it succeeded and 422 if not, which senders do not
/// take for a reason to send again. None if there is none, or it does not end in time.
pub(super) async fn wait(context: &Context, event: &Event, time: Duration) -> Result<Option<Response>, ApiProblem> {
    let Some(first) = event.matches.first() else { return Ok(None) };
    // Asked for before the store is: what ends in between is heard.
    let execution = context.options.executor.execution(first.execution).quiet();
    let mut finished = pin!(execution.finished());
    let mut over = pin!(tokio::time::sleep(time));
    let (mut is_heard, mut pause) = (false, LOOK_FIRST);
    loop {
        if let Some(ended) = look(context, event, &first.rule).await? {
            let is_good = ended.status == Status::Succeeded.as_str();
            let status = if is_good { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            return Ok(Some((status, Json(ended)).into_response()));
        }
        tokio::select! {
            _ = &mut finished, if !is_heard => is_heard = true,
            () = &mut over => return Ok(None),
            () = context.drained() => return Ok(None),
            // Not made yet, or never, or driven by another process: nobody tells.
            () = tokio::time::sleep(pause) => pause = STREAM_LOOK.min(pause * 2),
        }
    }
}

/// How it ended; none if it has not.
async fn look(context: &Context, event: &Event, rule: &RuleRef) -> Result<Option<EndedView>, ApiProblem> {
    let Some(one) = event.matches.iter().find(|one| one.rule == *rule) else { return Ok(None) };
    match Catalogue::get(&*context.options.store, one.execution).await {
        Ok(record) if record.status.is_terminal() => {
            let view = context.view(one.execution).await?;
            return Ok(Some(ended(event, &view)));
        }
        Ok(_) => return Ok(None),
        Err(StoreError::NotFound) => {}
        Err(error) => return Err(error.into()),
    }
    // Perhaps none is ever made.
    let now = context.options.store.event(event.id).await?;
    Ok(now.matches.iter().find(|one| one.rule == *rule).and_then(|one| none_made(event, one)))
}

fn ended(event: &Event, view: &ExecutionView) -> EndedView {
    EndedView {
        event: event.id.to_string(),
        execution: Some(view.record.id.to_string()),
        status: view.record.status.to_string(),
        result: view.result.clone().unwrap_or_default(),
        errors: view.errors.iter().map(|error| json!(error)).collect(),
    }
}

fn none_made(event: &Event, one: &Match) -> Option<EndedView> {
    let (status, errors) = match &one.state {
        MatchState::Skipped { reason } => (Status::Skipped, vec![json!({ "message": reason })]),
        MatchState::Failed { failure } => (Status::Failed, vec![json!(failure)]),
        MatchState::Pending | MatchState::Queued | MatchState::Started => return None,
    };
    Some(EndedView {
        event: event.id.to_string(),
        execution: None,
        status: status.to_string(),
        result: Value::Null,
        errors,
    })
}
