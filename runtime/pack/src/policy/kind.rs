//! `policy_type` and `parameters` of a policy.

use std::time::Duration;

use runner_model::{code, limits};

use super::{Over, PolicyKind};
use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, wrong_type};
use crate::source::Span;
use crate::suggest;
use crate::time::{self, Range};
use crate::trigger::one_of;
use crate::yaml::Kind;

const TYPES: [&str; 3] = ["action.concurrency", "action.concurrency.attr", "action.rate"];

const PER: Range = Range { min: Duration::from_secs(1), max: limits::POLICY_RATE_PERIOD_MAX, example: "60" };

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("max", "write `threshold`"),
        ("rate", "write `limit` and `per`"),
        ("window", "write `per`"),
        ("period", "write `per`"),
        ("over", "write `action: delay` or `action: cancel`"),
    ],
};

/// Parameters by which executions are told apart, and their places.
type Attributes = Vec<(String, Span)>;

/// Reads the parameters of this type of policy; `attributes` are filled as far as they can be read.
pub(super) fn read(
    file: &Document<'_>,
    word: &str,
    place: Span,
    fields: Fields<'_>,
    attributes: &mut Attributes,
) -> Option<PolicyKind> {
    match word {
        "action.concurrency" => concurrency(file, fields, None),
        "action.concurrency.attr" => concurrency(file, fields, Some(attributes)),
        "action.rate" => rate(file, fields, attributes),
        "action.retry" => {
            let message = "there is no policy that tries an action again";
            let hint = "write `retry: {count: 3, delay: 1}` at the task that calls the action";
            file.add(Mistake::new(code::PACK_NOT_SUPPORTED, place, message).hint(hint));
            None
        }
        other => {
            let message = format!("there is no type of policies `{other}`");
            let hint = suggest::hint(other, TYPES, "types are");
            file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).maybe_hint(hint));
            None
        }
    }
}

fn concurrency(file: &Document<'_>, mut fields: Fields<'_>, attributes: Option<&mut Attributes>) -> Option<PolicyKind> {
    let threshold = count(file, &mut fields, "threshold");
    let threshold = fields.require("threshold", threshold, "5");
    let over = over(file, &mut fields);
    let mut told_apart = Vec::new();
    if let Some(attributes) = attributes {
        *attributes = read_attributes(&mut fields);
        fields.require("attributes", (!attributes.is_empty()).then_some(()), "[host]");
        told_apart = names(attributes);
    } else if let Some(entry) = fields.entry("attributes") {
        let message = "`action.concurrency` counts all executions of the action together";
        let hint = "write `policy_type: action.concurrency.attr`, or remove `attributes`";
        file.add(Mistake::new(code::PACK_BAD_VALUE, entry.key_span, message).hint(hint));
    }
    fields.finish(&FOREIGN);
    Some(PolicyKind::Concurrency { threshold: threshold?, attributes: told_apart, over })
}

fn rate(file: &Document<'_>, mut fields: Fields<'_>, attributes: &mut Attributes) -> Option<PolicyKind> {
    let limit = count(file, &mut fields, "limit");
    let limit = fields.require("limit", limit, "10");
    let is_there = fields.get("per").map(|_| ());
    fields.require("per", is_there, "60");
    let per = time::read(file, &mut fields, "per", &PER);
    let burst = count(file, &mut fields, "burst");
    let over = over(file, &mut fields);
    *attributes = read_attributes(&mut fields);
    fields.finish(&FOREIGN);
    let limit = limit?;
    Some(PolicyKind::Rate { limit, per: per?, burst: burst.unwrap_or(limit), attributes: names(attributes), over })
}

fn over(file: &Document<'_>, fields: &mut Fields<'_>) -> Over {
    one_of(file, fields, "action", &[("delay", Over::Delay), ("cancel", Over::Cancel)]).unwrap_or_default()
}

fn read_attributes(fields: &mut Fields<'_>) -> Vec<(String, Span)> {
    fields.texts("attributes").into_iter().map(|(name, span)| (name.to_owned(), span)).collect()
}

fn names(attributes: &[(String, Span)]) -> Vec<String> {
    attributes.iter().map(|(name, _)| name.clone()).collect()
}

/// A whole number from 1.
fn count(file: &Document<'_>, fields: &mut Fields<'_>, key: &'static str) -> Option<u32> {
    let node = fields.get(key)?;
    let number = match &node.kind {
        Kind::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        _ => None,
    };
    let number = number.filter(|number| *number > 0);
    if number.is_none() {
        file.add(wrong_type(node, key, "a whole number from 1").hint(format!("write `{key}: 5`")));
    }
    number
}
