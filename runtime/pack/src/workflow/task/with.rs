//! `with`: the list that a task runs over.

use runner_engine::{Template, With};
use runner_model::code;

use super::number;
use crate::diagnostic::{Document, Mistake};
use crate::expression::{Home, is_one_expression, template, template_behind};
use crate::fields::{Fields, Foreign, wrong_type};
use crate::yaml::{Entry, Kind, Node};

const FOREIGN: Foreign =
    Foreign { later: &[], instead: &[("with", "write `items`"), ("in", "write `items: x in <% … %>`")] };

const EXAMPLE: &str = "x in <% ctx(\"list\") %>";

pub(super) fn read(file: &Document<'_>, node: &Node) -> Option<With> {
    let Kind::Map(entries) = &node.kind else {
        let (names, items) = items(file, node, "with")?;
        return Some(With { items, names, concurrency: None });
    };
    let place = entries.first().map_or(node.span, |entry: &Entry| entry.key_span);
    let mut fields = Fields::open(file, node, "`with`", place)?;
    let list = fields.get("items");
    let list = fields.require("items", list, EXAMPLE).and_then(|node| items(file, node, "items"));
    let concurrency = number::read(file, &mut fields, "concurrency", &number::CONCURRENCY);
    fields.finish(&FOREIGN);
    let (names, items) = list?;
    Some(With { items, names, concurrency })
}

/// The names of an item's members, and the list.
fn items(file: &Document<'_>, node: &Node, key: &'static str) -> Option<(Vec<String>, Template)> {
    match &node.kind {
        Kind::List(_) => Some((Vec::new(), template(file, node, Home::Workflow))),
        Kind::Text(text, _) if text.contains("<%") => named(file, node, key, text),
        _ => {
            file.add(wrong_type(node, key, "a list, or an expression that gives one").hint(example(key)));
            None
        }
    }
}

fn example(key: &str) -> String {
    format!("write `{key}: {EXAMPLE}`")
}

/// `<% … %>`, or `x, y in <% … %>`.
fn named(file: &Document<'_>, node: &Node, key: &'static str, text: &str) -> Option<(Vec<String>, Template)> {
    let at = text.find("<%").unwrap_or_default();
    let (before, expression) = text.split_at_checked(at)?;
    let names = match before.trim() {
        "" => Some(Vec::new()),
        words => words.strip_suffix("in").filter(|rest| rest.ends_with(char::is_whitespace)).and_then(split),
    };
    let errors = file.findings.errors();
    let template = template_behind(file, node, at);
    if file.findings.errors() > errors {
        return None;
    }
    let wrong = |message: &str| {
        let span = node.locate(file.source.text(), 0, text.len());
        file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).hint(example(key)));
        None
    };
    let Some(names) = names else { return wrong("before the list stand names and `in`, or nothing") };
    if !is_one_expression(expression.trim_end()) {
        return wrong("the list is one expression with nothing behind it");
    }
    let double = names.iter().enumerate().find(|(index, name)| names.iter().take(*index).any(|other| other == *name));
    if let Some((_, name)) = double {
        return wrong(&format!("the name `{name}` stands twice"));
    }
    Some((names, template))
}

/// Names with commas between them.
fn split(text: &str) -> Option<Vec<String>> {
    let legal = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    text.split(',').map(str::trim).map(|name| legal(name).then(|| name.to_owned())).collect()
}
