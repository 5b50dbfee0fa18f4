//! `join`: how a task with several inbound transitions waits for them.

use runner_engine::Join;
use runner_model::code;
use serde_json::Number;

use crate::diagnostic::{Document, Mistake};
use crate::expression::{Home, condition};
use crate::fields::{Fields, Foreign, wrong_type};
use crate::yaml::{Entry, Kind, Node};

/// `all`, a number, or `{needs: …}`.
pub(super) fn read(file: &Document<'_>, node: &Node) -> Option<Join> {
    match &node.kind {
        Kind::Map(entries) => {
            let place = entries.first().map_or(node.span, |entry: &Entry| entry.key_span);
            let mut fields = Fields::open(file, node, "`join`", place)?;
            let needs = fields.get("needs");
            let needs = fields.require("needs", needs, "all").and_then(|node| self::needs(file, node));
            fields.finish(&Foreign { later: &[], instead: &[("when", "write `needs`"), ("count", "write `needs`")] });
            needs
        }
        Kind::Text(text, _) if text.contains("<%") => {
            let mistake =
                Mistake::new(code::PACK_WRONG_TYPE, node.span, "`join` must be `all` or a whole number from 1");
            file.add(mistake.hint(format!("write `join: {{needs: '{text}'}}`")));
            None
        }
        _ => plain(file, node, "join"),
    }
}

fn needs(file: &Document<'_>, node: &Node) -> Option<Join> {
    match &node.kind {
        Kind::Text(text, _) if text.contains("<%") => condition(file, node, Home::Workflow).map(Join::When),
        Kind::Text(..) | Kind::Number(_) => plain(file, node, "needs"),
        _ => {
            let mistake = wrong_type(node, "needs", "`all`, a whole number from 1, or a condition");
            file.add(mistake.hint("write `join: {needs: '<% succeeded(\"b\") || succeeded(\"c\") %>'}`"));
            None
        }
    }
}

fn plain(file: &Document<'_>, node: &Node, key: &str) -> Option<Join> {
    let count = |number: &Number| number.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let join = match &node.kind {
        Kind::Text(text, _) if text == "all" => Some(Join::All),
        Kind::Number(number) => count(number).map(Join::Count),
        _ => None,
    };
    if join.is_none() {
        file.add(wrong_type(node, key, "`all` or a whole number from 1").hint(format!("write `{key}: all`")));
    }
    join
}
