//! `wasi:http`: the words of WASI for what goes through the egress door. **Nothing is sent from here.**
//!
//! A request is collected, handed to [`egress::send`] like one of the contract's own interface, and answered with the
//! complete response. `https://<name>.connection/path` is the connection of that name. What WASI's errors cannot say, the
//! code and the hint, stands in the attempt's log.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Uri, header};
use http_body_util::{BodyExt as _, Full};
use runner_model::Limits;
use runner_model::limits::WASI_BODY_CHUNK_BYTES_MAX;
use tokio::time::Instant;
use url::form_urlencoded;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::attempt::{LogLevel, Observer, PackContext};
use crate::egress::{self, Again, ErrorKind, HttpResponse, NetError, Outgoing, Target};
use crate::guest::log::Sink;
use crate::trace::TraceParent;
use crate::traffic::Origin;

/// What follows a connection's name where a host name stands.
const CONNECTION: &str = ".connection";

/// The way out of one attempt.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) pack: Arc<PackContext>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) log: Arc<Sink>,
    pub(super) limits: Arc<Limits>,
    pub(super) span: TraceParent,
    pub(super) origin: Origin,
    pub(super) until: Instant,
}

/// What the library wants to hear about a request's end: a response, and what is still to be done for it.
type Sent = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for Door {
    /// The host's own header: it stands in no request that comes here.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        WASI_BODY_CHUNK_BYTES_MAX
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let door = self.clone();
        Box::new(async move { door.send(request, options).await })
    }
}

impl Door {
    async fn send(self, request: http::Request<WasiBody>, options: Option<RequestOptions>) -> Sent {
        let (head, body) = request.into_parts();
        let most = self.limits.http.request_bytes_max;
        let body = collect(body, most).await?;
        let is_too_large = body.len() > most;
        let outgoing = Outgoing {
            target: target(&head.uri),
            method: head.method.as_str().to_owned(),
            query: query(&head.uri),
            headers: headers(&head.headers),
            body: (!body.is_empty()).then_some(body),
            timeout: timeout(options),
            effect: None,
            trace: Some(self.span.fresh_span()),
            until: Some(self.until),
            origin: self.origin.clone(),
        };
        let hear = |again: Again| {
            let level = if again.is_usual { LogLevel::Debug } else { LogLevel::Warn };
            self.log.line(level, &again.message, &[]);
        };
        let (summary, result) = Box::pin(egress::send(&self.pack, &self.limits.http, outgoing, &hear)).await;
        self.observer.request(summary);
        match result {
            Ok(response) => answer(response),
            Err(error) => {
                self.tell(&error);
                Err(wasi_error(&error, is_too_large))
            }
        }
    }

    fn tell(&self, error: &NetError) {
        let mut fields = vec![("code".to_owned(), error.code().id().to_owned())];
        fields.extend(error.hint.clone().map(|hint| ("hint".to_owned(), hint)));
        self.log.line(LogLevel::Warn, &format!("no response: {}", error.message), &fields);
    }
}

/// The whole body, or one byte more than is allowed: then the door refuses it as it refuses others.
async fn collect(mut body: WasiBody, most: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        // Trailers go nowhere: the door sends none.
        let Ok(data) = frame?.into_data() else { continue };
        let room = most.saturating_add(1).saturating_sub(bytes.len());
        bytes.extend_from_slice(data.get(..room).unwrap_or(&data));
        if bytes.len() > most {
            break;
        }
    }
    Ok(bytes)
}

/// A connection by its name, or an address.
fn target(uri: &Uri) -> Target {
    match connection(uri) {
        Some(name) => Target::Connection { name: name.to_owned(), path: uri.path().to_owned() },
        None => Target::Url(uri.to_string()),
    }
}

/// The connection that an address names. One with a port, a user or another scheme is no such name: it ends as any
/// address that nothing grants.
fn connection(uri: &Uri) -> Option<&str> {
    let authority = uri.authority().filter(|_| uri.scheme() == Some(&Scheme::HTTPS))?.as_str();
    let (name, suffix) = authority.split_at_checked(authority.len().checked_sub(CONNECTION.len())?)?;
    suffix.eq_ignore_ascii_case(CONNECTION).then_some(name).filter(|name| !name.contains('@'))
}

/// The query of a connection's path, which the door encodes again; that of an address is part of it.
fn query(uri: &Uri) -> Vec<(String, String)> {
    let written = uri.query().filter(|_| connection(uri).is_some()).unwrap_or_default();
    form_urlencoded::parse(written.as_bytes()).into_owned().collect()
}

/// All but the length, which the door finds out itself. A value that is no text becomes one that the door refuses.
fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8(value.as_bytes().to_vec()).unwrap_or_else(|_| "\n".to_owned());
    let sent = headers.iter().filter(|(name, _)| *name != header::CONTENT_LENGTH);
    sent.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// The time until the first byte is that of everything: the response is complete when it begins.
fn timeout(options: Option<RequestOptions>) -> Option<Duration> {
    let options = options?;
    let first_byte = options.first_byte_timeout?;
    Some(first_byte.saturating_add(options.connect_timeout.unwrap_or_default()))
}

fn answer(response: HttpResponse) -> Sent {
    let unusable = |error: http::Error| Error::InternalError(Some(error.to_string()));
    let mut builder = http::Response::builder().status(response.status);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    let body = Full::new(Bytes::from(response.body)).map_err(Error::from).boxed_unsync();
    let response = builder.body(body).map_err(unusable)?;
    Ok((response, Box::new(std::future::ready(Ok(())))))
}

/// The word of WASI that comes closest. Where none does, the text says what the contract's own error would.
fn wasi_error(error: &NetError, is_too_large: bool) -> Error {
    match error.kind {
        ErrorKind::Denied => Error::HttpRequestDenied,
        ErrorKind::UnknownConnection => Error::DestinationNotFound,
        ErrorKind::Dns => Error::DnsError { rcode: None, info_code: None },
        ErrorKind::Connect => Error::ConnectionRefused,
        ErrorKind::Tls => Error::TlsProtocolError,
        ErrorKind::Timeout => Error::HttpResponseTimeout,
        ErrorKind::TooLarge if is_too_large => Error::HttpRequestBodySize(None),
        ErrorKind::TooLarge => Error::HttpResponseBodySize(None),
        ErrorKind::Closed => Error::HttpResponseIncomplete,
        ErrorKind::Protocol => Error::HttpProtocolError,
        _ => Error::InternalError(Some(format!("{}: {}", error.code().id(), error.message))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target_of(uri: &str) -> (Option<String>, String, Vec<(String, String)>) {
        let uri: Uri = uri.parse().unwrap();
        let query = query(&uri);
        match target(&uri) {
            Target::Connection { name, path } => (Some(name), path, query),
            Target::Url(url) => (None, url, query),
        }
    }

    #[test]
    fn a_connection_is_addressed_by_its_name_alone() {
        let pairs = vec![("a b".to_owned(), "c&d".to_owned()), ("e".to_owned(), String::new())];
        assert_eq!(target_of("https://box.connection/x/y?a+b=c%26d&e"), (Some("box".into()), "/x/y".into(), pairs));
        assert_eq!(target_of("https://Box.Connection").0.as_deref(), Some("Box"));
        for other in [
            "http://box.connection/x?a=b",
            "https://box.connection:443/x",
            "https://user@box.connection/x",
            "https://box.connection./x",
            "https://connection/x",
            "https://box.connection.example/x",
        ] {
            let (name, url, query) = target_of(other);
            assert_eq!((name, url.as_str(), query), (None, other, Vec::new()));
        }
    }
}
