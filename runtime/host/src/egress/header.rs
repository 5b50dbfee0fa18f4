//! Which headers a guest may send, and how much of them either side may send.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use runner_model::limits::HttpLimits;

use super::HttpResponse;
use super::error::{self, ErrorKind, NetError};

/// Headers that frame a message or belong to one hop: the host's own.
const HOST_OWNED: [HeaderName; 10] = [
    header::HOST,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::CONTENT_LENGTH,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Checks a guest's headers. `reserved` are those that a connection sets itself.
pub(super) fn check(
    limits: &HttpLimits,
    headers: &[(String, String)],
    reserved: impl Fn(&HeaderName) -> bool,
) -> Result<HeaderMap, NetError> {
    limit(limits, "the request's headers", headers.len(), headers.iter().map(|(n, v)| n.len() + v.len()).sum())?;
    let mut checked = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let shown = name.escape_debug();
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| NetError::new(ErrorKind::BadRequest, format!("`{shown}` is not a header's name")))?;
        if HOST_OWNED.contains(&name) || reserved(&name) {
            return Err(NetError::new(ErrorKind::BadRequest, format!("the header `{name}` belongs to the host"))
                .with_hint("leave it out: the host sets it"));
        }
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
            NetError::new(ErrorKind::BadRequest, format!("the value of the header `{name}` is malformed"))
        })?;
        checked.append(name, value);
    }
    Ok(checked)
}

/// Checks the headers of a response as they came.
pub(super) fn limit(limits: &HttpLimits, what: &str, count: usize, bytes: usize) -> Result<(), NetError> {
    if count > limits.headers_max {
        return Err(NetError::new(ErrorKind::TooLarge, format!("{what} are more than {}", limits.headers_max)));
    }
    if bytes > limits.header_bytes_max {
        return Err(error::too_large(what, limits.header_bytes_max, "bytes"));
    }
    Ok(())
}

/// Holds a simulated response to the limits of a real one.
pub(super) fn limit_response(limits: &HttpLimits, mut response: HttpResponse) -> Result<HttpResponse, NetError> {
    let headers = &mut response.headers;
    limit(limits, "the response's headers", headers.len(), headers.iter().map(|(n, v)| n.len() + v.len()).sum())?;
    if response.body.len() > limits.response_bytes_max {
        return Err(error::too_large("the response's body", limits.response_bytes_max, "bytes"));
    }
    if !(100..1000).contains(&response.status) {
        return Err(NetError::new(ErrorKind::Protocol, "the response's status has not three digits"));
    }
    for (name, _) in headers {
        name.make_ascii_lowercase();
    }
    Ok(response)
}
