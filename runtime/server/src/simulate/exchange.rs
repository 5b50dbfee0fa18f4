//! One request on its way to the simulated system, and what comes of it.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use runner_host::{HttpResponse, Simulator, SimulatorEnding, SimulatorRequest};
use runner_model::limits::{HttpLimits, LISTEN_BODY};
use runner_model::{Code, Failure, code};
use serde_json::json;
use tracing::{debug, warn};

/// The simulated system closes the connection: hyper does so when a service fails.
#[derive(Debug, thiserror::Error)]
#[error("the simulated system closed the connection")]
pub(super) struct Dropped;

/// What belongs to one connection between two programs, not to the message (RFC 9110 §7.6.1): hyper writes its own.
const HOP_BY_HOP: [HeaderName; 5] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::UPGRADE, header::TRAILER];

pub(super) async fn handle(
    simulator: &Simulator,
    limits: &HttpLimits,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let request = match read(limits, request).await {
        Ok(request) => request,
        Err((status, code, message)) => return Ok(refuse(status, &Failure::new(code, message))),
    };
    let (method, path) = (request.method.clone(), request.path.clone());
    let reply = match simulator.handle(request).await {
        Ok(reply) => reply,
        Err(failure) => {
            warn!(%failure, "the simulator failed");
            return Ok(refuse(StatusCode::BAD_GATEWAY, &failure));
        }
    };
    tokio::time::sleep(reply.delay).await;
    match reply.ending {
        SimulatorEnding::Response(response) => {
            debug!(method, path, status = response.status, "answered");
            Ok(answer(response).unwrap_or_else(|failure| refuse(StatusCode::BAD_GATEWAY, &failure)))
        }
        SimulatorEnding::Dropped => {
            debug!(method, path, "dropped");
            Err(Dropped)
        }
    }
}

/// The request as the simulated system takes it, or why it is refused.
async fn read(limits: &HttpLimits, request: Request<Incoming>) -> Result<SimulatorRequest, (StatusCode, Code, String)> {
    let (parts, body) = request.into_parts();
    let max = limits.request_bytes_max;
    let collected = tokio::time::timeout(LISTEN_BODY, Limited::new(body, max).collect()).await;
    let body = match collected {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!("the body is larger than {max} bytes");
            return Err((StatusCode::PAYLOAD_TOO_LARGE, code::NET_TOO_LARGE, message));
        }
        Ok(Err(error)) => {
            return Err((StatusCode::BAD_REQUEST, code::NET_BAD_REQUEST, format!("the body cannot be read: {error}")));
        }
        Err(_) => return Err((StatusCode::REQUEST_TIMEOUT, code::NET_TIMEOUT, "the body took too long".to_owned())),
    };
    let query = parts.uri.query().unwrap_or_default();
    Ok(SimulatorRequest {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: headers(&parts.headers),
        body: body.to_vec(),
    })
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// The simulated system's response, as hyper takes it.
fn answer(response: HttpResponse) -> Result<Response<Full<Bytes>>, Failure> {
    let bad = |what: String| Failure::new(code::NET_SIMULATOR, format!("the simulator's response has {what}"));
    let status = StatusCode::from_u16(response.status)
        .ok()
        // 1xx is not an answer but announces one.
        .filter(|status| !status.is_informational())
        .ok_or_else(|| bad(format!("the impossible status {}", response.status)))?;
    let mut answer = Response::new(Full::new(Bytes::from(response.body)));
    *answer.status_mut() = status;
    for (name, value) in response.headers {
        let malformed = || bad(format!("the malformed header `{name}`"));
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed())?;
        let value = HeaderValue::from_str(&value).map_err(|_| malformed())?;
        if !HOP_BY_HOP.contains(&parsed) {
            answer.headers_mut().append(parsed, value);
        }
    }
    Ok(answer)
}

/// An answer of this server, not of the simulated system.
fn refuse(status: StatusCode, failure: &Failure) -> Response<Full<Bytes>> {
    let body = json!({ "error": failure }).to_string();
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
