//! Keeps secrets out of what is written down about requests: in cassettes and plans.
//!
//! Masked is every text that is known as a secret, also encoded ([`runner_model::Mask`]), and whatever stands under a key that says so. What was
//! found under such a key is known from then on, and masked wherever else it appears.

use runner_model::Mask as Known;
use serde_json::Value;

/// What stands in the place of a secret.
pub(crate) const MASKED: &str = "***";

/// What keys of secrets hold, without case, `_`, `-` and `.`.
const SECRET_WORDS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
    "cookie",
    "sessionid",
    "csrf",
];

/// What is to be masked. Prints nothing of it.
#[derive(Debug)]
pub struct Mask(Known);

impl Default for Mask {
    fn default() -> Self {
        Self(Known::with(MASKED))
    }
}

impl Mask {
    /// Takes a text as secret, from now on.
    pub fn learn(&self, secret: &str) {
        self.0.learn(secret);
    }

    /// Takes what is known elsewhere as secret too.
    pub fn learn_from(&self, known: &Known) {
        self.0.learn_from(known);
    }

    /// Takes every text in a value as secret.
    pub fn learn_all(&self, value: &Value) {
        match value {
            Value::String(text) => self.learn(text),
            Value::Array(items) => items.iter().for_each(|item| self.learn_all(item)),
            Value::Object(map) => map.values().for_each(|item| self.learn_all(item)),
            _ => {}
        }
    }

    /// A text without secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        self.0.text(text)
    }

    /// Bytes without secrets.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.bytes(bytes)
    }

    /// The value that belongs to a name, in a query, a form or a header.
    pub(crate) fn named(&self, name: &str, value: &str) -> String {
        if !is_secret(name) {
            return self.text(value);
        }
        self.learn(value);
        MASKED.to_owned()
    }

    /// A value without secrets.
    pub(crate) fn json(&self, value: &Value) -> Value {
        self.learn_keys(value);
        self.masked(value, false)
    }

    /// Learns what stands under the keys of secrets: it may also stand before them.
    fn learn_keys(&self, value: &Value) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    if is_secret(key) { self.learn_all(value) } else { self.learn_keys(value) }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_keys(item)),
            _ => {}
        }
    }

    fn masked(&self, value: &Value, hidden: bool) -> Value {
        match value {
            Value::String(_) | Value::Number(_) if hidden => MASKED.into(),
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.masked(item, hidden)).collect(),
            Value::Object(map) => {
                let member = |(key, value): (&String, &Value)| {
                    // A length or a time under such a key is none.
                    let hides = hidden || (is_secret(key) && !value.is_number()) || ends_secret(key);
                    (self.text(key), self.masked(value, hides))
                };
                Value::Object(map.iter().map(member).collect())
            }
            other => other.clone(),
        }
    }
}

/// Whether a name says that its value is secret.
pub(crate) fn is_secret(name: &str) -> bool {
    let plain = plain(name);
    SECRET_WORDS.iter().any(|word| plain.contains(word))
}

fn ends_secret(name: &str) -> bool {
    let plain = plain(name);
    SECRET_WORDS.iter().any(|word| plain.ends_with(word))
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | '.' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stands_under_a_telling_key_is_masked_everywhere() {
        let mask = Mask::default();
        let body = json!({
            "comment": "it is hunter22", "authentication": { "passphrase": "hunter22", "generate_passphrase": true },
            "password_length": 8, "user.password": 1234, "list": [{ "api-key": ["k1", "k2"] }], "next_token": null,
        });
        let masked = mask.json(&body);
        let expected = json!({
            "comment": "it is ***", "authentication": { "passphrase": "***", "generate_passphrase": true },
            "password_length": 8, "user.password": "***", "list": [{ "api-key": ["***", "***"] }], "next_token": null,
        });
        assert_eq!(masked, expected);
        assert_eq!(mask.text("again hunter22"), "again ***");
        assert_eq!((mask.text("k1"), mask.text("k11")), ("***".to_owned(), "k11".to_owned()));
    }
}
