//! Why there is no response: one type, told apart by what can be done about it. Never holds a credential: its texts are
//! made here and not taken from a URL or a header.

use std::error::Error;
use std::io;
use std::time::Duration;

use runner_model::{Code, Failure, code};

use super::gate::Unreached;

/// Why there is no response.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(crate) struct NetError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    unanswered: bool,
    passing: bool,
}

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    Denied,
    Address,
    UnknownConnection,
    BadRequest,
    Dns,
    Connect,
    Tls,
    Timeout,
    TooLarge,
    Closed,
    Protocol,
    Simulator,
    NotNow,
    Token,
    Replay,
    Other,
}

/// What a cassette can hold: what came of a request that was sent.
const RECORDED: [ErrorKind; 11] = [
    ErrorKind::Address,
    ErrorKind::Dns,
    ErrorKind::Connect,
    ErrorKind::Tls,
    ErrorKind::Timeout,
    ErrorKind::TooLarge,
    ErrorKind::Closed,
    ErrorKind::Protocol,
    ErrorKind::Simulator,
    ErrorKind::NotNow,
    ErrorKind::Token,
];

impl NetError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, unanswered: false, passing: false }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// One that was recorded, by its code.
    pub(crate) fn recorded(code: &str, message: &str, hint: Option<String>, retryable: bool) -> Self {
        let known = |kind: &&ErrorKind| Self::new(**kind, "").code().id() == code;
        let kind = RECORDED.iter().find(known).copied().unwrap_or(ErrorKind::Other);
        Self { hint, passing: retryable, ..Self::new(kind, message) }
    }

    /// The same, but as something that may pass by itself.
    pub(super) fn passing(mut self) -> Self {
        self.passing = true;
        self
    }

    /// Whether the connection was closed before anything came back.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.unanswered
    }

    pub(crate) fn code(&self) -> Code {
        match self.kind {
            ErrorKind::Denied => code::NET_DENIED,
            ErrorKind::Address => code::NET_ADDRESS,
            ErrorKind::UnknownConnection => code::NET_UNKNOWN_CONNECTION,
            ErrorKind::BadRequest => code::NET_BAD_REQUEST,
            ErrorKind::Dns => code::NET_DNS,
            ErrorKind::Connect => code::NET_CONNECT,
            ErrorKind::Tls => code::NET_TLS,
            ErrorKind::Timeout => code::NET_TIMEOUT,
            ErrorKind::TooLarge => code::NET_TOO_LARGE,
            ErrorKind::Closed => code::NET_CLOSED,
            ErrorKind::Protocol => code::NET_PROTOCOL,
            ErrorKind::Simulator => code::NET_SIMULATOR,
            ErrorKind::NotNow => code::NET_NOT_NOW,
            ErrorKind::Token => code::NET_TOKEN,
            ErrorKind::Replay => code::TAPE_MISMATCH,
            ErrorKind::Other => code::HOST_OTHER,
        }
    }

    /// Whether the same request may succeed later without anything being changed.
    pub(crate) fn retryable(&self) -> bool {
        use ErrorKind::{Closed, Connect, Dns, NotNow, Timeout};
        self.passing || matches!(self.kind, Dns | Connect | Timeout | Closed | NotNow)
    }
}

impl From<NetError> for Failure {
    fn from(error: NetError) -> Self {
        let mut failure = Self::new(error.code(), error.message.clone());
        failure.retryable = error.retryable();
        failure.hint = error.hint;
        failure
    }
}

/// The request took longer than it may.
pub(super) fn timeout(after: Duration) -> NetError {
    NetError::new(ErrorKind::Timeout, format!("no complete response within {after:?}"))
}

/// The server stopped in the middle of its answer.
pub(super) fn stalled(after: Duration) -> NetError {
    NetError::new(ErrorKind::Timeout, format!("the server sent nothing for {after:?} in the middle of its response"))
}

/// The server asks for a longer wait than there is time for.
pub(super) fn not_now(what: &str, asked: Duration, left: Option<Duration>) -> NetError {
    let left = left.map(|left| format!(", and {:.1} s are left", left.as_secs_f64())).unwrap_or_default();
    let message = format!("{what} and asks to come again in {} s{left}", asked.as_secs());
    NetError::new(ErrorKind::NotNow, message)
        .with_hint("give the step a `retry` with a `delay` of at least that, or a longer `timeout`")
}

/// The connection was closed before an answer began.
pub(super) fn unanswered() -> NetError {
    NetError { unanswered: true, ..NetError::new(ErrorKind::Closed, "the connection was closed without an answer") }
}

/// A body or headers over a limit.
pub(super) fn too_large(what: &str, limit: usize, unit: &str) -> NetError {
    NetError::new(ErrorKind::TooLarge, format!("{what} is larger than the limit of {limit} {unit}"))
}

/// The simulator of a connection failed.
pub(super) fn simulator(failure: &Failure) -> NetError {
    NetError::new(ErrorKind::Simulator, failure.message.clone())
}

