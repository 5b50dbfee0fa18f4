//! `poll`: until when a step that succeeds is repeated.

use runner_engine::{Poll, Template};

use super::number;
use crate::condition;
use crate::diagnostic::Document;
use crate::expression::Home;
use crate::fields::{Fields, Foreign, wrong_type};
use crate::yaml::{Entry, Node};

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("when", "write `until`: the condition that ends it"),
        ("delay", "write `interval`"),
        ("max_delay", "write `max_interval`"),
        ("fail", "write `fail_when`"),
        ("count", "how long it goes on says `timeout`, in seconds"),
    ],
};

pub(super) fn read(file: &Document<'_>, node: &Node) -> Option<Poll> {
    if node.as_map().is_none() {
        let hint = "write `poll: {until: '<% result().state == \"done\" %>', interval: 10}`";
        file.add(wrong_type(node, "poll", "a map").hint(hint));
        return None;
    }
    let place = node.as_map().and_then(<[Entry]>::first).map_or(node.span, |entry| entry.key_span);
    let mut fields = Fields::open(file, node, "`poll`", place)?;
    let until = condition::optional(file, &mut fields, "until", "result().state == \"done\"", Home::Workflow);
    let until = fields.require("until", until, "<% result().state == \"done\" %>");
    let interval = number::read(file, &mut fields, "interval", &number::DELAY);
    let interval = fields.require("interval", interval, "10");
    let fail_when = condition::optional(file, &mut fields, "fail_when", "result().state == \"error\"", Home::Workflow);
    let mut optional = |key, range| -> Option<Template> { number::read(file, &mut fields, key, range) };
    let backoff = optional("backoff", &number::BACKOFF);
    let max_interval = optional("max_interval", &number::DELAY);
    let timeout = optional("timeout", &number::TIMEOUT);
    fields.finish(&FOREIGN);
    Some(Poll { until: until?, fail_when, interval: interval?, backoff, max_interval, timeout })
}
