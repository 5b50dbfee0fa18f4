//! The input of an action: parameters by name, null being the same as not given.

use runner_sdk::prelude::{Failure, Result, Value, bail};
use runner_sdk::serde_json::{self, Map};

use crate::api::{Api, Query, query_of};
use crate::body;
use crate::field::{Field, When};
use crate::resource::Resource;

/// The input of an action.
#[derive(Debug)]
pub struct Call {
    input: Map<String, Value>,
}

impl Call {
    /// Reads it, and adds the defaults of what is null: a workflow passes null for what its caller left out.
    ///
    /// # Errors
    /// `bad-input`.
    pub fn parse(input: &str, fields: &[Field]) -> Result<Self> {
        let mut input: Map<String, Value> = serde_json::from_str(input)
            .map_err(|error| Failure::new("bad-input", format!("the input is not an object: {error}")))?;
        input.retain(|_, value| !value.is_null());
        for field in fields {
            if let Some(default) = field.default_value() {
                input.entry(field.name).or_insert(default);
            }
        }
        for field in fields.iter().filter(|field| field.required) {
            if !input.contains_key(field.name) {
                bail!("bad-input", "the parameter `{}` is missing: {}", field.name, field.about);
            }
        }
        Ok(Self { input })
    }

    /// A parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.input.get(name)
    }

    /// A parameter that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// A parameter that is a text and must be there.
    ///
    /// # Errors
    /// `bad-input`.
    pub fn need(&self, name: &str) -> Result<&str> {
        match self.text(name) {
            Some(text) => Ok(text),
            None => bail!("bad-input", "the parameter `{name}` is missing"),
        }
    }

    /// A parameter that is true or false.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    /// A parameter that is a whole number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.as_u64()
    }

    /// A parameter that is an object.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        self.get(name)?.as_object()
    }

    /// The cluster to talk to.
    ///
    /// # Errors
    /// `bad-input`.
    pub fn api(&self) -> Result<Api> {
        Ok(Api::new(self.need("connection")?))
    }

    /// What to wait for a job, as ONTAP's parameter.
    #[must_use]
    pub fn return_timeout(&self) -> Query {
        self.number("return_timeout")
            .filter(|seconds| *seconds > 0)
            .map(|seconds| ("return_timeout".to_owned(), seconds.to_string()))
            .into_iter()
            .collect()
    }

    /// The parameter `query`.
    #[must_use]
    pub fn query(&self) -> Query {
        self.object("query").map(query_of).unwrap_or_default()
    }

    /// What is wanted of an object: its parameters, and `fields`, which has the last word.
    ///
    /// # Errors
    /// A value that is not of its kind.
    pub fn body(&self, resource: &Resource, when: When) -> Result<Value> {
        let mut wanted = Value::Object(Map::new());
        let identity = resource.own_identity().filter(|_| when == When::Created);
        let fields = resource.fields.iter().filter(|field| field.when == When::Always || field.when == when);
        for field in identity.chain(fields).filter(|field| !field.path.is_empty()) {
            if let Some(value) = self.get(field.name) {
                body::set(&mut wanted, field.path, body::of_field(field, value)?);
            }
        }
        if let Some(more) = self.get("fields").filter(|more| more.is_object()) {
            body::merge(&mut wanted, more);
        }
        Ok(wanted)
    }
}
