//! Sending over the network: no redirects, no proxy of the environment, no address that the gate did not let pass.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use reqwest::Client as HttpClient;
use runner_model::limits::{HttpLimits, POOL_IDLE_MAX};
use rustls::client::Resumption;

use super::HttpResponse;
use super::client::Client;
use super::connection::Tls;
use super::error::{self, ErrorKind, NetError, Stage, classify};
use super::gate::Gate;
use super::request::Checked;
use super::{header, tls};

/// How long an idle connection is kept: below the 60 s after which common servers close theirs.
const IDLE: Duration = Duration::from_secs(50);

/// Room that is made for a body before any of it has come, in bytes: most are smaller.
const ANNOUNCED_BYTES_MAX: usize = 256 * 1024;
/// TLS sessions that a client can take up again: one or two for each of a few servers behind a name.
const SESSIONS: usize = 8;

/// A client that trusts the servers that `tls` means; without it, one for plain HTTP. It shares neither connections nor
/// TLS sessions with another.
pub(super) fn client(tls: Option<&Tls>, limits: &HttpLimits, gate: &Arc<Gate>) -> Result<HttpClient, NetError> {
    let mut config = tls.map_or_else(tls::nobody, tls::client_config)?;
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    HttpClient::builder()
        .tls_backend_preconfigured(config)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .dns_resolver(Arc::clone(gate))
        .referer(false)
        .retry(reqwest::retry::never())
        .gzip(true)
        .connect_timeout(limits.connect_timeout)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(POOL_IDLE_MAX)
        .http1_max_headers(limits.headers_max)
        .http2_max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
        .build()
        .map_err(|_| NetError::new(ErrorKind::Other, "the HTTP client cannot be made"))
}

/// Sends a request and reads its response within the limits.
pub(super) async fn send(
    limits: &HttpLimits,
    checked: &Checked,
    authorization: Option<&HeaderValue>,
    client: &Client,
) -> Result<HttpResponse, NetError> {
    let mut request = client.request(checked.method.clone(), &checked.url)?.headers(checked.headers.clone());
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization.clone());
    }
    if let Some(body) = &checked.body {
        request = request.body(body.clone());
    }
    let response = request.send().await.map_err(|error| classify(&error, Stage::Head))?;
    let status = response.status().as_u16();
    let sizes = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    header::limit(limits, "the response's headers", response.headers().len(), sizes.sum())?;
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Ok(HttpResponse { status, headers, body: body(limits, response).await? })
}

async fn body(limits: &HttpLimits, mut response: reqwest::Response) -> Result<Vec<u8>, NetError> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if announced > limits.response_bytes_max {
        return Err(over(limits));
    }
    // What is announced costs the server nothing: room is made as it keeps its word.
    let mut body = Vec::with_capacity(announced.min(ANNOUNCED_BYTES_MAX));
    while let Some(chunk) = next(limits, &mut response).await? {
        if body.len() + chunk.len() > limits.response_bytes_max {
            return Err(over(limits));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The next piece of a body, within the time between two.
pub(super) async fn next(limits: &HttpLimits, response: &mut reqwest::Response) -> Result<Option<Bytes>, NetError> {
    match tokio::time::timeout(limits.idle_timeout, response.chunk()).await {
        Ok(chunk) => chunk.map_err(|error| classify(&error, Stage::Body)),
        Err(_) => Err(error::stalled(limits.idle_timeout)),
    }
}

fn over(limits: &HttpLimits) -> NetError {
    error::too_large("the response's body", limits.response_bytes_max, "bytes")
}
