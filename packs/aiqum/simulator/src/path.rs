//! Dotted paths into JSON: `svm.name`. Knows nothing of what the fields mean.

use serde_json::{Map, Value};

/// The value at a path of objects.
pub(crate) fn get<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| value.get(key))
}

/// The text at a path.
pub(crate) fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    get(value, path)?.as_str()
}

/// The text at a path, or an empty one.
pub(crate) fn owned(value: &Value, path: &str) -> String {
    text(value, path).unwrap_or_default().to_owned()
}

/// The whole number at a path.
pub(crate) fn number(value: &Value, path: &str) -> Option<u64> {
    get(value, path)?.as_u64()
}

/// Whether the value at a path is `true`.
pub(crate) fn is_true(value: &Value, path: &str) -> bool {
    get(value, path).and_then(Value::as_bool).unwrap_or_default()
}

/// The elements of the array at a path.
pub(crate) fn array<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> {
    get(value, path).and_then(Value::as_array).into_iter().flatten()
}

/// Every value at a path that may lead through arrays.
pub(crate) fn all<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![value];
    for key in path.split('.') {
        found = found.into_iter().flat_map(elements).filter_map(|value| value.get(key)).collect();
    }
    found.into_iter().flat_map(elements).collect()
}

fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

/// Sets the value at a path, making objects on the way.
pub(crate) fn set(value: &mut Value, path: &str, new: impl Into<Value>) {
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

/// Copies the value at a path from one object to another, if it is there.
pub(crate) fn copy(from: &Value, into: &mut Value, path: &str) {
    if let Some(value) = get(from, path).filter(|value| !value.is_null()) {
        set(into, path, value.clone());
    }
}

/// Lays one value over another: objects are merged, everything else is replaced.
pub(crate) fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// A value as the text that stands for it in a query.
pub(crate) fn plain(value: &Value) -> String {
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
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Decodes a segment of a path; what is not valid stays as it is.
pub(crate) fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|_| byte == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(code) => {
                bytes.push(code);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
