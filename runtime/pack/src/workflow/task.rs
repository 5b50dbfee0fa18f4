//! One task: its action, its input, its join, and what follows.

use runner_engine::{Join, Target, Task, Template, Transition};
use runner_model::{TaskName, code};
use serde_json::json;

use super::bindings;
use super::calls::{self, Call};
use super::expression::{condition, place, template};
use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, wrong_type};
use crate::source::Span;
use crate::yaml::{Entry, Kind, Node};

/// What was read of a task.
pub(super) struct Read {
    pub(super) task: Task,
    pub(super) call: Option<Call>,
    /// Whether a mistake in the task's `next` hides where it leads.
    pub(super) transitions_incomplete: bool,
}

const FOREIGN: Foreign = Foreign {
    later: &[
        "with",
        "retry",
        "delay",
        "timeout",
        "poll",
        "if",
        "on_cancel",
        "compensate",
        "heartbeat_timeout",
        "on_unknown",
    ],
    instead: &[
        ("on-success", "write `next: [{when: '<% succeeded() %>', do: …}]`"),
        ("on-failure", "write `next: [{when: '<% failed() %>', do: …}]`"),
        ("on-error", "write `next: [{when: '<% failed() %>', do: …}]`"),
        ("on-complete", "write `next: [{do: …}]`"),
        ("publish", "`publish` belongs to an item of `next`"),
        ("do", "`do` belongs to an item of `next`"),
        ("when", "`when` belongs to an item of `next`"),
        ("params", "write `input`"),
        ("parameters", "write `input`"),
        ("ref", "write `action`"),
    ],
};

const TRANSITION_FOREIGN: Foreign =
    Foreign { later: &[], instead: &[("action", "an action belongs to a task: name the task in `do`")] };

pub(super) fn read(file: &Document<'_>, node: &Node, key_span: Span) -> Read {
    let empty = Task::default();
    // `noop_task:` with nothing below it is a task that does nothing.
    if node.is_null() {
        return Read { task: empty, call: None, transitions_incomplete: false };
    }
    let Some(mut fields) = Fields::open(file, node, "the task", key_span) else {
        return Read { task: empty, call: None, transitions_incomplete: true };
    };
    let action_node = fields.get("action");
    let input_node = fields.get("input");
    let (action, call) = match action_node {
        Some(node) => action(file, node, input_node),
        None => {
            if input_node.is_some() {
                let message = "the task has an `input`, but no `action` to pass it to";
                file.add(Mistake::new(code::PACK_MISSING_KEY, key_span, message).hint("add `action: pack.name`"));
            }
            (None, None)
        }
    };
    let input = input_node.map_or_else(|| Template::literal(json!({})), |node| input(file, node));
    let join = fields.get("join").and_then(|node| join(file, node));
    let before = file.findings.errors();
    let next = fields.get("next").map(|node| next(file, node)).unwrap_or_default();
    let transitions_incomplete = file.findings.errors() > before || has_foreign_transition(node);
    fields.finish(&FOREIGN);
    Read { task: Task { action, input, join, next, ..Task::default() }, call, transitions_incomplete }
}

/// Whether the task says in a way that is not understood where it leads: a slip in `next`, or another format's key.
fn has_foreign_transition(node: &Node) -> bool {
    let known = ["action", "input", "join", "next"];
    let unknown = |entry: &&Entry| !known.contains(&entry.key.as_str()) && !FOREIGN.later.contains(&entry.key.as_str());
    node.as_map().is_some_and(|entries| entries.iter().any(|entry| unknown(&entry)))
}

fn action(file: &Document<'_>, node: &Node, input: Option<&Node>) -> (Option<Template>, Option<Call>) {
    let Some(text) = node.as_text() else {
        file.add(wrong_type(node, "action", "the name of an action, such as `core.echo`"));
        return (None, None);
    };
    if text.contains("<%") {
        return (Some(template(file, node)), None);
    }
    (Some(Template::literal(text.into())), calls::read(file, node, text, input))
}

fn input(file: &Document<'_>, node: &Node) -> Template {
    match &node.kind {
        Kind::Map(_) => template(file, node),
        Kind::Text(text, _) if text.trim_start().starts_with("<%") => template(file, node),
        _ => {
            file.add(wrong_type(node, "input", "a map, or one expression that gives a map"));
            Template::literal(json!({}))
        }
    }
}

fn join(file: &Document<'_>, node: &Node) -> Option<Join> {
    match &node.kind {
        Kind::Text(text, _) if text == "all" => return Some(Join::All),
        Kind::Number(number) => {
            if let Some(count) =
                number.as_u64().and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0)
            {
                return Some(Join::Count(count));
            }
        }
        Kind::Map(_) => {
            let message = "`join: {…}` is not supported by this version of runner";
            file.add(Mistake::new(code::PACK_NOT_SUPPORTED, node.span, message).hint("write `join: all` or a number"));
            return None;
        }
        _ => {}
    }
    file.add(wrong_type(node, "join", "`all` or a whole number from 1"));
    None
}

fn next(file: &Document<'_>, node: &Node) -> Vec<Transition> {
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
    if let Some(entry) = fields.entry("when").filter(|entry| !entry.value.is_null()) {
        transition.when = when(file, entry);
    }
    transition.publish = fields.get("publish").map(|node| bindings::read(file, node, "publish")).unwrap_or_default();
    transition.targets = fields.get("do").map(|node| targets(file, node)).unwrap_or_default();
    fields.finish(&TRANSITION_FOREIGN);
    transition
}

fn when(file: &Document<'_>, entry: &Entry) -> Option<runner_engine::Condition> {
    if entry.value.is_collection() {
        let span = place(&entry.value, entry.key_span);
        let message = format!("`when` must be a condition, found {}", entry.value.kind_name());
        file.add(Mistake::new(code::PACK_WRONG_TYPE, span, message).hint("write `when: <% succeeded() %>`"));
        return None;
    }
    condition(file, &entry.value)
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
        "retry" => {
            let message = "`do: retry` is not supported by this version of runner";
            file.add(
                Mistake::new(code::PACK_NOT_SUPPORTED, span, message).hint("name the task itself to run it again"),
            );
            return None;
        }
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
