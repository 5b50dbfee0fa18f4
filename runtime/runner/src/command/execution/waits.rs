//! What steps of an execution wait for, and which of them is meant.

use runner_executor::ControlError;
use runner_model::{ExecutionView, ItemIndex, StepId, TaskName, Timestamp, Wait, WaitKind, WaitView, answering};

use crate::error::CliError;

/// A step, or an item of one, that waits for something.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    /// The step.
    pub(crate) step: StepId,
    /// The item, in a step that runs over a list.
    pub(crate) item: Option<ItemIndex>,
    /// The task.
    pub(crate) task: TaskName,
    /// Since when.
    pub(crate) since: Timestamp,
    /// For what.
    pub(crate) wait: Wait,
}

impl Chosen {
    /// Whether it waits for the event with this key.
    pub(crate) fn is_for(&self, key: &str) -> bool {
        matches!(&self.wait.kind, WaitKind::Event { key: wanted } if wanted == key)
    }
}

/// Everything that an execution waits for.
pub(crate) fn open_waits(view: &ExecutionView) -> Vec<Chosen> {
    let mut open = Vec::new();
    for step in view.steps.iter().filter(|_| !view.record.status.is_terminal()) {
        let mut push = |item: Option<ItemIndex>, waits: Option<&WaitView>| {
            open.extend(waits.map(|WaitView { wait, since }| Chosen {
                step: step.step,
                item,
                task: step.task.clone(),
                since: *since,
                wait: wait.clone(),
            }));
        };
        push(None, step.waits_for.as_ref());
        step.items.iter().flatten().for_each(|item| push(Some(item.item), item.waits_for.as_ref()));
    }
    open
}

/// The one that an answer is for: of the task and the item that are named, or the only one.
pub(crate) fn choose(
    view: &ExecutionView,
    task: Option<&TaskName>,
    item: Option<ItemIndex>,
) -> Result<Chosen, CliError> {
    let id = view.record.id;
    if view.record.status.is_terminal() {
        return Err(ControlError::Ended { id, status: view.record.status }.into());
    }
    let open = open_waits(view);
    let fits = |open: &&Chosen| {
        task.is_none_or(|task| open.task == *task)
            && item.is_none_or(|item| open.item == Some(item))
            // An event is no answer, unless somebody says explicitly which task it is for.
            && (task.is_some() || !matches!(open.wait.kind, WaitKind::Event { .. }))
    };
    let mut found = open.iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) if open.is_empty() => {
            let hint = "it waits for nothing from outside".to_owned();
            Err(ControlError::NotWaiting { id, hint }.into())
        }
        (None, _) => {
            let hint = format!("it waits for something else: {}", commands(view, open.iter()));
            Err(ControlError::NotWaiting { id, hint }.into())
        }
        (Some(first), Some(second)) => {
            let all = [first, second].into_iter().chain(found);
            Err(ControlError::Ambiguous { id, hint: format!("one of {}", commands(view, all)) }.into())
        }
    }
}

fn commands<'a>(view: &ExecutionView, open: impl Iterator<Item = &'a Chosen>) -> String {
    let one = |open: &Chosen| format!("`{}`", answering(view.record.id, &open.task, open.item, &open.wait));
    open.map(one).collect::<Vec<_>>().join(", ")
}
