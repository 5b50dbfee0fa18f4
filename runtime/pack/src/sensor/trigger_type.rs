//! `trigger_types` of a sensor: what it emits, and what comes with it.

use std::fmt;
use std::sync::Arc;

use jsonschema::Validator;
use runner_model::{PackRef, TriggerRef, code};
use serde_json::{Map, Value};

use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, wrong_type};
use crate::parameters::{compile_schema, read_schema, shown};
use crate::source::Span;
use crate::yaml::{Kind, Node};

/// A kind of event.
#[derive(Clone)]
pub struct TriggerType {
    /// Its full name.
    pub reference: TriggerRef,
    /// What has happened when it comes.
    pub description: String,
    /// What its payload is, as a JSON Schema.
    pub payload_schema: Option<Value>,
    /// What a rule can say about it, as a JSON Schema of an object.
    pub parameters_schema: Option<Value>,
    payload: Option<Arc<Validator>>,
    parameters: Option<Arc<Validator>>,
}

impl fmt::Debug for TriggerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TriggerType")
            .field("reference", &self.reference)
            .field("payload_schema", &self.payload_schema)
            .field("parameters_schema", &self.parameters_schema)
            .finish_non_exhaustive()
    }
}

/// Mistakes of one value that are told: a reader mends the first ones first.
const TOLD_MAX: usize = 5;

impl TriggerType {
    /// Whether a payload fits.
    ///
    /// # Errors
    /// What does not fit, in one sentence.
    pub fn check_payload(&self, payload: &Value) -> Result<(), String> {
        let Some(validator) = &self.payload else { return Ok(()) };
        let told: Vec<_> = mistakes(validator, payload).map(|(_, message)| message).take(TOLD_MAX).collect();
        if told.is_empty() { Ok(()) } else { Err(told.join("; ")) }
    }

    /// What does not fit in a rule's parameters: the parameter, empty if all of them are meant, and a sentence.
    pub(crate) fn check_parameters(&self, parameters: &Value) -> Vec<(String, String)> {
        match &self.parameters {
            Some(validator) => mistakes(validator, parameters).take(TOLD_MAX).collect(),
            None => {
                let names = parameters.as_object().into_iter().flat_map(Map::keys);
                names.map(|name| (name.clone(), format!("there is no parameter `{name}`"))).take(TOLD_MAX).collect()
            }
        }
    }

    /// What the schema says about a rule's parameters by name.
    pub(crate) fn parameter_names(&self) -> impl Iterator<Item = &str> {
        let properties = self.parameters_schema.as_ref().and_then(|schema| schema.get("properties")?.as_object());
        properties.into_iter().flat_map(Map::keys).map(String::as_str)
    }

    pub(crate) fn emits_the_same_as(&self, other: &Self) -> bool {
        (&self.payload_schema, &self.parameters_schema) == (&other.payload_schema, &other.parameters_schema)
    }
}

/// The member of the value that is wrong, and what is wrong.
fn mistakes<'a>(validator: &'a Validator, value: &'a Value) -> impl Iterator<Item = (String, String)> + use<'a> {
    validator.iter_errors(value).map(|error| {
        let path = error.instance_path().to_string();
        let member = path.split('/').nth(1).unwrap_or_default().to_owned();
        let at = if path.is_empty() { String::new() } else { format!("`{path}`: ") };
        (member, format!("{at}{}", error.masked_with(shown(error.instance()))))
    })
}

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("pack", "remove it: a sensor emits triggers of its own pack"),
        ("type", "write `name`"),
        ("ref", "write `name`, without the pack"),
        ("payload", "write `payload_schema`"),
        ("schema", "write `payload_schema`"),
        ("parameters", "write `parameters_schema`"),
    ],
};

/// What was read, each with its place, and whether that is all.
pub(super) type Types = (Vec<(TriggerType, Span)>, bool);

pub(super) fn read(file: &Document<'_>, node: &Node, pack: &PackRef) -> Types {
    let Kind::List(items) = &node.kind else {
        let mistake = wrong_type(node, "trigger_types", "a list");
        file.add(mistake.hint("write `trigger_types: [{name: something_happened}]`"));
        return (Vec::new(), false);
    };
    if items.is_empty() {
        let mistake = Mistake::new(code::PACK_BAD_VALUE, node.span, "the sensor emits nothing");
        file.add(mistake.hint("write `trigger_types: [{name: something_happened}]`"));
    }
    let mut types: Vec<(TriggerType, Span)> = Vec::new();
    for item in items {
        let Some((kind, span)) = one(file, item, pack) else { continue };
        if types.iter().any(|(other, _)| other.reference == kind.reference) {
            let message = format!("`{}` stands twice", kind.reference.name());
            file.add(Mistake::new(code::PACK_DUPLICATE_NAME, span, message).hint("remove one of the two"));
            continue;
        }
        types.push((kind, span));
    }
    let is_whole = types.len() == items.len();
    (types, is_whole)
}

fn one(file: &Document<'_>, node: &Node, pack: &PackRef) -> Option<(TriggerType, Span)> {
    if node.as_map().is_none() {
        let mistake = wrong_type(node, "trigger_types", "a list of maps");
        file.add(mistake.maybe_hint(node.as_text().map(|name| format!("write `- name: {name}`"))));
        return None;
    }
    let place = node.as_map().and_then(<[_]>::first).map_or(node.span, |entry| entry.key_span);
    let mut fields = Fields::open(file, node, "the trigger type", place)?;
    let span = fields.place_of("name");
    let name = fields.text("name");
    let name = fields.require("name", name, "something_happened");
    let reference = name.and_then(|name| reference(file, pack, name, span));
    let description = fields.text("description").unwrap_or_default().to_owned();
    let (payload_schema, payload) = schema(file, &mut fields, "payload_schema").unzip();
    let (parameters_schema, parameters) = schema(file, &mut fields, "parameters_schema").unzip();
    fields.finish(&FOREIGN);
    let reference = reference?;
    Some((TriggerType { reference, description, payload_schema, parameters_schema, payload, parameters }, span))
}

fn reference(file: &Document<'_>, pack: &PackRef, name: &str, span: Span) -> Option<TriggerRef> {
    match TriggerRef::new(pack, name) {
        Ok(reference) => {
            let own = name.strip_prefix(pack.as_str()).and_then(|rest| rest.strip_prefix('.'));
            if let Some(own) = own {
                let message = "a trigger type's name stands without the pack";
                file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).hint(format!("write `name: {own}`")));
            }
            Some(reference)
        }
        Err(error) => {
            file.add(Mistake::new(code::PACK_BAD_VALUE, span, error.to_string()));
            None
        }
    }
}

/// A schema and what it checks with; one that is none is reported.
fn schema(file: &Document<'_>, fields: &mut Fields<'_>, key: &'static str) -> Option<(Value, Arc<Validator>)> {
    let node = fields.get(key)?;
    let schema = Value::Object(read_schema(file, node, &[]).schema);
    let validator = compile_schema(file, node, &schema)?;
    Some((schema, Arc::new(validator)))
}
