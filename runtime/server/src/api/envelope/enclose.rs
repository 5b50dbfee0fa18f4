//! The outermost layer, around every route. It waits in place: what surrounds each request needs no box of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, ready};
use std::time::Instant;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderValue, header};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::{Line, REQUEST_ID, request_id, written};
use crate::api::context::Context;

/// Gives each request an id and a line in the log, and each response its headers; writes out problems.
#[derive(Clone)]
pub(in crate::api) struct EncloseLayer {
    context: Arc<Context>,
}

impl EncloseLayer {
    pub(in crate::api) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }
}

impl<S> Layer<S> for EncloseLayer {
    type Service = Enclose<S>;

    fn layer(&self, inner: S) -> Enclose<S> {
        Enclose { context: self.context.clone(), inner }
    }
}

#[derive(Clone)]
pub(in crate::api) struct Enclose<S> {
    context: Arc<Context>,
    inner: S,
}

impl<S, B> Service<Request> for Enclose<S>
where
    S: Service<Request, Response = http::Response<B>>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Enclosed<S::Future>;

    fn poll_ready(&mut self, context: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let began = Instant::now();
        let line = Line::of(&request, request_id(&self.context, request.headers()));
        Enclosed { answering: self.inner.call(request), context: self.context.clone(), line, began }
    }
}

pin_project! {
    /// A request on its way to its response.
    pub(in crate::api) struct Enclosed<F> {
        #[pin]
        answering: F,
        context: Arc<Context>,
        line: Line,
        began: Instant,
    }
}

impl<F, B, E> Future for Enclosed<F>
where
    F: Future<Output = Result<http::Response<B>, E>>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.answering.poll(context))?.map(Body::new);
        let response = finished(response, this.context, &this.line.id);
        this.line.log(&response, *this.began);
        Poll::Ready(Ok(response))
    }
}

/// The response as it goes out.
fn finished(response: Response, context: &Context, id: &str) -> Response {
    let mut response = written(response, id);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    if context.is_draining() {
        // The next request of this client goes to the next process.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
