//! `action` of a rule: what it runs, and with which parameters.

use runner_engine::Template;
use runner_model::{ActionRef, code};

use crate::call::{self, Call, Caller};
use crate::diagnostic::{Document, Mistake};
use crate::expression::{self, Home};
use crate::fields::{Fields, Foreign, wrong_type};
use crate::yaml::{Entry, Kind, Node};

/// What was read of it.
pub(super) struct Called {
    pub(super) action: Option<ActionRef>,
    pub(super) call: Option<Call>,
    pub(super) parameters: Option<Template>,
}

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("input", "write `parameters`"),
        ("params", "write `parameters`"),
        ("name", "write `ref: pack.name`"),
        ("type", "write `ref: pack.name`"),
        ("action", "write `ref: pack.name`"),
    ],
};

pub(super) fn read(file: &Document<'_>, entry: &Entry) -> Option<Called> {
    let Entry { key_span, value: node, .. } = entry;
    if node.as_map().is_none() {
        let name = node.as_text().and_then(|text| text.split_whitespace().next()).unwrap_or("pack.name");
        file.add(
            wrong_type(node, "action", "a map").hint(format!("write `action: {{ref: {name}, parameters: {{}}}}`")),
        );
        return None;
    }
    let mut fields = Fields::open(file, node, "the rule's action", *key_span)?;
    let parameters = fields.get("parameters");
    let text = fields.text("ref");
    let name = fields.get("ref");
    let text = fields.require("ref", text, "pack.name").filter(|text| is_fixed(file, text, name));
    let all_known = fields.finish(&FOREIGN);
    let call = text.zip(name).and_then(|(text, node)| call::read(file, node, text, parameters, Caller::Rule));
    // What seems to be left out may only be misspelt.
    let call = if all_known { call } else { call.map(Call::with_any_input) };
    let parameters = parameters.map(|node| template(file, node));
    Some(Called { action: call.as_ref().map(|call| call.action().clone()), call, parameters })
}

fn is_fixed(file: &Document<'_>, text: &str, node: Option<&Node>) -> bool {
    let is_fixed = !text.contains("<%") && !text.contains("{{");
    if let (false, Some(node)) = (is_fixed, node) {
        let mistake = Mistake::new(code::PACK_BAD_VALUE, node.span, "a rule names the one action that it runs");
        file.add(mistake.hint("write one rule for each action, or run a workflow that chooses"));
    }
    is_fixed
}

fn template(file: &Document<'_>, node: &Node) -> Template {
    match &node.kind {
        Kind::Map(_) => {}
        Kind::Text(text, _) if text.trim_start().starts_with("<%") => {}
        _ => {
            let mistake = wrong_type(node, "parameters", "a map, or one expression that gives a map");
            file.add(mistake.hint("write `parameters: {name: value}`"));
        }
    }
    expression::template(file, node, Home::Rule)
}
