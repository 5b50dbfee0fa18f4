//! JSON values to rhai's and back. Nothing is lost on the way: an integer that rhai's 64 bits cannot hold stays itself.

use rhai::{Array, Dynamic, INT, Map};
use runner_model::limits;
use serde_json::{Number, Value};

/// A number that rhai has no type for: it can be passed on and printed, not reckoned with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WideNumber(pub(super) Number);

pub(super) fn to_dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(value) => (*value).into(),
        Value::String(text) => text.as_str().into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => integer.into(),
            (None, Some(float)) if number.is_f64() => float.into(),
            _ => Dynamic::from(WideNumber(number.clone())),
        },
        Value::Array(items) => Dynamic::from_array(items.iter().map(to_dynamic).collect()),
        Value::Object(map) => to_map(map).into(),
    }
}

pub(super) fn to_map(map: &serde_json::Map<String, Value>) -> Map {
    map.iter().map(|(key, value)| (key.as_str().into(), to_dynamic(value))).collect()
}

/// The error is a lowercase sentence.
pub(super) fn to_json(value: &Dynamic) -> Result<Value, String> {
    match is_deeper(value, limits::JSON_DEPTH_MAX - 1) {
        // What is read again is read no deeper than that.
        true => Err(format!("the value is nested more than {} levels deep", limits::JSON_DEPTH_MAX - 1)),
        false => shallow(value),
    }
}

/// Whether lists and maps are nested more levels deep than this.
pub(super) fn is_deeper(value: &Dynamic, levels: usize) -> bool {
    let inside = |value: &Dynamic| is_deeper(value, levels - 1);
    if let Ok(array) = value.as_array_ref() {
        return levels == 0 || array.iter().any(inside);
    }
    match value.as_map_ref() {
        Ok(map) => levels == 0 || map.values().any(inside),
        Err(_) => false,
    }
}

fn shallow(value: &Dynamic) -> Result<Value, String> {
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(value) = value.as_bool() {
        return Ok(value.into());
    }
    if let Ok(integer) = value.as_int() {
        return Ok(integer.into());
    }
    if let Ok(float) = value.as_float() {
        return Number::from_f64(float)
            .map(Value::Number)
            .ok_or_else(|| format!("the number {float} is not a JSON value"));
    }
    if let Ok(character) = value.as_char() {
        return Ok(character.to_string().into());
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(text.as_str().into());
    }
    if let Ok(array) = value.as_array_ref() {
        return array.iter().map(shallow).collect();
    }
    if let Ok(map) = value.as_map_ref() {
        return map.iter().map(|(key, value)| Ok((key.to_string(), shallow(value)?))).collect();
    }
    if let Ok(bytes) = value.as_blob_ref() {
        return Ok(bytes.iter().copied().map(Value::from).collect());
    }
    match value.read_lock::<WideNumber>() {
        Some(number) => Ok(Value::Number(number.0.clone())),
        None => Err(format!("a value of the type {} is not a JSON value", value.type_name())),
    }
}

/// An array of rhai's, from anything that can be counted.
pub(super) fn array_of<T: Into<Dynamic>>(items: impl IntoIterator<Item = T>) -> Array {
    items.into_iter().map(Into::into).collect()
}

/// A length as rhai's integer.
pub(super) fn int(length: usize) -> INT {
    INT::try_from(length).unwrap_or(INT::MAX)
}
