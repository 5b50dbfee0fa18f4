//! Refusals, as RFC 9457 writes them: a status, a stable code, a sentence, a hint.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use runner_executor::{ControlError, ExecutorError, RequestError};
use runner_model::{Code, code};
use runner_pack::ParameterError;
use runner_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::control;

/// Why a request was not done. As a response it has no body yet: the envelope writes it, because only that knows the
/// id of the request.
#[derive(Debug, Clone)]
pub(crate) struct ApiProblem {
    pub(crate) status: StatusCode,
    /// Apart, because a problem is the rare way out of functions whose results are small.
    more: Box<More>,
}

/// What a problem says.
#[derive(Debug, Clone)]
struct More {
    code: String,
    detail: String,
    hint: Option<String>,
    mistakes: Vec<Mistake>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// One of several mistakes in a request.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Mistake {
    /// A stable code.
    #[schema(example = "E-PARAM-0002")]
    pub(crate) code: String,
    /// A lowercase sentence.
    pub(crate) message: String,
    /// What to do instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// Where: the name of a parameter, a file with its line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<String>,
}

/// The body of a problem; [`schema::Problem`](super::schema::Problem) is what the document says of it.
#[derive(Debug, Serialize)]
struct Written<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    instance: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    mistakes: &'a [Mistake],
}

/// The media type of a problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

impl ApiProblem {
    /// With one of runner's codes and a lowercase sentence.
    pub(crate) fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self::with(status, code.id().to_owned(), detail.into())
    }

    fn with(status: StatusCode, code: String, detail: String) -> Self {
        let more = More { code, detail, hint: None, mistakes: Vec::new(), headers: Vec::new() };
        Self { status, more: Box::new(more) }
    }

    /// The request itself is wrong: 400.
    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::API_REQUEST, detail)
    }

    /// There is no such thing, or none that may be seen: 404.
    pub(crate) fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code::API_NOT_FOUND, detail)
    }

    /// With another status.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// With what to do about it.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        self.maybe_hint(Some(hint.into()))
    }

    /// With what to do about it, if anything.
    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.more.hint = hint;
        self
    }

    /// With a list of mistakes.
    pub(crate) fn mistakes(mut self, mistakes: Vec<Mistake>) -> Self {
        self.more.mistakes = mistakes;
        self
    }

    /// With a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.more.headers.push((name, value));
        self
    }

    /// With the time after which to ask again.
    pub(crate) fn retry_after(self, after: Duration) -> Self {
        // Whole seconds, and at least one: the header knows nothing finer.
        let seconds = after.as_millis().div_ceil(1000).max(1);
        self.header(header::RETRY_AFTER, HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX)))
    }

    /// This process stops: 503, to be asked of the next one.
    pub(crate) fn draining() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::API_DRAINING, "the process stops and takes nothing new")
            .hint("ask again; the next process takes it")
            .retry_after(Duration::from_secs(1))
    }

    /// A defect, of which whoever asks learns no more: 500.
    pub(crate) fn defect(what: &str) -> Self {
        tracing::error!(what, "a request met a defect");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code::API_INTERNAL, "runner failed to answer")
            .hint("look for the id of the request in the log")
    }

    /// Its stable code.
    pub(crate) fn code(&self) -> &str {
        &self.more.code
    }

    /// The body.
    pub(crate) fn body(&self, request_id: &str) -> Vec<u8> {
        let written = Written {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.more.detail,
            code: &self.more.code,
            hint: self.more.hint.as_deref(),
            instance: request_id,
            mistakes: &self.more.mistakes,
        };
        serde_json::to_vec(&written).unwrap_or_default()
    }
}

