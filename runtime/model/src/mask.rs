//! Masking by value: texts that are known as secret are hidden wherever they appear, also encoded.
//!
//! What is hidden is the text itself, and the forms in which it may be quoted: in JSON, in a URL, in hexadecimal and in
//! base64 wherever it begins. What somebody computed from it (a digest, its letters reversed) is not known here.

mod forms;
mod journal;

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use memchr::memmem;
use serde_json::Value;

use crate::view::MASK;
use crate::{ErrorRecord, Failure, Outcome};
pub use journal::{JournalMask, masked};

/// Shorter texts are masked only where they are a whole value: within others they would be found by chance.
const WITHIN_BYTES_MIN: usize = 6;

/// What is to be masked. Prints nothing of it.
pub struct Mask {
    known: RwLock<Known>,
    /// What stands in the place of a secret.
    instead: &'static str,
}

#[derive(Default)]
struct Known {
    /// As they were learned.
    secrets: Vec<String>,
    /// Every form of every one, the longest first, so that none is left that holds another.
    forms: Vec<String>,
}

impl Default for Mask {
    fn default() -> Self {
        Self::with(MASK)
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mask").finish_non_exhaustive()
    }
}

impl Mask {
    /// A mask that puts this in the place of a secret.
    #[must_use]
    pub fn with(instead: &'static str) -> Self {
        Self { known: RwLock::default(), instead }
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a text as secret, from now on.
    pub fn learn(&self, secret: &str) {
        // What stands in the place of a secret is none.
        if secret.is_empty() || secret.bytes().all(|byte| byte == b'*') || self.knows(secret) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.secrets.push(secret.to_owned());
        known.forms.extend(forms::of(secret));
        known.forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        known.forms.dedup();
    }

    /// Takes every text and every number in a value as secret.
    pub fn learn_all(&self, value: &Value) {
        match value {
            Value::String(text) => self.learn(text),
            Value::Number(number) => self.learn(&number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.learn_all(item)),
            Value::Object(map) => map.values().for_each(|item| self.learn_all(item)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Takes what another mask knows as secret too.
    pub fn learn_from(&self, other: &Self) {
        other.secrets().iter().for_each(|secret| self.learn(secret));
    }

    /// The secrets, as they were learned.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.known().secrets.clone()
    }

    /// Whether nothing is secret.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known().secrets.is_empty()
    }

    fn knows(&self, text: &str) -> bool {
        self.known().secrets.iter().any(|secret| secret == text)
    }

    /// A text without secrets.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let known = self.known();
        if known.forms.iter().any(|form| form == text) {
            return self.instead.to_owned();
        }
        let mut masked = text.to_owned();
        for form in within(&known) {
            if masked.contains(form) {
                masked = masked.replace(form, self.instead);
            }
        }
        masked
    }

    /// Bytes without secrets.
    #[must_use]
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut masked = bytes.to_vec();
        for form in within(&self.known()) {
            let finder = memmem::Finder::new(form);
            if finder.find(&masked).is_some() {
                masked = replaced(&masked, &finder, form.len(), self.instead.as_bytes());
            }
        }
        masked
    }

    /// Whether a secret appears in bytes.
    #[must_use]
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        within(&self.known()).any(|form| memmem::find(bytes, form.as_bytes()).is_some())
    }

    /// A value without secrets.
    #[must_use]
    pub fn json(&self, value: &Value) -> Value {
        let mut value = value.clone();
        self.hide(&mut value);
        value
    }

    /// Masks the secrets in a value.
    pub fn hide(&self, value: &mut Value) {
        if !self.is_empty() {
            self.hide_in(value);
        }
    }

    fn hide_in(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.hide_text(text),
            Value::Number(number) if self.knows(&number.to_string()) => *value = self.instead.into(),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_in(item)),
            Value::Object(map) => {
                map.values_mut().for_each(|item| self.hide_in(item));
                // A key is never a whole value: a short secret may well be a word.
                let tells = |key: &String| within(&self.known()).any(|form| key.contains(form));
                if map.keys().any(tells) {
                    *map = std::mem::take(map).into_iter().map(|(key, item)| (self.text(&key), item)).collect();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Masks the secrets in a text.
    pub fn hide_text(&self, text: &mut String) {
        if !self.is_empty() {
            *text = self.text(text);
        }
    }

    /// Masks the secrets in a failure.
    pub fn hide_failure(&self, failure: &mut Failure) {
        self.hide_text(&mut failure.message);
        failure.hint.iter_mut().for_each(|hint| self.hide_text(hint));
        failure.details.iter_mut().for_each(|details| self.hide(details));
        // An action chooses its codes.
        self.hide_text(&mut failure.code);
    }

    /// Masks the secrets in an error of an execution.
    pub fn hide_error(&self, error: &mut ErrorRecord) {
        self.hide_text(&mut error.message);
        error.hint.iter_mut().for_each(|hint| self.hide_text(hint));
        error.details.iter_mut().for_each(|details| self.hide(details));
        self.hide_text(&mut error.code);
    }

    /// Masks the secrets in an outcome.
    pub fn hide_outcome(&self, outcome: &mut Outcome) {
        match outcome {
            Outcome::Succeeded { result } => self.hide(result),
            Outcome::Failed { failure } | Outcome::Timeout { failure } | Outcome::Abandoned { failure } => {
                self.hide_failure(failure);
            }
            Outcome::Canceled => {}
        }
    }
}

/// The forms that are looked for within texts.
fn within(known: &Known) -> impl Iterator<Item = &str> {
    known.forms.iter().map(String::as_str).filter(|form| form.len() >= WITHIN_BYTES_MIN)
}

fn replaced(bytes: &[u8], finder: &memmem::Finder<'_>, length: usize, instead: &[u8]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for at in finder.find_iter(bytes) {
        masked.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        masked.extend_from_slice(instead);
        from = at + length;
    }
    masked.extend_from_slice(bytes.get(from..).unwrap_or_default());
    masked
}

