//! Which fields of a record are shown.

use serde_json::{Map, Value};

use crate::filter::Filter;
use crate::path;
use crate::query::Query;
use crate::resource::Resource;

/// A record with the fields that a query asks for. `alone` is true for a request for this one object.
pub(crate) fn shown(resource: &Resource, query: &Query, record: &Value, alone: bool) -> Value {
    let (excluded, asked): (Vec<&str>, Vec<&str>) =
        query.fields.iter().map(String::as_str).partition(|field| field.starts_with('!'));
    let everything = asked.contains(&"**");
    let standard = everything || asked.contains(&"*") || (asked.is_empty() && alone);
    let mut out = if standard { record.clone() } else { chosen(resource, query, record, &asked) };
    if standard && !everything {
        for field in resource.expensive.iter().filter(|field| !asked.iter().any(|name| covers(name, field))) {
            path::remove(&mut out, field);
        }
    }
    for field in excluded {
        take_out(&mut out, field.trim_start_matches('!'));
    }
    without_notes(&mut out);
    out
}

/// Whether a field that is asked for is the other one, or lies in it, or around it.
fn covers(asked: &str, field: &str) -> bool {
    let inside = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    inside(asked, field) || inside(field, asked)
}

fn chosen(resource: &Resource, query: &Query, record: &Value, asked: &[&str]) -> Value {
    let mut out = Value::Object(Map::new());
    let filtered = query.filters.iter().flat_map(Filter::fields);
    let own = resource.parents().chain(resource.keys.iter().copied()).chain(resource.brief.iter().copied());
    let own: Vec<&str> = own.collect();
    for field in own.into_iter().chain(filtered).chain(asked.iter().copied()) {
        copy(record, field, &mut out);
    }
    out
}

/// Copies what lies at a path; through arrays, element by element.
fn copy(from: &Value, path: &str, into: &mut Value) {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let Some(value) = from.get(head).filter(|value| !value.is_null()) else { return };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Some(map) = into.as_object_mut() else { return };
    let Some(rest) = rest else {
        map.insert(head.to_owned(), value.clone());
        return;
    };
    match value {
        Value::Array(items) => {
            let place = map.entry(head).or_insert_with(|| Value::Array(vec![Value::Object(Map::new()); items.len()]));
            let Value::Array(places) = place else { return };
            for (item, place) in items.iter().zip(places) {
                copy(item, rest, place);
            }
        }
        Value::Object(_) => copy(value, rest, map.entry(head).or_insert_with(|| Value::Object(Map::new()))),
        _ => {}
    }
}

fn take_out(value: &mut Value, path: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| take_out(item, path)),
        Value::Object(map) => match path.split_once('.') {
            None => {
                map.remove(path);
            }
            Some((head, rest)) => {
                if let Some(inner) = map.get_mut(head) {
                    take_out(inner, rest);
                }
            }
        },
        _ => {}
    }
}

/// Takes away the simulator's notes and what is unset: ONTAP shows neither.
fn without_notes(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, value| !key.starts_with('~') && !value.is_null());
            map.values_mut().for_each(without_notes);
        }
        Value::Array(items) => items.iter_mut().for_each(without_notes),
        _ => {}
    }
}
