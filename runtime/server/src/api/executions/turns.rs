//! What of an execution waits for its turn, because policies allow only so much at a time: only the process that drives it
//! knows.

use runner_model::{ExecutionView, ItemIndex, PolicyRef, StepId, TaskName};
use serde::Serialize;
use utoipa::ToSchema;

use super::parts::task_of;
use crate::api::context::Context;
use crate::api::elsewhere;

/// A run that waits for a policy's leave.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Turn {
    /// The policy.
    #[schema(value_type = String)]
    policy: PolicyRef,
    /// How many are before it.
    ahead: usize,
    /// The step; none if it is the execution as a whole that has not begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    step: Option<StepId>,
    /// Its task; none if it is the execution as a whole that has not begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    task: Option<TaskName>,
    /// The item, in a step that runs over a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    item: Option<ItemIndex>,
}

/// Everything of an execution that waits for its turn.
pub(super) async fn of(context: &Context, view: &ExecutionView) -> Vec<Turn> {
    if view.record.status.is_terminal() {
        return Vec::new();
    }
    let delayed = elsewhere::delayed(context, view.record.id).await.into_iter();
    let turns = delayed.map(|turn| Turn {
        policy: turn.policy,
        ahead: turn.ahead,
        step: turn.step,
        task: turn.step.and_then(|step| task_of(view, step)),
        item: turn.item,
    });
    turns.collect()
}

/// The first of them in words: `` `copy` waits for its turn by the policy `core.two`, with 3 before it ``.
pub(super) fn sentence(turns: &[Turn]) -> Option<String> {
    let (first, rest) = turns.split_first()?;
    let who = match (&first.task, first.item) {
        (Some(task), Some(item)) => format!("item {item} of `{task}`"),
        (Some(task), None) => format!("`{task}`"),
        (None, _) => "it".to_owned(),
    };
    let before = match first.ahead {
        0 => "and is the next".to_owned(),
        ahead => format!("with {ahead} before it"),
    };
    let more = match rest.len() {
        0 => String::new(),
        more => format!(", and {more} more like it"),
    };
    Some(format!("{who} waits for its turn by the policy `{}`, {before}{more}", first.policy))
}
