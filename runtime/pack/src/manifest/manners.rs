//! How a kind of connection wants to be talked to: `concurrency`, `headers`, `retry` and `test` below a kind.
//!
//! What is possible stands in the model. Each value is checked by itself, so that each mistake points at its own line.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use runner_model::limits::RETRY_WAIT_LONGEST;
use runner_model::{BodyRule, Manners, RetryManners, TestManners, code};

use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, text, wrong_type};
use crate::source::Span;
use crate::time::{self, Range};
use crate::yaml::{Kind, Node};

/// What a wait can be.
const WAIT: Range = Range { min: Duration::from_millis(1), max: RETRY_WAIT_LONGEST, example: "0.5" };

pub(super) fn read(file: &Document<'_>, fields: &mut Fields<'_>) -> Manners {
    let concurrency = count(file, fields, "concurrency", 20);
    let place = fields.place_of("concurrency");
    refuse(file, place, &Manners { concurrency, ..Manners::default() });
    Manners { concurrency, headers: headers(file, fields), retry: retry(file, fields), test: test(file, fields) }
}

/// Reports what cannot be meant.
fn refuse(file: &Document<'_>, place: Span, manners: &Manners) {
    for mistake in manners.mistakes() {
        file.add(Mistake::new(code::PACK_BAD_VALUE, place, mistake));
    }
}

/// A whole number.
fn count(file: &Document<'_>, fields: &mut Fields<'_>, key: &'static str, example: u32) -> Option<u32> {
    let node = fields.get(key)?;
    let number = match &node.kind {
        Kind::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        _ => None,
    };
    if number.is_none() {
        file.add(wrong_type(node, key, "a whole number from 1").hint(format!("write `{key}: {example}`")));
    }
    number
}

fn headers(file: &Document<'_>, fields: &mut Fields<'_>) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    let Some(node) = fields.get("headers") else { return headers };
    let Some(entries) = node.as_map() else {
        let hint = "write `headers: {x-name: \"value\"}`";
        file.add(wrong_type(node, "headers", "a map from names to values").hint(hint));
        return headers;
    };
    for entry in entries {
        let Some(value) = text(file, &entry.value, &entry.key) else { continue };
        let one = BTreeMap::from([(entry.key.clone(), value.to_owned())]);
        refuse(file, entry.key_span, &Manners { headers: one, ..Manners::default() });
        headers.insert(entry.key.clone(), value.to_owned());
    }
    headers
}

fn test(file: &Document<'_>, fields: &mut Fields<'_>) -> Option<TestManners> {
    let entry = fields.entry("test").filter(|entry| !entry.value.is_null())?;
    let mut fields = Fields::open(file, &entry.value, "`test`", entry.key_span)?;
    let place = fields.place_of("path");
    let path = fields.text("path");
    let path = fields.require("path", path, "/api/cluster").map(str::to_owned);
    fields.finish(&Foreign { later: &[], instead: &[("method", "remove it: a test is a GET")] });
    let test = path.map(|path| TestManners { path });
    refuse(file, place, &Manners { test: test.clone(), ..Manners::default() });
    test
}

fn retry(file: &Document<'_>, fields: &mut Fields<'_>) -> RetryManners {
    let none = RetryManners::default();
    let Some(entry) = fields.entry("retry").filter(|entry| !entry.value.is_null()) else { return none };
    let Some(mut fields) = Fields::open(file, &entry.value, "`retry`", entry.key_span) else { return none };
    let tries = count(file, &mut fields, "tries", 5);
    refuse_retry(file, fields.place_of("tries"), RetryManners { tries, ..none });
    let retry = RetryManners {
        tries,
        statuses: fields.get("statuses").map(|node| statuses(file, node)),
        body: fields.get("body").map(|node| rules(file, node)),
        wait: time::read(file, &mut fields, "wait", &WAIT),
        wait_max: time::read(file, &mut fields, "wait_max", &WAIT),
    };
    fields.finish(&Foreign {
        later: &["methods"],
        instead: &[
            ("count", "write `tries`, the first one included"),
            ("delay", "write `wait`"),
            ("max_delay", "write `wait_max`"),
            ("backoff", "remove it: each wait is twice as long as the one before"),
            ("jitter", "remove it: waits always vary"),
            ("status", "write `statuses: [429, 503]`"),
            ("codes", "write `body: {pointer: /error/code, codes: […]}`"),
        ],
    });
    retry
}

fn refuse_retry(file: &Document<'_>, place: Span, retry: RetryManners) {
    refuse(file, place, &Manners { retry, ..Manners::default() });
}

fn items(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

fn statuses(file: &Document<'_>, node: &Node) -> BTreeSet<u16> {
    let mut statuses = BTreeSet::new();
    for item in items(node) {
        let number = match &item.kind {
            Kind::Number(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
            _ => None,
        };
        let Some(number) = number else {
            file.add(wrong_type(item, "statuses", "a list of statuses").hint("write `statuses: [429, 503]`"));
            continue;
        };
        let one = RetryManners { statuses: Some(BTreeSet::from([number])), ..RetryManners::default() };
        refuse_retry(file, item.span, one);
        statuses.insert(number);
    }
    statuses
}

/// One rule, or a list of them.
fn rules(file: &Document<'_>, node: &Node) -> Vec<BodyRule> {
    items(node).iter().filter_map(|item| rule(file, item)).collect()
}

fn rule(file: &Document<'_>, node: &Node) -> Option<BodyRule> {
    let (_, place, _) = node.at(&[]);
    let place = node.as_map().and_then(|entries| entries.first()).map_or(place, |entry| entry.key_span);
    let mut fields = Fields::open(file, node, "a rule about bodies", place)?;
    let place = fields.place_of("pointer");
    let pointer = fields.text("pointer");
    let pointer = fields.require("pointer", pointer, "/error/code");
    let codes_place = fields.place_of("codes");
    let codes = fields.get("codes").and_then(|node| codes(file, node));
    let codes = fields.require("codes", codes, "[\"2621573\"]");
    fields.finish(&Foreign {
        later: &[],
        instead: &[("path", "write `pointer: /error/code`"), ("code", "write `codes: [\"…\"]`")],
    });
    let rule = BodyRule { pointer: pointer?.to_owned(), codes: codes? };
    let check = |place, rule| refuse_retry(file, place, RetryManners { body: Some(vec![rule]), ..Default::default() });
    check(place, BodyRule { codes: BTreeSet::from([String::new()]), ..rule.clone() });
    check(codes_place, BodyRule { pointer: "/".to_owned(), ..rule.clone() });
    Some(rule)
}

/// Codes: strings, or numbers, which mean the same.
fn codes(file: &Document<'_>, node: &Node) -> Option<BTreeSet<String>> {
    let code = |item: &Node| match &item.kind {
        Kind::Text(text, _) => Some(text.clone()),
        Kind::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => {
            let hint = "write `codes: [\"2621573\", \"13434889\"]`";
            file.add(wrong_type(item, "codes", "a list of codes").hint(hint));
            None
        }
    };
    // Each is looked at, so that all mistakes are found.
    let codes: Vec<_> = items(node).iter().map(code).collect();
    codes.into_iter().collect()
}
