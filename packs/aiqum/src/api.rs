//! Requests to Unified Manager and what comes back: answers, pages, failures. Knows no resource.

use runner_sdk::http::{Path, Request, Response};
use runner_sdk::prelude::{Failure, Result, Value, bail, json};

/// How many records a page is asked for: as many as Unified Manager gives.
const PAGE: usize = 1000;
/// How many pages are read at most: more objects than any Unified Manager watches.
const PAGES_MAX: usize = 100;
/// Codes of ONTAP that pass by themselves: the configuration is locked, or busy with another change.
const PASSING: [&str; 3] = ["2621573", "13434889", "13434894"];

/// Unified Manager, through a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api<'a> {
    connection: &'a str,
}

/// What a query consists of.
pub(crate) type Query<'a> = Vec<(&'a str, String)>;

impl<'a> Api<'a> {
    /// Unified Manager behind a connection.
    pub(crate) fn new(connection: &'a str) -> Self {
        Self { connection }
    }

    /// Reads an object.
    pub(crate) fn get(self, path: impl Into<Path>, query: &[(&str, String)]) -> Result<Value> {
        self.send("GET", path.into(), query, None)
    }

    /// Reads an object that may not be there.
    pub(crate) fn find(self, path: impl Into<Path>) -> Result<Option<Value>> {
        let response = Request::new("GET", self.connection, path.into()).header("accept", "application/json").send()?;
        match response.status() {
            404 => Ok(None),
            _ => Ok(Some(without_links(self.checked("GET", &response)?))),
        }
    }

    /// Makes, changes or deletes something.
    pub(crate) fn write(self, method: &str, path: impl Into<Path>, body: Option<&Value>) -> Result<Value> {
        self.send(method, path.into(), &[], body)
    }

    /// Sends a request.
    pub(crate) fn send(
        self,
        method: &str,
        path: Path,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Value> {
        let mut request = Request::new(method, self.connection, path).header("accept", "application/json");
        for (name, value) in query {
            request = request.query(*name, value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Ok(without_links(self.checked(method, &request.send()?)?))
    }

    /// Reads the first record of a collection that fits a query.
    pub(crate) fn first(self, path: &'static str, query: &Query<'_>) -> Result<Option<Value>> {
        Ok(self.list(path, query, 1)?.into_iter().next())
    }

    /// Reads all records of a collection that fit a query, up to a limit.
    pub(crate) fn list(self, path: &'static str, query: &Query<'_>, limit: usize) -> Result<Vec<Value>> {
        let mut records: Vec<Value> = Vec::new();
        for _ in 0..PAGES_MAX {
            let mut paged = query.clone();
            paged.push(("offset", records.len().to_string()));
            paged.push(("max_records", PAGE.min(limit - records.len()).to_string()));
            let page = self.get(path, &paged)?;
            let total = page.get("total_records").and_then(Value::as_u64);
            let Some(Value::Array(more)) = page.get("records") else {
                bail!("bad-response", "`{path}` answered without `records`")
            };
            let is_last = more.is_empty();
            records.extend(more.iter().cloned());
            let is_all = total.is_none_or(|total| u64::try_from(records.len()).is_ok_and(|count| count >= total));
            if is_last || is_all || records.len() >= limit {
                return Ok(records);
            }
        }
        bail!("endless-list", "`{path}` has no last page: {PAGES_MAX} of them were read")
    }

    /// The body, unless the status says that there is none.
    fn checked(self, method: &str, response: &Response) -> Result<Value> {
        if !response.is_success() {
            return Err(self.failure(method, response));
        }
        if response.body().is_empty() { Ok(Value::Null) } else { response.json() }
    }

    fn failure(self, method: &str, response: &Response) -> Failure {
        let status = response.status();
        let error = response.json::<Value>().ok().and_then(|body| body.get("error").cloned()).unwrap_or_default();
        let text = |key: &str| match error.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        // Unified Manager's own codes say no more than the status; those of ONTAP, behind the gateway, do.
        let code = text("code").filter(|code| code.len() > 3 || code.parse::<u16>().is_ok_and(|number| number < 100));
        let code = code.unwrap_or_else(|| format!("http-{status}"));
        let mut message = match text("message") {
            Some(message) => format!("`{}` answered {status}: {}", self.connection, message.trim_end_matches('.')),
            None => format!("`{}` answered {status}", self.connection),
        };
        if let Some(target) = text("target").filter(|target| !target.is_empty()) {
            message.push_str(&format!(" (field `{target}`)"));
        }
        if let Some(hint) = hint(status) {
            message.push_str("; ");
            message.push_str(hint);
        }
        let passes = matches!(status, 429 | 502..=504) || PASSING.contains(&code.as_str());
        // NetApp recommends to repeat reads that fail so.
        let passes = passes || (method == "GET" && status == 500);
        let failure = Failure::new(code, message).with_details(json!({ "status": status }));
        if passes { failure.retryable() } else { failure }
    }
}

fn hint(status: u16) -> Option<&'static str> {
    match status {
        401 => Some("look at the connection's `auth`: Unified Manager takes a user and a password, nothing else"),
        403 => Some(
            "the connection's user needs the role Storage Administrator, and Application Administrator for the gateway and data sources",
        ),
        429 => Some("lower the connection's `concurrency`"),
        502..=504 => Some("Unified Manager is busy or restarting"),
        _ => None,
    }
}

/// Drops `_links`, at every depth: they say nothing that a workflow needs.
fn without_links(mut value: Value) -> Value {
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("_links");
            map.values_mut().for_each(strip);
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}

/// The text at a pointer, or an empty one.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The whole number at a pointer, or zero.
pub(crate) fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}
