//! The tree.

use runner_engine::template::Place;
use serde_json::{Map, Number, Value};

use crate::source::Span;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String, Style),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// How a text is written: decides how its characters correspond to those of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    /// `|` or `>`.
    Block,
}

/// A member of a map.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

impl Node {
    pub(crate) const fn null(at: usize) -> Self {
        Self { span: Span::new(at, at), kind: Kind::Null }
    }

    pub(crate) const fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text, _) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_map(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    pub(crate) const fn is_collection(&self) -> bool {
        matches!(self.kind, Kind::List(_) | Kind::Map(_))
    }

    /// What it is, for a sentence.
    pub(crate) const fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::Text(..) => "a string",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// How many nodes it has, itself included.
    pub(crate) fn size(&self) -> usize {
        1 + match &self.kind {
            Kind::List(items) => items.iter().map(Self::size).sum(),
            Kind::Map(entries) => entries.iter().map(|entry| 1 + entry.value.size()).sum(),
            _ => 0,
        }
    }

    /// How many levels of collections it has.
    pub(crate) fn depth(&self) -> usize {
        match &self.kind {
            Kind::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Kind::Map(entries) => 1 + entries.iter().map(|entry| entry.value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    pub(crate) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text, _) => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(Self::to_value).collect(),
            Kind::Map(entries) => {
                let members = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value()));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    /// Whether some text in it holds an expression.
    pub(crate) fn has_expression(&self) -> bool {
        match &self.kind {
            Kind::Text(text, _) => text.contains("<%"),
            Kind::List(items) => items.iter().any(Self::has_expression),
            Kind::Map(entries) => entries.iter().any(|entry| entry.value.has_expression()),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => false,
        }
    }

    /// The node at the end of `places`, or as near to it as the file has one; with the span that names it in a message (the
    /// key of a collection rather than its many lines) and the places that were left.
    pub(crate) fn at<'a, 'p>(&'a self, places: &'p [Place]) -> (&'a Self, Span, &'p [Place]) {
        let mut node = self;
        let mut named = if self.is_collection() { Span::new(self.span.start, self.span.start) } else { self.span };
        let mut rest = places;
        while let Some((place, after)) = rest.split_first() {
            let (next, key) = match (&node.kind, place) {
                (Kind::List(items), Place::Index(index)) => (items.get(*index), None),
                (Kind::Map(entries), Place::Key(key)) => {
                    let entry = entries.iter().find(|entry| entry.key == *key);
                    (entry.map(|entry| &entry.value), entry.map(|entry| entry.key_span))
                }
                // A list of one-key maps may be written as one map: its index counts the keys, and the key follows.
                (Kind::Map(entries), Place::Index(index)) => {
                    let entry = entries.get(*index);
                    if matches!((after.first(), entry), (Some(Place::Key(key)), Some(entry)) if entry.key == *key) {
                        rest = after;
                    }
                    (entry.map(|entry| &entry.value), entry.map(|entry| entry.key_span))
                }
                _ => (None, None),
            };
            let Some(next) = next else { break };
            named = match key {
                Some(key) if next.is_collection() || next.is_null() => key,
                _ => next.name_span(),
            };
            node = next;
            rest = rest.get(1..).unwrap_or_default();
        }
        (node, named, rest)
    }

    fn name_span(&self) -> Span {
        match &self.kind {
            Kind::Map(entries) => entries.first().map_or(self.span, |entry| entry.key_span),
            Kind::List(items) => items.first().map_or(self.span, Self::name_span),
            _ => self.span,
        }
    }
}
