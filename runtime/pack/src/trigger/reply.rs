//! What the sender of a delivery is answered: `reply`.

use std::time::Duration;

use runner_engine::Template;
use runner_model::{code, limits};
use serde_json::Value;

use super::signature::is_header;
use crate::diagnostic::{Document, Mistake};
use crate::expression::{self, Home};
use crate::fields::{Fields, Foreign, text, wrong_type};
use crate::time::{self, Range};
use crate::yaml::{Entry, Kind, Node};

/// What the sender is answered, after the delivery was recorded.
#[derive(Debug, Clone)]
pub enum Reply {
    /// 202, and what came of the delivery.
    Accepted,
    /// The rule's own answer.
    Custom {
        /// The status, from 200 to 599.
        status: u16,
        /// Names and values.
        headers: Vec<(String, String)>,
        /// The body, over `event()`: a text is sent as it is, null is no body, anything else is sent as JSON.
        body: Template,
    },
    /// The result of the first execution that comes of it.
    Wait {
        /// How long it is waited for.
        timeout: Duration,
    },
}

impl Reply {
    pub(super) fn is_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Accepted, Self::Accepted) => true,
            (Self::Wait { timeout }, Self::Wait { timeout: other }) => timeout == other,
            (Self::Custom { status, headers, body }, Self::Custom { status: code, headers: others, body: text }) => {
                // What a template shows of itself is all of its texts and sources.
                (status, headers) == (code, others) && format!("{body:?}") == format!("{text:?}")
            }
            _ => false,
        }
    }
}

const WAIT: Range = Range { min: Duration::from_millis(1), max: limits::WEBHOOK_WAIT_MAX, example: "30" };

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("timeout", "write `reply: {wait: 30}`"),
        ("code", "write `status`"),
        ("content_type", "write `headers: {Content-Type: text/plain}`"),
    ],
};

/// Headers that say how a message is sent, and are set by whoever sends it; or that must not be a pack's to set.
const NOT_OURS: [&str; 8] =
    ["connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive", "set-cookie"];

pub(super) fn read(file: &Document<'_>, entry: &Entry) -> Option<Reply> {
    let Entry { key_span, value: node, .. } = entry;
    if node.as_map().is_none() {
        return word(file, node);
    }
    let mut fields = Fields::open(file, node, "the reply", *key_span)?;
    let waits = fields.entry("wait").map(|entry| entry.key_span);
    let custom = ["status", "headers", "body"].map(|key| fields.entry(key).map(|entry| entry.key_span));
    let custom = custom.into_iter().flatten().next();
    if let (Some(_), Some(span)) = (waits, custom) {
        let message = "a reply is either one of its own or the result that is waited for";
        file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).hint("remove `wait`, or everything but `wait`"));
    }
    let reply = if waits.is_some() {
        let timeout = time::read(file, &mut fields, "wait", &WAIT);
        Some(Reply::Wait { timeout: timeout.unwrap_or(limits::WEBHOOK_WAIT) })
    } else {
        custom_reply(file, &mut fields)
    };
    fields.finish(&FOREIGN);
    reply
}

/// `reply: wait`, `reply: accepted`.
fn word(file: &Document<'_>, node: &Node) -> Option<Reply> {
    match node.as_text() {
        Some("accepted") => Some(Reply::Accepted),
        Some("wait") => Some(Reply::Wait { timeout: limits::WEBHOOK_WAIT }),
        _ => {
            let mistake = wrong_type(node, "reply", "`accepted`, `wait` or a map");
            file.add(mistake.hint("write `reply: {wait: 30}` or `reply: {status: 200, body: ok}`"));
            None
        }
    }
}

fn custom_reply(file: &Document<'_>, fields: &mut Fields<'_>) -> Option<Reply> {
    let status = status(file, fields);
    let headers = fields.get("headers").map(|node| headers(file, node)).unwrap_or_default();
    let body = fields.get("body");
    if let (Some(status @ (204 | 205 | 304)), Some(node)) = (status, body) {
        let message = format!("an answer with the status {status} has no body");
        let span = expression::place(node, fields.place_of("status"));
        file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).hint("remove `body`, or write `status: 200`"));
    }
    let body = body.map(|node| expression::template(file, node, Home::Rule));
    Some(Reply::Custom {
        status: status.unwrap_or(200),
        headers,
        body: body.unwrap_or_else(|| Template::literal(Value::Null)),
    })
}

fn status(file: &Document<'_>, fields: &mut Fields<'_>) -> Option<u16> {
    let node = fields.get("status")?;
    let Kind::Number(number) = &node.kind else {
        file.add(wrong_type(node, "status", "a number").hint("write `status: 200`"));
        return None;
    };
    let status = number.as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.filter(|status| (200..=599).contains(status));
    if status.is_none() {
        let message = format!("`status` must be from 200 to 599, found {number}");
        file.add(Mistake::new(code::PACK_BAD_VALUE, node.span, message).hint("write `status: 200`"));
    }
    status
}

fn headers(file: &Document<'_>, node: &Node) -> Vec<(String, String)> {
    let Some(entries) = node.as_map() else {
        let mistake = wrong_type(node, "headers", "a map from names to values");
        file.add(mistake.hint("write `headers: {Content-Type: text/plain}`"));
        return Vec::new();
    };
    if entries.len() > limits::WEBHOOK_REPLY_HEADERS_MAX {
        let message = format!("a reply has at most {} headers", limits::WEBHOOK_REPLY_HEADERS_MAX);
        file.add(Mistake::new(code::PACK_LIMIT, node.span, message));
    }
    entries.iter().filter_map(|entry| header(file, entry)).collect()
}

fn header(file: &Document<'_>, entry: &Entry) -> Option<(String, String)> {
    let Entry { key, key_span, value } = entry;
    let bad = |span, message: String, hint: Option<&str>| {
        file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).maybe_hint(hint.map(str::to_owned)));
        None
    };
    if !is_header(key) {
        return bad(
            *key_span,
            format!("`{key}` is not the name of a header"),
            Some("write, for example, `Content-Type`"),
        );
    }
    if NOT_OURS.contains(&key.to_ascii_lowercase().as_str()) {
        return bad(*key_span, format!("a reply cannot set the header `{key}`"), Some("remove it"));
    }
    let text = text(file, value, key)?;
    if text.contains("<%") {
        return bad(value.span, "expressions are not evaluated in a header".to_owned(), Some("put it into `body`"));
    }
    if !text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        let message = format!("the value of `{key}` has a character that no header can hold");
        return bad(value.span, message, Some("use letters, digits and signs of ASCII, in one line"));
    }
    Some((key.clone(), text.to_owned()))
}
