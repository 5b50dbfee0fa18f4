//! `retry`: when and how often a step is tried again.

use runner_engine::Retry;
use runner_model::code;

use super::number;
use crate::condition;
use crate::diagnostic::{Document, Mistake};
use crate::expression::Home;
use crate::fields::{Fields, Foreign, wrong_type};
use crate::yaml::{Entry, Kind, Node};

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("max_attempts", "write `count`: the tries after the first"),
        ("maximum_attempts", "write `count`: the tries after the first"),
        ("attempts", "write `count`: the tries after the first"),
        ("times", "write `count`"),
        ("interval", "write `delay`"),
        ("initial_interval", "write `delay`"),
        ("backoff_coefficient", "write `backoff`"),
        ("maximum_interval", "write `max_delay`"),
        ("max_interval", "write `max_delay`"),
        ("non_retryable", "write `unless: [code]`"),
    ],
};

pub(super) fn read(file: &Document<'_>, node: &Node) -> Option<Retry> {
    if node.as_map().is_none() {
        let mistake = wrong_type(node, "retry", "a map");
        let count = match &node.kind {
            Kind::Number(number) => number.to_string(),
            _ => "3".to_owned(),
        };
        file.add(mistake.hint(format!("write `retry: {{count: {count}}}`")));
        return None;
    }
    let place = node.as_map().and_then(<[Entry]>::first).map_or(node.span, |entry| entry.key_span);
    let mut fields = Fields::open(file, node, "`retry`", place)?;
    let is_bounded = fields.get("count").or_else(|| fields.get("until")).is_some();
    let retry = Retry {
        count: number::read(file, &mut fields, "count", &number::COUNT),
        when: condition::optional(file, &mut fields, "when", "failed()", Home::Workflow),
        unless: unless(file, &mut fields),
        delay: number::read(file, &mut fields, "delay", &number::DELAY),
        backoff: number::read(file, &mut fields, "backoff", &number::BACKOFF),
        max_delay: number::read(file, &mut fields, "max_delay", &number::DELAY),
        jitter: number::read(file, &mut fields, "jitter", &number::JITTER),
        until: number::read(file, &mut fields, "until", &number::TIMEOUT),
    };
    let all_known = fields.finish(&FOREIGN);
    // What seems to be left out may only be misspelt.
    if !is_bounded && all_known {
        let message = "`retry` has neither a `count` nor an `until`: it would go on for ever";
        file.add(Mistake::new(code::PACK_MISSING_KEY, place, message).hint("add `count: 3`"));
    }
    Some(retry)
}

/// Codes of failures: words, not expressions.
fn unless(file: &Document<'_>, fields: &mut Fields<'_>) -> Vec<String> {
    let mut codes = Vec::new();
    for (text, span) in fields.texts("unless") {
        if text.contains("<%") || text.trim().is_empty() {
            let message = "`unless` holds codes of failures, not conditions";
            let hint = "write `unless: [not-found]`; a condition belongs into `when`";
            file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).hint(hint));
        } else {
            codes.push(text.to_owned());
        }
    }
    codes
}
