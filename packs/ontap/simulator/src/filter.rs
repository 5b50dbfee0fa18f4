//! Filters: `size=>10GB`, `name=vol*|!test*`, `state=!null`. One filter is a field and what it must be like.

use std::cmp::Ordering;

use serde_json::Value;

use crate::{path, size};

/// A field and what it must be like.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// The field; `*` for any. With commas, one of several.
    pub(crate) field: String,
    wanted: Vec<Wanted>,
}

/// One alternative of a filter.
#[derive(Debug, Clone, PartialEq)]
enum Wanted {
    Null,
    NotNull,
    Is(String),
    Exactly(String),
    Not(Box<Wanted>),
    Compared(&'static str, String),
    Between(String, String),
}

impl Filter {
    /// Reads a filter.
    pub(crate) fn new(field: &str, text: &str) -> Self {
        Self { field: field.to_owned(), wanted: alternatives(text).iter().map(|part| Wanted::read(part)).collect() }
    }

    /// The fields that it looks at.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.field.split(',')
    }

    /// Whether a record is as wanted.
    pub(crate) fn fits(&self, record: &Value) -> bool {
        let mut leaves = Vec::new();
        if self.field == "*" {
            collect(record, &mut leaves);
        } else {
            for value in self.fields().flat_map(|field| path::all(record, field)) {
                collect(value, &mut leaves);
            }
        }
        self.wanted.iter().any(|wanted| wanted.fits(&leaves))
    }
}

/// The plain values below a value.
fn collect<'a>(value: &'a Value, leaves: &mut Vec<&'a Value>) {
    match value {
        Value::Null => {}
        Value::Object(map) => {
            map.iter().filter(|(key, _)| !key.starts_with(['~', '_'])).for_each(|(_, v)| collect(v, leaves))
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, leaves)),
        plain => leaves.push(plain),
    }
}

/// Cuts at `|` outside of quotes.
fn alternatives(text: &str) -> Vec<String> {
    let (mut parts, mut part, mut closing) = (Vec::new(), String::new(), None);
    for letter in text.chars() {
        match (letter, closing) {
            ('|', None) => parts.push(std::mem::take(&mut part)),
            (_, Some(end)) => {
                part.push(letter);
                closing = (letter != end).then_some(end);
            }
            ('"', None) => {
                part.push(letter);
                closing = Some('"');
            }
            ('{', None) => {
                part.push(letter);
                closing = Some('}');
            }
            _ => part.push(letter),
        }
    }
    parts.push(part);
    parts
}

impl Wanted {
    fn read(text: &str) -> Self {
        if let Some(rest) = text.strip_prefix('!') {
            return match rest {
                "null" => Self::NotNull,
                rest => Self::Not(Box::new(Self::read(rest))),
            };
        }
        if text == "null" {
            return Self::Null;
        }
        if let Some(quoted) = quoted(text) {
            return Self::Exactly(quoted.to_owned());
        }
        for operator in ["<=", ">=", "<", ">"] {
            if let Some(rest) = text.strip_prefix(operator) {
                return Self::Compared(operator, quoted(rest).unwrap_or(rest).to_owned());
            }
        }
        match text.split_once("..") {
            Some((low, high)) if !low.is_empty() && !high.is_empty() => Self::Between(low.to_owned(), high.to_owned()),
            _ => Self::Is(text.to_owned()),
        }
    }

    fn fits(&self, values: &[&Value]) -> bool {
        match self {
            Self::Null => values.is_empty(),
            Self::NotNull => !values.is_empty(),
            Self::Not(wanted) => !values.is_empty() && !wanted.fits(values),
            one => values.iter().any(|value| one.fits_one(&path::plain(value))),
        }
    }

    fn fits_one(&self, value: &str) -> bool {
        match self {
            Self::Is(pattern) => like(pattern, value) || compared(value, pattern) == Some(Ordering::Equal),
            Self::Exactly(text) => text == value,
            Self::Compared(operator, bound) => ordered(value, bound).is_some_and(|order| match *operator {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            }),
            Self::Between(low, high) => {
                ordered(value, low).is_some_and(Ordering::is_ge) && ordered(value, high).is_some_and(Ordering::is_le)
            }
            Self::Null | Self::NotNull | Self::Not(_) => false,
        }
    }
}

fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .or_else(|| text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')))
}

/// By number if both are numbers or sizes.
fn compared(value: &str, bound: &str) -> Option<Ordering> {
    let number =
        |text: &str| -> Option<f64> { text.parse().ok().or_else(|| size::bytes(text).map(|bytes| bytes as f64)) };
    number(value)?.partial_cmp(&number(bound)?)
}

/// By number, or else by letter: moments are written so that this is their order.
fn ordered(value: &str, bound: &str) -> Option<Ordering> {
    compared(value, bound).or_else(|| Some(value.cmp(bound)))
}

/// Whether a text is like a pattern, in which `*` stands for anything.
fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    if !pattern.contains('*') {
        return rest.is_empty();
    }
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

/// Which of two values comes first in a list that is sorted by them. What is unset comes last.
pub(crate) fn order(one: Option<&Value>, other: Option<&Value>) -> Ordering {
    match (one.filter(|value| !value.is_null()), other.filter(|value| !value.is_null())) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) => ordered(&path::plain(one), &path::plain(other)).unwrap_or(Ordering::Equal),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_are_ontaps() {
        let record = json!({ "name": "vol1", "size": 10_737_418_240_u64, "state": "online", "nas": { "path": "/vol1" }, "empty": null,
            "aggregates": [{ "name": "aggr1" }, { "name": "aggr2" }], "time": "2026-11-21T10:46:00+00:00", "odd": "a|b*" });
        for (field, text, fits) in [
            ("name", "vol1", true),
            ("name", "vol", false),
            ("name", "vol*", true),
            ("name", "*o*1", true),
            ("name", "*2", false),
            ("name", "!vol*", false),
            ("name", "x|vol1", true),
            ("name", "!x", true),
            ("name", "\"vol*\"", false),
            ("odd", "\"a|b*\"", true),
            ("odd", "{a|b*}", true),
            ("size", "10GB", true),
            ("size", ">9GB", true),
            ("size", "<=10737418240", true),
            ("size", "<10GB", false),
            ("size", "1..11GB", true),
            ("size", "11GB..12GB", false),
            ("empty", "null", true),
            ("empty", "!null", false),
            ("empty", "<5", false),
            ("empty", "<5|null", true),
            ("absent", "!x", false),
            ("nas.path", "/vol*", true),
            ("aggregates.name", "aggr2", true),
            ("aggregates.name", "aggr3", false),
            ("time", ">2026-11-20", true),
            ("*", "*aggr2*", true),
            ("state,name", "*ol1", true),
            ("state,size", "*ol1", false),
        ] {
            assert_eq!(Filter::new(field, text).fits(&record), fits, "{field}={text}");
        }
    }
}
