//! What comes from outside while a rehearsal runs: events, answers, the time.

use runner_model::{ItemIndex, Timestamp, code};
use serde_json::Value;

use super::case::task_id;
use super::value::{items, seconds, whole};
use super::{MockAnswer, MockEvent};
use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign};
use crate::yaml::{Entry, Node};

pub(super) fn events(file: &Document<'_>, node: &Node) -> Vec<MockEvent> {
    items(file, node, "events", "{key: …, payload: …}").filter_map(|item| event(file, item)).collect()
}

fn event(file: &Document<'_>, node: &Node) -> Option<MockEvent> {
    let mut fields = open(file, node, "the event")?;
    let key = fields.text("key");
    let key = fields.require("key", key, "what_the_step_waits_for");
    let payload = fields.get("payload").map_or(Value::Null, Node::to_value);
    let after = seconds(file, &mut fields, "after");
    fields.finish(&Foreign::NONE);
    Some(MockEvent { key: key?.to_owned(), payload, after })
}

pub(super) fn answers(file: &Document<'_>, node: &Node) -> Vec<MockAnswer> {
    items(file, node, "answers", "{task_id: …, answer: …}").filter_map(|item| answer(file, item)).collect()
}

fn answer(file: &Document<'_>, node: &Node) -> Option<MockAnswer> {
    let mut fields = open(file, node, "the answer")?;
    let task = task_id(file, &mut fields);
    let item = whole(file, &mut fields, "item_id").map(ItemIndex);
    let answer = fields.get("answer").map(Node::to_value);
    let answer = fields.require("answer", answer, "{approved: true}");
    let by = fields.text("by").map(str::to_owned);
    let after = seconds(file, &mut fields, "after");
    fields.finish(&Foreign { later: &[], instead: &[("response", "write `answer`"), ("result", "write `answer`")] });
    Some(MockAnswer { task: task?, item, answer: answer?, by, after })
}

/// The time at which the rehearsal begins: `{start: …}`, or the moment alone.
pub(super) fn clock(file: &Document<'_>, node: &Node) -> Option<Timestamp> {
    let (text, place) = match node.as_text() {
        // The moment alone says as much.
        Some(text) => (Some(text), node.span),
        None => {
            let mut fields = open(file, node, "the clock")?;
            let place = fields.place_of("start");
            let text = fields.text("start");
            let text = fields.require("start", text, "2026-01-01T00:00:00Z");
            fields.finish(&Foreign::NONE);
            (text, place)
        }
    };
    let wrong = |_| {
        let mistake = Mistake::new(code::PACK_BAD_VALUE, place, "this is not a moment in RFC 3339");
        file.add(mistake.hint("write `clock: {start: 2026-01-01T00:00:00Z}`"));
    };
    text?.parse().map_err(wrong).ok()
}

fn open<'a>(file: &'a Document<'a>, node: &'a Node, what: &'static str) -> Option<Fields<'a>> {
    let place = node.as_map().and_then(<[Entry]>::first).map_or(node.span, |entry| entry.key_span);
    Fields::open(file, node, what, place)
}
