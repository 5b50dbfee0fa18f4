//! The operator `search`: criteria of the members of a list.

use serde_json::Value;

use super::Criterion;
use crate::rule::view::View;
use crate::template::kind_name;

/// How many members have to fit how many patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    /// All members all patterns.
    All,
    /// Some member all patterns.
    Any,
    /// All members some pattern.
    AllToAny,
    /// Some member some pattern.
    AnyToAny,
}

impl Quantity {
    pub(super) const NAMES: [(&'static str, Self); 4] =
        [("all", Self::All), ("any", Self::Any), ("all2any", Self::AllToAny), ("any2any", Self::AnyToAny)];

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, quantity)| *quantity)
    }
}

/// Whether the members of `value` fit. A map is a list of one. If they do not, the error says what could not be decided
/// on the way.
pub(super) fn holds(
    quantity: Quantity,
    criteria: &[Criterion],
    value: &Value,
    view: &View<'_>,
) -> Result<bool, String> {
    let members = match value {
        Value::Array(members) => members.as_slice(),
        Value::Object(_) => std::slice::from_ref(value),
        Value::Null => return Err("`search` looks into a list, and the event has no such value".to_owned()),
        other => return Err(format!("`search` looks into a list, not {}", kind_name(other))),
    };
    let mut undecided = None;
    let mut fits = |criterion: &Criterion, member: &Value| {
        criterion.decide(member, view).unwrap_or_else(|why| {
            undecided.get_or_insert_with(|| format!("{}: {why}", criterion.key));
            false
        })
    };
    let mut all = |member: &Value| criteria.iter().all(|criterion| fits(criterion, member));
    let passed = match quantity {
        Quantity::All => members.iter().all(&mut all),
        Quantity::Any => members.iter().any(&mut all),
        Quantity::AllToAny => members.iter().all(|member| criteria.iter().any(|criterion| fits(criterion, member))),
        Quantity::AnyToAny => members.iter().any(|member| criteria.iter().any(|criterion| fits(criterion, member))),
    };
    match undecided {
        Some(why) if !passed => Err(why),
        _ => Ok(passed),
    }
}
