//! The metadata of an action, made from what its component says of it.

use std::fmt::Write as _;

use runner_pack::ParameterKind;
use serde_json::Value;

use super::drift::kind;

/// `actions/<function>.yaml`.
pub(super) fn yaml(function: &str, entry_point: Option<&str>, about: &Value) -> String {
    let mut text = format!("name: {function}\n");
    if let Some(description) = about.get("description").and_then(Value::as_str).filter(|text| !text.is_empty()) {
        // JSON is YAML, and a text in its quotes is always one.
        let _ = writeln!(text, "description: {}", Value::from(description.trim()));
    }
    text.push_str("runner_type: wasm\n");
    if let Some(entry_point) = entry_point {
        let _ = writeln!(text, "entry_point: {}", Value::from(entry_point));
    }
    let input = about.get("input").unwrap_or(&Value::Null);
    let Some(properties) = input.get("properties").and_then(Value::as_object).filter(|map| !map.is_empty()) else {
        return text;
    };
    let required: Vec<_> = input.get("required").and_then(Value::as_array).into_iter().flatten().collect();
    text.push_str("parameters:\n");
    for (name, schema) in properties {
        let _ = writeln!(text, "  {name}:");
        if kind(schema) != ParameterKind::Any {
            let _ = writeln!(text, "    type: {}", kind(schema));
        }
        for key in ["description", "enum", "default", "items"] {
            let plain = |value: &&Value| !value.is_null() && !value.to_string().contains("\"$ref\"");
            if let Some(value) = schema.get(key).filter(plain) {
                let _ = writeln!(text, "    {key}: {value}");
            }
        }
        if required.iter().any(|required| *required == name) {
            text.push_str("    required: true\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_has_what_the_component_says() {
        let about = json!({
            "description": "Greets: politely",
            "input": {
                "properties": {
                    "name": { "type": "string", "description": "Whom" },
                    "count": { "type": ["integer", "null"], "default": null },
                },
                "required": ["name"],
            },
        });
        let wanted = "name: hello\ndescription: \"Greets: politely\"\nrunner_type: wasm\nparameters:\n  count:\n    type: integer\n  \
                      name:\n    type: string\n    description: \"Whom\"\n    required: true\n";
        assert_eq!(yaml("hello", None, &about), wanted);
        assert!(yaml("x", Some("other#x"), &Value::Null).ends_with("entry_point: \"other#x\"\n"));
    }
}
