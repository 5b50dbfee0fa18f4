//! `action` and `input`, of a task or of what cleans up after it.

use runner_engine::Template;
use serde_json::json;

use crate::call::{self, Call};
use crate::diagnostic::Document;
use crate::expression::{Home, template};
use crate::fields::wrong_type;
use crate::yaml::{Kind, Node};

/// The action; a literal name is a call that is checked when all packs are known.
pub(super) fn action(
    file: &Document<'_>,
    node: &Node,
    input: Option<&Node>,
    calls: &mut Vec<Call>,
) -> Option<Template> {
    let Some(text) = node.as_text() else {
        let mistake = wrong_type(node, "action", "the name of an action, such as `core.echo`");
        file.add(mistake.hint("write `action: pack.name`"));
        return None;
    };
    if text.contains("<%") {
        return Some(template(file, node, Home::Workflow));
    }
    calls.extend(call::read(file, node, text, input, call::Caller::Task));
    Some(Template::literal(text.into()))
}

pub(super) fn input(file: &Document<'_>, node: &Node) -> Template {
    match &node.kind {
        Kind::Map(_) => template(file, node, Home::Workflow),
        Kind::Text(text, _) if text.trim_start().starts_with("<%") => template(file, node, Home::Workflow),
        _ => {
            let mistake = wrong_type(node, "input", "a map, or one expression that gives a map");
            file.add(mistake.hint("write `input: {name: value}`"));
            Template::literal(json!({}))
        }
    }
}
