//! `deduplicate` of a rule: what makes two events the same for it.

use std::time::Duration;

use runner_engine::rule::OncePlan;
use runner_model::limits;

use crate::diagnostic::Document;
use crate::expression::{self, Home};
use crate::fields::{Fields, Foreign, wrong_type};
use crate::time::{self, Range};
use crate::yaml::Entry;

const WINDOW: Range = Range { min: Duration::from_secs(1), max: limits::RULE_ONCE_WINDOW_MAX, example: "1h" };

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[("ttl", "write `window`"), ("seconds", "write `window`"), ("on", "write `key`"), ("by", "write `key`")],
};

pub(super) fn read(file: &Document<'_>, entry: &Entry) -> Option<OncePlan> {
    let Entry { key_span, value: node, .. } = entry;
    if node.as_map().is_none() {
        let written = node.as_text().filter(|text| text.contains("<%")).unwrap_or("<% event().body.id %>");
        let mistake = wrong_type(node, "deduplicate", "a map");
        file.add(mistake.hint(format!("write `deduplicate: {{key: '{written}', window: 3600}}`")));
        return None;
    }
    let mut fields = Fields::open(file, node, "`deduplicate`", *key_span)?;
    let key = fields.get("key");
    let template = key.map(|node| expression::template(file, node, Home::Rule));
    if let Some(node) = key.filter(|node| node.is_collection()) {
        let mistake = wrong_type(node, "key", "a text or an expression");
        file.add(mistake.hint("join what counts: `key: <% event().body.id + \"/\" + event().body.state %>`"));
    }
    let template = fields.require("key", template, "<% event().body.id %>");
    let window = time::read(file, &mut fields, "window", &WINDOW).unwrap_or(limits::RULE_ONCE_WINDOW);
    fields.finish(&FOREIGN);
    let window_ms = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
    Some(OncePlan { key: template?, window_ms })
}
