//! Keeps secrets out of what is written down about requests: in cassettes and plans.
//!
//! Masked is every text that is known as a secret, also encoded, and whatever stands under a key that says so. What was
//! found under such a key is known from then on, and masked wherever else it appears.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use parking_lot::RwLock;
use serde_json::Value;

/// What stands in the place of a secret.
pub(crate) const MASKED: &str = "***";

/// Shorter texts are masked only where they are a whole value: within others they would be found by chance.
const WITHIN_CHARS_MIN: usize = 6;

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
#[derive(Default)]
pub struct Mask {
    /// Every form of every secret, the longest first, so that none is left that holds another.
    known: RwLock<Vec<String>>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mask").finish_non_exhaustive()
    }
}

impl Mask {
    /// Takes a text as secret, from now on.
    pub fn learn(&self, secret: &str) {
        if secret.is_empty() || secret == MASKED {
            return;
        }
        let mut known = self.known.write();
        if known.iter().any(|form| form == secret) {
            return;
        }
        known.extend(forms(secret));
        known.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        known.dedup();
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
        let known = self.known.read();
        if known.iter().any(|form| form == text) {
            return MASKED.to_owned();
        }
        let mut masked = text.to_owned();
        for form in known.iter().filter(|form| form.len() >= WITHIN_CHARS_MIN) {
            if masked.contains(form.as_str()) {
                masked = masked.replace(form.as_str(), MASKED);
            }
        }
        masked
    }

    /// Bytes without secrets.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut masked = bytes.to_vec();
        for form in self.known.read().iter().filter(|form| form.len() >= WITHIN_CHARS_MIN) {
            while let Some(at) = masked.windows(form.len()).position(|window| window == form.as_bytes()) {
                masked.splice(at..at + form.len(), MASKED.bytes());
            }
        }
        masked
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

/// A secret as it may be written: as it is, in JSON, in a URL, in hexadecimal, in base64.
fn forms(secret: &str) -> Vec<String> {
    let hex = hex::encode(secret);
    let json = Value::from(secret).to_string();
    let mut forms = vec![
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        percent(secret),
        hex.to_uppercase(),
        hex,
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ];
    // Within something longer base64 depends on where the secret begins: what its neighbours have no part in.
    for before in 1..3_usize {
        let padded = [vec![0; before], secret.as_bytes().to_vec()].concat();
        let whole = padded.len() - padded.len() % 3;
        let encoded = STANDARD_NO_PAD.encode(padded.get(..whole).unwrap_or_default());
        forms.extend(encoded.get(4..).filter(|core| core.len() >= WITHIN_CHARS_MIN).map(str::to_owned));
    }
    forms.retain(|form| !form.is_empty());
    forms
}

fn percent(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_masked_in_every_form() {
        let mask = Mask::default();
        let secret = "c4n@ry/wird+\"x";
        mask.learn(secret);
        for form in forms(secret) {
            assert_eq!(mask.text(&form), MASKED, "{form}");
            assert!(!mask.text(&format!("a {form} b")).contains(&form), "{form}");
            assert!(!String::from_utf8(mask.bytes(format!("a {form} b").as_bytes())).unwrap().contains(&form));
        }
        for user in ["a", "ab", "abc", "admin"] {
            let basic = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{secret}"));
            assert_ne!(mask.text(&basic), basic, "{user}");
        }
    }

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
