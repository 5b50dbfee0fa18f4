//! A path for every action, with its own parameters, made from the path that serves them all.

use runner_pack::{Action, Library, Parameter};
use serde_json::{Map, Value, json};

/// The path that serves every action.
pub(super) const GENERAL: &str = "/api/v1/actions/{action}/executions";

/// Where the paths of actions begin.
const BEFORE: &str = "/api/v1/actions/";
/// And where they end.
const AFTER: &str = "/executions";

/// The paths of all actions that may be run; `general` is the item of the path that serves them.
pub(super) fn paths(general: &Value, library: &Library) -> Map<String, Value> {
    let actions = library.packs().flat_map(|pack| pack.actions.values());
    let enabled = actions.filter(|action| action.enabled);
    enabled.map(|action| (format!("{BEFORE}{}{AFTER}", action.reference), item(general, action))).collect()
}

/// The pack of the action that a path is for; none if it is for all, or for something else.
pub(super) fn pack_of(path: &str) -> Option<&str> {
    let action = path.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
    action.split_once('.').map(|(pack, _)| pack).filter(|_| !action.starts_with('{'))
}

fn item(general: &Value, action: &Action) -> Value {
    let mut item = general.clone();
    let Some(operation) = item.get_mut("post").and_then(Value::as_object_mut) else { return item };
    let summary = action.description.split(". ").next().unwrap_or_default().trim_end_matches('.');
    operation.insert("summary".to_owned(), summary.into());
    operation.insert("description".to_owned(), action.description.clone().into());
    operation.insert("operationId".to_owned(), format!("run_{}", action.reference).into());
    operation.insert("tags".to_owned(), json!([action.reference.pack()]));
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        parameters.retain(|parameter| parameter["in"] != "path");
    }
    let required = action.parameters.iter().any(|parameter| parameter.required);
    let mut schema = parameters(action);
    if let (false, Some(map)) = (required, schema.as_object_mut()) {
        // Who gives none may say so.
        map.insert("type".to_owned(), json!(["object", "null"]));
    }
    let content = json!({"application/json": {"schema": schema}});
    operation.insert("requestBody".to_owned(), json!({"content": content, "required": required}));
    if let Some(schema) = &action.output_schema {
        operation.insert("x-output-schema".to_owned(), schema.clone());
    }
    item
}

/// What the action takes, as it is checked.
fn parameters(action: &Action) -> Value {
    let mut schema = action.parameters.json_schema();
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return schema };
    for parameter in &action.parameters {
        if let Some(property) = properties.get_mut(&parameter.name) {
            relax(property, parameter);
        }
    }
    schema
}

/// Null stands for "not given", and what is immutable may be given as it is anyway.
fn relax(property: &mut Value, parameter: &Parameter) {
    if parameter.immutable {
        *property = json!({"const": parameter.default});
        return;
    }
    let is_typed = property.get("type").is_some();
    if let (true, false, Some(map)) = (parameter.required, is_typed, property.as_object_mut()) {
        map.insert("not".to_owned(), json!({"type": "null"}));
    }
    if parameter.required || !is_typed {
        return;
    }
    let inner = property.take();
    let description = inner.get("description").cloned();
    *property = json!({"anyOf": [inner, {"type": "null"}]});
    if let (Some(description), Some(map)) = (description, property.as_object_mut()) {
        map.insert("description".to_owned(), description);
    }
}
