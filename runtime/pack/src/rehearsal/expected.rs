//! `expected_…`: what is to come of a phase.

use std::collections::BTreeMap;

use runner_model::{ConnectionName, Status, code};
use serde_json::{Map, Value};

use super::value::{items, map};
use super::{Expected, ExpectedRequest};
use crate::Category;
use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, text, wrong_type};
use crate::suggest;
use crate::yaml::{Entry, Node};

pub(super) fn read(file: &Document<'_>, fields: &mut Fields<'_>) -> Expected {
    Expected {
        status: status(file, fields),
        sequence: names(file, fields, "expected_task_sequence"),
        output: fields.get("expected_output").and_then(|node| map(file, node, "expected_output")).map(Value::Object),
        errors: fields.get("expected_errors").map(|node| maps(file, node, "expected_errors")),
        term_tasks: names(file, fields, "expected_term_tasks"),
        routes: fields.get("expected_routes").map(|node| routes(file, node)),
        requests: fields.get("expected_requests").map(|node| requests(file, node)),
    }
}

fn status(file: &Document<'_>, fields: &mut Fields<'_>) -> Status {
    let place = fields.place_of("expected_workflow_status");
    let Some(word) = fields.text("expected_workflow_status") else { return Status::Succeeded };
    Status::from_word(word).unwrap_or_else(|| {
        let message = format!("there is no status `{word}`");
        let hint = suggest::hint(word, Status::ALL.map(Status::as_str), "statuses are");
        file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).maybe_hint(hint));
        Status::Succeeded
    })
}

fn names(file: &Document<'_>, fields: &mut Fields<'_>, key: &'static str) -> Option<Vec<String>> {
    fields.get(key).map(|node| texts(file, node, key))
}

fn texts(file: &Document<'_>, node: &Node, key: &str) -> Vec<String> {
    let names = items(file, node, key, "first, second");
    names.filter_map(|item| text(file, item, key)).map(str::to_owned).collect()
}

fn maps(file: &Document<'_>, node: &Node, key: &str) -> Vec<Map<String, Value>> {
    items(file, node, key, "{message: …}").filter_map(|item| map(file, item, key)).collect()
}

fn routes(file: &Document<'_>, node: &Node) -> Vec<Vec<String>> {
    let routes = items(file, node, "expected_routes", "[], [first__t0]");
    routes.map(|route| texts(file, route, "a route of expected_routes")).collect()
}

fn requests(file: &Document<'_>, node: &Node) -> Vec<ExpectedRequest> {
    let requests = items(file, node, "expected_requests", "{method: GET, path: /api}");
    requests.filter_map(|item| request(file, item)).collect()
}

fn request(file: &Document<'_>, node: &Node) -> Option<ExpectedRequest> {
    let place = node.as_map().and_then(<[Entry]>::first).map_or(node.span, |entry| entry.key_span);
    let mut fields = Fields::open(file, node, "the request", place)?;
    let method = fields.text("method");
    let method = fields.require("method", method, "GET");
    let path = fields.text("path");
    let path = fields.require("path", path, "/api");
    let connection_place = fields.place_of("connection");
    let connection = fields.text("connection").and_then(|name| {
        let wrong = |error: runner_model::NameError| {
            file.add(Mistake::new(code::PACK_BAD_VALUE, connection_place, error.to_string()));
        };
        ConnectionName::new(name).map_err(wrong).ok()
    });
    let body = fields.get("body").map(Node::to_value);
    fields.finish(&Foreign::NONE);
    Some(ExpectedRequest { method: method?.to_ascii_uppercase(), path: path?.to_owned(), connection, body })
}

/// `expected_inspection_errors`: for each category, the fields of each mistake that are compared.
pub(super) fn inspection(file: &Document<'_>, fields: &mut Fields<'_>) -> BTreeMap<Category, Vec<Map<String, Value>>> {
    const KEY: &str = "expected_inspection_errors";
    let mut expected = BTreeMap::new();
    let Some(node) = fields.get(KEY) else { return expected };
    let Some(entries) = node.as_map() else {
        file.add(wrong_type(node, KEY, "a map").hint(format!("write `{KEY}: {{semantics: [{{message: …}}]}}`")));
        return expected;
    };
    for Entry { key, key_span, value } in entries {
        let Some(category) = Category::ALL.into_iter().find(|category| category.as_str() == key) else {
            let message = format!("there is no category `{key}` of mistakes");
            let hint = suggest::hint(key, Category::ALL.map(Category::as_str), "categories are");
            file.add(Mistake::new(code::PACK_UNKNOWN_KEY, *key_span, message).maybe_hint(hint));
            continue;
        };
        expected.insert(category, maps(file, value, KEY));
    }
    expected
}
