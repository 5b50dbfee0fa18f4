//! What is wrong with a workflow before it runs.
//!
//! Only what the plan itself shows: names, shape, variables. Whether the actions it calls exist and take such input is
//! known to whoever knows the packs. Places are ways through the workflow file, for the caller to turn into lines.

mod calls;
mod shape;
mod variables;

use runner_model::Code;

use crate::{Place, Plan};

/// Something wrong with a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of mistake.
    pub code: Code,
    /// Where: the way from the root of the workflow file, such as `tasks`, `check`, `next`, 1, `do`, 0. If the file
    /// does not have the last steps (a `do` written as one string), the longest way that exists is meant.
    pub place: Vec<Place>,
    /// A lowercase sentence.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// Everything that is wrong with a plan, in the order of the file. `parameters` are the names of the workflow's
/// parameters.
#[must_use]
pub fn inspect(plan: &Plan, parameters: &[&str]) -> Vec<Finding> {
    let mut findings = shape::inspect(plan);
    findings.extend(variables::inspect(plan, parameters));
    findings.extend(calls::inspect(plan));
    let position = |finding: &Finding| match finding.place.as_slice() {
        [Place::Key(first), Place::Key(task), ..] if first == "tasks" => {
            (1, plan.tasks.get_index_of(task.as_str()).unwrap_or(usize::MAX))
        }
        [Place::Key(first), ..] if first == "vars" => (0, 0),
        _ => (2, 0),
    };
    findings.sort_by_key(position);
    findings
}

/// The way to something in a task.
fn in_task(task: &str, rest: &[Place]) -> Vec<Place> {
    [Place::Key("tasks".to_owned()), Place::Key(task.to_owned())].into_iter().chain(rest.iter().cloned()).collect()
}

fn key(text: &str) -> Place {
    Place::Key(text.to_owned())
}

/// `did you mean …`, if some name is close.
pub(crate) fn did_you_mean<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    runner_model::suggest::nearest(wrong, names).map(|name| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests;
