//! What an operator says of a value and a pattern.

use std::cmp::Ordering;

use regex::Regex;
use runner_model::Timestamp;
use serde_json::Value;

use super::{Operator, compare, text};
use crate::template::kind_name;

/// Whether the operator holds; the error says why that cannot be decided. A value that is missing and one that is null
/// are the same, and so are no pattern and null: nothing but `nequals` holds against it.
pub(super) fn holds(
    operator: Operator,
    value: &Value,
    pattern: &Value,
    regex: Option<&Regex>,
    now: Timestamp,
) -> Result<bool, String> {
    use Operator as O;
    match operator {
        O::Exists => return Ok(!value.is_null()),
        O::NExists => return Ok(value.is_null()),
        O::NEquals => return Ok(!compare::equal(value, pattern)),
        _ if pattern.is_null() => return Ok(false),
        _ => {}
    }
    let texts = || texts(operator, value, pattern);
    let lower = || texts().map(|(value, pattern)| (value.to_lowercase(), pattern.to_lowercase()));
    match operator {
        O::Equals => Ok(compare::equal(value, pattern)),
        O::IEquals => lower().map(|(value, pattern)| value == pattern),
        O::Contains => part(operator, value, pattern),
        O::NContains => part(operator, value, pattern).map(|holds| !holds),
        O::IContains => lower().map(|(value, pattern)| value.contains(&pattern)),
        O::INContains => lower().map(|(value, pattern)| !value.contains(&pattern)),
        O::StartsWith => texts().map(|(value, pattern)| value.starts_with(pattern)),
        O::IStartsWith => lower().map(|(value, pattern)| value.starts_with(&pattern)),
        O::EndsWith => texts().map(|(value, pattern)| value.ends_with(pattern)),
        O::IEndsWith => lower().map(|(value, pattern)| value.ends_with(&pattern)),
        O::LessThan => order(operator, value, pattern).map(Ordering::is_lt),
        O::GreaterThan => order(operator, value, pattern).map(Ordering::is_gt),
        O::TimediffLt => passed(value, pattern, now).map(|(passed, limit)| passed < limit),
        O::TimediffGt => passed(value, pattern, now).map(|(passed, limit)| passed > limit),
        O::Inside => part_of_pattern(operator, value, pattern),
        O::NInside => part_of_pattern(operator, value, pattern).map(|holds| !holds),
        O::MatchWildcard | O::MatchRegex | O::Regex | O::IRegex => {
            let (value, pattern) = texts()?;
            match regex {
                Some(regex) => Ok(regex.is_match(value)),
                None => text::compile(operator, pattern).map(|regex| regex.is_match(value)),
            }
        }
        // Dealt with above, or of more than one value.
        O::Exists | O::NExists | O::NEquals | O::Search => Ok(false),
    }
}

fn texts<'a>(operator: Operator, value: &'a Value, pattern: &'a Value) -> Result<(&'a str, &'a str), String> {
    match (value, pattern) {
        (Value::String(value), Value::String(pattern)) => Ok((value, pattern)),
        (Value::String(_), other) => Err(format!("`{operator}` needs a text as its pattern, not {}", kind_name(other))),
        (other, _) => Err(format!("`{operator}` looks at a text, not {}", found(other))),
    }
}

fn part(operator: Operator, value: &Value, pattern: &Value) -> Result<bool, String> {
    compare::holds(value, pattern).ok_or_else(|| match value {
        Value::String(_) | Value::Object(_) => {
            format!("{} has no {} in it", kind_name(value), kind_name(pattern).trim_start_matches("a "))
        }
        other => format!("`{operator}` looks into a text, a list or a map, not {}", found(other)),
    })
}

fn part_of_pattern(operator: Operator, value: &Value, pattern: &Value) -> Result<bool, String> {
    compare::holds(pattern, value).ok_or_else(|| match pattern {
        Value::String(_) | Value::Object(_) => {
            format!("`{operator}` looks for a text in {}, not for {}", kind_name(pattern), found(value))
        }
        other => format!("`{operator}` needs a list, a text or a map as its pattern, not {}", kind_name(other)),
    })
}

fn order(operator: Operator, value: &Value, pattern: &Value) -> Result<Ordering, String> {
    compare::order(value, pattern)
        .ok_or_else(|| format!("`{operator}` cannot compare {} with {}", found(value), kind_name(pattern)))
}

/// The seconds that have passed since the moment of `value`, and those of the pattern.
fn passed(value: &Value, pattern: &Value, now: Timestamp) -> Result<(f64, f64), String> {
    let Value::String(written) = value else {
        return Err(format!("a moment is a text such as `2026-11-21T10:46:00Z`, not {}", found(value)));
    };
    let moment =
        moment(written).ok_or_else(|| format!("`{written}` is not a moment: write it like 2026-11-21T10:46:00Z"))?;
    let limit = compare::seconds(pattern).ok_or_else(|| format!("{} is no number of seconds", kind_name(pattern)))?;
    Ok((now.since_ms(moment) as f64 / 1000.0, limit))
}

/// A moment as ISO 8601 or as in mails and HTTP; without an offset it is UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let with_offset = text
        .parse::<jiff::Timestamp>()
        .ok()
        .or_else(|| jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()));
    let moment = with_offset.or_else(|| {
        let shown: jiff::civil::DateTime = text.parse().ok()?;
        jiff::tz::Offset::UTC.to_timestamp(shown).ok()
    })?;
    Some(Timestamp::from_millis(moment.as_millisecond()))
}

/// What a value is, for a sentence.
fn found(value: &Value) -> &'static str {
    if value.is_null() { "nothing: the event has no such value" } else { kind_name(value) }
}
