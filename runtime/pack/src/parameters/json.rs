//! Parameters as one JSON Schema, for those who have no pack: what the schema has no word for stands in `x-` keys.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Parameter, ParameterKind, Parameters};

const POSITION: &str = "x-position";
const IMMUTABLE: &str = "x-immutable";

impl Parameters {
    /// All of them as one standard JSON Schema of an object. Secret ones are `writeOnly`; where one stands among arguments
    /// without a name is its `x-position`, and one whose value is always its default has `x-immutable`.
    #[must_use]
    pub fn json_schema(&self) -> Value {
        let mut properties = Map::new();
        for parameter in self {
            let mut schema = parameter.schema.clone();
            if let Some(map) = schema.as_object_mut() {
                if parameter.secret {
                    map.insert("writeOnly".to_owned(), Value::Bool(true));
                }
                map.extend(parameter.position.map(|position| (POSITION.to_owned(), json!(position))));
                if parameter.immutable {
                    map.insert(IMMUTABLE.to_owned(), Value::Bool(true));
                }
            }
            properties.insert(parameter.name.clone(), schema);
        }
        let required: Vec<_> = self.iter().filter(|p| p.required).map(|p| p.name.as_str()).collect();
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    }

    /// Reads what [`Self::json_schema`] gave; none if it is something else.
    #[must_use]
    pub fn from_json_schema(schema: &Value) -> Option<Self> {
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|known| known == name));
        let properties = schema.get("properties")?.as_object()?;
        let read = |(name, schema): (&String, &Value)| parameter(name, schema, is_required(name));
        properties.iter().map(read).collect::<Option<Vec<_>>>().map(Self::new)
    }
}

fn parameter(name: &str, schema: &Value, required: bool) -> Option<Parameter> {
    let mut schema = schema.as_object()?.clone();
    let mut flag = |key: &str| schema.remove(key).is_some_and(|value| value == true);
    let (secret, immutable) = (flag("writeOnly"), flag(IMMUTABLE));
    let position = schema.remove(POSITION).and_then(|value| value.as_u64()).and_then(|value| value.try_into().ok());
    let kind = match schema.get("type") {
        None => ParameterKind::Any,
        Some(word) => ParameterKind::NAMED.into_iter().find(|kind| word == kind.as_str())?,
    };
    let description = schema.get("description").and_then(Value::as_str).map(str::to_owned);
    let enum_values = schema.get("enum").and_then(Value::as_array).cloned().unwrap_or_default();
    let default = schema.get("default").cloned();
    let schema = Value::Object(schema);
    let validator = Arc::new(super::build_schema(&schema).ok()?);
    let name = name.to_owned();
    Some(Parameter {
        name,
        schema,
        description,
        kind,
        required,
        secret,
        immutable,
        position,
        default,
        enum_values,
        validator,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_went_through_json_are_the_same() {
        let schema = json!({
            "type": "object", "required": ["size"], "additionalProperties": false,
            "properties": {
                "size": {"type": "integer", "minimum": 1, "x-position": 0, "description": "how much"},
                "key": {"type": "string", "writeOnly": true},
                "mode": {"enum": ["a", "b"], "default": "a", "x-immutable": true},
            },
        });
        let read = Parameters::from_json_schema(&schema).unwrap();
        assert_eq!(read.json_schema(), schema);
        assert_eq!(read.names().collect::<Vec<_>>(), ["size", "key", "mode"], "by position, then by name");
        let given = |value: Value| read.bind(value.as_object().unwrap().clone());
        assert!(given(json!({"size": 0})).is_err() && given(json!({})).is_err());
        assert!(given(json!({"size": 1, "mode": "b"})).is_err(), "it is immutable");
        assert_eq!(Value::Object(given(json!({"size": 1})).unwrap()), json!({"size": 1, "mode": "a"}));
        assert_eq!(read.secret_names(), ["key"]);
        assert!(Parameters::from_json_schema(&json!({"properties": {"x": {"type": "strange"}}})).is_none());
    }
}
