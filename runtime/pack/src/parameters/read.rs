//! Reads `parameters:` of an action and `config.schema.yaml` of a pack.

use std::collections::BTreeMap;
use std::sync::Arc;

use runner_model::code;
use serde_json::Value;

use super::schema::{self, compile};
use super::{Parameter, ParameterKind, Parameters};
use crate::diagnostic::{Document, Mistake};
use crate::fields::{boolean, text, wrong_type};
use crate::source::Span;
use crate::suggest;
use crate::yaml::{Entry, Kind, Node};

/// What the parameters are for: a configuration has neither positions nor immutable keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Action,
    Config,
}

const OWN: [&str; 2] = ["immutable", "position"];

/// Reads a map of parameters, and says whether that is all of them: one whose schema is no schema is left out. What is wrong
/// is reported.
pub(crate) fn read(file: &Document<'_>, node: &Node, purpose: Purpose) -> (Parameters, bool) {
    let Some(entries) = node.as_map() else {
        file.add(wrong_type(node, "parameters", "a map from names to schemas"));
        return (Parameters::default(), false);
    };
    let mut positions = BTreeMap::new();
    let mut list = Vec::with_capacity(entries.len());
    for entry in entries {
        let Some(parameter) = parameter(file, entry, purpose) else { continue };
        if let Some(position) = parameter.position {
            let first = positions.entry(position).or_insert_with(|| parameter.name.clone());
            if *first != parameter.name {
                let span = member(&entry.value, "position").map_or(entry.key_span, |node| node.span);
                let message = format!("`{}` and `{first}` have the same position {position}", parameter.name);
                file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).hint("give each its own"));
            }
        }
        list.push(parameter);
    }
    let complete = list.len() == entries.len();
    (Parameters::new(list), complete)
}

fn member<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.as_map()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}

fn parameter(file: &Document<'_>, entry: &Entry, purpose: Purpose) -> Option<Parameter> {
    let Entry { key: name, key_span, value: node } = entry;
    check_name(file, name, *key_span);
    let null = Node { span: *key_span, kind: Kind::Map(Vec::new()) };
    let node = if node.is_null() { &null } else { node };
    if node.as_map().is_none() {
        let wanted = "a map such as `{type: string}`";
        file.add(wrong_type(node, name, wanted).hint(format!("write `{name}: {{type: string}}`")));
        return None;
    }
    let kind = kind(file, node)?;
    let own: &[&'static str] = if purpose == Purpose::Action { &OWN } else { &[] };
    let read = schema::read(file, node, own);
    let flag = |key: &str| member(node, key).is_some_and(|value| boolean(file, value, key).unwrap_or(false));
    let immutable = purpose == Purpose::Action && flag("immutable");
    let schema = Value::Object(read.schema);
    let parameter = Parameter {
        name: name.clone(),
        description: member(node, "description").and_then(|node| text(file, node, "description")).map(str::to_owned),
        kind,
        secret: read.secret,
        immutable,
        position: (purpose == Purpose::Action).then(|| position(file, node)).flatten(),
        default: schema.get("default").cloned(),
        required: read.required && schema.get("default").is_none_or(Value::is_null),
        enum_values: schema.get("enum").and_then(Value::as_array).cloned().unwrap_or_default(),
        validator: Arc::new(compile(file, node, &schema)?),
        schema,
    };
    check_default(file, node, *key_span, &parameter);
    Some(parameter)
}

fn check_name(file: &Document<'_>, name: &str, span: Span) {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let message = format!("`{name}` is not a parameter's name: use letters, digits and `_`");
        let better: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let hint = (!name.is_empty()).then(|| format!("write `{better}`"));
        file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).maybe_hint(hint));
    }
}

/// The type as written; one that is none is reported, and then there is no use in going on.
fn kind(file: &Document<'_>, node: &Node) -> Option<ParameterKind> {
    let Some(node) = member(node, "type") else { return Some(ParameterKind::Any) };
    let Some(word) = node.as_text() else {
        let mistake = wrong_type(node, "type", "the name of one type");
        file.add(match node.kind {
            Kind::List(_) => {
                mistake.hint("a parameter has one type; leave `type` out to take anything, or use `anyOf`")
            }
            _ => mistake,
        });
        return None;
    };
    let found = ParameterKind::NAMED.into_iter().find(|kind| kind.as_str() == word);
    if found.is_none() {
        let foreign = match word.to_ascii_lowercase().as_str() {
            "str" | "text" => Some("string"),
            "int" | "long" => Some("integer"),
            "bool" => Some("boolean"),
            "float" | "double" => Some("number"),
            "list" => Some("array"),
            "dict" | "map" | "hash" => Some("object"),
            _ => None,
        };
        let names = ParameterKind::NAMED.map(ParameterKind::as_str);
        let hint = foreign.map(|word| format!("write `type: {word}`"));
        let hint = hint.or_else(|| suggest::hint(word, names, "types are"));
        let message = format!("there is no type `{word}`");
        file.add(Mistake::new(code::PACK_BAD_VALUE, node.span, message).maybe_hint(hint));
    }
    found
}

fn position(file: &Document<'_>, node: &Node) -> Option<u32> {
    let node = member(node, "position")?;
    let position = match &node.kind {
        Kind::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        _ => None,
    };
    if position.is_none() {
        file.add(wrong_type(node, "position", "a whole number from 0"));
    }
    position
}

fn check_default(file: &Document<'_>, node: &Node, key_span: Span, parameter: &Parameter) {
    let written = member(node, "default");
    let Some((written, value)) = written.zip(parameter.default.as_ref()) else {
        if parameter.immutable {
            let message = format!("`{}` is immutable but has no default, so it can have no value", parameter.name);
            file.add(Mistake::new(code::PACK_BAD_DEFAULT, key_span, message).hint("add a `default`"));
        }
        return;
    };
    if value.is_null() {
        return;
    }
    if written.as_text().is_some_and(|text| text.contains("{{") || text.contains("<%")) {
        let message = "expressions are not evaluated in a default: this text is passed as it is".to_owned();
        file.add(Mistake::new(code::PACK_BAD_DEFAULT, written.span, message).warning());
        return;
    }
    if let Err(error) = parameter.check(value) {
        let message = format!("the default of {}", error.message);
        let kind = parameter.kind;
        let hint =
            error.hint.or_else(|| (kind != ParameterKind::Any).then(|| format!("the parameter's type is `{kind}`")));
        file.add(Mistake::new(code::PACK_BAD_DEFAULT, written.span, message).maybe_hint(hint));
    }
}
