//! Dotted paths into JSON: `svm.name`. Knows nothing of what the fields mean.
//!
//! Keys that begin with `~` are the simulator's own notes: they are kept in records and never leave.

use serde_json::{Map, Value};

/// The value at a path of objects.
pub fn get<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| value.get(key))
}

/// The text at a path.
pub fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    get(value, path)?.as_str()
}

/// The text at a path, or nothing.
pub fn owned(value: &Value, path: &str) -> String {
    text(value, path).unwrap_or_default().to_owned()
}

/// The whole number at a path.
pub fn number(value: &Value, path: &str) -> Option<u64> {
    get(value, path)?.as_u64()
}

/// Whether the value at a path is `true`.
pub fn is_true(value: &Value, path: &str) -> bool {
    get(value, path).and_then(Value::as_bool).unwrap_or_default()
}

/// Every value at a path that may lead through arrays.
pub fn all<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![value];
    for key in path.split('.') {
        found = found.into_iter().flat_map(|value| elements(value)).filter_map(|value| value.get(key)).collect();
    }
    found.into_iter().flat_map(|value| elements(value)).collect()
}

fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

/// Sets the value at a path, making objects on the way.
pub fn set(value: &mut Value, path: &str, new: impl Into<Value>) {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(map) = value else { return };
    match rest {
        None => {
            map.insert(head.to_owned(), new.into());
        }
        Some(rest) => set(map.entry(head).or_insert(Value::Null), rest, new),
    }
}

/// Takes the value at a path away.
pub(crate) fn remove(value: &mut Value, path: &str) -> Option<Value> {
    match path.split_once('.') {
        None => value.as_object_mut()?.remove(path),
        Some((head, rest)) => remove(value.get_mut(head)?, rest),
    }
}

/// Lays one value over another: objects are merged, everything else is replaced.
pub fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// A value as the text that stands for it in a path or a query.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Percent-encodes a key for a URL's path or query.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'*' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Decodes a segment of a path; what is not valid stays as it is.
pub fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let Some(byte) = rest.bytes().next() {
        let pair = rest.get(1..3).filter(|_| byte == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(pair.unwrap_or(byte));
        // A byte of a longer character is taken one by one.
        let step = if pair.is_some() { 3 } else { rest.chars().next().map_or(1, char::len_utf8) };
        if pair.is_none() && step > 1 {
            bytes.pop();
            bytes.extend(rest.bytes().take(step));
        }
        rest = rest.get(step..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
