//! `on_cancel` and `compensate`: an action that is called to clean up or to undo.

use runner_engine::{Cleanup, Template};
use serde_json::json;

use super::{call, number, retry};
use crate::call::Call;
use crate::diagnostic::Document;
use crate::fields::{Fields, Foreign, wrong_type};
use crate::yaml::Entry;

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("next", "nothing follows it: let the action do the whole"),
        ("publish", "nothing follows it that could read a variable"),
        ("do", "name an action, not a task: `action: pack.name`"),
        ("with", "it is called once for each item of its task; `item()` is that item"),
        ("params", "write `input`"),
        ("parameters", "write `input`"),
    ],
};

pub(in crate::workflow) fn read(
    file: &Document<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
    calls: &mut Vec<Call>,
) -> Option<Cleanup> {
    let entry = fields.entry(key).filter(|entry| !entry.value.is_null())?;
    let node = &entry.value;
    if node.as_map().is_none() {
        let action = node.as_text().unwrap_or("pack.name");
        file.add(wrong_type(node, key, "a map").hint(format!("write `{key}: {{action: {action}}}`")));
        return None;
    }
    let place = node.as_map().and_then(<[Entry]>::first).map_or(entry.key_span, |first| first.key_span);
    let mut fields = Fields::open(file, node, "the clean-up", place)?;
    let (action, input) = (fields.get("action"), fields.get("input"));
    let action = fields.require("action", action, "pack.name");
    let action = action.and_then(|node| call::action(file, node, input, calls));
    let input = input.map_or_else(|| Template::literal(json!({})), |node| call::input(file, node));
    let retry = fields.get("retry").and_then(|node| retry::read(file, node));
    let timeout = number::read(file, &mut fields, "timeout", &number::TIMEOUT);
    fields.finish(&FOREIGN);
    Some(Cleanup { action: action?, input, retry, timeout })
}
