//! How a system behind a connection wants to be talked to.
//!
//! The pack that brings a kind of connection says its manners; the operator's configuration of a connection says others in
//! their place, key by key. What they mean is carried out at the egress door in `host`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::limits::{CONNECTION_CONCURRENCY_MAX, RETRY_CODES_MAX, RETRY_TRIES_MAX, RETRY_WAIT_LONGEST};

/// How a system wants to be talked to. What is left out is as the host has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manners {
    /// Requests at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Headers that each request has, and that hold nothing secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// When a request is sent again.
    #[serde(default, skip_serializing_if = "RetryManners::is_empty")]
    pub retry: RetryManners,
    /// The path of a read that everybody who can log in may make: for the test of a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<TestManners>,
}

/// How a connection is tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestManners {
    /// What is read.
    pub path: String,
}

/// When a request is sent again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryManners {
    /// Statuses that mean "not now".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statuses: Option<BTreeSet<u16>>,
    /// Codes in the body of a refusal that mean the same. One rule or several.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "one_or_several")]
    pub body: Option<Vec<BodyRule>>,
    /// How often a request is sent at the most, the first time included; 1 sends nothing again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries: Option<u32>,
    /// The wait before the second try, in seconds; each further one is twice as long.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "seconds")]
    pub wait: Option<Duration>,
    /// The longest such wait, in seconds. What the server itself asks for is waited for however long it is.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "seconds")]
    pub wait_max: Option<Duration>,
}

/// A place in a JSON body, and the values there that mean "not now".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyRule {
    /// The place: a JSON pointer (RFC 6901), such as `/error/code`.
    pub pointer: String,
    /// The values. A number and the string of its digits are the same.
    #[serde(deserialize_with = "codes")]
    pub codes: BTreeSet<String>,
}

impl Manners {
    /// These manners, and where they say nothing those of the kind.
    #[must_use]
    pub fn over(mut self, kind: &Self) -> Self {
        let of_kind = |(name, value): (&String, &String)| (name.to_ascii_lowercase(), value.clone());
        let mut headers: BTreeMap<_, _> = kind.headers.iter().map(of_kind).collect();
        headers.extend(self.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)));
        self.headers = headers;
        self.concurrency = self.concurrency.or(kind.concurrency);
        self.test = self.test.or_else(|| kind.test.clone());
        let (own, of_kind) = (self.retry, &kind.retry);
        self.retry = RetryManners {
            statuses: own.statuses.or_else(|| of_kind.statuses.clone()),
            body: own.body.or_else(|| of_kind.body.clone()),
            tries: own.tries.or(of_kind.tries),
            wait: own.wait.or(of_kind.wait),
            wait_max: own.wait_max.or(of_kind.wait_max),
        };
        self
    }

    /// Whether they say nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Finds what cannot be meant.
    #[must_use]
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if self.concurrency.is_some_and(|count| !(1..=CONNECTION_CONCURRENCY_MAX).contains(&count)) {
            mistakes.push(format!("`concurrency` must be from 1 to {CONNECTION_CONCURRENCY_MAX}"));
        }
        mistakes.extend(self.headers.iter().filter_map(|(name, value)| header_mistake(name, value)));
        mistakes.extend(self.retry.mistakes());
        mistakes.extend(self.test.as_ref().and_then(TestManners::mistake));
        mistakes
    }
}

impl TestManners {
    fn mistake(&self) -> Option<String> {
        let (begins, plain) = (self.path.starts_with('/'), !self.path.contains(['?', '#']));
        let legal = begins && plain && !self.path.chars().any(char::is_control);
        (!legal).then(|| format!("the path `{}` must begin with `/` and has no query", self.path.escape_debug()))
    }
}

impl RetryManners {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        for status in self.statuses.iter().flatten().filter(|status| !(400..=599).contains(*status)) {
            mistakes.push(format!("{status} is not the status of a refusal: write one from 400 to 599"));
        }
        mistakes.extend(self.body.iter().flatten().filter_map(BodyRule::mistake));
        if self.tries.is_some_and(|tries| !(1..=RETRY_TRIES_MAX).contains(&tries)) {
            mistakes.push(format!("`tries` must be from 1 to {RETRY_TRIES_MAX}"));
        }
        let legal = |wait: &Duration| !wait.is_zero() && *wait <= RETRY_WAIT_LONGEST;
        for (key, _) in [("wait", self.wait), ("wait_max", self.wait_max)]
            .iter()
            .filter(|(_, wait)| wait.is_some_and(|wait| !legal(&wait)))
        {
            mistakes.push(format!("`{key}` must be above 0 and at most {} seconds", RETRY_WAIT_LONGEST.as_secs()));
        }
        mistakes
    }
}

impl BodyRule {
    /// Whether the body is one that this rule means.
    #[must_use]
    pub fn matches(&self, body: &Value) -> Option<String> {
        let found = match body.pointer(&self.pointer)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        self.codes.contains(&found).then_some(found)
    }

    fn mistake(&self) -> Option<String> {
        let escapes = self.pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if !self.pointer.starts_with('/') || !escapes {
            return Some(format!("`{}` is not a JSON pointer: write one such as `/error/code`", self.pointer));
        }
        if self.codes.is_empty() {
            return Some("`codes` lists no code".to_owned());
        }
        let many = self.codes.len() > RETRY_CODES_MAX;
        many.then(|| format!("`codes` lists more than {RETRY_CODES_MAX} codes"))
    }
}

