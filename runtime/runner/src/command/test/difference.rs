//! What was expected beside what came, line by line.

use runner_executor::rehearsal::Difference;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// `-` was expected and did not come, `+` came and was not expected, blank is both.
    pub(super) sign: char,
    pub(super) text: String,
}

/// What is said about a difference: its key and phase, and what is wrong if that is more than that two values differ.
pub(super) fn headline(difference: &Difference) -> String {
    let phase = match difference.phase {
        0 => String::new(),
        number => format!("rerun {number}: "),
    };
    let Difference { field, message, .. } = difference;
    match difference.expected {
        Some(_) if *message == format!("`{field}` is not what came") => format!("{phase}{field}"),
        _ => format!("{phase}{field}: {message}"),
    }
}

/// The two values, compared by lines.
pub(super) fn lines(difference: &Difference) -> Vec<Line> {
    let (Some(expected), Some(actual)) = (&difference.expected, &difference.actual) else { return Vec::new() };
    let (expected, actual) = (written(expected), written(actual));
    let compared = TextDiff::from_lines(&expected, &actual);
    let line = |change: similar::Change<&str>| Line {
        sign: match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        },
        text: change.value().trim_end_matches('\n').to_owned(),
    };
    compared.iter_all_changes().map(line).collect()
}

/// A value by lines: a list with an item on each, a map as JSON.
fn written(value: &Value) -> String {
    let mut lines = match value {
        Value::Array(items) if items.is_empty() => "(none)".to_owned(),
        Value::Array(items) => items.iter().map(short).collect::<Vec<_>>().join("\n"),
        Value::Object(_) => serde_json::to_string_pretty(value).unwrap_or_default(),
        other => short(other),
    };
    lines.push('\n');
    lines
}

/// A value on one line; text without quotes.
fn short(value: &Value) -> String {
    match value {
        Value::String(text) => text.lines().collect::<Vec<_>>().join("\\n"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(expected: Value, actual: Value) -> Vec<String> {
        let difference = Difference {
            phase: 1,
            field: "expected_output",
            message: "`expected_output` is not what came".to_owned(),
            expected: Some(expected),
            actual: Some(actual),
            hint: None,
        };
        assert_eq!(headline(&difference), "rerun 1: expected_output");
        lines(&difference).iter().map(|line| format!("{}{}", line.sign, line.text)).collect()
    }

    #[test]
    fn lists_are_compared_by_items() {
        assert_eq!(shown(json!(["a", "b", "c"]), json!(["a", "c", "d"])), [" a", "-b", " c", "+d"]);
        assert_eq!(shown(json!([]), json!([{"code": "E"}])), ["-(none)", "+{\"code\":\"E\"}"]);
    }

    #[test]
    fn maps_are_compared_by_members() {
        let lines = shown(json!({"a": 1, "b": "x"}), json!({"a": 1, "b": "y"}));
        assert_eq!(lines, [" {", "   \"a\": 1,", "-  \"b\": \"x\"", "+  \"b\": \"y\"", " }"]);
    }

    #[test]
    fn a_text_of_several_lines_stays_on_one() {
        assert_eq!(shown(json!("a\nb"), json!(null)), ["-a\\nb", "+null"]);
    }
}
