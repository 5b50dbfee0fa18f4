//! `criteria` of a rule: StackStorm's, from keys to operators and patterns. All of them must hold.

use runner_engine::rule::{Criterion, Operator};
use runner_engine::template::CompileError;
use runner_model::{code, limits};

use crate::diagnostic::{Document, Mistake};
use crate::expression::{self, Home};
use crate::fields::{Fields, Foreign, wrong_type};
use crate::suggest;
use crate::yaml::{Entry, Node};

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("operator", "write `type`"),
        ("op", "write `type`"),
        ("value", "write `pattern`"),
        ("values", "write `pattern`"),
        ("regex", "write `type: regex` and `pattern`"),
    ],
};

const EXAMPLE: &str = "{type: equals, pattern: …}";

pub(super) fn read(file: &Document<'_>, node: &Node) -> Vec<Criterion> {
    let Some(entries) = node.as_map() else {
        let mistake = wrong_type(node, "criteria", "a map from keys to criteria");
        file.add(mistake.hint(format!("write `criteria: {{trigger.body.name: {EXAMPLE}}}`")));
        return Vec::new();
    };
    let number = count(node);
    if number > limits::RULE_CRITERIA_MAX {
        let message = format!("the rule has {number} criteria, at most {} are allowed", limits::RULE_CRITERIA_MAX);
        let span = entries.first().map_or(node.span, |entry| entry.key_span);
        file.add(Mistake::new(code::PACK_LIMIT, span, message).hint("write the condition into `when`"));
        return Vec::new();
    }
    entries.iter().filter_map(|entry| criterion(file, entry)).collect()
}

/// How many criteria there are, with those of the members of lists.
fn count(node: &Node) -> usize {
    let pattern = |entry: &Entry| {
        let pattern = entry.value.as_map()?.iter().find(|entry| entry.key == "pattern")?;
        Some(count(&pattern.value))
    };
    let entries = node.as_map().unwrap_or_default();
    entries.iter().map(|entry| 1 + pattern(entry).unwrap_or(0)).sum()
}

fn criterion(file: &Document<'_>, entry: &Entry) -> Option<Criterion> {
    let Entry { key, key_span, value: node } = entry;
    if node.as_map().is_none() {
        let mistake = wrong_type(node, key, "a map");
        let hint = if node.is_collection() || node.is_null() {
            format!("write `{key}: {EXAMPLE}`")
        } else {
            format!("write `{key}: {{type: equals, pattern: {}}}`", file.source.slice(node.span))
        };
        file.add(mistake.hint(hint));
        return None;
    }
    let mut fields = Fields::open(file, node, "the criterion", *key_span)?;
    let place = fields.place_of("type");
    let word = fields.text("type");
    let operator = fields.require("type", word, "equals").and_then(|word| {
        let operator = Operator::parse(word);
        if operator.is_none() {
            let names = Operator::ALL.iter().map(|operator| operator.as_str());
            let hint = foreign(word).or_else(|| suggest::hint(word, names, "operators are"));
            let message = format!("there is no operator `{word}`");
            file.add(Mistake::new(code::RULE_CRITERION, place, message).maybe_hint(hint));
        }
        operator
    });
    let pattern_entry = fields.entry("pattern");
    let condition = fields.text("condition");
    let all_known = fields.finish(&FOREIGN);
    let operator = operator?;
    let pattern = pattern_entry.map(|entry| entry.value.to_value());
    if pattern.is_none() && operator.needs_pattern() {
        if all_known {
            let message = format!("`{}` compares with a `pattern`, and there is none", operator.as_str());
            file.add(Mistake::new(code::PACK_MISSING_KEY, place, message).hint("add `pattern: …`"));
        }
        return None;
    }
    match Criterion::compile(key, operator, pattern.as_ref(), condition) {
        Ok(criterion) => Some(criterion),
        Err(errors) => {
            report(file, entry, &errors);
            None
        }
    }
}

/// The places of mistakes are ways from the criterion; the criterion itself means its key.
fn report(file: &Document<'_>, entry: &Entry, errors: &[CompileError]) {
    for error in errors {
        if error.place.is_empty() {
            let mistake = Mistake::new(error.code, entry.key_span, error.message.clone());
            file.add(mistake.maybe_hint(error.hint.clone()));
        } else {
            expression::report(file, &entry.value, std::slice::from_ref(error), Home::Rule);
        }
    }
}

/// What other languages call an operator.
fn foreign(word: &str) -> Option<String> {
    let ours = match word {
        "==" | "=" | "equal" | "is" => "equals",
        "!=" | "<>" | "not_equals" | "notequals" => "nequals",
        "<" | "less_than" | "before" => "lessthan",
        ">" | "greater_than" | "after" => "greaterthan",
        "not_exists" | "notexists" | "absent" => "nexists",
        "not_in" | "notin" => "ninside",
        "match" | "matches" | "=~" => "regex",
        "glob" | "wildcard" | "fnmatch" => "matchwildcard",
        "<=" | ">=" | "lte" | "gte" => {
            return Some("write the condition into `when`, such as `<% event().body.size <= 5 %>`".to_owned());
        }
        _ => return None,
    };
    Some(format!("write `type: {ours}`"))
}
