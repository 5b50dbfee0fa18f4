//! One task: what it calls, when and how often, and what follows. Each group of keys has a room of its own.

mod call;
mod cleanup;
mod join;
mod next;
mod number;
mod poll;
mod retry;
mod with;

use runner_engine::{OnUnknown, Task, Template};
use runner_model::code;
use serde_json::json;

pub(super) use cleanup::read as cleanup;
pub(super) use number::{TIMEOUT, read as number};

use crate::call::Call;
use crate::condition;
use crate::diagnostic::{Document, Mistake};
use crate::expression::Home;
use crate::fields::{Fields, Foreign};
use crate::source::Span;
use crate::suggest;
use crate::yaml::Node;

/// What was read of a task.
#[derive(Default)]
pub(super) struct Read {
    pub(super) task: Task,
    pub(super) calls: Vec<Call>,
    /// Whether a mistake in the task's `next` hides where it leads.
    pub(super) transitions_incomplete: bool,
}

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("on-success", "write `next: [{when: '<% succeeded() %>', do: …}]`"),
        ("on-failure", "write `next: [{when: '<% failed() %>', do: …}]`"),
        ("on-error", "write `next: [{when: '<% failed() %>', do: …}]`"),
        ("on-complete", "write `next: [{do: …}]`"),
        ("publish", "`publish` belongs to an item of `next`"),
        ("do", "`do` belongs to an item of `next`"),
        ("when", "`when` belongs to an item of `next`; whether the task runs at all says `if`"),
        ("params", "write `input`"),
        ("parameters", "write `input`"),
        ("ref", "write `action`"),
        ("with-items", "write `with: x in <% ctx(\"list\") %>`"),
        ("with_items", "write `with: x in <% ctx(\"list\") %>`"),
        ("items", "write `with: {items: <% ctx(\"list\") %>}`"),
        ("concurrency", "write `with: {items: …, concurrency: …}`"),
        ("decision_expr", "write `if`"),
        ("wait-before", "write `delay`"),
        ("wait_before", "write `delay`"),
        ("depends", "name this task in the `do` of those before it"),
        ("needs", "write `join: {needs: …}`"),
    ],
};

pub(super) fn read(file: &Document<'_>, node: &Node, key_span: Span) -> Read {
    // `noop_task:` with nothing below it is a task that does nothing.
    if node.is_null() {
        return Read::default();
    }
    let Some(mut fields) = Fields::open(file, node, "the task", key_span) else {
        return Read { transitions_incomplete: true, ..Read::default() };
    };
    let mut calls = Vec::new();
    let (action, input) = called(file, &mut fields, key_span, &mut calls);
    let mut task = Task {
        action,
        input,
        condition: condition::optional(file, &mut fields, "if", "ctx(\"wanted\")", Home::Workflow),
        with: fields.get("with").and_then(|node| with::read(file, node)),
        delay: number::read(file, &mut fields, "delay", &number::DELAY),
        timeout: number::read(file, &mut fields, "timeout", &number::TIMEOUT),
        heartbeat_timeout: number::read(file, &mut fields, "heartbeat_timeout", &number::TIMEOUT),
        retry: fields.get("retry").and_then(|node| retry::read(file, node)),
        poll: fields.get("poll").and_then(|node| poll::read(file, node)),
        on_unknown: on_unknown(file, &mut fields),
        on_cancel: cleanup(file, &mut fields, "on_cancel", &mut calls),
        compensate: cleanup(file, &mut fields, "compensate", &mut calls),
        join: fields.get("join").and_then(|node| join::read(file, node)),
        next: Vec::new(),
    };
    let before = file.findings.errors_in_shape();
    task.next = fields.get("next").map(|node| next::next(file, node)).unwrap_or_default();
    let next_is_whole = file.findings.errors_in_shape() == before;
    // A key that is not known may be one that says where the task leads.
    let all_known = fields.finish(&FOREIGN);
    Read { task, calls, transitions_incomplete: !next_is_whole || !all_known }
}

/// `action` and `input`.
fn called(
    file: &Document<'_>,
    fields: &mut Fields<'_>,
    key_span: Span,
    calls: &mut Vec<Call>,
) -> (Option<Template>, Template) {
    let action = fields.get("action");
    let input = fields.get("input");
    let template = match action {
        Some(node) => call::action(file, node, input, calls),
        None if input.is_some() => {
            let message = "the task has an `input`, but no `action` to pass it to";
            file.add(Mistake::new(code::PACK_MISSING_KEY, key_span, message).hint("add `action: pack.name`"));
            None
        }
        None => None,
    };
    (template, input.map_or_else(|| Template::literal(json!({})), |node| call::input(file, node)))
}

fn on_unknown(file: &Document<'_>, fields: &mut Fields<'_>) -> OnUnknown {
    let place = fields.place_of("on_unknown");
    match fields.text("on_unknown") {
        None | Some("fail") => OnUnknown::Fail,
        Some("retry") => OnUnknown::Retry,
        Some("ask") => OnUnknown::Ask,
        Some(other) => {
            let message = format!("`on_unknown` cannot be `{other}`");
            let hint = suggest::hint(other, ["fail", "retry", "ask"], "it is one of");
            file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).maybe_hint(hint));
            OnUnknown::Fail
        }
    }
}
