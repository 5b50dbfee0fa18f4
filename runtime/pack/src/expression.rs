//! Compiles values with expressions in them; a mistake points into the file at the very character.

use runner_engine::expression::scan;
use runner_engine::template::CompileError;
use runner_engine::{Condition, Template, rule};
use runner_model::code;
use serde_json::Value;

use crate::diagnostic::{Document, Mistake};
use crate::source::Span;
use crate::yaml::{Entry, Kind, Node, Style};

/// Where an expression stands: what it can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// There is an execution, with its context.
    Workflow,
    /// There is an event.
    Rule,
}

/// The template in a node. If it does not compile, that is reported and a `null` stands in.
pub(crate) fn template(file: &Document<'_>, node: &Node, home: Home) -> Template {
    report_leftovers(file, node, home);
    let compiled = match home {
        Home::Workflow => Template::compile(&node.to_value()),
        Home::Rule => rule::template(&node.to_value()),
    };
    match compiled {
        Ok(template) => template,
        Err(errors) => {
            report(file, node, &errors, home);
            Template::literal(Value::Null)
        }
    }
}

/// The template in the part of a text that begins at byte `at`, reported like that of the whole.
pub(crate) fn template_behind(file: &Document<'_>, node: &Node, at: usize) -> Template {
    let text = node.as_text().and_then(|text| text.get(at..)).unwrap_or_default();
    match Template::compile(&Value::String(text.trim_end().to_owned())) {
        Ok(template) => template,
        Err(mut errors) => {
            errors.iter_mut().for_each(|error| error.offset += at);
            report(file, node, &errors, Home::Workflow);
            Template::literal(Value::Null)
        }
    }
}

/// Whether a text that compiles is one expression and nothing else, so that its value keeps its type.
pub(crate) fn is_one_expression(text: &str) -> bool {
    scan::pieces(text).is_ok_and(|pieces| matches!(pieces.as_slice(), [scan::Piece::Expression { .. }]))
}

/// The condition in a node; none if it does not compile, which is reported.
pub(crate) fn condition(file: &Document<'_>, node: &Node, home: Home) -> Option<Condition> {
    let compiled = match home {
        Home::Workflow => Condition::compile(&node.to_value()),
        Home::Rule => rule::condition(&node.to_value()),
    };
    match compiled {
        Ok(condition) => Some(condition),
        Err(errors) => {
            report(file, node, &errors, home);
            None
        }
    }
}

/// Reports what does not compile in a node.
pub(crate) fn report(file: &Document<'_>, root: &Node, errors: &[CompileError], home: Home) {
    for error in errors {
        let (node, named, rest) = root.at(&error.place);
        let text = node.as_text().filter(|_| rest.is_empty());
        let span = match text {
            Some(_) if !file.findings.is_full() => node.locate(file.source.text(), error.offset, error.length),
            _ => named,
        };
        let cut = (error.code == code::EXPR_UNCLOSED).then(|| cut_short(file, node)).flatten();
        let hint = cut
            .or_else(|| text.and_then(|text| foreign_language(text, error.offset, home)))
            .or_else(|| error.hint.clone());
        file.add(Mistake::new(error.code, span, error.message.clone()).maybe_hint(hint));
    }
}

/// The hint for a plain scalar that YAML ended before its expression did.
fn cut_short(file: &Document<'_>, node: &Node) -> Option<String> {
    if !matches!(node.kind, Kind::Text(_, Style::Plain)) {
        return None;
    }
    let text = file.source.text();
    let after = text.get(node.span.end..)?.lines().next()?;
    let ended_by = match after.trim_start_matches(' ').chars().next() {
        Some('#') if after.starts_with(' ') => "` #`, which begins a comment",
        Some(',') => "a comma, which separates items in `{…}` and `[…]`",
        Some(']' | '}') => "a bracket, which ends `{…}` or `[…]`",
        _ => return None,
    };
    let line = text.get(node.span.start..)?.lines().next()?;
    let whole = line.find("%>").and_then(|end| line.get(..end + 2)).unwrap_or("<% … %>");
    Some(format!("YAML ended the value at {ended_by}: put the whole value in quotes, {}", quoted(whole)))
}

/// A value in quotes, as it can be written in the file.
fn quoted(text: &str) -> String {
    if text.contains('"') || text.contains('\\') {
        format!("`'{}'`", text.replace('\'', "''"))
    } else {
        format!("`\"{text}\"`")
    }
}

