//! A request, built step by step.

use std::fmt::Display;
use std::time::Duration;

use serde::Serialize;

use super::{Error, Path, Response};
use crate::host;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Through a connection.
    Connection {
        /// Its name in the operator's configuration.
        name: String,
        /// The path after its base URL, percent-encoded.
        path: String,
    },
    /// To an absolute URL.
    Url(String),
}

/// What a request does to the system behind it, where its method does not say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Read,
    /// Makes something new.
    Create,
    /// Changes something.
    Update,
    /// Removes something.
    Delete,
}

/// A request that is being built. A mistake made on the way is reported by [`Request::send`].
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    pub(crate) target: Target,
    pub(crate) method: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) timeout_ms: Option<u32>,
    pub(crate) effect: Option<Effect>,
    mistake: Option<String>,
}

impl Request {
    /// A request through a connection, with any method.
    pub fn new(method: impl Into<String>, connection: impl Into<String>, path: impl Into<Path>) -> Self {
        let (path, mistake) = match path.into().into_result() {
            Ok(path) => (path, None),
            Err(mistake) => (String::new(), Some(mistake)),
        };
        Self { mistake, ..Self::to(method, Target::Connection { name: connection.into(), path }) }
    }

    /// A request to an absolute URL, without credentials.
    pub fn url(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self::to(method, Target::Url(url.into()))
    }

    fn to(method: impl Into<String>, target: Target) -> Self {
        Self {
            target,
            method: method.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            timeout_ms: None,
            effect: None,
            mistake: None,
        }
    }

    /// Adds a pair to the query. The host encodes it.
    pub fn query(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.headers.push((name.into(), value.to_string()));
        self
    }

    /// Sets the body, with its `content-type`.
    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.raw_body(body, Some(content_type))
    }

    /// Sets the body; without a type, the `content-type` is left to a header of the caller's own.
    pub fn raw_body(mut self, body: impl Into<Vec<u8>>, content_type: Option<&str>) -> Self {
        self.body = Some(body.into());
        match content_type {
            Some(content_type) => self.header("content-type", content_type),
            None => self,
        }
    }

    /// Sets the body to a value as JSON.
    pub fn json(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.body("application/json", body),
            Err(error) => {
                self.mistake = Some(format!("the body cannot be written as JSON: {error}"));
                self
            }
        }
    }

    /// Sets the time for the whole request. The host and the connection may allow less.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout_ms = Some(u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX));
        self
    }

    /// Says what the request does, where its method does not: a `POST` that only searches is [`Effect::Read`].
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }

    /// Sends the request and waits for the whole response. A response of any status is a success here; [`Response::ok`]
    /// makes a failure of one that is not 2xx.
    ///
    /// # Errors
    /// There is no response, and why.
    pub fn send(self) -> Result<Response, Error> {
        match &self.mistake {
            Some(mistake) => Err(Error::bad_request(mistake)),
            None => host::send(self),
        }
    }
}