/// The values at these places in a value. A place is a JSON pointer, in which `*` stands for any key or index.
#[must_use]
pub fn at_places<'a>(value: &'a Value, places: &[String]) -> Vec<&'a Value> {
    let mut found = Vec::new();
    for place in places {
        let mut here = vec![value];
        for part in place.split('/').skip(1) {
            here = here.into_iter().flat_map(|value| below(value, part)).collect();
        }
        found.extend(here);
    }
    found
}

fn below<'a>(value: &'a Value, part: &str) -> Vec<&'a Value> {
    match value {
        Value::Object(map) if part == "*" => map.values().collect(),
        Value::Object(map) => map.get(&part.replace("~1", "/").replace("~0", "~")).into_iter().collect(),
        Value::Array(items) if part == "*" => items.iter().collect(),
        Value::Array(items) => part.parse().ok().and_then(|index: usize| items.get(index)).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Masks what stands at these places, whatever it is.
pub fn hide_places(value: &mut Value, places: &[String]) {
    for place in places {
        let parts: Vec<_> = place.split('/').skip(1).collect();
        hide_place(value, &parts);
    }
}

fn hide_place(value: &mut Value, parts: &[&str]) {
    let Some((part, rest)) = parts.split_first() else {
        if !value.is_null() {
            *value = MASK.into();
        }
        return;
    };
    match value {
        Value::Object(map) if *part == "*" => map.values_mut().for_each(|inner| hide_place(inner, rest)),
        Value::Object(map) => {
            let key = part.replace("~1", "/").replace("~0", "~");
            map.get_mut(&key).into_iter().for_each(|inner| hide_place(inner, rest));
        }
        Value::Array(items) => match part.parse::<usize>() {
            Ok(index) => items.get_mut(index).into_iter().for_each(|inner| hide_place(inner, rest)),
            Err(_) if *part == "*" => items.iter_mut().for_each(|inner| hide_place(inner, rest)),
            Err(_) => {}
        },
        _ => {}
    }
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
        for form in forms::of(secret) {
            assert_eq!(mask.text(&form), MASK, "{form}");
            assert!(!mask.text(&format!("a {form} b")).contains(&form), "{form}");
            assert!(!String::from_utf8(mask.bytes(format!("a {form} b").as_bytes())).unwrap().contains(&form));
        }
    }

    #[test]
    fn short_secrets_are_masked_as_whole_values_only() {
        let mask = Mask::default();
        mask.learn_all(&json!({"pin": 1234, "word": "ab", "none": null, "yes": true}));
        let mut value = json!({"ab": ["ab", "abba", 1234, 12345, "1234", true, null]});
        mask.hide(&mut value);
        assert_eq!(value, json!({"ab": [MASK, "abba", MASK, 12345, MASK, true, null]}));
    }

    #[test]
    fn keys_and_bytes_are_masked_too() {
        let mask = Mask::default();
        mask.learn("hunter22");
        assert_eq!(mask.json(&json!({"of hunter22": {"hunter22": 1}})), json!({"of ********": {MASK: 1}}));
        assert_eq!(mask.bytes(b"\xffhunter22\xfehunter22"), b"\xff********\xfe********");
        assert!(mask.is_in(b"x68756e7465723232y") && !mask.is_in(b"hunter"));
    }

    #[test]
    fn what_is_masked_already_is_no_secret() {
        let mask = Mask::default();
        mask.learn_all(&json!([MASK, "***", ""]));
        assert!(mask.is_empty());
        assert_eq!(mask.text("a *** b"), "a *** b");
    }

    #[test]
    fn places_name_what_is_secret_in_a_result() {
        let result = json!({"token": "t", "keys": [{"id": 1, "key": true}, {"id": 2}], "a/b": null});
        let places: Vec<_> = ["/token", "/keys/*/key", "/a~1b", "/gone/*"].map(str::to_owned).into();
        assert_eq!(at_places(&result, &places), [&json!("t"), &json!(true), &json!(null)]);
        let mut masked = result;
        hide_places(&mut masked, &places);
        assert_eq!(masked, json!({"token": MASK, "keys": [{"id": 1, "key": MASK}, {"id": 2}], "a/b": null}));
        hide_places(&mut masked, &[String::new()]);
        assert_eq!(masked, json!(MASK));
    }
}
