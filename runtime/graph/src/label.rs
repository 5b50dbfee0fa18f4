//! Expressions as text: what stands beside an edge and in a mark.

use runner_engine::{Condition, Template};
use serde_json::Value;

/// What stands beside an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The condition: a word for the usual ones, else the expression as written.
    pub text: String,
    /// What the condition asks.
    pub tone: Tone,
}

/// What a condition asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Whether the step went well, and nothing else.
    Success,
    /// Whether it went badly, and nothing else.
    Failure,
    /// Whether it ended: always true.
    Completion,
    /// Something else.
    Other,
}

/// The label of the condition that asks for a timeout alone.
pub(crate) const TIMED_OUT: &str = "timed out";

/// The label of a condition; none if it always holds as written.
pub(crate) fn of_condition(condition: &Condition) -> Option<Label> {
    let source = source(condition);
    let bare: String = source.chars().filter(|c| !c.is_whitespace()).collect();
    let (text, tone) = match bare.as_str() {
        "true" => return None,
        "succeeded()" => ("succeeded".to_owned(), Tone::Success),
        "failed()" => ("failed".to_owned(), Tone::Failure),
        "timed_out()" => (TIMED_OUT.to_owned(), Tone::Failure),
        "completed()" => ("completed".to_owned(), Tone::Completion),
        _ => (source, Tone::Other),
    };
    Some(Label { text, tone })
}

/// A condition as written, without the marks around it.
pub(crate) fn source(condition: &Condition) -> String {
    let template = condition.template();
    if let Some(literal) = template.as_literal() {
        return of_value(literal);
    }
    sources(template).join(" … ")
}

/// A value as written, but without the marks around it if it is nothing but an expression.
pub(crate) fn bare(template: &Template) -> String {
    let text = of_template(template);
    let inside = text.strip_prefix("<% ").and_then(|rest| rest.strip_suffix(" %>"));
    inside.filter(|inside| template.as_literal().is_none() && !inside.contains("<%")).unwrap_or(&text).to_owned()
}

/// A value as written. Of a text with expressions in it only the expressions are known.
pub(crate) fn of_template(template: &Template) -> String {
    if let Some(literal) = template.as_literal() {
        return of_value(literal);
    }
    let marked: Vec<_> = sources(template).iter().map(|source| format!("<% {source} %>")).collect();
    marked.join(" … ")
}

fn of_value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn sources(template: &Template) -> Vec<String> {
    let mut sources = Vec::new();
    template.visit(&mut |_, expression| sources.push(expression.source().to_owned()));
    sources
}
