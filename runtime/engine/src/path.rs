//! The way to a value within another, as text: `body.name`, `headers['X-Y']`, `['a'].b[0]`, `records.0.id`.

use serde_json::Value;

/// The way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    name: String,
    /// Written as `[0]` or `.0`: it leads into a list, too.
    index: Option<usize>,
}

/// Why a text is no way, and where, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathError {
    pub(crate) offset: usize,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Path {
    /// Reads a way. A text without any step is the way to the value itself.
    pub(crate) fn parse(text: &str) -> Result<Self, PathError> {
        let mut steps = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let rest = text.get(at..).unwrap_or_default();
            let (step, length) = match rest.strip_prefix('[') {
                Some(inside) => bracket(inside, at)?,
                None => name(rest, at, at == 0)?,
            };
            steps.push(step);
            at += length;
        }
        Ok(Self(steps))
    }

    /// The value there; none if there is none, or null.
    pub(crate) fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        let found = self.0.iter().try_fold(value, |value, step| match value {
            Value::Object(members) => members.get(&step.name),
            Value::Array(items) => items.get(step.index?),
            _ => None,
        });
        found.filter(|value| !value.is_null())
    }
}

/// A step such as `.name`, or `name` at the beginning; and its length.
fn name(rest: &str, at: usize, is_first: bool) -> Result<(Step, usize), PathError> {
    let dot = usize::from(rest.starts_with('.'));
    if dot == 0 && !is_first {
        return Err(error(at, "a `.` or a `[` belongs here", None));
    }
    let inside = rest.get(dot..).unwrap_or_default();
    let name = inside.split(['.', '[']).next().unwrap_or_default();
    match name {
        "" if inside.starts_with('.') => Err(all_of_it(at)),
        "" => Err(error(at, "a name is missing", None)),
        "*" => Err(all_of_it(at)),
        name if name.contains([']', '\'', '"', ' ']) => {
            let hint = "write a name with other characters as `['the name']`".to_owned();
            Err(error(at + dot, format!("`{name}` is no name"), Some(hint)))
        }
        name => Ok((Step { name: name.to_owned(), index: name.parse().ok() }, dot + name.len())),
    }
}

/// A step such as `['name']` or `[0]`, from behind the bracket; and its length with the bracket.
fn bracket(inside: &str, at: usize) -> Result<(Step, usize), PathError> {
    let quote = inside.chars().next().filter(|first| matches!(first, '\'' | '"'));
    let (name, end) = match quote {
        Some(quote) => {
            let quoted = inside.get(1..).unwrap_or_default();
            let length = quoted.find(quote).ok_or_else(|| error(at, "the quote is not closed", None))?;
            (quoted.get(..length).unwrap_or_default(), length + 2)
        }
        None => {
            let length = inside.find(']').ok_or_else(|| error(at, "the `[` is not closed", None))?;
            (inside.get(..length).unwrap_or_default(), length)
        }
    };
    if !inside.get(end..).is_some_and(|rest| rest.starts_with(']')) {
        return Err(error(at, "the `[` is not closed", None));
    }
    let index = name.parse().ok();
    match (quote, index) {
        (Some(_), _) => Ok((Step { name: name.to_owned(), index: None }, end + 2)),
        (None, Some(_)) => Ok((Step { name: name.to_owned(), index }, end + 2)),
        (None, None) if name == "*" => Err(all_of_it(at)),
        (None, None) => {
            let hint = format!("write `['{name}']` for a member of a map, `[0]` for one of a list");
            Err(error(at, format!("`[{name}]` is neither a name in quotes nor a number"), Some(hint)))
        }
    }
}

fn error(offset: usize, message: impl Into<String>, hint: Option<String>) -> PathError {
    PathError { offset, message: message.into(), hint }
}

fn all_of_it(offset: usize) -> PathError {
    error(offset, "only one value can be looked at", Some("look into a list with the operator `search`".to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_way_leads_through_maps_and_lists() {
        let value = json!({"body": {"name": "vol1", "0": "zero", "a.b": 1, "nil": null}, "list": [{"id": 7}, [8, 9]]});
        for (path, found) in [
            ("", Some(value.clone())),
            ("body.name", Some(json!("vol1"))),
            ("['body']['name']", Some(json!("vol1"))),
            ("body[\"a.b\"]", Some(json!(1))),
            ("body.0", Some(json!("zero"))),
            ("list[0].id", Some(json!(7))),
            ("list.1[1]", Some(json!(9))),
            ("list['0']", None),
            ("list[5]", None),
            ("body.nil", None),
            ("body.name.more", None),
        ] {
            assert_eq!(Path::parse(path).unwrap().find(&value), found.as_ref(), "{path}");
        }
    }

    #[test]
    fn what_is_no_way_says_where() {
        for (path, offset) in [
            ("a..b", 1),
            ("a.", 1),
            ("a[b]", 1),
            ("a['b", 1),
            ("a['b'", 1),
            ("a[0", 1),
            ("a[*]", 1),
            ("a.*", 1),
            ("a[0]b", 4),
        ] {
            assert_eq!(Path::parse(path).unwrap_err().offset, offset, "{path}");
        }
    }
}
