//! JSON Schemas as StackStorm writes them: `required` and `secret` are booleans on the property itself, at every depth.

use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use runner_engine::template::Place;
use runner_model::code;
use serde_json::{Map, Value};

use super::draft_7::is_same_in_draft_7;
use crate::diagnostic::{Document, Mistake};
use crate::fields::{boolean, wrong_type};
use crate::suggest;
use crate::yaml::{Entry, Kind, Node};

/// Keywords whose value is a schema (or a boolean, where the standard allows it).
pub(super) const HOLDS_SCHEMA: [&str; 6] =
    ["items", "additionalProperties", "contains", "not", "propertyNames", "additionalItems"];
/// Keywords whose value is a map of schemas.
pub(super) const HOLDS_MAP: [&str; 2] = ["properties", "patternProperties"];
/// Keywords whose value is a list of schemas.
pub(super) const HOLDS_LIST: [&str; 4] = ["anyOf", "oneOf", "allOf", "prefixItems"];
/// Keywords whose value is plain.
pub(super) const PLAIN: [&str; 22] = [
    "type",
    "title",
    "description",
    "default",
    "examples",
    "enum",
    "const",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "deprecated",
];

/// What was read of a schema beside the schema itself.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) schema: Map<String, Value>,
    /// `required: true` on this very schema.
    pub(crate) required: bool,
    /// `secret: true` on it or somewhere in it.
    pub(crate) secret: bool,
    /// Where in a value that stands: JSON pointers, in which `*` is any key or index.
    pub(crate) places: Vec<String>,
}

/// Reads a schema; `own` are keys that the caller reads itself.
pub(crate) fn read(file: &Document<'_>, node: &Node, own: &[&'static str]) -> Read {
    let mut read = Read::default();
    let Some(entries) = node.as_map() else {
        file.add(wrong_type(node, "schema", "a map"));
        return read;
    };
    for entry in entries.iter().filter(|entry| !own.contains(&entry.key.as_str())) {
        read.entry(file, entry, own);
    }
    read
}

impl Read {
    fn entry(&mut self, file: &Document<'_>, entry: &Entry, own: &[&'static str]) {
        let Entry { key, value, .. } = entry;
        let read = match key.as_str() {
            "secret" => {
                if boolean(file, value, key).unwrap_or(true) {
                    self.secret = true;
                    self.places.push(String::new());
                }
                return;
            }
            "required" if !matches!(value.kind, Kind::List(_)) => {
                self.required |= boolean(file, value, key).unwrap_or(false);
                return;
            }
            "required" => {
                let listed = self.schema.entry("required").or_insert_with(|| Value::Array(Vec::new()));
                if let (Value::Array(listed), Value::Array(more)) = (listed, value.to_value()) {
                    listed.extend(more);
                }
                return;
            }
            name if HOLDS_MAP.contains(&name) => self.map(file, value, name == "properties"),
            "not" => self.schema_or_boolean(file, value, ""),
            name if HOLDS_SCHEMA.contains(&name) => self.schema_or_boolean(file, value, "/*"),
            name if HOLDS_LIST.contains(&name) => self.list(file, value, name),
            name if PLAIN.contains(&name) => value.to_value(),
            _ => {
                file.add(unknown_keyword(entry, own));
                return;
            }
        };
        self.schema.insert(key.clone(), read);
    }

    /// What an inner schema says is secret, below `place`.
    fn secrets_of(&mut self, inner: &Self, place: &str) {
        self.secret |= inner.secret;
        self.places.extend(inner.places.iter().map(|below| format!("{place}{below}")));
    }

    fn schema_or_boolean(&mut self, file: &Document<'_>, node: &Node, place: &str) -> Value {
        match &node.kind {
            Kind::Map(_) => {
                let inner = read(file, node, &[]);
                self.secrets_of(&inner, place);
                Value::Object(inner.schema)
            }
            // Whether a boolean may stand here is said by the schema of schemas.
            _ => node.to_value(),
        }
    }

    fn list(&mut self, file: &Document<'_>, node: &Node, key: &str) -> Value {
        let Kind::List(items) = &node.kind else {
            file.add(wrong_type(node, key, "a list of schemas"));
            return Value::Array(vec![Value::Bool(true)]);
        };
        // The others say something of the very same value.
        let place = if key == "prefixItems" { "/*" } else { "" };
        items.iter().map(|item| self.schema_or_boolean(file, item, place)).collect()
    }

    fn map(&mut self, file: &Document<'_>, node: &Node, are_properties: bool) -> Value {
        let Some(entries) = node.as_map() else {
            file.add(wrong_type(node, "properties", "a map of schemas"));
            return Value::Object(Map::new());
        };
        let mut schemas = Map::new();
        for Entry { key, value, .. } in entries {
            let inner = match value.kind {
                Kind::Bool(allowed) => {
                    schemas.insert(key.clone(), Value::Bool(allowed));
                    continue;
                }
                _ => read(file, value, &[]),
            };
            let part = if are_properties { key.replace('~', "~0").replace('/', "~1") } else { "*".to_owned() };
            self.secrets_of(&inner, &format!("/{part}"));
            if inner.required && are_properties {
                let listed = self.schema.entry("required").or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(listed) = listed {
                    listed.push(Value::String(key.clone()));
                }
            }
            schemas.insert(key.clone(), Value::Object(inner.schema));
        }
        Value::Object(schemas)
    }
}

fn unknown_keyword(entry: &Entry, own: &[&'static str]) -> Mistake {
    let key = &entry.key;
    let message = format!("a schema has no keyword `{key}`");
    let mistake = Mistake::new(code::PACK_UNKNOWN_KEY, entry.key_span, message);
    if key.starts_with('$') {
        return mistake.hint("references between schemas are not supported: write the schema out");
    }
    let known = ["required", "secret"].into_iter().chain(own.iter().copied()).chain(PLAIN);
    let known = known.chain(HOLDS_SCHEMA).chain(HOLDS_MAP).chain(HOLDS_LIST);
    mistake.maybe_hint(suggest::nearest(key, known).map(|near| format!("did you mean `{near}`?")))
}

/// A schema, ready to be used.
pub(crate) fn build(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    // Patterns in linear time: they are matched against data from outside.
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
    if is_same_in_draft_7(schema) {
        // Formats are notes in the later draft; so are they here.
        return options.with_draft(Draft::Draft7).should_validate_formats(false).build(schema);
    }
    options.build(schema)
}

/// Compiles a schema; one that is no schema is reported in the node it was read from.
pub(crate) fn compile(file: &Document<'_>, node: &Node, schema: &Value) -> Option<Validator> {
    match build(schema) {
        Ok(validator) => Some(validator),
        Err(error) => {
            let path = error.instance_path().to_string();
            let places: Vec<_> = path.split('/').filter(|part| !part.is_empty()).map(place).collect();
            let (_, span, _) = node.at(&places);
            let message = format!("this is not a valid JSON Schema: {error}");
            file.add(Mistake::new(code::PACK_BAD_SCHEMA, span, message));
            None
        }
    }
}

/// A step of a JSON pointer.
fn place(part: &str) -> Place {
    match part.parse() {
        Ok(index) => Place::Index(index),
        Err(_) => Place::Key(part.replace("~1", "/").replace("~0", "~")),
    }
}
