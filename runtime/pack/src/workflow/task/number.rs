//! Keys whose value is a number, or one expression that gives it. A number as written is checked here; what an expression
//! gives, when it runs.

use runner_engine::Template;
use runner_model::{code, limits};
use serde_json::Number;

use crate::diagnostic::{Document, Mistake};
use crate::expression::{Home, is_one_expression, template};
use crate::fields::{Fields, wrong_type};
use crate::time::seconds;
use crate::yaml::{Kind, Node};

/// Which numbers a key takes.
pub(in crate::workflow) struct Range {
    what: &'static str,
    min: f64,
    /// Whether the least is too small itself.
    above: bool,
    max: f64,
    whole: bool,
    example: &'static str,
}

const TIME_MAX: f64 = limits::FLOW_TIME_MAX.as_secs() as f64;

/// Seconds to wait.
pub(super) const DELAY: Range =
    Range { what: "a number of seconds", min: 0.0, above: false, max: TIME_MAX, whole: false, example: "10" };
/// Seconds that something may take.
pub(in crate::workflow) const TIMEOUT: Range =
    Range { what: "a number of seconds", min: 0.0, above: true, max: TIME_MAX, whole: false, example: "300" };
/// Tries after the first.
pub(super) const COUNT: Range = Range {
    what: "a whole number",
    min: 0.0,
    above: false,
    max: limits::ATTEMPTS_MAX as f64,
    whole: true,
    example: "3",
};
/// What each delay is of the one before.
pub(super) const BACKOFF: Range =
    Range { what: "a number", min: 1.0, above: false, max: limits::BACKOFF_MAX, whole: false, example: "2.0" };
/// A share.
pub(super) const JITTER: Range =
    Range { what: "a number from 0 to 1", min: 0.0, above: false, max: 1.0, whole: false, example: "0.2" };
/// Items at the same time; less than one is one, as in Orquesta, and more than there are is all.
pub(super) const CONCURRENCY: Range = Range {
    what: "a whole number",
    min: i64::MIN as f64,
    above: false,
    max: u32::MAX as f64,
    whole: true,
    example: "10",
};

/// The number of a key; none if it is left out, or is none, which is reported.
pub(in crate::workflow) fn read(
    file: &Document<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
    range: &Range,
) -> Option<Template> {
    let node = fields.get(key)?;
    match &node.kind {
        Kind::Number(number) => checked(file, node, key, number, range),
        Kind::Text(text, _) if text.contains("<%") => one_expression(file, node, key, text, range),
        _ => {
            // One in quotes, or with a unit of time.
            let meant = node.as_text().and_then(seconds).map(|number| number.to_string());
            let meant = meant.unwrap_or_else(|| range.example.to_owned());
            let mistake = wrong_type(node, key, &format!("{} or an expression", range.what));
            file.add(mistake.hint(format!("write `{key}: {meant}`")));
            None
        }
    }
}

fn checked(file: &Document<'_>, node: &Node, key: &str, number: &Number, range: &Range) -> Option<Template> {
    let value = number.as_f64().unwrap_or(f64::NAN);
    let whole = !range.whole || number.is_i64() || number.is_u64();
    let large_enough = if range.above { value > range.min } else { value >= range.min };
    if whole && large_enough && value <= range.max {
        return Some(Template::literal(node.to_value()));
    }
    let least = if range.above { format!("more than {}", range.min) } else { format!("at least {}", range.min) };
    let message = if !whole {
        format!("`{key}` must be {}, found {number}", range.what)
    } else if large_enough {
        format!("`{key}` must be at most {}, found {number}", range.max)
    } else {
        format!("`{key}` must be {least}, found {number}")
    };
    file.add(Mistake::new(code::PACK_BAD_VALUE, node.span, message).hint(format!("write `{key}: {}`", range.example)));
    None
}

fn one_expression(file: &Document<'_>, node: &Node, key: &str, text: &str, range: &Range) -> Option<Template> {
    let before = file.findings.errors();
    let template = template(file, node, Home::Workflow);
    if file.findings.errors() > before {
        return None;
    }
    if !is_one_expression(text) {
        let message = format!("`{key}` must be {} or one expression, this makes a text", range.what);
        let mistake = Mistake::new(code::PACK_BAD_VALUE, node.span, message);
        file.add(mistake.hint(format!("write `{key}: <% … %>`, with nothing around it")));
        return None;
    }
    Some(template)
}
