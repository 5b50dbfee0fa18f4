//! What the engine finds wrong with a plan, turned into places in the file.

use std::collections::BTreeSet;

use runner_engine::template::Place;
use runner_engine::{Plan, inspect};
use runner_model::{TaskName, code};

use crate::diagnostic::{Document, Mistake};
use crate::source::Span;
use crate::suggest;
use crate::yaml::{Kind, Node};

/// What is known to be missing from the plan, because it was reported already.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    /// Some transition could not be read: what seems unreachable may be reached.
    pub(super) transitions: bool,
    /// Something that sets variables could not be read: what seems unknown may be set.
    pub(super) variables: bool,
    /// Tasks that could not be taken in.
    pub(super) names: BTreeSet<String>,
}

pub(super) fn report(file: &Document<'_>, root: &Node, plan: &Plan, parameters: &[&str], doubt: &Doubt) {
    let shape = [code::FLOW_UNREACHABLE_TASK, code::FLOW_NO_START, code::FLOW_BAD_JOIN];
    let holes = doubt.transitions || !doubt.names.is_empty();
    for finding in inspect(plan, parameters) {
        let (span, text) = place(file, root, &finding.place);
        let follows_from_bad_name = finding.code == code::FLOW_UNKNOWN_TASK && doubt.names.contains(&text);
        let follows_from_hole = holes && shape.contains(&finding.code);
        let follows_from_loss = (holes || doubt.variables) && finding.code == code::FLOW_UNKNOWN_VARIABLE;
        if follows_from_bad_name || follows_from_hole || follows_from_loss {
            continue;
        }
        let tasks = || suggest::hint(&text, plan.tasks().keys().map(TaskName::as_str), "tasks are");
        let hint = finding.hint.or_else(|| (finding.code == code::FLOW_UNKNOWN_TASK).then(tasks).flatten());
        file.add(Mistake::new(finding.code, span, finding.message).maybe_hint(hint));
    }
}

/// The span that a place means, and the text that stands there.
fn place(file: &Document<'_>, root: &Node, places: &[Place]) -> (Span, String) {
    let (node, named, rest) = root.at(places);
    let span = match (&node.kind, rest) {
        // `do: a, b` has no list in the file: the index counts the names between the commas.
        (Kind::Text(text, _), [Place::Index(index)]) => {
            part(text, *index).map_or(named, |(offset, length)| node.locate(file.source.text(), offset, length))
        }
        // A task's name is told apart from what stands in the task.
        _ => named,
    };
    (span, file.source.slice(span).to_owned())
}

fn part(text: &str, index: usize) -> Option<(usize, usize)> {
    let mut offset = 0;
    for (i, part) in text.split(',').enumerate() {
        if i == index {
            return Some((offset + (part.len() - part.trim_start().len()), part.trim().len()));
        }
        offset += part.len() + 1;
    }
    None
}
