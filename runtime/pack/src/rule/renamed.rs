//! What StackStorm calls parts of a payload that have another name here: a criterion on one would never hold.

use runner_model::code;

use crate::diagnostic::{Document, Mistake};
use crate::trigger::Trigger;
use crate::yaml::{Entry, Node};

/// There and here.
const OF_ENDS: [(&str, &str); 4] = [
    ("action_ref", "action"),
    ("action_name", "action"),
    ("start_timestamp", "started_at"),
    ("end_timestamp", "finished_at"),
];
const OF_TIMES: [(&str, &str); 1] = [("executed_at", "fired_at")];

/// Warns of criteria with such keys.
pub(super) fn report(file: &Document<'_>, trigger: &Trigger, criteria: &Node) {
    let renamed: &[(&str, &str)] = match trigger {
        Trigger::ExecutionFinished { .. } => &OF_ENDS,
        Trigger::Schedule(_) => &OF_TIMES,
        Trigger::Webhook(_) | Trigger::Custom { .. } => &[],
    };
    for Entry { key, key_span, .. } in criteria.as_map().unwrap_or_default() {
        let Some(path) = key.strip_prefix("trigger.") else { continue };
        let name = path.split(['.', '[', '#']).next().unwrap_or_default();
        if let Some((_, ours)) = renamed.iter().find(|(theirs, _)| *theirs == name) {
            let message = format!("the payload has no `{name}`: the criterion never holds");
            let mistake = Mistake::new(code::RULE_CRITERION, *key_span, message);
            file.add(mistake.hint(format!("write `trigger.{ours}`")).warning());
        }
    }
}
