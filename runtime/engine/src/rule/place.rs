//! Functions that make no sense in a rule: there is an event, and neither an execution nor a task.

use runner_model::code;
use serde_json::Value;

use crate::template::{CompileError, Condition, Template};

/// Compiles a value of a rule: its parameters, its key. All mistakes are returned.
pub fn template(value: &Value) -> Result<Template, Vec<CompileError>> {
    let template = Template::compile(value)?;
    let misplaced = out_of_place(&template);
    if misplaced.is_empty() { Ok(template) } else { Err(misplaced) }
}

/// Compiles the `when` of a rule.
pub fn condition(value: &Value) -> Result<Condition, Vec<CompileError>> {
    let condition = Condition::compile(value)?;
    let misplaced = out_of_place(condition.template());
    if misplaced.is_empty() { Ok(condition) } else { Err(misplaced) }
}

/// Calls in a rule's template of functions that are about executions.
#[must_use]
pub fn out_of_place(template: &Template) -> Vec<CompileError> {
    let mut errors = Vec::new();
    template.visit(&mut |place, expression| {
        for call in expression.calls() {
            let Some(hint) = hint(&call.name) else { continue };
            errors.push(CompileError {
                code: code::EXPR_OUT_OF_PLACE,
                place: place.to_vec(),
                offset: 0,
                length: 0,
                message: format!("`{}()` is about an execution, and a rule has none", call.name),
                hint: Some(hint.to_owned()),
            });
        }
    });
    errors
}

/// What to write in the place of a function that has no meaning in a rule.
fn hint(function: &str) -> Option<&'static str> {
    match function {
        "ctx" => Some("what the event brought is `event()`, such as `event().body.name` or `event(\"body.name\")`"),
        "kv" => Some("read it in the workflow or the action that the rule runs"),
        "execution" => Some("the event itself is `event_info()`, with `id`, `trigger`, `source` and `occurred_at`"),
        "item" => {
            Some("hand the whole list to a workflow and use `with` there; a criterion `search` looks into a list")
        }
        "task" | "result" | "status" | "succeeded" | "failed" | "timed_out" | "skipped" | "completed" => {
            Some("what follows on a step stands in a workflow; what the event brought is `event()`")
        }
        _ => None,
    }
}