impl IntoResponse for ApiProblem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        for (name, value) in &self.more.headers {
            response.headers_mut().append(name, value.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for ApiProblem {
    fn from(error: StoreError) -> Self {
        let status = match &error {
            StoreError::NotFound | StoreError::NoEvent | StoreError::NoSecret(_) | StoreError::ShortPrefix { .. } => {
                StatusCode::NOT_FOUND
            }
            StoreError::Full => StatusCode::INSUFFICIENT_STORAGE,
            StoreError::VersionConflict { .. }
            | StoreError::Fenced
            | StoreError::Exists
            | StoreError::NoKey
            | StoreError::SecretConflict(_)
            | StoreError::Key(_) => StatusCode::CONFLICT,
            StoreError::Busy | StoreError::Closed | StoreError::Halted { .. } => StatusCode::SERVICE_UNAVAILABLE,
            StoreError::Illegal { .. }
            | StoreError::Open { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::Corrupt { .. }
            | StoreError::Sealed { .. }
            | StoreError::Io { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(%error, "the store failed");
        }
        let problem = Self::new(status, error.code(), error.to_string()).hint(error.hint());
        let may_pass = matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE);
        if may_pass { problem.retry_after(AGAIN) } else { problem }
    }
}

/// When to ask again after something that people have to mend first.
const AGAIN: Duration = Duration::from_secs(5);

impl From<ExecutorError> for ApiProblem {
    fn from(error: ExecutorError) -> Self {
        match error {
            ExecutorError::Store(error) => error.into(),
            ExecutorError::Interrupted => Self::draining(),
            error => ControlError::Executor(error).into(),
        }
    }
}

impl From<ControlError> for ApiProblem {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Executor(ExecutorError::Store(error)) => error.into(),
            ControlError::Executor(ExecutorError::Interrupted) => Self::draining(),
            error => control::Problem::from(&error).into(),
        }
    }
}

impl From<control::Problem> for ApiProblem {
    fn from(problem: control::Problem) -> Self {
        let control::Problem { status, code, detail, hint } = problem;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // What the execution needs is not installed: it stands in the way of what was asked.
        let status = if status == StatusCode::FAILED_DEPENDENCY { StatusCode::CONFLICT } else { status };
        Self::with(status, code, detail).maybe_hint(hint)
    }
}

impl From<RequestError> for ApiProblem {
    fn from(error: RequestError) -> Self {
        let (code, hint, detail) = (error.code(), error.hint(), error.to_string());
        let refused = |status| Self::new(status, code, detail).maybe_hint(hint);
        match error {
            RequestError::UnknownAction { .. } => refused(StatusCode::UNPROCESSABLE_ENTITY),
            RequestError::Disabled { .. } | RequestError::NotGranted { .. } => refused(StatusCode::CONFLICT),
            RequestError::Parameters { mistakes, .. } => {
                let mistakes = mistakes.iter().map(Mistake::from).collect();
                refused(StatusCode::UNPROCESSABLE_ENTITY).mistakes(mistakes)
            }
            RequestError::Full { retry_after } => refused(StatusCode::TOO_MANY_REQUESTS).retry_after(retry_after),
            RequestError::Draining => Self::draining(),
            RequestError::Exists { .. } => refused(StatusCode::CONFLICT),
            RequestError::Begin(error) => error.into(),
        }
    }
}

impl From<&ParameterError> for Mistake {
    fn from(error: &ParameterError) -> Self {
        let place = Some(error.parameter.clone()).filter(|place| !place.is_empty());
        Self { code: error.code.id().to_owned(), message: error.message.clone(), hint: error.hint.clone(), place }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_507_and_a_locked_database_503_each_to_be_asked_again() {
        for (error, status) in [(StoreError::Full, 507), (StoreError::Busy, 503)] {
            let response = ApiProblem::from(error).into_response();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()[header::RETRY_AFTER], "5");
        }
        assert_eq!(ApiProblem::from(StoreError::NotFound).status, 404);
        let corrupt = StoreError::Corrupt { what: "x".to_owned() };
        assert_eq!(ApiProblem::from(ExecutorError::Store(corrupt)).status, 500);
    }

    #[test]
    fn a_problem_says_what_is_wrong_where_and_in_which_request() {
        let problem = ApiProblem::bad("no").hint("yes").mistakes(vec![Mistake {
            code: "E-PARAM-0001".to_owned(),
            message: "m".to_owned(),
            hint: None,
            place: Some("name".to_owned()),
        }]);
        let body: serde_json::Value = serde_json::from_slice(&problem.body("r-1")).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "about:blank", "title": "Bad Request", "status": 400, "detail": "no", "code": "E-API-0001",
                "hint": "yes", "instance": "r-1",
                "mistakes": [{"code": "E-PARAM-0001", "message": "m", "place": "name"}],
            })
        );
    }
}
