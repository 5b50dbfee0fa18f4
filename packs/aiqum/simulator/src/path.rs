//! Dotted paths into JSON: those of the simulated ONTAP, and what only Unified Manager needs. Knows nothing of what the fields mean.

pub(crate) use pack_ontap_simulator::path::{all, decoded, get, is_true, merge, number, owned, plain, set, text};
use serde_json::Value;

/// The elements of the array at a path.
pub(crate) fn array<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> {
    get(value, path).and_then(Value::as_array).into_iter().flatten()
}

/// Copies the value at a path from one object to another, if it is there.
pub(crate) fn copy(from: &Value, into: &mut Value, path: &str) {
    if let Some(value) = get(from, path).filter(|value| !value.is_null()) {
        set(into, path, value.clone());
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