/// Headers that are the host's, or that credentials are in: those belong to the operator's `auth`.
const NOT_MANNERS: [&str; 11] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a header cannot be among a kind's.
fn header_mistake(name: &str, value: &str) -> Option<String> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(token) {
        return Some(format!("`{}` is not a header's name", name.escape_debug()));
    }
    if NOT_MANNERS.contains(&name.to_ascii_lowercase().as_str()) {
        return Some(format!("the header `{name}` belongs to the host and to the connection's credentials"));
    }
    let bad = value.chars().any(char::is_control) || !value.is_ascii();
    bad.then(|| format!("the value of the header `{name}` is malformed"))
}

fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<BodyRule>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "one rule `{ pointer, codes }`, or a list of them")]
    enum Written {
        One(BodyRule),
        Several(Vec<BodyRule>),
    }
    Ok(Option::<Written>::deserialize(deserializer)?.map(|written| match written {
        Written::One(rule) => vec![rule],
        Written::Several(rules) => rules,
    }))
}

fn codes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a code is a string or a whole number")]
    enum Code {
        Text(String),
        Number(i64),
    }
    let text = |code| match code {
        Code::Text(text) => text,
        Code::Number(number) => number.to_string(),
    };
    Ok(Vec::<Code>::deserialize(deserializer)?.into_iter().map(text).collect())
}

/// A time as a number of seconds.
mod seconds {
    use super::*;

    #[allow(clippy::ref_option, reason = "serde hands over a reference to the field")]
    pub(super) fn serialize<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(|time| time.as_secs_f64()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let Some(seconds) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
        Duration::try_from_secs_f64(seconds).map(Some).map_err(|_| de::Error::custom("a wait is a number of seconds"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manners(value: Value) -> Manners {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_number_and_its_digits_are_the_same_code() {
        let rule: BodyRule =
            serde_json::from_value(json!({ "pointer": "/error/code", "codes": ["2621573", 13434889] })).unwrap();
        for (body, found) in [
            (json!({ "error": { "code": "2621573" } }), Some("2621573")),
            (json!({ "error": { "code": 2621573 } }), Some("2621573")),
            (json!({ "error": { "code": "13434889" } }), Some("13434889")),
            (json!({ "error": { "code": 4 } }), None),
            (json!({ "error": { "code": null } }), None),
            (json!({ "error": "2621573" }), None),
            (json!([]), None),
        ] {
            assert_eq!(rule.matches(&body).as_deref(), found, "{body}");
        }
    }

    #[test]
    fn the_operators_manners_stand_in_for_the_kinds_key_by_key() {
        let kind = manners(json!({
            "concurrency": 20, "headers": { "X-App": "runner", "X-B": "b" }, "test": { "path": "/api/cluster" },
            "retry": { "statuses": [429, 503], "tries": 5, "body": { "pointer": "/error/code", "codes": [1] } },
        }));
        let own = manners(json!({ "headers": { "x-app": "mine" }, "retry": { "tries": 1, "statuses": [] } }));
        let both = own.over(&kind);
        assert_eq!((both.concurrency, both.retry.tries), (Some(20), Some(1)));
        assert_eq!(both.retry.statuses, Some(BTreeSet::new()), "an empty list is not a list left out");
        assert_eq!(both.retry.body, kind.retry.body);
        assert_eq!(serde_json::to_value(&both.headers).unwrap(), json!({ "x-app": "mine", "x-b": "b" }));
        assert_eq!(both.test, kind.test);
    }

    #[test]
    fn what_cannot_be_meant_is_found() {
        for (value, mistake) in [
            (json!({ "concurrency": 0 }), "from 1 to"),
            (json!({ "headers": { "a b": "x" } }), "not a header's name"),
            (json!({ "headers": { "Authorization": "x" } }), "belongs to the host"),
            (json!({ "headers": { "x": "a\nb" } }), "malformed"),
            (json!({ "retry": { "statuses": [200] } }), "not the status of a refusal"),
            (json!({ "retry": { "body": { "pointer": "error", "codes": [1] } } }), "not a JSON pointer"),
            (json!({ "retry": { "body": { "pointer": "/a~2", "codes": [1] } } }), "not a JSON pointer"),
            (json!({ "retry": { "body": [{ "pointer": "/a", "codes": [] }] } }), "lists no code"),
            (json!({ "retry": { "tries": 0 } }), "`tries`"),
            (json!({ "retry": { "wait": 0 } }), "`wait`"),
            (json!({ "retry": { "wait_max": 1e6 } }), "`wait_max`"),
            (json!({ "test": { "path": "api" } }), "must begin with `/`"),
            (json!({ "test": { "path": "/api?x" } }), "no query"),
        ] {
            let found = manners(value.clone()).mistakes();
            assert!(found.len() == 1 && found[0].contains(mistake), "{value}: {found:?}");
        }
        assert!(serde_json::from_value::<Manners>(json!({ "retry": { "trys": 2 } })).is_err());
    }

    #[test]
    fn they_are_written_as_they_are_read() {
        let whole = json!({
            "concurrency": 20, "headers": { "x-app": "runner" }, "test": { "path": "/api/cluster" },
            "retry": {
                "statuses": [429, 503], "tries": 5, "wait": 0.5, "wait_max": 30.0,
                "body": [{ "pointer": "/error/code", "codes": ["1"] }],
            },
        });
        assert_eq!(serde_json::to_value(manners(whole.clone())).unwrap(), whole);
        assert_eq!(serde_json::to_value(Manners::default()).unwrap(), json!({}));
    }
}
