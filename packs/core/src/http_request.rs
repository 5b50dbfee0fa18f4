//! `http_request`: one request, through a connection or to a URL, with StackStorm's result.

use std::collections::BTreeMap;
use std::time::Duration;

use runner_sdk::http::{Path, Request, Response};
use runner_sdk::prelude::{Deserialize, JsonSchema, Result, Serialize, Value, action, bail};
use runner_sdk::serde_json;

/// What to send, and where to.
#[derive(Deserialize, JsonSchema)]
pub struct Input {
    /// The connection to send it through; needs `path`.
    #[serde(default)]
    connection: Option<String>,
    /// The path after the connection's base URL, percent-encoded, beginning with `/`.
    #[serde(default)]
    path: Option<String>,
    /// An absolute URL, instead of a connection.
    #[serde(default)]
    url: Option<String>,
    /// The method.
    #[serde(default = "get")]
    method: String,
    /// The query: names and values, not encoded. A list gives a name several times.
    #[serde(default)]
    query: BTreeMap<String, Value>,
    /// Headers.
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    /// The body, as text.
    #[serde(default)]
    body: Option<String>,
    /// The body, as JSON.
    #[serde(default)]
    json: Option<Value>,
    /// Statuses that count as success; without it, 200 to 299.
    #[serde(default)]
    expect_status: Vec<u16>,
    /// Seconds for the whole request.
    #[serde(default)]
    timeout: Option<f64>,
}

fn get() -> String {
    "GET".to_owned()
}

/// The response.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The status.
    status_code: u16,
    /// The body: its JSON where it is JSON, otherwise its text.
    body: Value,
    /// Whether the body was JSON.
    parsed: bool,
    /// Headers, names in lowercase; several of one name joined by a comma.
    headers: BTreeMap<String, String>,
}

/// Sends an HTTP request.
#[action]
pub fn http_request(input: Input) -> Result<Output> {
    let expected = input.expect_status.clone();
    let response = request(input)?.send()?;
    let response = if expected.is_empty() { response.ok()? } else { response.expect_status(&expected)? };
    Ok(output(&response))
}

fn request(input: Input) -> Result<Request> {
    let method = input.method.to_ascii_uppercase();
    let mut request = match (input.connection, input.path, input.url) {
        (Some(connection), Some(path), None) => Request::new(method, connection, Path::raw(path)),
        (None, None, Some(url)) => Request::url(method, url),
        _ => bail!("bad-input", "name either a `connection` and a `path`, or a `url`"),
    };
    for (name, value) in input.query {
        match value {
            Value::Array(values) => {
                for value in values {
                    request = request.query(&name, text(value));
                }
            }
            Value::Null => {}
            value => request = request.query(name, text(value)),
        }
    }
    let has_type = input.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
    for (name, value) in input.headers {
        request = request.header(name, text(value));
    }
    request = match (input.body, input.json) {
        (Some(_), Some(_)) => bail!("bad-input", "give `body` or `json`, not both"),
        (Some(body), None) => request.raw_body(body, (!has_type).then_some("text/plain; charset=utf-8")),
        (None, Some(json)) => request.raw_body(serde_json::to_vec(&json)?, (!has_type).then_some("application/json")),
        (None, None) => request,
    };
    if let Some(seconds) = input.timeout {
        let Ok(timeout) = Duration::try_from_secs_f64(seconds) else {
            bail!("bad-input", "`timeout`: {seconds} is not a number of seconds");
        };
        request = request.timeout(timeout);
    }
    Ok(request)
}

/// A value as it is written into a query or a header: a text without quotes.
fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => serde_json::to_string(&other).unwrap_or_default(),
    }
}

fn output(response: &Response) -> Output {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in response.headers() {
        let joined = headers.entry(name.clone()).or_default();
        if !joined.is_empty() {
            joined.push_str(", ");
        }
        joined.push_str(value);
    }
    let is_json = response.header("content-type").is_some_and(|content| content.contains("json"));
    let parsed = if is_json { response.json().ok() } else { None };
    Output {
        status_code: response.status(),
        parsed: parsed.is_some(),
        body: parsed.unwrap_or_else(|| Value::String(response.text().into_owned())),
        headers,
    }
}

#[cfg(test)]
mod tests {
    use runner_sdk::prelude::json;
    use runner_sdk::testing::Host;

    use super::*;

    #[test]
    fn a_request_goes_through_a_connection() {
        let run = Host::new().on("POST", "array", "/v1/volumes", 201, json!({ "id": 7 })).run(
            http_request,
            json!({
                "connection": "array", "path": "/v1/volumes", "method": "post",
                "query": { "a": 1, "b": ["x", "y z"], "c": null }, "headers": { "x-trace": "t" }, "json": { "name": "v" },
            }),
        );
        assert_eq!(
            run.output(),
            json!({
                "status_code": 201, "body": { "id": 7 }, "parsed": true,
                "headers": { "content-type": "application/json" },
            })
        );
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(run.requests[0].query, [pair("a", "1"), pair("b", "x"), pair("b", "y z")]);
        assert_eq!(run.requests[0].headers, [pair("x-trace", "t"), pair("content-type", "application/json")]);
        assert_eq!(run.requests[0].json::<Value>(), json!({ "name": "v" }));
    }

    #[test]
    fn a_request_goes_to_a_url() {
        let run = Host::new()
            .on("GET", "https://example.com", "/a", 200, "plain")
            .run(http_request, json!({ "url": "https://example.com/a?b=c" }));
        assert_eq!(run.output()["body"], "plain");
        assert_eq!(run.output()["parsed"], false);
    }

    #[test]
    fn a_status_that_was_not_expected_is_a_failure() {
        let host = || Host::new().on("GET", "array", "/x", 404, json!({ "error": "none" }));
        let failure = host().run(http_request, json!({ "connection": "array", "path": "/x" })).failure();
        assert_eq!((failure.code.as_str(), failure.retryable), ("http-404", false));
        let expected = json!({ "connection": "array", "path": "/x", "expect_status": [200, 404] });
        assert_eq!(host().run(http_request, expected).output()["status_code"], 404);
    }

    #[test]
    fn a_request_without_one_destination_is_refused() {
        for input in [
            json!({}),
            json!({ "connection": "array" }),
            json!({ "connection": "array", "path": "/x", "url": "https://example.com" }),
            json!({ "url": "https://example.com", "body": "x", "json": 1 }),
            json!({ "url": "https://example.com", "timeout": -1 }),
        ] {
            assert_eq!(Host::new().run(http_request, input.clone()).failure().code, "bad-input", "{input}");
        }
    }

    #[test]
    fn a_path_of_dots_is_refused_before_it_is_sent() {
        let failure = Host::new().run(http_request, json!({ "connection": "array", "path": "/v1/../admin" })).failure();
        assert_eq!(failure.code, "bad-request");
    }

    #[test]
    fn a_body_may_name_its_own_type() {
        let run = Host::new().on("PUT", "array", "/x", 204, Value::Null).run(
            http_request,
            json!({ "connection": "array", "path": "/x", "method": "PUT", "body": "<a/>", "headers": { "Content-Type": "text/xml" } }),
        );
        assert_eq!(run.requests[0].headers, [("Content-Type".to_owned(), "text/xml".to_owned())]);
        assert_eq!(run.output()["body"], "");
    }
}
