//! What the rules see of a delivery: `{method, path, query, headers, headers_lower, body, encoding}`, without what proves
//! who sent it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use runner_model::limits;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::header::is_credential;

/// A delivery as it came.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path below `/webhooks/`.
    pub path: &'a str,
    /// The query, without its question mark.
    pub query: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The body's bytes.
    pub body: &'a [u8],
}

/// A body that is not what its content type says.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It says JSON.
    #[error("the body is not the JSON that its content type says")]
    Json(#[from] serde_json::Error),
}

/// What the rules see. Headers that carry credentials, and those in `without`, are left out.
///
/// # Errors
/// The body is not what its content type says.
pub fn payload(arrived: &Arrived<'_>, without: &[&str]) -> Result<Value, Unreadable> {
    let (encoding, body) = body(arrived)?;
    let (mut titled, mut lower) = (Map::new(), Map::new());
    let is_own = |name: &HeaderName| without.iter().any(|own| own.eq_ignore_ascii_case(name.as_str()));
    for name in arrived.headers.keys().filter(|name| !is_credential(name) && !is_own(name)) {
        let mut values = arrived.headers.get_all(name).iter();
        let mut value = values.next().map(readable).unwrap_or_default();
        values.for_each(|more| value.extend([", ", &readable(more)]));
        let value = Value::String(value);
        titled.insert(title(name.as_str()), value.clone());
        lower.insert(name.as_str().to_owned(), value);
    }
    let mut query = pairs(arrived.query.as_bytes());
    // StackStorm takes keys there too: what is sent to it is sent here.
    ["st2-api-key", "x-auth-token"].iter().for_each(|key| drop(query.remove(*key)));
    // Put together by hand: `json!` copies what it is given.
    let members = [
        ("method", Value::from(arrived.method.as_str())),
        ("path", Value::from(arrived.path)),
        ("query", Value::Object(query)),
        ("headers", Value::Object(titled)),
        ("headers_lower", Value::Object(lower)),
        ("body", body),
        ("encoding", Value::from(encoding)),
    ];
    let mut payload = Map::new();
    for (name, value) in members {
        payload.insert(name.to_owned(), value);
    }
    Ok(Value::Object(payload))
}

/// The body by its content type, and in which way it was read.
fn body(arrived: &Arrived<'_>) -> Result<(&'static str, Value), Unreadable> {
    let declared = arrived.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if arrived.body.is_empty() {
        return Ok(("none", Value::Null));
    }
    match media.as_str() {
        "application/x-www-form-urlencoded" => Ok(("form", Value::Object(pairs(arrived.body)))),
        "application/json" | "text/json" => Ok(("json", serde_json::from_slice(arrived.body)?)),
        media if media.ends_with("+json") => Ok(("json", serde_json::from_slice(arrived.body)?)),
        // Small senders forget to say what they send, and send JSON.
        "" => Ok(serde_json::from_slice(arrived.body).map_or_else(|_| as_text(arrived.body), |value| ("json", value))),
        _ => Ok(as_text(arrived.body)),
    }
}

fn as_text(body: &[u8]) -> (&'static str, Value) {
    match std::str::from_utf8(body) {
        Ok(text) => ("text", Value::String(text.to_owned())),
        Err(_) => ("base64", Value::String(BASE64_STANDARD.encode(body))),
    }
}

/// Names and values of a query or a form; what stands more than once is a list.
fn pairs(bytes: &[u8]) -> Map<String, Value> {
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(bytes) {
        all.entry(name.into_owned()).or_default().push(Value::String(value.into_owned()));
    }
    let one = |mut values: Vec<Value>| if values.len() == 1 { values.swap_remove(0) } else { Value::Array(values) };
    all.into_iter().map(|(name, values)| (name, one(values))).collect()
}

/// Header values are bytes; those beyond ASCII are read as Latin-1, which loses none.
fn readable(value: &HeaderValue) -> String {
    match value.to_str() {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// A header's name as StackStorm's rules write it: `X-Github-Event`.
fn title(name: &str) -> String {
    let mut titled = String::with_capacity(name.len());
    let mut starts = true;
    for c in name.chars() {
        titled.push(if starts { c.to_ascii_uppercase() } else { c });
        starts = c == '-';
    }
    titled
}

/// A text in a member of a JSON body.
pub(super) fn member(body: &[u8], name: &str) -> Option<String> {
    let mut value: Map<String, Value> = serde_json::from_slice(body).ok()?;
    match value.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// A key that events are told apart by: one that is too long stands as its digest.
pub(super) fn key(text: String) -> String {
    if text.len() <= limits::EVENT_KEY_BYTES_MAX {
        return text;
    }
    hex::encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(headers: &[(&'static str, &'static str)], query: &str, body: &[u8]) -> Result<Value, Unreadable> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let arrived = Arrived { method: &Method::POST, path: "a/b", query, headers: &map, body };
        payload(&arrived, &["x-hub-signature-256"])
    }

    #[test]
    fn what_proves_who_sent_it_is_left_out_and_the_rest_is_named_in_both_ways() {
        let headers = [
            ("authorization", "Bearer rk_1"),
            ("cookie", "a=b"),
            ("x-api-key", "rk_1"),
            ("st2-api-key", "k"),
            ("x-hub-signature-256", "sha256=00"),
            ("x-github-event", "push"),
            ("accept", "a"),
            ("accept", "b"),
        ];
        let seen = seen(&headers, "a=1&b=2&b=3&st2-api-key=k", b"").unwrap();
        assert_eq!(
            seen,
            json!({
                "method": "POST",
                "path": "a/b",
                "query": {"a": "1", "b": ["2", "3"]},
                "headers": {"Accept": "a, b", "X-Github-Event": "push"},
                "headers_lower": {"accept": "a, b", "x-github-event": "push"},
                "body": null,
                "encoding": "none",
            })
        );
    }

    #[test]
    fn a_body_is_read_by_its_content_type() {
        let cases: [(&str, &[u8], &str, Value); 9] = [
            ("application/json", br#"{"a": 1}"#, "json", json!({"a": 1})),
            ("application/vnd.api+JSON; charset=utf-8", b"[1]", "json", json!([1])),
            ("application/x-www-form-urlencoded", b"a=1&a=2&b=%20+", "form", json!({"a": ["1", "2"], "b": "  "})),
            ("text/plain", b"{}", "text", json!("{}")),
            ("application/octet-stream", &[0xff, 0x00], "base64", json!("/wA=")),
            ("", b"{\"a\": 1}", "json", json!({"a": 1})),
            ("", b"hello", "text", json!("hello")),
            ("", &[0xff], "base64", json!("/w==")),
            ("application/json", b"", "none", Value::Null),
        ];
        for (media, body, encoding, value) in cases {
            let headers: &[_] = if media.is_empty() { &[] } else { &[("content-type", media)] };
            let seen = seen(headers, "", body).unwrap();
            assert_eq!((seen["encoding"].as_str(), &seen["body"]), (Some(encoding), &value), "{media}");
        }
        assert!(seen(&[("content-type", "application/json")], "", b"{").is_err());
        let deep = "[".repeat(100_000);
        assert!(seen(&[("content-type", "application/json")], "", deep.as_bytes()).is_err());
    }

    #[test]
    fn a_key_that_is_too_long_stands_as_its_digest() {
        assert_eq!(key("evt_1".to_owned()), "evt_1");
        assert_eq!(key("x".repeat(100_000)).len(), 64);
    }
}
