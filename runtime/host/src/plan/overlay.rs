//! What is planned, as reads find it: by place, and in the lists of the collections it belongs to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::change::name_of;
use super::query;
use crate::traffic::Ask;

/// A place behind a connection.
type Place = (String, String);

/// Everything that is planned.
#[derive(Default)]
pub(super) struct Overlay {
    things: BTreeMap<Place, Thing>,
}

struct Thing {
    /// As it would be; none if it would be gone.
    value: Option<Value>,
    /// Whether it is there only in the plan: the system knows nothing at its place and below.
    is_new: bool,
    /// What it is called.
    name: Option<String>,
}

/// What is planned about a place.
pub(super) enum Found {
    /// A thing is here.
    Object(Value),
    /// What was here is gone.
    Deleted,
    /// Below a thing that only the plan knows: what else of the plan is there.
    Listed(Value),
    /// Nothing.
    Unknown,
}

impl Overlay {
    /// What is planned about the place that a request names.
    pub(super) fn find(&self, ask: &Ask) -> Found {
        let path = tidy(&ask.path);
        if let Some(thing) = self.at(&ask.target, path) {
            return thing.value.clone().map_or(Found::Deleted, Found::Object);
        }
        for above in parents(path) {
            match self.at(&ask.target, above) {
                Some(Thing { value: None, .. }) => return Found::Deleted,
                Some(Thing { is_new: true, .. }) => {
                    let records = self.members(ask);
                    return Found::Listed(json!({ "num_records": records.len(), "records": records }));
                }
                _ => {}
            }
        }
        Found::Unknown
    }

    /// Notes what a thing would be.
    pub(super) fn put(&mut self, target: &str, path: &str, value: Value, is_new: bool) {
        let is_new = is_new || self.at(target, tidy(path)).is_some_and(|thing| thing.is_new);
        let name = name_of(&value);
        self.things.insert(place(target, path), Thing { value: Some(value), is_new, name });
    }

    /// Notes that a thing would be gone.
    pub(super) fn remove(&mut self, target: &str, path: &str, before: Option<&Value>) {
        let name = before.and_then(name_of);
        self.things.insert(place(target, path), Thing { value: None, is_new: false, name });
    }

    /// Adds what is planned to the list that a system answered; says whether there was anything to add.
    pub(super) fn complete(&self, ask: &Ask, answer: &mut Value) -> bool {
        let collection = tidy(&ask.path);
        let planned =
            || self.things.iter().filter(|((target, path), _)| *target == ask.target && parent(path) == collection);
        if planned().next().is_none() {
            return false;
        }
        let Some(records) = list(answer) else { return false };
        for ((_, path), thing) in planned() {
            let known = records.iter().position(|record| thing.is_record(record, path));
            match (&thing.value, known) {
                (None, Some(at)) => {
                    records.remove(at);
                }
                (Some(value), Some(at)) => {
                    if let Some(record) = records.get_mut(at) {
                        merge(record, value);
                    }
                }
                (Some(value), None) if thing.is_new && query::fits(value, &ask.query) => records.push(value.clone()),
                _ => {}
            }
        }
        let count = records.len();
        if let Some(number) = answer.get_mut("num_records") {
            *number = count.into();
        }
        true
    }

    /// The planned things of a collection that fit the request's query.
    fn members(&self, ask: &Ask) -> Vec<Value> {
        let collection = tidy(&ask.path);
        let inside =
            self.things.iter().filter(|((target, path), _)| *target == ask.target && parent(path) == collection);
        let values = inside.filter_map(|(_, thing)| thing.value.clone());
        values.filter(|value| query::fits(value, &ask.query)).collect()
    }

    fn at(&self, target: &str, path: &str) -> Option<&Thing> {
        self.things.get(&place(target, path))
    }
}

impl Thing {
    /// Whether a record of a list is this thing: it has its key, or else its name.
    fn is_record(&self, record: &Value, path: &str) -> bool {
        let key = path.rsplit('/').next().unwrap_or_default();
        let keys = ["uuid", "key", "id", "name"].iter().filter_map(|name| record.get(*name));
        let has_key = |value: &Value| match value {
            Value::String(text) => text == key,
            Value::Number(number) => number.to_string() == key,
            _ => false,
        };
        keys.clone().any(has_key) || (self.name.is_some() && self.name == name_of(record))
    }
}

/// The list in an answer: the answer itself, or its only member that is a list of objects.
fn list(answer: &mut Value) -> Option<&mut Vec<Value>> {
    match answer {
        Value::Array(items) => Some(items),
        Value::Object(map) => {
            let is_list = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_object));
            let lists: Vec<_> = map.iter().filter(|(_, value)| is_list(value)).map(|(name, _)| name.clone()).collect();
            let name = match lists.as_slice() {
                [only] => only,
                several => several.iter().find(|name| *name == "records")?,
            };
            map.get_mut(name)?.as_array_mut()
        }
        _ => None,
    }
}

/// Puts what is written over what is there, member by member.
pub(super) fn merge(into: &mut Value, written: &Value) {
    match (into, written) {
        (Value::Object(into), Value::Object(written)) => {
            for (key, value) in written {
                match into.get_mut(key) {
                    Some(member) => merge(member, value),
                    None => {
                        into.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (into, written) => *into = written.clone(),
    }
}

fn place(target: &str, path: &str) -> Place {
    (target.to_owned(), tidy(path).to_owned())
}

/// A path without a slash at its end: the same place, for whoever made the plan.
pub(super) fn tidy(path: &str) -> &str {
    path.trim_end_matches('/')
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(above, _)| above)
}

/// The places above, the nearest first.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(parent(path)), |above| (!above.is_empty()).then(|| parent(above)))
}
