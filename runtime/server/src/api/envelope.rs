//! What every request goes through, whatever it asks: an id, a line in the log, problems written out, limits,
//! compression.

mod enclose;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use runner_model::{EventId, code, limits};
use tower_http::CompressionLevel;
use tower_http::compression::predicate::{And, DefaultPredicate, Predicate as _, SizeAbove};
use tower_http::compression::{Compression, CompressionLayer};
use tracing::{debug, info};

use super::context::Context;
use super::problem::{ApiProblem, PROBLEM_JSON};
use super::route::Unguarded;
pub(super) use enclose::{Enclose, EncloseLayer};

/// Marks a response whose status and body are somebody's own, a rule's for example, and are sent as they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verbatim;

const REQUEST_ID: &str = "x-request-id";
const TRACE_PARENT: &str = "traceparent";
/// Where deliveries go: the list of webhooks stands at the same address without the stroke.
pub(super) const DELIVERIES: &str = "/api/v1/webhooks/";
const LOGGED_PATH_CHARS_MAX: usize = 256;
/// A client's own id, in characters: a UUID, perhaps with words before it.
const REQUEST_ID_CHARS_MAX: usize = 128;

/// The routes with everything that surrounds them.
pub(super) fn wrap(routes: Unguarded, context: &Arc<Context>) -> Router {
    // One layer for the router, which puts each into a box of its own.
    let around = (EncloseLayer::new(context.clone()), DefaultBodyLimit::max(context.options.body_bytes_max), packing());
    routes
        .guarded(context)
        .fallback(nothing)
        .method_not_allowed_fallback(no_method)
        .layer(around)
        .with_state(context.clone())
}

/// Answers that are compressed where that is worth it.
pub(super) type Packed<S> = Compression<S, Worth>;
type Worth = And<DefaultPredicate, SizeAbove>;

pub(super) fn packing() -> CompressionLayer<Worth> {
    let is_worth_it = DefaultPredicate::new().and(SizeAbove::new(limits::API_COMPRESSED_BYTES_MIN));
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_worth_it)
}

async fn nothing(request: Request) -> ApiProblem {
    let _ = request;
    ApiProblem::missing("there is nothing at this address").hint("what there is stands in `/api/v1/openapi.json`")
}

async fn no_method(method: Method) -> ApiProblem {
    let detail = format!("the address does not know the method {method}");
    ApiProblem::new(StatusCode::METHOD_NOT_ALLOWED, code::API_METHOD, detail)
}

/// The client's own id, if it is fit to be repeated; else a new one.
fn request_id(context: &Context, headers: &HeaderMap) -> Arc<str> {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let fit = |id: &&str| {
        (1..=REQUEST_ID_CHARS_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'))
    };
    match given.filter(fit) {
        Some(id) => id.into(),
        None => EventId::new(&*context.options.clock, &*context.options.entropy).to_string().into(),
    }
}

/// The response with its problem written out; what the router refuses by itself becomes a problem too.
fn written(response: Response, id: &str) -> Response {
    let status = response.status();
    let problem = match response.extensions().get::<ApiProblem>() {
        Some(problem) => problem.clone(),
        None if is_rejection(&response) => {
            let detail = status.canonical_reason().unwrap_or("refused").to_lowercase();
            ApiProblem::new(status, code::API_REQUEST, detail)
        }
        None => return response,
    };
    let (mut parts, _) = response.into_parts();
    let body = problem.body(id);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    parts.headers.remove(header::CONTENT_ENCODING);
    parts.headers.remove(header::TRANSFER_ENCODING);
    Response::from_parts(parts, Body::from(body))
}

/// Whether a response is a refusal of the router's own: plain text, and nobody's in particular.
fn is_rejection(response: &Response) -> bool {
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let is_plain = kind.is_empty() || kind.starts_with(b"text/plain");
    is_error && is_plain && response.extensions().get::<Verbatim>().is_none()
}

/// What is logged of a request, taken from it without a copy.
struct Line {
    id: Arc<str>,
    method: Method,
    uri: Uri,
    trace: Option<HeaderValue>,
}

impl Line {
    fn of(request: &Request, id: Arc<str>) -> Self {
        let trace = request.headers().get(TRACE_PARENT).cloned();
        Self { id, method: request.method().clone(), uri: request.uri().clone(), trace }
    }

    /// Without the query, which may hold what is nobody's business.
    fn path(&self) -> &str {
        let path = self.uri.path();
        let end = path.char_indices().nth(LOGGED_PATH_CHARS_MAX).and_then(|(end, _)| path.get(..end));
        end.unwrap_or(path)
    }

    fn trace_id(&self) -> Option<&str> {
        well_formed(self.trace.as_ref()?)?.get(3..35)
    }

    fn log(&self, response: &Response, began: Instant) {
        let (method, path, request_id) = (self.method.as_str(), self.path(), &*self.id);
        let status = response.status();
        let problem = response.extensions().get::<ApiProblem>().map(ApiProblem::code).unwrap_or_default();
        let (ms, is_usual) = (began.elapsed().as_millis(), is_usual(path, status));
        let (status, trace_id) = (status.as_u16(), self.trace_id().unwrap_or_default());
        if is_usual {
            debug!(method, path, status, ms, request_id, trace_id, problem, "request");
        } else {
            info!(method, path, status, ms, request_id, trace_id, problem, "request");
        }
    }
}

/// Whether a line would say nothing new: those who ask whether this process is well ask all the time, and a delivery that is
/// taken is recorded as an event.
fn is_usual(path: &str, status: StatusCode) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/metrics") || (status.is_success() && path.starts_with(DELIVERIES))
}

/// The trace that a request belongs to: a W3C `traceparent` that is well-formed.
pub(crate) fn trace_parent(headers: &HeaderMap) -> Option<String> {
    well_formed(headers.get(TRACE_PARENT)?).map(str::to_owned)
}

fn well_formed(parent: &HeaderValue) -> Option<&str> {
    let text = parent.to_str().ok()?;
    let parts: Vec<_> = text.split('-').collect();
    let [version, trace, span, flags] = parts.as_slice() else { return None };
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let is_set = |part: &str| part.bytes().any(|byte| byte != b'0');
    let fits = hex(version, 2) && *version != "ff" && hex(trace, 32) && hex(span, 16) && hex(flags, 2);
    (fits && is_set(trace) && is_set(span)).then_some(text)
}
