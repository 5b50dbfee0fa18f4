//! What of an execution waits for its turn, because policies allow only so much at a time: only the process that drives it
//! knows.

use runner_executor::Executor;
use runner_model::{ExecutionView, ItemIndex, PolicyRef, TaskName};
use serde::Serialize;
use utoipa::ToSchema;

use super::parts::task_of;

/// A run that waits for a policy's leave.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Turn {
    /// The policy.
    #[schema(value_type = String)]
    policy: PolicyRef,
    /// How many are before it.
    ahead: usize,
    /// The task; none if it is the execution as a whole that has not begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    task: Option<TaskName>,
    /// The item, in a step that runs over a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    item: Option<ItemIndex>,
}

/// Everything of an execution that waits for its turn.
pub(super) fn of(executor: &Executor, view: &ExecutionView) -> Vec<Turn> {
    let delayed = executor.delayed(view.record.id).into_iter();
    let turns = delayed.map(|delayed| Turn {
        policy: delayed.policy,
        ahead: delayed.ahead,
        task: delayed.unit.and_then(|unit| task_of(view, unit.step)),
        item: delayed.unit.and_then(|unit| unit.item),
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
