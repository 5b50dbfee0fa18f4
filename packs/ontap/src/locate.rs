//! Finding the one object that is meant: by its UUID, or by what people tell it by.

use runner_sdk::prelude::{Result, Value, bail};

use crate::api::{Api, Query, Wanted, encode};
use crate::body;
use crate::call::Call;
use crate::field::When;
use crate::resource::Resource;

/// Where a kind of object is, for one call.
#[derive(Debug)]
pub struct Place<'a> {
    /// The kind.
    pub resource: &'a Resource,
    /// The cluster.
    pub api: Api,
    /// The collection.
    pub path: String,
}

impl<'a> Place<'a> {
    /// Finds the collection: of what belongs to another object, below that object.
    ///
    /// # Errors
    /// `not-found` if that object is not there, or what ONTAP said.
    pub fn of(resource: &'a Resource, call: &Call) -> Result<Self> {
        let api = call.api()?;
        let Some(parent) = &resource.parent else {
            return Ok(Self { resource, api, path: resource.path.to_owned() });
        };
        let above = Place { resource: parent.resource, api: api.clone(), path: parent.resource.path.to_owned() };
        let mut query = Query::new();
        for (own, of_parent) in parent.by {
            let field = parent.resource.identity.iter().find(|field| field.name == *of_parent);
            if let Some((field, value)) = field.zip(call.text(own)) {
                query.push((field.query_name(), value.to_owned()));
            }
        }
        let found = above.only(&query, Some("name"))?.ok_or_else(|| above.missing(&query))?;
        let Some(key) = body::text(&found, parent.from) else {
            bail!("bad-response", "{} has no `{}`", parent.resource.what, parent.from);
        };
        let path = resource.path.replace(&format!("{{{}}}", parent.key), &encode(&key));
        Ok(Self { resource, api, path })
    }

    /// The query that tells the object: its UUID, or else what people tell it by. None if nothing is given.
    #[must_use]
    pub fn identity(&self, call: &Call) -> Query {
        if let Some(uuid) = call.text("uuid").filter(|_| self.resource.has_uuid()) {
            return vec![("uuid".to_owned(), uuid.to_owned())];
        }
        let given = self.resource.own_identity().filter_map(|field| {
            let text = match call.get(field.name)? {
                Value::String(text) => literal(text),
                other => other.to_string(),
            };
            Some((field.query_name(), text))
        });
        given.collect()
    }

    /// The object, if there is one.
    ///
    /// # Errors
    /// `ambiguous` if there are several, or what ONTAP said.
    pub fn find(&self, call: &Call, fields: Option<&str>) -> Result<Option<Value>> {
        if self.resource.keys.is_empty() {
            let query = fields.map(|fields| ("fields".to_owned(), fields.to_owned()));
            let mut record = self.api.get(&self.path, &query.into_iter().collect::<Vec<_>>())?;
            crate::api::without_links(&mut record);
            return Ok(Some(record));
        }
        let identity = self.identity(call);
        if identity.is_empty() {
            let names: Vec<_> = self.resource.own_identity().map(|field| format!("`{}`", field.name)).collect();
            bail!("bad-input", "say which {} is meant: give {}", self.resource.name, names.join(" or "));
        }
        self.only(&identity, fields)
    }

    /// The object, which must be there.
    ///
    /// # Errors
    /// `not-found`, and as [`Place::find`].
    pub fn need(&self, call: &Call, fields: Option<&str>) -> Result<Value> {
        match self.find(call, fields)? {
            Some(record) => Ok(record),
            None => Err(self.missing(&self.identity(call))),
        }
    }

    /// The one record that fits a query.
    ///
    /// # Errors
    /// `ambiguous` if there are several, or what ONTAP said.
    pub fn only(&self, identity: &[(String, String)], fields: Option<&str>) -> Result<Option<Value>> {
        let mut query = identity.to_vec();
        if let Some(fields) = fields {
            query.push(("fields".to_owned(), fields.to_owned()));
        }
        // Two say as well as all that one would be a guess.
        let mut list = self.api.list(&self.path, &Wanted { query, limit: 2 })?;
        if list.records.len() > 1 {
            let also = self
                .resource
                .identity
                .iter()
                .filter(|field| !identity.iter().any(|(name, _)| *name == field.query_name()));
            let also: Vec<_> =
                also.filter(|field| field.when != When::Parent).map(|field| format!("`{}`", field.name)).collect();
            let hint = if also.is_empty() { String::new() } else { format!(": give {} too", also.join(" or ")) };
            bail!("ambiguous", "there are several {} with {}{hint}", self.resource.plural, shown(identity));
        }
        Ok(list.records.pop())
    }

    /// Where one is.
    ///
    /// # Errors
    /// The record does not have its keys.
    pub fn item(&self, record: &Value) -> Result<String> {
        let mut path = self.path.clone();
        for key in self.resource.keys {
            let Some(value) = body::text(record, key) else {
                bail!("bad-response", "ONTAP shows {} without its key `{key}`", self.resource.what);
            };
            path.push('/');
            path.push_str(&encode(&value));
        }
        Ok(path)
    }

    /// That there is none.
    #[must_use]
    pub fn missing(&self, identity: &[(String, String)]) -> runner_sdk::Failure {
        let message = format!(
            "there is no {} with {} on `{}`",
            self.resource.name.replace('_', " "),
            shown(identity),
            self.api.connection
        );
        runner_sdk::Failure::new("not-found", message)
    }
}

fn shown(identity: &[(String, String)]) -> String {
    let pairs: Vec<_> = identity.iter().map(|(name, value)| format!("{name} `{value}`")).collect();
    pairs.join(" and ")
}

/// A text as ONTAP's queries take it literally: what would be an operator is quoted.
fn literal(text: &str) -> String {
    let special = |c: char| matches!(c, '*' | '|' | '<' | '>' | '!' | '{' | '}' | '"' | ',') || c.is_whitespace();
    if text.is_empty() || text == "null" || text.contains(special) || text.contains("..") {
        return format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    }
    text.to_owned()
}
