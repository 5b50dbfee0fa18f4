//! When two values count as the same.

use serde_json::{Map, Value};

/// Whether two values are the same. A whole number is the same with and without decimals: YAML and expressions do not
/// write them alike.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        // Whole numbers have more digits than a floating-point number keeps apart.
        (Value::Number(one), Value::Number(other)) if one.is_f64() || other.is_f64() => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => one.len() == other.len() && holds(other, one),
        _ => one == other,
    }
}

/// Whether a map has all of these members, and perhaps others.
pub(super) fn holds(map: &Map<String, Value>, members: &Map<String, Value>) -> bool {
    members.iter().all(|(key, value)| map.get(key).is_some_and(|found| same(value, found)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_compared_by_value_and_maps_without_order() {
        assert!(same(&json!({"a": [1, 2.0], "b": null}), &json!({"b": null, "a": [1.0, 2]})));
        assert!(!same(&json!({"a": 1}), &json!({"a": 1, "b": null})));
        assert!(!same(&json!(1), &json!("1")));
        assert!(!same(&json!([1]), &json!([1, 1])));
    }

    #[test]
    fn large_numbers_that_differ_are_not_the_same() {
        assert!(!same(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992_i64)));
    }
}
