//! What happens, as it happens: server-sent events of one execution, and of all.
//!
//! Facts come from the journal, so that none is missed or said twice, however slow or interrupted whoever listens is.
//! What guests say between them (log lines, requests, signs of life) stands in no journal: the last of it is kept in
//! memory for those who come later ([`Tails`]).

mod all;
mod leave;
mod one;
mod tails;

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::stream;
use http::header;
use runner_model::limits::STREAMS_MAX;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa_axum::routes;

use super::problem::ApiProblem;
use super::route::{Access, Routes};
use leave::Leave;
pub(crate) use tails::Tails;

pub(super) fn routes() -> Routes {
    Routes::default().add(Access::Viewer, routes!(one::follow)).add(Access::Viewer, routes!(all::follow))
}

/// The streams of a process, counted.
pub(crate) struct Streams(Arc<Semaphore>);

impl Default for Streams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(STREAMS_MAX)))
    }
}

impl Streams {
    fn enter(&self) -> Result<OwnedSemaphorePermit, ApiProblem> {
        self.0.clone().try_acquire_owned().map_err(|_| {
            let detail = format!("{STREAMS_MAX} streams are open, and no more are allowed");
            let status = http::StatusCode::SERVICE_UNAVAILABLE;
            ApiProblem::new(status, runner_model::code::API_REQUEST, detail)
                .retry_after(runner_model::limits::STREAM_HEARTBEAT)
        })
    }
}

/// Something that says what happened, in the end nothing more.
trait Source: Send + 'static {
    /// What comes next, as it is sent.
    fn next(&mut self) -> impl Future<Output = Option<Bytes>> + Send;
}

/// The response that sends it.
fn respond(source: impl Source, place: OwnedSemaphorePermit) -> Response {
    let events = stream::unfold((source, place), |(mut source, place)| async move {
        let bytes = source.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), (source, place)))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        // For proxies that would keep it until there is more.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(events)).into_response()
}

/// An event as it is sent; `data` has no line break.
fn event(kind: &str, id: Option<&str>, data: &str) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("{id}event: {kind}\ndata: {data}\n\n").into()
}

/// Says only that the stream is alive.
const HEARTBEAT: Bytes = Bytes::from_static(b": alive\n\n");
