//! `core.webhook`: a delivery over HTTP.

use std::time::Duration;

use runner_model::{code, limits};

use super::Trigger;
use super::reply::{self, Reply};
use super::signature::{self, WebhookAuth};
use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, wrong_type};
use crate::source::Span;
use crate::suggest;
use crate::time::{self, Range};
use crate::yaml::Kind;

/// What a webhook answers to, and how.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its path below `/api/v1/webhooks/`, without a slash at either end.
    pub path: String,
    /// In capitals.
    pub methods: Vec<String>,
    /// Who may deliver.
    pub auth: WebhookAuth,
    /// How far the time of a signed delivery may be from now.
    pub replay_window: Duration,
    /// The header whose value makes two deliveries the same; none is the signature scheme's own, if it has one.
    pub delivery_header: Option<String>,
    /// A delivery's body, in bytes, at the most.
    pub body_bytes_max: usize,
    /// What the sender is answered.
    pub reply: Reply,
}

impl Webhook {
    /// Whether both, at the same path, behave the same.
    pub(crate) fn behaves_as(&self, other: &Self) -> bool {
        let settings = |hook: &Self| {
            let mut methods = hook.methods.clone();
            methods.sort();
            (methods, hook.auth.clone(), hook.replay_window, hook.delivery_header.clone(), hook.body_bytes_max)
        };
        settings(self) == settings(other) && self.reply.is_the_same_as(&other.reply)
    }
}

const METHODS: [&str; 5] = ["POST", "PUT", "PATCH", "DELETE", "GET"];

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("url", "write `path`"),
        ("method", "write `methods: [POST]`"),
        ("secret", "write `signature: {scheme: github, secret: my_secret}`"),
        ("scheme", "write `signature: {scheme: github, secret: my_secret}`"),
        ("response", "write `reply`"),
        ("wait", "write `reply: {wait: 30}`"),
        ("tolerance", "write `replay_window`"),
        ("timeout", "write `reply: {wait: 30}`"),
    ],
};

const REPLAY_WINDOW: Range =
    Range { min: Duration::from_secs(1), max: limits::WEBHOOK_REPLAY_WINDOW_MAX, example: "300" };

/// Reads the parameters.
pub(super) fn read(file: &Document<'_>, mut fields: Fields<'_>) -> Option<Trigger> {
    let place = fields.place_of("path");
    let path = fields.text("path");
    let path = fields.require("path", path, "github").and_then(|path| checked_path(file, path, place, "path"));
    let methods = methods(file, &mut fields);
    let auth = signature::auth(file, &mut fields);
    let replay_window = time::read(file, &mut fields, "replay_window", &REPLAY_WINDOW);
    let delivery_header =
        fields.get("delivery_header").and_then(|node| signature::header(file, node, "delivery_header"));
    let body_bytes_max = body_max(file, &mut fields);
    let reply = fields.entry("reply").filter(|entry| !entry.value.is_null()).and_then(|entry| reply::read(file, entry));
    fields.finish(&FOREIGN);
    Some(Trigger::Webhook(Webhook {
        path: path?,
        methods,
        auth,
        replay_window: replay_window.unwrap_or(limits::WEBHOOK_REPLAY_WINDOW),
        delivery_header,
        body_bytes_max: body_bytes_max.unwrap_or(limits::WEBHOOK_BODY_BYTES),
        reply: reply.unwrap_or(Reply::Accepted),
    }))
}

const ST2_FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("path", "write `type: core.webhook`, which has a `path`; here it is `url`"),
        ("methods", "write `type: core.webhook` and `path`"),
        ("auth", "write `type: core.webhook` and `path`"),
        ("signature", "write `type: core.webhook` and `path`"),
        ("reply", "write `type: core.webhook` and `path`"),
    ],
};

/// Reads the parameters of `core.st2.webhook`.
pub(super) fn read_st2(file: &Document<'_>, mut fields: Fields<'_>) -> Option<Trigger> {
    let place = fields.place_of("url");
    let url = fields.text("url");
    let path = fields.require("url", url, "my_hook").and_then(|url| checked_path(file, url, place, "url"));
    fields.finish(&ST2_FOREIGN);
    Some(Trigger::Webhook(Webhook {
        path: path?,
        methods: vec!["POST".to_owned()],
        auth: WebhookAuth::Key,
        replay_window: limits::WEBHOOK_REPLAY_WINDOW,
        delivery_header: None,
        body_bytes_max: limits::WEBHOOK_BODY_BYTES,
        reply: Reply::Accepted,
    }))
}

fn checked_path(file: &Document<'_>, written: &str, place: Span, key: &str) -> Option<String> {
    let path = written.trim_matches('/');
    let legal = |part: &str| {
        !matches!(part, "" | "." | "..") && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-.~".contains(c))
    };
    let length = path.chars().count();
    if length > limits::WEBHOOK_PATH_CHARS_MAX {
        let message =
            format!("`{key}` is {length} characters long, at most {} are allowed", limits::WEBHOOK_PATH_CHARS_MAX);
        file.add(Mistake::new(code::PACK_LIMIT, place, message));
        return None;
    }
    if path.split('/').all(legal) {
        return Some(path.to_owned());
    }
    let message = format!(
        "`{written}` is not the path of a webhook: use letters, digits, `_`, `-`, `.`, `~`, and `/` between them"
    );
    let hint = match path.split_once("://") {
        Some(_) => "write only what follows `/api/v1/webhooks/`",
        None => "write, for example, `github` or `storage/alerts`",
    };
    file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).hint(hint));
    None
}

fn methods(file: &Document<'_>, fields: &mut Fields<'_>) -> Vec<String> {
    let mut methods = Vec::new();
    for (word, span) in fields.texts("methods") {
        if !METHODS.contains(&word) {
            let upper = word.to_ascii_uppercase();
            let hint = suggest::hint(&upper, METHODS, "methods are");
            let hint = if METHODS.contains(&upper.as_str()) { Some(format!("write `{upper}`")) } else { hint };
            let message = format!("a webhook has no method `{word}`");
            file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).maybe_hint(hint));
        } else if !methods.iter().any(|method| method == word) {
            methods.push(word.to_owned());
        }
    }
    if methods.is_empty() {
        methods.push("POST".to_owned());
    }
    methods
}

fn body_max(file: &Document<'_>, fields: &mut Fields<'_>) -> Option<usize> {
    let node = fields.get("body_max")?;
    let Kind::Number(number) = &node.kind else {
        let mistake = wrong_type(node, "body_max", "a number of bytes");
        file.add(mistake.hint(format!("write `body_max: {}`", limits::WEBHOOK_BODY_BYTES)));
        return None;
    };
    let bytes = number.as_u64().and_then(|bytes| usize::try_from(bytes).ok());
    let bytes = bytes.filter(|bytes| (1..=limits::WEBHOOK_BODY_BYTES_MAX).contains(bytes));
    if bytes.is_none() {
        let message = format!("`body_max` must be from 1 to {} bytes, found {number}", limits::WEBHOOK_BODY_BYTES_MAX);
        let hint = format!("write `body_max: {}`", limits::WEBHOOK_BODY_BYTES);
        file.add(Mistake::new(code::PACK_BAD_VALUE, node.span, message).hint(hint));
    }
    bytes
}
