//! How values compare: as in Python, whose semantics StackStorm's operators have.
//!
//! True is 1, an integer equals the same number with decimals, a text never equals a number, and what has no order is a
//! mistake rather than false.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// Whether two values are equal.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return left.order(right) == Some(Ordering::Equal);
    }
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let same = |(key, member): (&String, &Value)| right.get(key).is_some_and(|other| equal(member, other));
            left.len() == right.len() && left.iter().all(same)
        }
        (left, right) => left == right,
    }
}

/// Which of two values is less; none if they have no order.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return left.order(right);
    }
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Array(left), Value::Array(right)) => {
            let differing = left.iter().zip(right).find(|(left, right)| !equal(left, right));
            differing.map_or_else(|| Some(left.len().cmp(&right.len())), |(left, right)| order(left, right))
        }
        _ => None,
    }
}

/// Whether `whole` has `part` in it: as a part of the text, a member of the list, a key of the map; none if that cannot
/// be asked.
pub(super) fn holds(whole: &Value, part: &Value) -> Option<bool> {
    match (whole, part) {
        (Value::String(whole), Value::String(part)) => Some(whole.contains(part.as_str())),
        (Value::Array(whole), part) => Some(whole.iter().any(|member| equal(member, part))),
        (Value::Object(_), Value::Array(_) | Value::Object(_)) => None,
        (Value::Object(whole), part) => Some(part.as_str().is_some_and(|key| whole.contains_key(key))),
        _ => None,
    }
}

/// A number of seconds, written as a number or as a text.
pub(super) fn seconds(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => number(value).map(Figure::as_float),
    }
    .filter(|seconds| !seconds.is_nan())
}

#[derive(Clone, Copy)]
enum Figure {
    Integer(i128),
    Float(f64),
}

fn number(value: &Value) -> Option<Figure> {
    let of = |number: &Number| match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(integer), ..) => Some(Figure::Integer(integer.into())),
        (_, Some(integer), _) => Some(Figure::Integer(integer.into())),
        (_, _, float) => float.map(Figure::Float),
    };
    match value {
        Value::Bool(truth) => Some(Figure::Integer(i128::from(*truth))),
        Value::Number(number) => of(number),
        _ => None,
    }
}

impl Figure {
    fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(&right)),
            (left, right) => left.as_float().partial_cmp(&right.as_float()),
        }
    }

    fn as_float(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }
}
