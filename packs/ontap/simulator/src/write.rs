//! Writing: what a POST, a PATCH or a DELETE is accepted or refused for, and what it will do.

use serde_json::{Value, json};

use crate::call::Call;
use crate::effect::Effect;
use crate::refusal::Refusal;
use crate::resource::{Edit, Resource, Way};
use crate::site::Site;
use crate::{body, path, refer, table};

/// A write that was accepted.
pub(crate) struct Accepted {
    /// How it is done.
    pub(crate) way: Way,
    /// What it does.
    pub(crate) effects: Vec<Effect>,
    /// The records that are made, or that are changed or deleted.
    pub(crate) records: Vec<Value>,
}

/// Checks a POST. `{"records": […]}` makes several objects.
pub(crate) fn post(site: &mut Site<'_>, call: &Call<'_>) -> Result<Accepted, Refusal> {
    let resource = call.place.resource;
    if call.is_for_one() || resource.post == Way::No {
        return Err(Refusal::unsupported("POST"));
    }
    parent(site, call)?;
    let body = body::read(&call.request.body)?;
    let bodies = match body.get("records") {
        Some(Value::Array(records)) => records.clone(),
        _ => vec![body],
    };
    let mut accepted = Accepted { way: resource.post, effects: Vec::new(), records: Vec::new() };
    for body in bodies {
        let record = prepared(site, call, body)?;
        if let Some(taken) = accepted.records.iter().find_map(|other| same(resource, other, &record)) {
            return Err(Refusal::exists(&taken));
        }
        accepted.records.push(record.clone());
        accepted.effects.push(Effect::Create(resource, record));
    }
    Ok(accepted)
}

/// A new record as it would be made: with defaults, keys and complete references.
fn prepared(site: &mut Site<'_>, call: &Call<'_>, mut body: Value) -> Result<Value, Refusal> {
    let resource = call.place.resource;
    path::remove(&mut body, "uuid");
    if let Some(svm) = call.svm.as_ref().filter(|_| resource.of_svm() && path::get(&body, "svm").is_none()) {
        path::set(&mut body, "svm.uuid", path::owned(svm, "uuid"));
    }
    path::merge(&mut body, &own_parent(site, call));
    completed(site, resource, body)
}

/// A new record of a body that may come from anywhere.
pub(crate) fn completed(site: &mut Site<'_>, resource: &'static Resource, mut body: Value) -> Result<Value, Refusal> {
    body::check_values(resource, &mut body)?;
    if let Some(field) = resource.required.iter().find(|field| is_unset(&body, field)) {
        return Err(if *field == "svm" {
            Refusal::bad(2_621_707, "No SVM was specified. Either \"svm.name\" or \"svm.uuid\" must be supplied.")
                .at("svm")
        } else {
            Refusal::missing(field)
        });
    }
    let whole = body.clone();
    refer::resolve(site, resource, &mut body, &whole)?;
    let mut record: Value = serde_json::from_str(resource.defaults).unwrap_or_else(|_| json!({}));
    path::merge(&mut record, &body);
    for key in resource.keys {
        give_key(site, resource, &mut record, key);
    }
    path::set(&mut record, "~made", site.now());
    (resource.check)(site, &mut record)?;
    check_unique(site, resource, &record)?;
    Ok(record)
}

/// The fields that the path holds, with the types that they have in the object above.
fn own_parent(site: &Site<'_>, call: &Call<'_>) -> Value {
    let mut own = json!({});
    for field in call.place.resource.parents() {
        let text = path::owned(&call.place.parent, field);
        let (object, key) = field.split_once('.').unwrap_or((field, ""));
        let link = call.place.resource.links.iter().find(|link| link.field == object);
        let above = link.and_then(|link| {
            site.records(link.to).iter().find(|record| path::get(record, key).map(path::plain).as_ref() == Some(&text))
        });
        path::set(&mut own, field, above.and_then(|record| path::get(record, key)).cloned().unwrap_or(json!(text)));
    }
    own
}

/// Refuses a path below an object that is not there.
pub(crate) fn parent(site: &Site<'_>, call: &Call<'_>) -> Result<(), Refusal> {
    for field in call.place.resource.parents() {
        let (object, key) = field.split_once('.').unwrap_or((field, ""));
        let text = path::text(&call.place.parent, field).unwrap_or_default();
        let Some(link) = call.place.resource.links.iter().find(|link| link.field == object) else { continue };
        if !site.records(link.to).iter().any(|record| path::get(record, key).map(path::plain).as_deref() == Some(text))
        {
            return Err(Refusal::absent());
        }
    }
    Ok(())
}

fn is_unset(body: &Value, field: &str) -> bool {
    path::get(body, field).is_none_or(|value| value.is_null() || value.as_str() == Some("") || *value == json!({}))
}

