//! Schemas that mean the same in draft 7 as in the draft that holds (2020-12): what nearly all packs write. Its schema of
//! schemas is one document where the later one is eight, and takes a fraction of the time to compile, which is a good part
//! of the start of a process. **What differs between the drafts is not let through here.**

use std::collections::BTreeSet;

use serde_json::Value;

/// The types of JSON Schema.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// Whether this is a schema that means the same in both drafts; if it cannot be said at a glance, it is none.
pub(super) fn is_same_in_draft_7(schema: &Value) -> bool {
    match schema {
        Value::Bool(_) => true,
        Value::Object(keywords) => keywords.iter().all(|(keyword, value)| is_same(keyword, value)),
        _ => false,
    }
}

/// Whether the keyword is the same in both drafts, with a value that it can have.
fn is_same(keyword: &str, value: &Value) -> bool {
    match keyword {
        "type" => value.as_str().is_some_and(|name| TYPES.contains(&name)),
        "title" | "description" | "format" | "pattern" => value.is_string(),
        "default" | "const" => true,
        "enum" => value.as_array().is_some_and(|values| !values.is_empty()),
        "examples" => value.is_array(),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => value.is_number(),
        "multipleOf" => value.as_f64().is_some_and(|step| step > 0.0),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => value.is_u64(),
        "uniqueItems" | "deprecated" => value.is_boolean(),
        "required" => value.as_array().is_some_and(|names| are_names(names)),
        "properties" | "patternProperties" => value.as_object().is_some_and(|map| map.values().all(is_same_in_draft_7)),
        "items" | "additionalProperties" | "contains" | "not" | "propertyNames" => is_same_in_draft_7(value),
        "anyOf" | "oneOf" | "allOf" => {
            value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(is_same_in_draft_7))
        }
        _ => false,
    }
}

/// Whether these are texts, each another one.
fn are_names(names: &[Value]) -> bool {
    let mut seen = BTreeSet::new();
    names.iter().all(|name| name.as_str().is_some_and(|name| seen.insert(name)))
}

#[cfg(test)]
mod tests {
    use jsonschema::PatternOptions;
    use serde_json::{Map, json};

    use super::super::schema::{HOLDS_LIST, HOLDS_MAP, HOLDS_SCHEMA, PLAIN};
    use super::*;

    /// Values of all kinds, right for some keywords and wrong for others.
    fn values() -> Vec<Value> {
        let plain = [
            json!(null),
            json!(true),
            json!(0),
            json!(-1),
            json!(1.5),
            json!(3),
            json!(""),
            json!("string"),
            json!("("),
            json!([]),
            json!(["a"]),
            json!(["a", "a"]),
            json!(["string", "null"]),
            json!([1]),
            json!([[]]),
            json!({}),
            json!({"a": {}}),
            json!({"a": 1}),
            json!({"(": {}}),
            json!({"type": "integer"}),
            json!({"type": "sting"}),
            json!([{"type": "integer"}, true]),
            json!([{"minLength": "x"}]),
            json!({"a": {"required": ["x", "x"]}}),
            json!({"a": {"required": ["x", "y"]}}),
        ];
        plain.into()
    }

    /// All keywords that a pack may write, and some that it may not.
    fn keywords() -> impl Iterator<Item = &'static str> {
        let known = [&PLAIN[..], &HOLDS_SCHEMA, &HOLDS_MAP, &HOLDS_LIST].concat();
        known.into_iter().chain(["required", "$ref", "unknown"])
    }

    /// The same value under this keyword, at several depths.
    fn schemas(keyword: &str, value: &Value) -> [Value; 3] {
        [
            Value::Object(Map::from_iter([(keyword.to_owned(), value.clone())])),
            json!({ "properties": { "a": { keyword: value } } }),
            json!({ "anyOf": [{ "items": { keyword: value } }, { "minLength": 2 }] }),
        ]
    }

    #[test]
    fn what_is_let_through_means_the_same_in_both_drafts() {
        let mut same = 0;
        let cases = keywords().flat_map(|keyword| values().into_iter().map(move |value| (keyword, value)));
        for schema in cases.flat_map(|(keyword, value)| schemas(keyword, &value)) {
            if !is_same_in_draft_7(&schema) {
                continue;
            }
            same += 1;
            let here = super::super::build_schema(&schema);
            let there = jsonschema::options().with_pattern_options(PatternOptions::regex()).build(&schema);
            let (Ok(here), Ok(there)) = (&here, &there) else {
                assert_eq!(here.is_err(), there.is_err(), "{schema}");
                continue;
            };
            for value in values() {
                let told = |validator: &jsonschema::Validator| {
                    validator.iter_errors(&value).map(|error| error.to_string()).collect::<Vec<_>>()
                };
                assert_eq!(told(here), told(there), "{schema} of {value}");
            }
        }
        assert!(same > 300, "{same}");
    }
}
