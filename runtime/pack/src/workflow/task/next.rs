//! `next`: what follows a task, and where it leads.

use runner_engine::{Target, Transition};
use runner_model::{TaskName, code};

use crate::condition;
use crate::diagnostic::{Document, Mistake};
use crate::expression::Home;
use crate::fields::{Fields, Foreign, wrong_type};
use crate::source::Span;
use crate::workflow::bindings;
use crate::yaml::{Entry, Kind, Node};

const FOREIGN: Foreign =
    Foreign { later: &[], instead: &[("action", "an action belongs to a task: name the task in `do`")] };

pub(super) fn next(file: &Document<'_>, node: &Node) -> Vec<Transition> {
    match &node.kind {
        Kind::List(items) => items.iter().map(|item| transition(file, item)).collect(),
        _ => {
            let hint = match &node.kind {
                Kind::Text(task, _) => Some(format!("write `next: [{{do: {task}}}]`")),
                Kind::Map(_) => Some("begin it with a dash: `- when: …`".to_owned()),
                _ => None,
            };
            file.add(wrong_type(node, "next", "a list of transitions").maybe_hint(hint));
            Vec::new()
        }
    }
}

fn transition(file: &Document<'_>, node: &Node) -> Transition {
    let mut transition = Transition { when: None, publish: Vec::new(), targets: Vec::new() };
    let (_, item_place, _) = node.at(&[]);
    let first_key = node.as_map().and_then(<[Entry]>::first).map(|entry| entry.key_span);
    let Some(mut fields) = Fields::open(file, node, "the transition", first_key.unwrap_or(item_place)) else {
        return transition;
    };
    transition.when = condition::optional(file, &mut fields, "when", "succeeded()", Home::Workflow);
    transition.publish = fields.get("publish").map(|node| bindings::read(file, node, "publish")).unwrap_or_default();
    transition.targets = fields.get("do").map(|node| targets(file, node)).unwrap_or_default();
    fields.finish(&FOREIGN);
    transition
}

/// A list of names, or names with commas between them.
fn targets(file: &Document<'_>, node: &Node) -> Vec<Target> {
    match &node.kind {
        Kind::Text(text, _) => {
            let mut offset = 0;
            let mut targets = Vec::new();
            for part in text.split(',') {
                let name = part.trim();
                let at = offset + (part.len() - part.trim_start().len());
                offset += part.len() + 1;
                targets.extend(target(file, name, node.locate(file.source.text(), at, name.len())));
            }
            targets
        }
        Kind::List(items) => items
            .iter()
            .filter_map(|item| match item.as_text() {
                Some(name) => target(file, name.trim(), item.span),
                None => {
                    file.add(wrong_type(item, "do", "a list of the names of tasks"));
                    None
                }
            })
            .collect(),
        _ => {
            file.add(wrong_type(node, "do", "the name of a task, or a list of names"));
            Vec::new()
        }
    }
}

fn target(file: &Document<'_>, name: &str, span: Span) -> Option<Target> {
    match name {
        "fail" => return Some(Target::Fail),
        "noop" => return Some(Target::Noop),
        "continue" => return Some(Target::Continue),
        "retry" => return Some(Target::Retry),
        _ => {}
    }
    match TaskName::new(name) {
        Ok(name) => Some(Target::Task(name)),
        Err(error) => {
            file.add(Mistake::new(code::PACK_BAD_VALUE, span, error.to_string()));
            None
        }
    }
}
