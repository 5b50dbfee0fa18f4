//! Values of a rehearsal's keys.

use std::time::Duration;

use runner_model::{code, limits};
use serde_json::{Map, Value};

use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, wrong_type};
use crate::yaml::{Kind, Node};

/// The items of a list; something else is reported.
pub(super) fn items<'a>(file: &Document<'_>, node: &'a Node, key: &str, example: &str) -> std::slice::Iter<'a, Node> {
    match &node.kind {
        Kind::List(items) => items.iter(),
        _ => {
            let hint = (!key.contains(' ')).then(|| format!("write `{key}: [{example}]`"));
            file.add(wrong_type(node, key, "a list").maybe_hint(hint));
            [].iter()
        }
    }
}

/// A map of plain data; something else is reported.
pub(super) fn map(file: &Document<'_>, node: &Node, key: &str) -> Option<Map<String, Value>> {
    match node.to_value() {
        Value::Object(map) => Some(map),
        _ => {
            file.add(wrong_type(node, key, "a map"));
            None
        }
    }
}

/// A whole number from 0; none if it is left out or wrong, which is reported.
pub(super) fn whole(file: &Document<'_>, fields: &mut Fields<'_>, key: &'static str) -> Option<u32> {
    let node = fields.get(key)?;
    let number = match &node.kind {
        Kind::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        _ => None,
    };
    if number.is_none() {
        file.add(wrong_type(node, key, "a whole number from 0"));
    }
    number
}

/// Seconds from 0, perhaps a fraction; 0 if left out.
pub(super) fn seconds(file: &Document<'_>, fields: &mut Fields<'_>, key: &'static str) -> Duration {
    let Some(node) = fields.get(key) else { return Duration::ZERO };
    let Kind::Number(number) = &node.kind else {
        file.add(wrong_type(node, key, "a number of seconds").hint(format!("write, for example, `{key}: 60`")));
        return Duration::ZERO;
    };
    let duration = number.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|duration| *duration <= limits::FLOW_TIME_MAX).unwrap_or_else(|| {
        let message = format!("`{key}` must be from 0 to {} seconds", limits::FLOW_TIME_MAX.as_secs());
        file.add(Mistake::new(code::PACK_BAD_VALUE, node.span, message));
        Duration::ZERO
    })
}
