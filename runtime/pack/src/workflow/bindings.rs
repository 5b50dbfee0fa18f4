//! `vars`, `publish` and `output`: names with values, in order.

use runner_engine::plan::Binding;
use runner_model::code;

use crate::diagnostic::{Document, Mistake};
use crate::expression::{Home, template};
use crate::fields::wrong_type;
use crate::source::Span;
use crate::yaml::{Entry, Kind, Node};

/// Reads a list of maps with one key each, or one map.
pub(super) fn read(file: &Document<'_>, node: &Node, key: &'static str) -> Vec<Binding> {
    match &node.kind {
        Kind::Map(entries) => entries.iter().map(|entry| binding(file, entry)).collect(),
        Kind::List(items) => {
            items.iter().filter_map(|item| one(file, item, key)).map(|entry| binding(file, entry)).collect()
        }
        _ => {
            let mistake = wrong_type(node, key, "a list of `name: value`");
            let inline = node.as_text().and_then(|text| text.split_once('='));
            file.add(mistake.maybe_hint(inline.map(|(name, value)| {
                let value = value.split_whitespace().next().unwrap_or("…");
                format!("the short form is not supported: write `{key}: [{{{}: {value}}}]`", name.trim())
            })));
            Vec::new()
        }
    }
}

fn one<'a>(file: &Document<'_>, item: &'a Node, key: &'static str) -> Option<&'a Entry> {
    match item.as_map() {
        Some([entry]) => Some(entry),
        Some([_, second, ..]) => {
            let message = format!("an item of `{key}` has one name, this has more");
            let hint = format!("begin a new item: `- {}: …`", second.key);
            file.add(Mistake::new(code::PACK_BAD_VALUE, second.key_span, message).hint(hint));
            None
        }
        Some([]) => {
            file.add(Mistake::new(code::PACK_BAD_VALUE, item.span, format!("an item of `{key}` has no name")));
            None
        }
        None => {
            let mistake = wrong_type(item, key, "a list of `name: value`");
            file.add(mistake.maybe_hint(item.as_text().map(|name| format!("write `- {name}: null`"))));
            None
        }
    }
}

fn binding(file: &Document<'_>, entry: &Entry) -> Binding {
    check_name(file, &entry.key, entry.key_span);
    Binding { name: entry.key.clone(), value: template(file, &entry.value, Home::Workflow) }
}

fn check_name(file: &Document<'_>, name: &str, span: Span) {
    // What an expression lost at a comma; the expression itself is reported.
    if name.contains("%>") {
        return;
    }
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let message = format!("`{name}` is not a variable's name: use letters, digits and `_`");
        file.add(Mistake::new(code::PACK_BAD_VALUE, span, message));
    } else if name.starts_with("__") {
        let message = format!("`{name}` is not a variable's name: two underscores at the beginning are reserved");
        file.add(Mistake::new(code::PACK_BAD_VALUE, span, message));
    }
}
