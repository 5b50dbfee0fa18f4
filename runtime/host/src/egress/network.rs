//! Sending over the network: one pooled client a connection, no redirects, no proxy of the environment.

use std::time::Duration;

use http::HeaderValue;
use http::header::AUTHORIZATION;
use reqwest::Client;
use runner_model::limits::HttpLimits;

use super::HttpResponse;
use super::connection::Tls;
use super::error::{self, ErrorKind, NetError, Stage, classify};
use super::request::Checked;
use super::{header, tls};

/// How long an idle connection is kept: below the 60 s after which common servers close theirs.
const IDLE: Duration = Duration::from_secs(50);

/// A client that trusts the servers that `tls` means; without it, one for plain HTTP.
pub(super) fn client(tls: Option<&Tls>, limits: &HttpLimits) -> Result<Client, NetError> {
    let mut config = tls.map_or_else(tls::nobody, tls::client_config)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Client::builder()
        .tls_backend_preconfigured(config)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .retry(reqwest::retry::never())
        .gzip(true)
        .connect_timeout(limits.connect_timeout)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(limits.connection_concurrency_max)
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
    let mut request = client.request(checked.method.clone(), checked.url.clone()).headers(checked.headers.clone());
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
    let over = || error::too_large("the response's body", limits.response_bytes_max, "bytes");
    if announced > limits.response_bytes_max {
        return Err(over());
    }
    let mut body = Vec::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error, Stage::Body))? {
        if body.len() + chunk.len() > limits.response_bytes_max {
            return Err(over());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
