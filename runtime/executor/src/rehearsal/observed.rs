//! What a phase of a rehearsal came to, in the words in which rehearsals expect it.

use runner_engine::{Passage, Plan};
use runner_model::{ErrorRecord, Status, code};
use serde_json::{Map, Value, json};

use super::live::SentRequest;
use super::value::{holds, same};

/// What a phase came to.
#[derive(Debug, Clone)]
pub(super) struct Observed {
    pub(super) status: Status,
    /// What the execution passed, in order.
    pub(super) passages: Vec<Passage>,
    pub(super) routes: Vec<Vec<String>>,
    pub(super) output: Value,
    /// Everything that went wrong, as Orquesta lists it: also what was dealt with ([`super::errors`]).
    pub(super) errors: Vec<ErrorRecord>,
    /// The requests that left the steps of this phase.
    pub(super) requests: Vec<SentRequest>,
}

impl Observed {
    pub(super) fn sequence(&self) -> Vec<String> {
        self.passages.iter().map(name).collect()
    }

    /// The names of the steps and commands after which nothing followed, sorted.
    pub(super) fn terminal(&self) -> Vec<String> {
        let mut names: Vec<_> = self.passages.iter().filter(|passage| passage.terminal).map(name).collect();
        names.sort();
        names
    }
}

/// `task`, or `task__rN` on another route than the first.
fn name(passage: &Passage) -> String {
    match passage.route.0 {
        0 => passage.name.clone(),
        route => format!("{}__r{route}", passage.name),
    }
}

/// A name as somebody wrote it, as it stands in a sequence: the first route need not be named.
pub(super) fn normal(name: &str) -> &str {
    name.strip_suffix("__r0").unwrap_or(name)
}

/// An error record in the shape of Orquesta's.
pub(super) fn shown(plan: &Plan, record: &ErrorRecord) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            shown.insert(key.to_owned(), value);
        }
    };
    put("type", Some(json!("error")));
    put("code", Some(json!(record.code)));
    put("message", Some(json!(record.message)));
    put("task_id", record.task.as_ref().map(|task| json!(task)));
    put("route", record.task.as_ref().map(|_| json!(record.route.map_or(0, |route| route.0))));
    put("task_transition_id", transitions(plan, record).first().map(|id| json!(id)));
    put("result", result(record));
    put("data", record.details.clone().filter(|_| !is_of_step(record)));
    put("hint", record.hint.as_ref().map(|hint| json!(hint)));
    shown
}

/// Whether an error record has what is expected of it.
pub(super) fn fits(plan: &Plan, expected: &Map<String, Value>, record: &ErrorRecord) -> bool {
    let shown = shown(plan, record);
    expected.iter().all(|(key, wanted)| match key.as_str() {
        "message" => shown.get(key) == Some(wanted) || (wanted == super::mocks::SEE_RESULT && is_of_step(record)),
        "task_transition_id" => transitions(plan, record).iter().any(|id| wanted == id),
        "result" | "data" => match (wanted, shown.get(key)) {
            // A failure has more to tell than the mock that made it.
            (Value::Object(wanted), Some(Value::Object(found))) if record.code != code::EXEC_MOCKED.id() => {
                holds(found, wanted)
            }
            (wanted, found) => same(wanted, found.unwrap_or(&Value::Null)),
        },
        key => shown.get(key).is_some_and(|found| same(wanted, found)),
    })
}

/// Whether a step failed, and not an expression or the workflow.
fn is_of_step(record: &ErrorRecord) -> bool {
    record.task.is_some() && record.transition.is_none()
}

/// What is known of a step's failure: what `result()` shows.
fn result(record: &ErrorRecord) -> Option<Value> {
    if !is_of_step(record) {
        return None;
    }
    if record.code == code::EXEC_MOCKED.id() {
        return record.details.clone();
    }
    let mut failure = json!({"code": record.code, "message": record.message});
    if let (Some(details), Some(map)) = (&record.details, failure.as_object_mut()) {
        map.insert("details".to_owned(), details.clone());
    }
    Some(failure)
}

/// The transition that an error is about, under each of its targets: Orquesta has one for each. `target__tN`, N counting
/// the transitions from the task to that target.
fn transitions(plan: &Plan, record: &ErrorRecord) -> Vec<String> {
    let task = record.task.as_ref().and_then(|task| plan.tasks().get(task));
    let Some((task, index)) = task.zip(record.transition) else { return Vec::new() };
    let names = |at: usize| -> Vec<&str> {
        match task.next.get(at) {
            Some(transition) if transition.targets.is_empty() => vec!["continue"],
            Some(transition) => transition.targets.iter().map(runner_engine::Target::name).collect(),
            None => Vec::new(),
        }
    };
    let number = |target: &str| (0..index).filter(|before| names(*before).contains(&target)).count();
    names(index).into_iter().map(|target| format!("{target}__t{}", number(target))).collect()
}
