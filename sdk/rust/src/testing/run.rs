//! What one run of an action did.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::log::Level;
use crate::{Failure, Result};

/// What one run of an action did.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What it returned.
    pub result: Result<Value>,
    /// The requests it sent, in order.
    pub requests: Vec<Sent>,
    /// The lines it logged, in order.
    pub logs: Vec<LogLine>,
    /// What its heartbeats said, in order.
    pub heartbeats: Vec<Value>,
    /// The key-value data after it.
    pub kv: BTreeMap<String, Value>,
}

/// A request that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The method.
    pub method: String,
    /// The connection's name; for a URL, its origin.
    pub target: String,
    /// The path, percent-encoded, without the query.
    pub path: String,
    /// The query, pair by pair.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body; empty if there is none.
    pub body: Vec<u8>,
}

/// A line that was logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// The message.
    pub message: String,
    /// The fields beside it.
    pub fields: Vec<(String, String)>,
}

impl Run {
    /// What the action returned.
    ///
    /// # Panics
    /// It failed.
    #[must_use]
    #[track_caller]
    pub fn output(&self) -> Value {
        match &self.result {
            Ok(value) => value.clone(),
            Err(failure) => panic!("the action failed: {failure}"),
        }
    }

    /// Why the action failed.
    ///
    /// # Panics
    /// It succeeded.
    #[must_use]
    #[track_caller]
    pub fn failure(&self) -> Failure {
        match &self.result {
            Ok(value) => panic!("the action succeeded: {value}"),
            Err(failure) => failure.clone(),
        }
    }
}

impl Sent {
    /// The body, read as JSON.
    ///
    /// # Panics
    /// It is not that.
    #[must_use]
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("the body is not as expected: {error}: {}", String::from_utf8_lossy(&self.body)),
        }
    }

    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
