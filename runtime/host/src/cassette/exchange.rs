//! The lines of a cassette, and how a request or a response becomes one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::egress::HttpResponse;
use crate::mask::{MASKED, Mask};
use crate::traffic::Ask;

/// The version of the format that is written.
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Head {
    /// The version of the format.
    pub(super) cassette: u32,
    /// What wrote it.
    pub(super) runner: String,
    /// When.
    pub(super) recorded: String,
}

/// One request and what came back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Exchange {
    /// When it was sent.
    pub(super) at: String,
    /// How long it took, in milliseconds.
    pub(super) took_ms: u64,
    /// The connection's name, or the origin of a URL.
    pub(super) connection: String,
    /// The kind of the connection; empty for a URL.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) kind: String,
    /// The action that sent it.
    pub(super) action: String,
    /// A number for the step, in the order in which steps first sent something.
    pub(super) step: usize,
    /// The item of a step that runs over a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) item: Option<u32>,
    /// What was sent.
    pub(super) request: Request,
    /// What came back.
    #[serde(flatten)]
    pub(super) answer: Answer,
}

/// A request, without secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// Sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) query: Vec<(String, String)>,
    /// Those that say what is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) headers: Vec<(String, String)>,
    #[serde(flatten)]
    pub(super) body: Content,
}

/// How an exchange ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// With a response.
    Response(Response),
    /// Without one.
    Error {
        code: String,
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
        #[serde(default)]
        retryable: bool,
    },
}

/// A response, without secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Response {
    pub(super) status: u16,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) headers: Vec<(String, String)>,
    #[serde(flatten)]
    pub(super) body: Content,
}

/// A body: JSON as such, a text as such, anything else encoded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Content {
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub(super) json: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) base64: Option<String>,
}

/// Whether a text is the recorded one: what was masked in that may be any, since not all secrets are known again.
fn same(recorded: &str, came: &str) -> bool {
    let mut parts = recorded.split(MASKED);
    let Some(mut rest) = parts.next().and_then(|first| came.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    true
}

fn same_json(recorded: &Value, came: &Value) -> bool {
    match (recorded, came) {
        (Value::String(recorded), Value::String(came)) => same(recorded, came),
        // A number, where one was masked.
        (Value::String(recorded), Value::Number(_)) => recorded == MASKED,
        (Value::Array(recorded), Value::Array(came)) => {
            recorded.len() == came.len() && recorded.iter().zip(came).all(|(recorded, came)| same_json(recorded, came))
        }
        (Value::Object(recorded), Value::Object(came)) => {
            let member = |(key, value): (&String, &Value)| came.get(key).is_some_and(|other| same_json(value, other));
            recorded.len() == came.len() && recorded.iter().all(member)
        }
        (recorded, came) => recorded == came,
    }
}

/// A `null` that is written is a value, and not the lack of one.
mod present {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use serde_json::Value;

    #[allow(clippy::ref_option, reason = "the form that serde calls")]
    pub(super) fn serialize<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
        Value::deserialize(deserializer).map(Some)
    }
}

impl Content {
    /// A body without secrets.
    pub(super) fn of(bytes: &[u8], is_form: bool, mask: &Mask) -> Self {
        if bytes.is_empty() {
            return Self::default();
        }
        if let Ok(value) = serde_json::from_slice(bytes) {
            return Self { json: Some(mask.json(&value)), ..Self::default() };
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if is_form => Self { text: Some(form(text, mask)), ..Self::default() },
            Ok(text) => Self { text: Some(mask.text(text)), ..Self::default() },
            Err(_) => Self { base64: Some(STANDARD.encode(mask.bytes(bytes))), ..Self::default() },
        }
    }

    fn is_like(&self, came: &Self) -> bool {
        let texts = |recorded: &Option<String>, came: &Option<String>| match (recorded, came) {
            (Some(recorded), Some(came)) => same(recorded, came),
            (recorded, came) => recorded == came,
        };
        match (&self.json, &came.json) {
            (Some(recorded), Some(came)) => same_json(recorded, came),
            (None, None) => texts(&self.text, &came.text) && self.base64 == came.base64,
            _ => false,
        }
    }

