//! The paths, and what each does.

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use futures::stream;
use http::{StatusCode, header};
use runner_executor::{Control, Executor, Heard, Listener, Progress};
use runner_model::{ExecutionId, NodeId, code, limits};
use tokio_util::sync::CancellationToken;

use super::line::{Line, Said};
use super::wire::{Node, Problem, Stands, Turn};

/// What the handlers work with.
#[derive(Clone)]
struct Context {
    executor: Executor,
    node: NodeId,
    shutdown: CancellationToken,
}

/// The handlers. What is streamed ends with `shutdown`.
pub fn routes(executor: Executor, node: NodeId, shutdown: CancellationToken) -> Router {
    Router::new()
        .route("/node", get(node_of))
        .route("/executions/{id}/control", post(control))
        .route("/executions/{id}/delayed", get(delayed))
        .route("/executions/{id}/progress", get(progress))
        // JSON of JSON: an answer in a request is not larger than the parameters of an execution, but escaped.
        .layer(DefaultBodyLimit::max(limits::PARAMETERS_BYTES_MAX * 2))
        .with_state(Context { executor, node, shutdown })
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
    }
}

async fn node_of(State(context): State<Context>) -> Json<Node> {
    let (at_work, parked) = context.executor.count();
    Json(Node { node: context.node, pid: std::process::id(), at_work, parked })
}

async fn control(
    State(context): State<Context>,
    id: Result<Path<ExecutionId>, PathRejection>,
    ask: Result<Json<Control>, JsonRejection>,
) -> Result<Json<Stands>, Problem> {
    let Path(id) = id.map_err(|error| refused(error.status(), &error.body_text()))?;
    let Json(ask) = ask.map_err(|error| refused(error.status(), &error.body_text()))?;
    let status = context.executor.control(id, ask).await.map_err(|error| Problem::from(&error))?;
    Ok(Json(Stands { id, status }))
}

async fn delayed(
    State(context): State<Context>,
    id: Result<Path<ExecutionId>, PathRejection>,
) -> Result<Json<Vec<Turn>>, Problem> {
    let Path(id) = id.map_err(|error| refused(error.status(), &error.body_text()))?;
    Ok(Json(context.executor.delayed(id).into_iter().map(Turn::from).collect()))
}

fn refused(status: StatusCode, why: &str) -> Problem {
    Problem::new(status, code::API_REQUEST, why.to_owned())
}

async fn progress(
    State(context): State<Context>,
    id: Result<Path<ExecutionId>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(|error| refused(error.status(), &error.body_text()))?;
    // From here on nothing is missed: who has the answer's head may read the journal.
    let watch = Watch { id, listener: context.executor.listen(), shutdown: context.shutdown, ended: false };
    let lines = stream::unfold(watch, |mut watch| async move {
        let line = watch.next().await?;
        Some((Ok::<_, std::convert::Infallible>(line), watch))
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

/// Somebody who watches an execution.
struct Watch {
    id: ExecutionId,
    listener: Listener,
    shutdown: CancellationToken,
    ended: bool,
}

impl Watch {
    async fn next(&mut self) -> Option<Bytes> {
        while !self.ended {
            let heard = tokio::select! {
                biased;
                // What was said before the end is still to be told.
                heard = self.listener.recv() => heard?,
                () = self.shutdown.cancelled() => return None,
            };
            let line = match heard {
                Heard::Event(event) if event.root == self.id || event.execution == self.id => {
                    let is_end = matches!(event.progress, Progress::Finished { .. });
                    self.ended = is_end && event.execution == self.id;
                    Line::from(&*event)
                }
                Heard::Event(_) => continue,
                Heard::Lost(events) => self.lost(events),
            };
            let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
            bytes.push(b'\n');
            return Some(bytes.into());
        }
        None
    }

    fn lost(&self, events: u64) -> Line {
        let said = Said::Lost { events };
        Line { at: Default::default(), execution: self.id, depth: 0, step: None, item: None, said }
    }
}