fn give_key(site: &mut Site<'_>, resource: &Resource, record: &mut Value, key: &str) {
    if path::get(record, key).is_some() {
        return;
    }
    match key {
        "uuid" => {
            let uuid = site.uuid();
            path::set(record, key, uuid);
        }
        "id" | "index" => {
            let others: Vec<String> = resource
                .parents()
                .chain(resource.keys.iter().copied().filter(|k| *k != key))
                .map(|field| path::get(record, field).map(path::plain).unwrap_or_default())
                .collect();
            let number = site.number(&format!("{} {}", resource.path, others.join(" ")));
            path::set(record, key, number);
        }
        _ => {}
    }
}

/// Refuses what has the same name, or whatever is to be unique, as something that is there.
pub(crate) fn check_unique(site: &Site<'_>, resource: &Resource, record: &Value) -> Result<(), Refusal> {
    let number = path::number(record, "~seq");
    let others =
        site.records(resource.path).iter().filter(|other| number.is_none() || path::number(other, "~seq") != number);
    match others.filter_map(|other| same(resource, other, record)).next() {
        Some(taken) => Err(Refusal::exists(&taken)),
        None => Ok(()),
    }
}

/// What two records have in common that they must not.
fn same(resource: &Resource, one: &Value, other: &Value) -> Option<String> {
    resource.unique.iter().find_map(|fields| {
        let equal = |field: &&&str| {
            path::get(one, field).is_some_and(|value| !value.is_null() && Some(value) == path::get(other, field))
        };
        let all = fields.iter().all(|field| equal(&field));
        all.then(|| {
            fields.iter().filter_map(|field| path::get(one, field)).map(path::plain).collect::<Vec<_>>().join(", ")
        })
    })
}

/// Checks a PATCH of one object or of all that fit a query.
pub(crate) fn patch(site: &mut Site<'_>, call: &Call<'_>) -> Result<Accepted, Refusal> {
    let resource = call.place.resource;
    if resource.patch == Way::No {
        return Err(Refusal::unsupported("PATCH"));
    }
    let body = body::read(&call.request.body)?;
    let mut accepted = Accepted { way: resource.patch, effects: Vec::new(), records: targets(site, call)? };
    for record in &accepted.records {
        let number = path::number(record, "~seq").unwrap_or_default();
        let edit = edited(site, call, record, body.clone())?;
        (resource.admit)(site, &edit)?;
        check_unique(site, resource, &edit.after)?;
        accepted.effects.push(Effect::Change(resource, number, edit.patch, edit.params));
    }
    // Nothing to do takes no job.
    if body.as_object().is_some_and(serde_json::Map::is_empty) && call.query.params.is_empty() {
        accepted.effects.clear();
        accepted.way = Way::Now;
    }
    Ok(accepted)
}

fn edited(site: &Site<'_>, call: &Call<'_>, record: &Value, mut patch: Value) -> Result<Edit, Refusal> {
    let resource = call.place.resource;
    for key in resource.keys.iter().copied().chain(resource.parents()).filter(|key| *key != "name") {
        path::remove(&mut patch, key);
    }
    body::check_values(resource, &mut patch)?;
    for field in resource.fixed {
        if let Some(new) = path::get(&patch, field).filter(|new| path::get(record, field) != Some(new)) {
            return Err(Refusal::bad(262_196, format!("Field \"{field}\" cannot be set in this operation.")).at(*field))
                .map_err(|refusal| if new.is_null() { Refusal::invalid(field, "null") } else { refusal });
        }
    }
    refer::resolve(site, resource, &mut patch, record)?;
    let mut after = record.clone();
    path::merge(&mut after, &patch);
    Ok(Edit { before: record.clone(), patch, after, params: call.query.params.clone() })
}

/// Checks a DELETE of one object or of all that fit a query.
pub(crate) fn delete(site: &mut Site<'_>, call: &Call<'_>) -> Result<Accepted, Refusal> {
    let resource = call.place.resource;
    if resource.delete == Way::No {
        return Err(Refusal::unsupported("DELETE"));
    }
    // Some clients send a body with it, which says nothing.
    let records = targets(site, call)?;
    let mut effects = Vec::new();
    for record in &records {
        (resource.spare)(site, record, &call.query.params)?;
        let number = path::number(record, "~seq").unwrap_or_default();
        effects.push(Effect::Delete(resource, number, call.query.params.clone()));
    }
    Ok(Accepted { way: resource.delete, effects, records })
}

/// The one object, or those that fit the query, of which there has to be one.
fn targets(site: &Site<'_>, call: &Call<'_>) -> Result<Vec<Value>, Refusal> {
    if call.is_for_one() {
        return Ok(vec![call.record(site)?]);
    }
    parent(site, call)?;
    let own = call.query.filters.len() - usize::from(call.svm.is_some() && call.place.resource.of_svm());
    if own == 0 && table::named(call.place.resource.path).is_some_and(|resource| resource.parents().next().is_none()) {
        return Err(Refusal::bad(2, "A query is required to change or delete the objects of a collection."));
    }
    Ok(call.records(site))
}