/// Where a request had got to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// No answer yet.
    Head,
    /// The answer has begun.
    Body,
}

/// Tells apart what an HTTP client's error means.
pub(super) fn classify(error: &reqwest::Error, stage: Stage) -> NetError {
    if let Some(Unreached(error)) = find::<Unreached>(error) {
        return error.clone();
    }
    if error.is_dns() {
        return NetError::new(ErrorKind::Dns, "the host name cannot be resolved");
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return tls_failed(tls);
    }
    if error.is_connect() {
        let reason = if error.is_timeout() { "no answer in time".to_owned() } else { io_reason(error) };
        return NetError::new(ErrorKind::Connect, format!("the connection could not be made: {reason}"));
    }
    if error.is_timeout() {
        return NetError::new(ErrorKind::Timeout, "the request took too long");
    }
    if let Some(hyper) = find::<hyper::Error>(error)
        && hyper.is_parse_too_large()
    {
        return NetError::new(ErrorKind::TooLarge, "the response's headers are larger than allowed");
    }
    if was_closed(error) {
        return match stage {
            Stage::Head => unanswered(),
            Stage::Body => {
                NetError::new(ErrorKind::Closed, "the connection was closed before the response was complete")
            }
        };
    }
    // Of a body every error counts as one of decoding: the decoder stands before the rest.
    if find::<hyper::Error>(error).is_some() {
        return NetError::new(ErrorKind::Protocol, "the response is not valid HTTP");
    }
    if error.is_decode() {
        return NetError::new(ErrorKind::Protocol, "the response's body cannot be decompressed");
    }
    NetError::new(ErrorKind::Other, "the request could not be made")
}

/// A TLS handshake that failed, with what to do about it.
pub(super) fn tls_failed(error: &rustls::Error) -> NetError {
    use rustls::CertificateError as Bad;
    let pin = "set `tls.ca_file` of the connection to the authority that signed it, or pin it with `tls.pin` \
               (`runner connection test` shows its fingerprint)";
    let (message, hint) = match error {
        // A bad signature is that of an authority with the trusted one's name and another key.
        rustls::Error::InvalidCertificate(Bad::UnknownIssuer | Bad::BadSignature) => {
            ("the server's certificate is not signed by a trusted authority".to_owned(), Some(pin))
        }
        rustls::Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            ("the server's certificate is not for this host name".to_owned(), Some(pin))
        }
        rustls::Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            ("the server's certificate has expired".to_owned(), Some("renew the server's certificate"))
        }
        rustls::Error::InvalidCertificate(Bad::Other(other)) => (other.to_string(), Some(pin)),
        rustls::Error::AlertReceived(alert) => return alerted(*alert),
        rustls::Error::InvalidCertificate(bad) => (format!("the server's certificate is not valid: {bad}"), Some(pin)),
        other => (format!("the TLS handshake failed: {other}"), None),
    };
    let error = NetError::new(ErrorKind::Tls, message);
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// The server ended the handshake, and said why in a word.
fn alerted(alert: rustls::AlertDescription) -> NetError {
    use rustls::AlertDescription as Alert;
    let failed = |message: &str, hint: &str| NetError::new(ErrorKind::Tls, message).with_hint(hint);
    match alert {
        Alert::CertificateRequired | Alert::HandshakeFailure => failed(
            "the server ended the TLS handshake: it asks for a client certificate, as a rule",
            "set `tls.client_certificate` of the connection, with `cert_file` and `key_file`",
        ),
        Alert::UnknownCA
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::AccessDenied
        | Alert::DecryptError => failed(
            &format!("the server does not accept the client certificate: {alert:?}"),
            "have its authority installed on the server (ONTAP: `security certificate install -type client-ca`), and look \
             when the certificate of `tls.client_certificate` expires",
        ),
        other => NetError::new(ErrorKind::Tls, format!("the server ended the TLS handshake: {other:?}")),
    }
}

fn was_closed(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| {
        let hyper = cause.downcast_ref::<hyper::Error>();
        hyper.is_some_and(|e| e.is_incomplete_message() || e.is_canceled() || e.is_closed())
            || cause.downcast_ref::<io::Error>().is_some_and(|e| {
                matches!(
                    e.kind(),
                    io::ErrorKind::ConnectionReset
                        | io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::BrokenPipe
                        | io::ErrorKind::NotConnected
                        | io::ErrorKind::UnexpectedEof
                )
            })
    })
}

fn io_reason(error: &(dyn Error + 'static)) -> String {
    find::<io::Error>(error).map_or_else(
        || "the host does not answer".to_owned(),
        |e| match e.kind() {
            io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            io::ErrorKind::TimedOut => "no answer in time".to_owned(),
            kind => kind.to_string(),
        },
    )
}

/// The first error of this type in a chain.
pub(super) fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|cause| cause.downcast_ref::<T>())
}

/// An error and its causes. An I/O error hides the error it wraps from `source`, so it is asked by name.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner as &(dyn Error + 'static)),
        None => error.source(),
    })
}
