//! What comes with a request: its body, its query, parts of its path; each refused with a problem if it is wrong.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Query as AxumQuery, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use runner_model::code;
use runner_model::limits::LISTEN_BODY;
use serde::de::DeserializeOwned;

use super::context::Context;
use super::linger::linger;
use super::problem::ApiProblem;

/// A body of JSON. Any other content type is refused: a form on a web page cannot send this one unasked.
pub(crate) struct Body<T>(pub(crate) T);

/// A body of JSON that may be left out.
pub(crate) struct MaybeBody<T>(pub(crate) T);

/// The query. What it does not know is refused.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Context>> for Body<T> {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, context: &Arc<Context>) -> Result<Self, ApiProblem> {
        check_type(request.headers())?;
        let bytes = read(request, context).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Arc<Context>> for MaybeBody<T> {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, context: &Arc<Context>) -> Result<Self, ApiProblem> {
        let typed = check_type(request.headers());
        let bytes = read(request, context).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        typed?;
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned> FromRequestParts<Arc<Context>> for Query<T> {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, context: &Arc<Context>) -> Result<Self, ApiProblem> {
        let query = AxumQuery::<T>::from_request_parts(parts, context).await;
        query.map(|AxumQuery(query)| Self(query)).map_err(|error| {
            let text = error.body_text();
            let why = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            ApiProblem::bad(format!("the query cannot be understood: {why}"))
        })
    }
}

/// Whether the body is said to be JSON.
fn check_type(headers: &HeaderMap) -> Result<(), ApiProblem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiProblem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::API_MEDIA_TYPE, "the body is not said to be JSON")
        .hint("send it with `content-type: application/json`"))
}

/// The whole body, up to the limit.
async fn read(request: Request, context: &Arc<Context>) -> Result<Bytes, ApiProblem> {
    let (mut body, max) = (request.into_body(), context.options.body_bytes_max);
    let read = tokio::time::timeout(LISTEN_BODY, Limited::new(&mut body, max).collect()).await;
    match read {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            linger(body).await;
            let detail = format!("the body is larger than {max} bytes");
            Err(ApiProblem::new(StatusCode::PAYLOAD_TOO_LARGE, code::API_TOO_LARGE, detail))
        }
        Ok(Err(_)) => Err(ApiProblem::bad("the body cannot be read to its end")),
        Err(_) => {
            let detail = format!("the body did not come within {} s", LISTEN_BODY.as_secs());
            Err(ApiProblem::new(StatusCode::REQUEST_TIMEOUT, code::API_SLOW, detail))
        }
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiProblem> {
    serde_json::from_slice(bytes).map_err(|error| {
        if error.is_data() {
            let detail = format!("the body is not what is expected: {error}");
            ApiProblem::new(StatusCode::UNPROCESSABLE_ENTITY, code::API_REQUEST, detail)
        } else {
            ApiProblem::bad(format!("the body is not JSON: {error}"))
        }
    })
}
