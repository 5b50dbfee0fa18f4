//! What an inspection of the workflow finds, beside what it is expected to find.

use std::collections::{BTreeMap, BTreeSet};

use runner_pack::{Category, Diagnostic, Inspection};
use serde_json::{Map, Value, json};

use super::report::Difference;
use super::value::holds;

const FIELD: &str = "expected_inspection_errors";

/// What each category of mistakes is expected to hold.
pub(super) type ExpectedMistakes = BTreeMap<Category, Vec<Map<String, Value>>>;

/// What is not as expected: each mistake must be expected, by the fields that are given, and each expected one be there.
pub(super) fn differences(expected: &ExpectedMistakes, inspection: &Inspection) -> Vec<Difference> {
    let found = inspection.by_category();
    let categories: BTreeSet<_> = expected.keys().chain(found.keys()).copied().collect();
    let of = |category| {
        let expected = expected.get(&category).map_or(&[][..], Vec::as_slice);
        let found = found.get(&category).map_or(&[][..], Vec::as_slice);
        (!pairs_up(expected, found)).then(|| unlike(category, expected, found))
    };
    categories.into_iter().filter_map(of).collect()
}

/// Whether each expected mistake can be given one that was found, none left over.
fn pairs_up(expected: &[Map<String, Value>], found: &[&Diagnostic]) -> bool {
    let mut left: Vec<Map<String, Value>> = found.iter().map(|diagnostic| fields(diagnostic)).collect();
    // The one that says most is the hardest to please.
    let mut expected: Vec<_> = expected.iter().collect();
    expected.sort_by_key(|wanted| std::cmp::Reverse(wanted.len()));
    for wanted in expected {
        let Some(at) = left.iter().position(|fields| holds(fields, wanted)) else { return false };
        left.swap_remove(at);
    }
    left.is_empty()
}

fn fields(diagnostic: &Diagnostic) -> Map<String, Value> {
    match serde_json::to_value(diagnostic) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn unlike(category: Category, expected: &[Map<String, Value>], found: &[&Diagnostic]) -> Difference {
    // Of what was found, what a reader may want to write down.
    let shown = |diagnostic: &&Diagnostic| {
        let mut shown = fields(diagnostic);
        shown.retain(|key, _| ["code", "line", "column", "message", "hint"].contains(&key.as_str()));
        shown
    };
    let found: Vec<_> = found.iter().map(shown).collect();
    let mut difference =
        Difference::between(0, FIELD, json!({ category.as_str(): expected }), json!({ category.as_str(): found }));
    difference.message = match (expected.len(), found.len()) {
        (0, _) => format!("the workflow has mistakes of the category `{category}`, and none is expected"),
        (_, 0) => format!("the workflow has no mistakes of the category `{category}`"),
        _ => format!("the mistakes of the category `{category}` are not those expected"),
    };
    difference
}
