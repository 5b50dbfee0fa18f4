//! A property of an ONTAP object as a parameter of an action: its name, its type, and where it stands in the body.

use runner_sdk::prelude::{Value, json};

/// What a parameter takes, and what it becomes in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number.
    Integer,
    /// A truth value.
    Boolean,
    /// Bytes, or a text such as `500GB` (times 1024, as ONTAP counts); becomes bytes.
    Size,
    /// A list of texts.
    Texts,
    /// A list of names; becomes a list of objects that have them.
    Names,
    /// One name; becomes a list of one object that has it.
    OneName,
    /// One client; becomes a list of one object that matches it.
    OneMatch,
    /// A list of addresses; becomes a list of objects that have them.
    Addresses,
    /// An object as the API has it.
    Object,
    /// A list of objects as the API has them.
    Objects,
}

/// When a field may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// When the object is created and when it is changed.
    Always,
    /// Only when it is created: ONTAP cannot change it afterwards.
    Created,
    /// Only when it is changed.
    Changed,
    /// Never in the body: it says which object the object belongs to.
    Parent,
}

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The parameter's name.
    pub name: &'static str,
    /// Where it stands in the body and in records, with dots; empty if nowhere.
    pub path: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it means.
    pub about: &'static str,
    /// When it may be given.
    pub when: When,
    /// Whether there is no way without it.
    pub required: bool,
    /// Whether nobody may read it.
    pub secret: bool,
    /// Its default, as JSON.
    pub default: Option<&'static str>,
}

impl Field {
    /// A field of some kind.
    #[must_use]
    pub const fn new(name: &'static str, path: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, path, kind, about, when: When::Always, required: false, secret: false, default: None }
    }

    /// A text.
    #[must_use]
    pub const fn text(name: &'static str, path: &'static str, about: &'static str) -> Self {
        Self::new(name, path, Kind::Text, about)
    }

    /// A truth value.
    #[must_use]
    pub const fn flag(name: &'static str, path: &'static str, about: &'static str) -> Self {
        Self::new(name, path, Kind::Boolean, about)
    }

    /// A whole number.
    #[must_use]
    pub const fn number(name: &'static str, path: &'static str, about: &'static str) -> Self {
        Self::new(name, path, Kind::Integer, about)
    }

    /// The same field, with no way without it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same field, which cannot be changed later.
    #[must_use]
    pub const fn fixed(mut self) -> Self {
        self.when = When::Created;
        self
    }

    /// The same field, which can only be changed.
    #[must_use]
    pub const fn later(mut self) -> Self {
        self.when = When::Changed;
        self
    }

    /// The same field, which names the object that this one belongs to and stands in the path.
    #[must_use]
    pub const fn parent(mut self) -> Self {
        self.when = When::Parent;
        self
    }

    /// The same field, which nobody may read.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The same field with a default, as JSON.
    #[must_use]
    pub const fn default(mut self, json: &'static str) -> Self {
        self.default = Some(json);
        self
    }

    /// Its name in a query: of a list of objects, that of their name.
    #[must_use]
    pub fn query_name(&self) -> String {
        match self.kind {
            Kind::Names | Kind::OneName => format!("{}.name", self.path),
            Kind::OneMatch => format!("{}.match", self.path),
            Kind::Addresses => format!("{}.ip_address", self.path),
            _ => self.path.to_owned(),
        }
    }

    /// Its JSON Schema.
    #[must_use]
    pub fn schema(&self) -> Value {
        let mut schema = match self.kind {
            Kind::Text | Kind::OneName | Kind::OneMatch => json!({ "type": "string" }),
            Kind::Choice(words) => json!({ "type": "string", "enum": words }),
            Kind::Integer => json!({ "type": "integer" }),
            Kind::Boolean => json!({ "type": "boolean" }),
            // No `type`: a parameter has one type or any.
            Kind::Size => json!({ "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? *([KMGTPkmgtp]?i?[Bb]?)$" },
            ] }),
            Kind::Texts | Kind::Names | Kind::Addresses => json!({ "type": "array", "items": { "type": "string" } }),
            Kind::Object => json!({ "type": "object" }),
            Kind::Objects => json!({ "type": "array", "items": { "type": "object" } }),
        };
        if let (Value::Object(map), Some(default)) = (&mut schema, self.default_value()) {
            map.insert("default".to_owned(), default);
        }
        if let Value::Object(map) = &mut schema {
            map.insert("description".to_owned(), self.about.into());
        }
        schema
    }

    /// Its default.
    #[must_use]
    pub fn default_value(&self) -> Option<Value> {
        self.default.and_then(|text| runner_sdk::serde_json::from_str(text).ok())
    }
}
