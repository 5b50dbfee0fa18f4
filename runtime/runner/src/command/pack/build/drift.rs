//! Where the metadata of actions and their component's own description differ.

use runner_model::code;
use runner_pack::{Action, Body, Pack, Parameter, ParameterKind};
use serde_json::{Map, Value};

use super::Described;
use crate::error::Mistake;

/// The differences, and the actions of the component that no metadata names.
pub(super) fn between<'a>(
    pack: &Pack,
    component: &str,
    described: &'a Map<String, Value>,
) -> (Vec<Mistake>, Described<'a>) {
    let mut missing: Described<'a> = described.iter().map(|(name, about)| (name.as_str(), about)).collect();
    let mut mistakes = Vec::new();
    for action in pack.actions.values() {
        let Body::Wasm { component: own, function } = &action.body else { continue };
        if own != component || described.is_empty() {
            continue;
        }
        missing.remove(function.as_str());
        match described.get(function) {
            Some(about) => mistakes.extend(of_action(action, about.get("input").unwrap_or(&Value::Null))),
            None => {
                let message = format!("`{}`: the component `{component}` has no action `{function}`", action.reference);
                let there: Vec<_> = described.keys().map(|name| format!("`{name}`")).collect();
                let hint = format!("it has {}", there.join(", "));
                mistakes.push(Mistake::new(code::PACK_DRIFT, message).maybe_hint(Some(hint)));
            }
        }
    }
    (mistakes, missing)
}

fn of_action(action: &Action, input: &Value) -> Vec<Mistake> {
    let Some(properties) = input.get("properties").and_then(Value::as_object) else { return Vec::new() };
    let required: Vec<_> = input.get("required").and_then(Value::as_array).into_iter().flatten().collect();
    let mut mistakes = Vec::new();
    let mut say = |message: String, hint: String| {
        let message = format!("`{}`: {message}", action.reference);
        let hint = format!("{hint} in `{}`, or change the source", action.source.display());
        mistakes.push(Mistake::new(code::PACK_DRIFT, message).maybe_hint(Some(hint)));
    };
    for (name, schema) in properties {
        let is_required = required.iter().any(|required| *required == name);
        let kind = kind(schema);
        match action.parameters.get(name) {
            None => say(
                format!("the function takes `{name}` ({kind}), which the metadata does not have"),
                format!("write `{name}: {{ type: {kind}{} }}`", if is_required { ", required: true" } else { "" }),
            ),
            Some(parameter) if !fits(parameter.kind, kind) => say(
                format!("`{name}` is of type `{}` in the metadata and `{kind}` in the function", parameter.kind),
                format!("write `type: {kind}`"),
            ),
            Some(parameter) if is_required && !is_always_given(parameter) => say(
                format!("the function requires `{name}`, which the metadata leaves open"),
                format!("write `required: true` or a `default` for `{name}`"),
            ),
            Some(_) => {}
        }
    }
    for name in action.parameters.names().filter(|name| !properties.contains_key(*name)) {
        say(format!("the metadata has `{name}`, which the function does not take"), format!("remove `{name}`"));
    }
    mistakes
}

const fn is_always_given(parameter: &Parameter) -> bool {
    parameter.required || parameter.default.is_some()
}

/// Whether every value of the metadata's type is one of the function's.
fn fits(metadata: ParameterKind, function: ParameterKind) -> bool {
    use ParameterKind::{Any, Integer, Number};
    metadata == function || function == Any || (metadata, function) == (Integer, Number)
}

/// The one type of a schema, apart from null; any, if it is not as simple as that.
pub(super) fn kind(schema: &Value) -> ParameterKind {
    let named = |word: &str| ParameterKind::NAMED.into_iter().find(|kind| kind.as_str() == word);
    let alternatives = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
    let single = match (schema.get("type"), alternatives) {
        (Some(Value::String(word)), _) => named(word),
        (Some(Value::Array(words)), _) => {
            let mut words = words.iter().filter_map(Value::as_str).filter(|word| *word != "null");
            words.next().filter(|_| words.next().is_none()).and_then(named)
        }
        (None, Some(schemas)) => {
            let is_null = |schema: &&Value| schema.get("type").and_then(Value::as_str) == Some("null");
            let mut schemas = schemas.iter().filter(|schema| !is_null(schema));
            return schemas.next().filter(|_| schemas.next().is_none()).map_or(ParameterKind::Any, kind);
        }
        _ => None,
    };
    single.unwrap_or(ParameterKind::Any)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schemas_type_is_the_one_that_is_not_null() {
        for (schema, wanted) in [
            (json!({ "type": "string" }), ParameterKind::String),
            (json!({ "type": ["integer", "null"] }), ParameterKind::Integer),
            (json!({ "type": ["integer", "string"] }), ParameterKind::Any),
            (json!({ "anyOf": [{ "type": "object" }, { "type": "null" }] }), ParameterKind::Object),
            (json!({ "$ref": "#/$defs/X" }), ParameterKind::Any),
            (json!(true), ParameterKind::Any),
        ] {
            assert_eq!(kind(&schema), wanted, "{schema}");
        }
    }
}
