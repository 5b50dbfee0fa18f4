//! What a simulated system answers.

use std::fmt::Display;

use serde::Serialize;

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It is answered.
    Response {
        /// The status.
        status: u16,
        /// Headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// The connection is closed without an answer.
    Dropped,
}

/// An ending, and how long it takes to come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a reply is what the handler returns"]
pub struct Reply {
    /// Milliseconds that pass before the ending.
    pub delay_ms: u32,
    /// What becomes of the request.
    pub ending: Ending,
}

impl Reply {
    /// A response without a body.
    pub fn status(status: u16) -> Self {
        Self { delay_ms: 0, ending: Ending::Response { status, headers: Vec::new(), body: Vec::new() } }
    }

    /// A response with a JSON body. A value that cannot be written as JSON becomes a 500 that says so.
    pub fn json(status: u16, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::body(status, "application/json", body),
            Err(error) => Self::text(500, format!("the simulator's reply is not JSON: {error}")),
        }
    }

    /// A response with a text.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self::body(status, "text/plain; charset=utf-8", text.into())
    }

    /// A response with a body of some type.
    pub fn body(status: u16, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { delay_ms: 0, ending: Ending::Response { status, headers, body: bytes.into() } }
    }

    /// A connection that is closed without an answer.
    pub fn dropped() -> Self {
        Self { delay_ms: 0, ending: Ending::Dropped }
    }

    /// Adds a header; to a dropped connection, nothing.
    pub fn header(mut self, name: impl Into<String>, value: impl Display) -> Self {
        if let Ending::Response { headers, .. } = &mut self.ending {
            headers.push((name.into(), value.to_string()));
        }
        self
    }

    /// The same ending, after a delay.
    pub fn delay_ms(mut self, millis: u32) -> Self {
        self.delay_ms = millis;
        self
    }
}

/// Lets a handler use `?`: either way it is a reply.
impl From<Result<Reply, Reply>> for Reply {
    fn from(result: Result<Reply, Reply>) -> Self {
        match result {
            Ok(reply) | Err(reply) => reply,
        }
    }
}
