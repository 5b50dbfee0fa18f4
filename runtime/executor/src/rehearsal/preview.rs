//! A run in simulated time that leaves nothing behind, for a plan of what it would change: nothing is mocked, questions to
//! people are answered as if they agreed, and waits pass at once. What its requests may do is said by whoever gives the
//! guests.

use parking_lot::Mutex;
use runner_engine::Mismatch;
use runner_model::{ExecutionView, Origin, Timestamp};
use runner_pack::{Asked, Library};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Simulation;
use super::case::ID;
use super::coverage::Taken;
use super::scene::{Role, Scene, Stage};
use crate::error::RequestError;

/// What came of it.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The execution, as it would be recorded.
    pub view: ExecutionView,
    /// Questions that were taken as answered, in order.
    pub approvals: Vec<Approval>,
    /// Answers that could not be made up, with the reason.
    pub unanswered: Vec<String>,
}

/// A question to people that was taken as answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Approval {
    /// The question.
    pub prompt: String,
    /// The answer that was assumed.
    pub answer: Value,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// It cannot be asked for so.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A defect of the engine.
    #[error("the plan cannot be made: {0}")]
    Mismatch(#[from] Mismatch),
    /// A defect of this crate.
    #[error("the plan cannot be read")]
    Unreadable,
}

/// Plays an action from the moment `start`.
///
/// # Errors
/// No such action, or parameters that do not fit.
pub async fn preview(
    library: &Library,
    simulation: &Simulation,
    action: &runner_model::ActionRef,
    parameters: Map<String, Value>,
    start: Timestamp,
) -> Result<Preview, PreviewError> {
    let Some((pack, found)) = library.action(action) else {
        let hint = library.suggest(action.as_str());
        return Err(RequestError::UnknownAction { action: action.clone(), hint }.into());
    };
    let requested = found
        .request(pack, parameters, Asked::by(Origin::Cli))
        .map_err(|mistakes| RequestError::Parameters { action: action.clone(), mistakes })?;
    let live = simulation.begin();
    let approvals = Mutex::default();
    let stage = Stage { library, live: Some(&live), answers: &[], events: &[], start, approvals: Some(&approvals) };
    let mut scene = Scene::begin(&stage, Role { plan: found.plan(), pack, requested, id: ID }, start)?;
    scene.play(&[], &mut Taken::default()).await?;
    let view = scene.view().ok_or(PreviewError::Unreadable)?;
    let unanswered = scene.refused().to_vec();
    drop(scene);
    Ok(Preview { view, approvals: approvals.into_inner(), unanswered })
}

/// The answer of somebody who agrees: what the schema asks for, and no more.
pub(super) fn agreement(schema: &Value) -> Value {
    if let Some(value) = schema.get("default").or_else(|| schema.get("const")) {
        return value.clone();
    }
    if let Some(first) = schema.get("enum").and_then(Value::as_array).and_then(|values| values.first()) {
        return first.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => true.into(),
        Some("string") => "planned".into(),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| 0.into()),
        Some("array") => Value::Array(Vec::new()),
        Some("object") => {
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            let member = |name: &str| {
                let schema = schema.get("properties").and_then(|all| all.get(name)).unwrap_or(&Value::Null);
                (name.to_owned(), agreement(schema))
            };
            Value::Object(required.filter_map(Value::as_str).map(member).collect())
        }
        _ => true.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whoever_agrees_says_what_is_asked_for() {
        let approved =
            json!({"type": "object", "required": ["approved"], "properties": {"approved": {"type": "boolean"}}});
        assert_eq!(agreement(&approved), json!({ "approved": true }));
        let size = json!({"type": "object", "required": ["size", "tier"], "properties": {
            "size": {"type": "integer", "minimum": 5}, "tier": {"enum": ["gold", "silver"]}, "note": {"type": "string"},
        }});
        assert_eq!(agreement(&size), json!({ "size": 5, "tier": "gold" }));
    }
}
