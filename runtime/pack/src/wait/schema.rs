//! The schema of an inquiry's answer, in the forms that people write it, as one standard JSON Schema.

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::parameters::build_schema;

/// What an inquiry asks for that names no schema: yes or no, and whatever else there is to say.
pub(super) fn default() -> Value {
    json!({
        "type": "object",
        "required": ["approved"],
        "properties": {"approved": {"type": "boolean", "description": "Whether to go on."}},
        "additionalProperties": true,
    })
}

/// The schema as the standard has it. Accepted are also StackStorm's forms: a bare map from names to schemas, and
/// `required: true` on a property instead of a list of names on the object.
pub(super) fn standard(written: &Value) -> Value {
    match written {
        Value::Object(map) if is_map_of_schemas(map) => {
            normal(&json!({"type": "object", "properties": written.clone()}))
        }
        _ => normal(written),
    }
}

/// The schema of an object that lists what it has, and says nothing of the rest, without a rest: who misspells a name is
/// told.
pub(super) fn closed(mut schema: Value) -> Value {
    /// What says more of the members.
    const MORE: [&str; 10] = [
        "additionalProperties",
        "unevaluatedProperties",
        "patternProperties",
        "propertyNames",
        "allOf",
        "anyOf",
        "oneOf",
        "if",
        "not",
        "$ref",
    ];
    if let Some(map) = schema.as_object_mut()
        && map.get("properties").is_some_and(Value::is_object)
        && !MORE.iter().any(|key| map.contains_key(*key))
    {
        map.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    schema
}

/// Whether a map holds names with their schemas rather than being a schema itself: every value is a map, and there are no
/// `properties` that hold schemas in turn (a property may be called that).
fn is_map_of_schemas(map: &Map<String, Value>) -> bool {
    let holds_schemas = |value: &Value| {
        value
            .as_object()
            .is_some_and(|inner| !inner.is_empty() && inner.values().all(|v| v.is_object() || v.is_boolean()))
    };
    !map.is_empty()
        && map.values().all(Value::is_object)
        && !map.keys().any(|key| key.starts_with('$'))
        && !map.get("properties").is_some_and(holds_schemas)
}

/// Moves `required: true` from properties to their objects, at every depth. Data (`default`, `enum`, `const`, `examples`)
/// is left as it is.
fn normal(schema: &Value) -> Value {
    let Value::Object(map) = schema else { return schema.clone() };
    let mut normal_map = Map::new();
    for (key, value) in map {
        let value = match (key.as_str(), value) {
            ("required", Value::Bool(_)) => continue,
            ("properties" | "patternProperties", Value::Object(inner)) => {
                Value::Object(inner.iter().map(|(name, schema)| (name.clone(), normal(schema))).collect())
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(list)) => list.iter().map(normal).collect(),
            ("items" | "additionalProperties" | "contains" | "not" | "propertyNames", _) => normal(value),
            _ => value.clone(),
        };
        normal_map.insert(key.clone(), value);
    }
    add_required(map, &mut normal_map);
    Value::Object(normal_map)
}

fn add_required(written: &Map<String, Value>, schema: &mut Map<String, Value>) {
    let properties = written.get("properties").and_then(Value::as_object).into_iter().flatten();
    let required = properties.filter(|(_, inner)| inner.get("required") == Some(&Value::Bool(true)));
    let names: Vec<_> = required.map(|(name, _)| Value::String(name.clone())).collect();
    if names.is_empty() {
        return;
    }
    if let Value::Array(listed) = schema.entry("required").or_insert_with(|| Value::Array(Vec::new())) {
        let new: Vec<_> = names.into_iter().filter(|name| !listed.contains(name)).collect();
        listed.extend(new);
    }
}

/// The schema, ready to be used.
pub(super) fn compile(schema: &Value) -> Result<Validator, String> {
    build_schema(schema).map_err(|error| error.to_string())
}

/// Whether some value in the answer must not be shown.
pub(super) fn has_secrets(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => {
            let marked = |key| map.get(key) == Some(&Value::Bool(true));
            marked("secret") || marked("writeOnly") || map.values().any(has_secrets)
        }
        Value::Array(items) => items.iter().any(has_secrets),
        _ => false,
    }
}
