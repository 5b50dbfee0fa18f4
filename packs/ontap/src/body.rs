//! Bodies and records: values at dotted paths, and whether an object is already as it is wanted.

use runner_sdk::prelude::{Result, Value, bail, json};
use runner_sdk::serde_json::Map;

use crate::field::{Field, Kind};
use crate::size;

/// The value at a dotted path.
#[must_use]
pub fn get<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| value.get(key)).filter(|value| !value.is_null())
}

/// The value at a dotted path as a text: a number as its digits.
#[must_use]
pub fn text(value: &Value, path: &str) -> Option<String> {
    match get(value, path)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Sets the value at a dotted path, making objects on the way.
pub fn set(value: &mut Value, path: &str, new: Value) {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(map) = value else { return };
    match path.split_once('.') {
        Some((key, rest)) => set(map.entry(key).or_insert(Value::Null), rest, new),
        None => {
            map.insert(path.to_owned(), new);
        }
    }
}

/// Removes the value at a dotted path.
pub fn remove(value: &mut Value, path: &str) {
    let Some(map) = value.as_object_mut() else { return };
    match path.split_once('.') {
        Some((key, rest)) => {
            if let Some(inner) = map.get_mut(key) {
                remove(inner, rest);
            }
        }
        None => drop(map.remove(path)),
    }
}

/// Merges one object into another; a key may be a dotted path, as in ONTAP's own bodies.
pub fn merge(value: &mut Value, over: &Value) {
    let Some(over) = over.as_object() else { return };
    for (key, new) in over {
        match get(value, key) {
            Some(old) if old.is_object() && new.is_object() => {
                let mut merged = old.clone();
                merge(&mut merged, new);
                set(value, key, merged);
            }
            _ => set(value, key, new.clone()),
        }
    }
}

/// What a parameter's value becomes in the body.
///
/// # Errors
/// The value is not of the parameter's kind.
pub fn of_field(field: &Field, value: &Value) -> Result<Value> {
    Ok(match (field.kind, value) {
        (Kind::Size, value) => json!(size::bytes(value)?),
        (Kind::Names, Value::Array(names)) => names.iter().map(|name| json!({ "name": name })).collect(),
        (Kind::Addresses, Value::Array(list)) => list.iter().map(|address| json!({ "ip_address": address })).collect(),
        (Kind::OneName, name) => json!([{ "name": name }]),
        (Kind::OneMatch, client) => json!([{ "match": client }]),
        (Kind::Choice(words), Value::String(word)) if !words.contains(&word.as_str()) => {
            bail!("bad-input", "`{}`: `{word}` is none of {}", field.name, words.join(", "))
        }
        (_, value) => value.clone(),
    })
}

/// Where an object is not as it is wanted: the dotted paths. What the object does not show at all is `unknown`, not
/// different: ONTAP leaves out what is write-only or at its default.
#[must_use]
pub fn differences(wanted: &Value, there: &Value) -> Differences {
    let mut found = Differences::default();
    compare("", wanted, Some(there), &mut found);
    found
}

/// What [`differences`] found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Paths whose value is another one.
    pub different: Vec<String>,
    /// Paths that the object does not show.
    pub unknown: Vec<String>,
}

fn compare(path: &str, wanted: &Value, there: Option<&Value>, found: &mut Differences) {
    match (wanted, there) {
        (Value::Object(wanted), Some(Value::Object(_)) | None) => {
            for (key, wanted) in wanted {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&inner, wanted, there.and_then(|there| there.get(key)), found);
            }
        }
        (_, None | Some(Value::Null)) => found.unknown.push(path.to_owned()),
        (wanted, Some(there)) if same(wanted, there) => {}
        _ => found.different.push(path.to_owned()),
    }
}

fn same(wanted: &Value, there: &Value) -> bool {
    match (wanted, there) {
        (Value::Object(wanted), Value::Object(there)) => {
            wanted.iter().all(|(key, wanted)| there.get(key).is_none_or(|there| same(wanted, there)))
        }
        // The order of most lists has no meaning to ONTAP, and it gives them back in its own.
        (Value::Array(wanted), Value::Array(there)) => {
            wanted.len() == there.len() && wanted.iter().all(|wanted| there.iter().any(|there| same(wanted, there)))
        }
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => match (a.as_u64(), b.as_u64()) {
            // Only sizes are so large that a rounded one is still the same.
            (Some(a), Some(b)) if a > size::ROUNDING_BYTES * 16 => a.abs_diff(b) < size::ROUNDING_BYTES,
            _ => a == b,
        },
        (Value::String(text), other) | (other, Value::String(text)) => plain(other).is_some_and(|other| other == *text),
        _ => wanted == there,
    }
}

/// A number or a truth value as a text: ONTAP shows some of them as such.
fn plain(value: &Value) -> Option<String> {
    matches!(value, Value::Number(_) | Value::Bool(_)).then(|| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_made_of_paths() {
        let mut body = json!({});
        set(&mut body, "nas.export_policy.name", json!("p"));
        set(&mut body, "nas.path", json!("/v"));
        merge(&mut body, &json!({ "nas": { "gid": 7 }, "nas.uid": 8, "svm.name": "s" }));
        assert_eq!(
            body,
            json!({ "nas": { "export_policy": { "name": "p" }, "path": "/v", "gid": 7, "uid": 8 }, "svm": { "name": "s" } })
        );
        remove(&mut body, "nas.gid");
        assert_eq!((get(&body, "nas.gid"), text(&body, "nas.uid")), (None, Some("8".to_owned())));
    }

    #[test]
    fn what_is_as_wanted_is_no_difference() {
        let there = json!({
            "name": "v", "size": 536_870_916_096_u64, "aggregates": [{ "name": "b", "uuid": "2" }, { "name": "a", "uuid": "1" }],
            "nas": { "unix_permissions": 755, "path": "/v" }, "state": "online",
        });
        let wanted = json!({
            "name": "v", "size": 536_870_912_000_u64, "aggregates": [{ "name": "a" }, { "name": "b" }],
            "nas": { "unix_permissions": "755", "gid": 1 }, "state": "offline", "comment": "x",
        });
        let found = differences(&wanted, &there);
        assert_eq!(found.different, ["state"]);
        assert_eq!(found.unknown, ["comment", "nas.gid"]);
    }
}
