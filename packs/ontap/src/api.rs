//! Requests to ONTAP's REST API and what comes back: answers, pages, failures.

mod failure;
mod location;
mod page;

pub use failure::{hint, is_retryable};
pub use location::{Location, encode};
pub use page::{List, Wanted};

use std::time::Duration;

use runner_sdk::http::{Path, Request};
use runner_sdk::prelude::{Result, Value};
use runner_sdk::serde_json::Map;

use crate::body;

/// What ONTAP may take beyond the time that it was told to wait for the end of a job.
const ANSWER: Duration = Duration::from_secs(30);

/// A cluster, through a connection.
#[derive(Debug, Clone)]
pub struct Api {
    /// The connection's name.
    pub connection: String,
    /// The SVM that requests are tunnelled into, if any.
    pub tunnel: Option<String>,
}

/// What a query consists of.
pub type Query = Vec<(String, String)>;

/// A response that is not an error.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// 200, 201 or 202.
    pub status: u16,
    /// The body; null if there is none.
    pub body: Value,
    /// Where the object is.
    pub location: Option<Location>,
    /// The job that goes on with it.
    pub job: Option<String>,
}

impl Answer {
    /// What was made, if the answer shows it.
    #[must_use]
    pub fn record(&self) -> Option<&Value> {
        match self.body.get("records").and_then(Value::as_array) {
            Some(records) => records.first(),
            None => Some(&self.body).filter(|body| body.get("uuid").is_some() || body.get("name").is_some()),
        }
    }
}

impl Api {
    /// The cluster behind a connection.
    #[must_use]
    pub fn new(connection: &str) -> Self {
        Self { connection: connection.to_owned(), tunnel: None }
    }

    /// Reads an object or one page of a collection.
    ///
    /// # Errors
    /// What ONTAP said.
    pub fn get(&self, path: &str, query: &[(String, String)]) -> Result<Value> {
        Ok(self.send("GET", path, query, None)?.body)
    }

    /// Sends a request.
    ///
    /// # Errors
    /// What ONTAP said, or why there is no answer.
    pub fn send(&self, method: &str, path: &str, query: &[(String, String)], body: Option<&Value>) -> Result<Answer> {
        let mut request =
            Request::new(method, &self.connection, Path::raw(path)).header("accept", "application/hal+json");
        if let Some(svm) = &self.tunnel {
            request = request.header("x-dot-svm-name", svm);
        }
        for (name, value) in query {
            request = request.query(name, value);
        }
        let waits = query.iter().find(|(name, _)| name == "return_timeout").and_then(|(_, value)| value.parse().ok());
        if let Some(seconds) = waits.filter(|seconds| *seconds > 0) {
            request = request.timeout(Duration::from_secs(seconds) + ANSWER);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send()?;
        if !response.is_success() {
            return Err(failure::of(self, method, path, &response));
        }
        let value = if response.body().is_empty() { Value::Null } else { response.json()? };
        let job = body::text(&value, "job.uuid");
        Ok(Answer {
            status: response.status(),
            location: response.header("location").and_then(Location::parse),
            job,
            body: value,
        })
    }
}

/// Drops `_links`, at every depth: they say nothing that a workflow needs, and make every result three times as long.
pub fn without_links(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("_links");
            map.values_mut().for_each(without_links);
        }
        Value::Array(list) => list.iter_mut().for_each(without_links),
        _ => {}
    }
}

/// A query of an object's members; what is null is left out, a list is ONTAP's `a|b`.
#[must_use]
pub fn query_of(map: &Map<String, Value>) -> Query {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let pair = |(name, value): (&String, &Value)| match value {
        Value::Null => None,
        Value::Array(values) => Some((name.clone(), values.iter().map(text).collect::<Vec<_>>().join("|"))),
        value => Some((name.clone(), text(value))),
    };
    map.iter().filter_map(pair).collect()
}