/// The hint for an expression in one of StackStorm's languages.
fn foreign_language(text: &str, offset: usize, home: Home) -> Option<String> {
    let start = text.get(..offset.max(2).min(text.len())).and_then(|before| before.rfind("<%"));
    let source = match start {
        Some(start) => text.get(start + 2..).and_then(|rest| rest.split("%>").next()).unwrap_or_default(),
        None if has_jinja(text) => return Some(jinja_hint(text, home)),
        None => return None,
    };
    let yaql: &[(&str, &str)] = &[
        ("$.", "this is YAQL: `$.name` is written `ctx(\"name\")` here"),
        ("st2kv", "`st2kv` is written `kv(\"key\")` here"),
        ("task_status(", "`task_status(name)` is written `task(\"name\").status` here"),
        (" => ", "this is YAQL: a function of an item is written `|x| …` here"),
        (" and ", "`and` is written `&&` here"),
        (" or ", "`or` is written `||` here"),
        (" not ", "`not` is written `!` here"),
        (".select(", "this is YAQL: `.select(…)` is written `.map(|x| …)` here"),
        (".where(", "this is YAQL: `.where(…)` is written `.filter(|x| …)` here"),
    ];
    let unquoted = outside_of_strings(source);
    let yaql = if home == Home::Rule { &RULE_WORDS } else { yaql };
    let found = yaql.iter().find(|(word, _)| unquoted.contains(word)).map(|(_, hint)| (*hint).to_owned());
    found.or_else(|| source.contains('\'').then(|| "texts stand in double quotes here: `\"…\"`".to_owned()))
}

fn outside_of_strings(source: &str) -> String {
    source.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

/// Words of StackStorm's rules, and of languages that its users know.
const RULE_WORDS: [(&str, &str); 5] = [
    ("trigger.", "what the event brought is `event()`: `trigger.body.name` is written `event().body.name` here"),
    ("st2kv", "read it in the workflow or the action that the rule runs"),
    (" and ", "`and` is written `&&` here"),
    (" or ", "`or` is written `||` here"),
    (" not ", "`not` is written `!` here"),
];

/// What to write in the place of `{{ … }}`.
fn jinja_hint(text: &str, home: Home) -> String {
    let example = match home {
        Home::Workflow => "ctx(\"name\")".to_owned(),
        Home::Rule => {
            event_path(text).map_or_else(|| "event(\"body.name\")".to_owned(), |path| format!("event(\"{path}\")"))
        }
    };
    format!("Jinja is not evaluated: write `<% {example} %>`")
}

/// The path in `{{ trigger.path }}`.
fn event_path(text: &str) -> Option<&str> {
    let inner = text.split("{{").nth(1)?.split("}}").next()?.trim();
    let path = inner.strip_prefix("trigger.")?;
    let is_plain = !path.is_empty() && path.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    is_plain.then_some(path)
}

fn has_jinja(text: &str) -> bool {
    let begins = |open: &str, close: &str| {
        text.find(open).is_some_and(|at| text.get(at..).is_some_and(|rest| rest.contains(close)))
    };
    begins("{{", "}}") || begins("{%", "%}")
}

/// Warns of `{{ … }}`: it may be meant for someone else, but most often it was meant to be evaluated.
fn report_leftovers(file: &Document<'_>, node: &Node, home: Home) {
    match &node.kind {
        Kind::Text(text, _) if !text.contains("<%") && has_jinja(text) => {
            let at = text.find("{{").or_else(|| text.find("{%")).unwrap_or(0);
            let length = text.get(at..).map_or(0, |rest| rest.find(['}']).map_or(2, |end| (end + 2).min(rest.len())));
            let span = node.locate(file.source.text(), at, length);
            let message = "`{{ … }}` is passed on as text";
            file.add(Mistake::new(code::EXPR_SYNTAX, span, message).hint(jinja_hint(text, home)).warning());
        }
        Kind::List(items) => items.iter().for_each(|item| report_leftovers(file, item, home)),
        Kind::Map(entries) => entries.iter().for_each(|Entry { value, .. }| report_leftovers(file, value, home)),
        _ => {}
    }
}

/// A place for a condition that cannot be compiled because the value is no text.
pub(crate) const fn place(node: &Node, key: Span) -> Span {
    if node.is_collection() || node.is_null() { key } else { node.span }
}
