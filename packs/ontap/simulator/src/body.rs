//! Bodies as different clients write them: nested or dotted keys, booleans as text, sizes with a suffix.

use serde_json::{Map, Value};

use crate::path;
use crate::refusal::Refusal;
use crate::resource::Resource;
use crate::size;

/// Text fields in which "true" is a name or a remark, not a boolean.
const TEXTS: [&str; 4] = ["name", "comment", "passphrase", "password"];

/// The body of a request as one object with nested keys. No body is an empty one.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, Refusal> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Refusal::bad(262_254, format!("The request body is not valid JSON: {error}.")))?;
    if !value.is_object() {
        return Err(Refusal::bad(262_254, "The request body has to be a JSON object."));
    }
    nested(value, "")
}

/// Makes nested objects of dotted keys.
fn nested(value: Value, name: &str) -> Result<Value, Refusal> {
    match value {
        Value::Object(map) => {
            let mut out = Value::Object(Map::new());
            for (key, value) in map {
                // Notes of the simulator, and links, are not a client's to set.
                if key.starts_with('~') || key == "_links" {
                    continue;
                }
                let value = nested(value, key.rsplit('.').next().unwrap_or(&key))?;
                match path::get(&out, &key) {
                    Some(there) if !there.is_object() || !value.is_object() => {
                        return Err(Refusal::bad(262_188, format!("Field \"{key}\" was specified twice.")).at(key));
                    }
                    Some(there) => {
                        let mut merged = there.clone();
                        path::merge(&mut merged, &value);
                        path::set(&mut out, &key, merged);
                    }
                    None => path::set(&mut out, &key, value),
                }
            }
            Ok(out)
        }
        Value::Array(items) => items.into_iter().map(|item| nested(item, name)).collect(),
        Value::String(text) if !TEXTS.contains(&name) => Ok(match text.as_str() {
            "true" | "True" => Value::Bool(true),
            "false" | "False" => Value::Bool(false),
            _ => Value::String(text),
        }),
        other => Ok(other),
    }
}

/// Makes numbers of sizes, and refuses values that a field cannot have.
pub(crate) fn check_values(resource: &Resource, body: &mut Value) -> Result<(), Refusal> {
    for field in resource.sizes {
        let Some(value) = path::get(body, field).filter(|value| !value.is_null()) else { continue };
        let text = path::plain(value);
        let bytes = size::bytes(&text).ok_or_else(|| Refusal::invalid(field, &text))?;
        path::set(body, field, bytes);
    }
    for (field, values) in resource.enums {
        let Some(value) = path::get(body, field).filter(|value| !value.is_null()) else { continue };
        let text = path::plain(value);
        match values.iter().find(|known| known.eq_ignore_ascii_case(&text)) {
            Some(known) => path::set(body, field, *known),
            None => return Err(Refusal::invalid(field, &text)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dotted_keys_and_booleans_as_text_are_understood() {
        let body = json!({ "svm.name": "true", "svm": { "uuid": "u" }, "nas.path": "/a", "space": { "logical_space.enforcement": "False" },
            "enabled": "true", "rules": [{ "clients.match": "x" }], "~seq": 1 });
        let expected = json!({ "svm": { "name": "true", "uuid": "u" }, "nas": { "path": "/a" },
            "space": { "logical_space": { "enforcement": false } }, "enabled": true, "rules": [{ "clients": { "match": "x" } }] });
        assert_eq!(read(body.to_string().as_bytes()), Ok(expected));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        assert_eq!(read(b""), Ok(json!({})));
        assert_eq!(read(b"[]").map_err(|refusal| refusal.code), Err(262_254));
        assert_eq!(read(b"{").map_err(|refusal| refusal.status), Err(400));
        let twice = read(br#"{"svm": {"name": "a"}, "svm.name": "b"}"#);
        assert_eq!(twice.map_err(|refusal| refusal.code), Err(262_188));
    }
}
