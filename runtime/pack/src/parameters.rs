//! The parameters of an action, or the keys of a pack's configuration: what they are, and whether values fit them.

mod bind;
mod draft_7;
mod json;
mod read;
mod schema;
mod text;

use std::sync::Arc;

use jsonschema::Validator;
use runner_model::Code;
use serde_json::Value;

pub(crate) use bind::shown;
pub(crate) use read::{Purpose, read};
pub(crate) use schema::{build as build_schema, compile as compile_schema, read as read_schema};

/// The parameters of an action, in order: those with a `position` first, the others by name.
#[derive(Debug, Clone, Default)]
pub struct Parameters(Arc<[Parameter]>);

/// One parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its JSON Schema, with its description, its default and its values.
    pub schema: Value,
    /// What it is for.
    pub description: Option<String>,
    /// Its type.
    pub kind: ParameterKind,
    /// Whether a value must be given; never, if there is a default.
    pub required: bool,
    /// Whether its value must not be shown.
    pub secret: bool,
    /// Whether its value is its default, always.
    pub immutable: bool,
    /// Where it stands among arguments that are given without a name.
    pub position: Option<u32>,
    /// What it is if it is not given. None is no default; `null` is one.
    pub default: Option<Value>,
    /// The values it may have, if they are listed.
    pub enum_values: Vec<Value>,
    validator: Arc<Validator>,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParameterKind {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list.
    Array,
    /// A map.
    Object,
    /// Anything: the schema names no type.
    Any,
}

impl ParameterKind {
    /// The types that a schema can name, in the order of frequency.
    pub const NAMED: [Self; 6] = [Self::String, Self::Array, Self::Boolean, Self::Integer, Self::Object, Self::Number];

    /// The word as written in a schema; `any` for no type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
            Self::Any => "any",
        }
    }
}

impl std::fmt::Display for ParameterKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A value that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParameterError {
    /// What kind of mistake.
    pub code: Code,
    /// The parameter; empty if all of them together are meant.
    pub parameter: String,
    /// A lowercase sentence. It never holds the value of a secret parameter.
    pub message: String,
    /// What to do instead.
    pub hint: Option<String>,
}

impl Parameters {
    fn new(mut list: Vec<Parameter>) -> Self {
        list.sort_by(|a, b| {
            let key = |p: &Parameter| p.position.unwrap_or(u32::MAX);
            key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
        });
        Self(list.into())
    }

    /// The parameters, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Parameter> {
        self.0.iter()
    }

    /// Their names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|parameter| parameter.name.as_str())
    }

    /// The parameter with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.iter().find(|parameter| parameter.name == name)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of those whose values must not be shown.
    #[must_use]
    pub fn secret_names(&self) -> Vec<String> {
        self.iter().filter(|parameter| parameter.secret).map(|parameter| parameter.name.clone()).collect()
    }
}

impl<'a> IntoIterator for &'a Parameters {
    type Item = &'a Parameter;
    type IntoIter = std::slice::Iter<'a, Parameter>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
