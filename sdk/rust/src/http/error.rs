//! Why there is no response.

use std::fmt;

use serde_json::{Map, Value};

use crate::Failure;

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Not permitted: the pack does not ask for it, or the operator did not grant it.
    Denied,
    /// No such connection.
    UnknownConnection,
    /// A malformed URL, method, header, path or body.
    BadRequest,
    /// The host name cannot be resolved.
    Dns,
    /// No connection could be made.
    Connect,
    /// The certificate is not trusted.
    Tls,
    /// Took too long.
    Timeout,
    /// A body or headers over the limit.
    TooLarge,
    /// Closed before the response was complete.
    Closed,
    /// Not valid HTTP.
    Protocol,
    /// The host failed.
    Other,
}

/// Why there is no response. `?` makes a [`Failure`] of it that keeps the code.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    /// What kind of thing went wrong.
    pub kind: ErrorKind,
    /// Runner's code for it, such as `E-NET-0001`; `bad-request` for what the SDK itself found.
    pub code: String,
    /// A lowercase sentence.
    pub message: String,
    /// What the operator or the pack's author can do about it.
    pub hint: Option<String>,
    /// Whether the same request may succeed later without anything being changed.
    pub retryable: bool,
}

impl Error {
    /// An error; whether it is worth another try follows from its kind.
    #[must_use]
    pub fn new(kind: ErrorKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        use ErrorKind::{Closed, Connect, Dns, Timeout};
        let retryable = matches!(kind, Dns | Connect | Timeout | Closed);
        Self { kind, code: code.into(), message: message.into(), hint: None, retryable }
    }

    /// A request that cannot be sent as it is written.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadRequest, "bad-request", message)
    }

    pub(crate) fn to_failure(&self) -> Failure {
        let failure = Failure::new(&self.code, &self.message);
        let failure = if self.retryable { failure.retryable() } else { failure };
        match &self.hint {
            Some(hint) => {
                let hint = ("hint".to_owned(), Value::String(hint.clone()));
                failure.with_details(Map::from_iter([hint]))
            }
            None => failure,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}