    /// The bytes again.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self { json: Some(value), .. } => value.to_string().into_bytes(),
            Self { text: Some(text), .. } => text.clone().into_bytes(),
            Self { base64: Some(text), .. } => STANDARD.decode(text).unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}

fn form(text: &str, mask: &Mask) -> String {
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    let masked = pairs.map(|(name, value)| (name.to_string(), mask.named(&name, &value)));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(masked).finish()
}

/// Headers of a request that are written down: what is meant by it. Others are the host's, or may be secret.
const REQUEST_HEADERS: [&str; 7] =
    ["accept", "content-type", "if-match", "if-none-match", "prefer", "range", "x-http-method-override"];

/// Headers of a response that are not: those of one connection between two programs, and those of sessions.
const RESPONSE_HEADERS_NOT: [&str; 7] =
    ["connection", "content-length", "date", "keep-alive", "server", "set-cookie", "transfer-encoding"];

impl Request {
    /// A request without secrets.
    pub(super) fn of(ask: &Ask, mask: &Mask) -> Self {
        // What is secret by its name may stand elsewhere by another.
        let named = ask.headers.iter().chain(&ask.query);
        named.for_each(|(name, value)| _ = mask.named(name, value));
        let body = Content::of(&ask.body, is_form(&ask.headers), mask);
        let mut query: Vec<_> = ask.query.iter().map(|(name, value)| (name.clone(), mask.named(name, value))).collect();
        query.sort_by(|(a, _), (b, _)| a.cmp(b));
        let meant = |(name, _): &&(String, String)| REQUEST_HEADERS.contains(&name.as_str());
        let headers = ask.headers.iter().filter(meant).map(|(name, value)| (name.clone(), mask.named(name, value)));
        Self { method: ask.method.clone(), path: mask.text(&ask.path), query, headers: headers.collect(), body }
    }

    /// Whether a request that came asks for the same as this one that was recorded. Headers have no part in it: a client may
    /// change them without meaning another thing.
    pub(super) fn is_like(&self, came: &Self) -> bool {
        let pairs = || self.query.iter().zip(&came.query);
        self.method == came.method
            && same(&self.path, &came.path)
            && self.query.len() == came.query.len()
            && pairs().all(|((name, value), (other_name, other))| name == other_name && same(value, other))
            && self.body.is_like(&came.body)
    }

    /// In a line, for a message.
    pub(super) fn described(&self) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish();
        let mark = if query.is_empty() { "" } else { "?" };
        let mut body = String::from_utf8_lossy(&self.body.bytes()).into_owned();
        if body.chars().count() > SHOWN_CHARS_MAX {
            body = body.chars().take(SHOWN_CHARS_MAX).chain(['…']).collect();
        }
        let space = if body.is_empty() { "" } else { " " };
        format!("{} {}{mark}{query}{space}{body}", self.method, self.path)
    }
}

/// Characters of a body that a message shows.
const SHOWN_CHARS_MAX: usize = 200;

impl Response {
    /// A response without secrets.
    pub(super) fn of(response: &HttpResponse, mask: &Mask) -> Self {
        let kept = |(name, _): &&(String, String)| !RESPONSE_HEADERS_NOT.contains(&name.as_str());
        let headers = response.headers.iter().filter(kept);
        Self {
            status: response.status,
            headers: headers.map(|(name, value)| (name.clone(), mask.named(name, value))).collect(),
            body: Content::of(&response.body, is_form(&response.headers), mask),
        }
    }
}

impl From<&Response> for HttpResponse {
    fn from(recorded: &Response) -> Self {
        Self { status: recorded.status, headers: recorded.headers.clone(), body: recorded.body.bytes() }
    }
}

fn is_form(headers: &[(String, String)]) -> bool {
    let form = "application/x-www-form-urlencoded";
    headers.iter().any(|(name, value)| name == "content-type" && value.to_ascii_lowercase().starts_with(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_masked_may_be_any() {
        for (recorded, came, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("***", "anything", true),
            ("x *** y", "x 1 y", true),
            ("x *** y", "x 1 z", false),
            ("***/***", "a/b", true),
            ("***/***", "ab", false),
        ] {
            assert_eq!(same(recorded, came), expected, "{recorded} {came}");
        }
    }
}
