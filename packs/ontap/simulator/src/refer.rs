//! References between objects: a name or a uuid becomes both, and a new name shows wherever the object is mentioned.

use serde_json::{Value, json};

use crate::path;
use crate::refusal::Refusal;
use crate::resource::{Link, Resource};
use crate::site::Site;
use crate::table;

/// Completes every reference of a body. `whole` is what the object will be, for the SVM it belongs to.
pub(crate) fn resolve(site: &Site<'_>, resource: &Resource, body: &mut Value, whole: &Value) -> Result<(), Refusal> {
    let mut svm = path::text(whole, "svm.uuid").map(str::to_owned);
    for link in resource.links {
        let Some(value) = path::get(body, link.field).filter(|value| !value.is_null()) else { continue };
        let resolved = match value {
            Value::Array(items) => {
                let items: Result<Vec<_>, _> =
                    items.iter().map(|item| completed(site, link, item, svm.as_deref())).collect();
                Value::Array(items?)
            }
            one if is_empty(one) => continue,
            one => completed(site, link, one, svm.as_deref())?,
        };
        if link.field == "svm" {
            svm = path::text(&resolved, "uuid").map(str::to_owned);
        }
        path::set(body, link.field, resolved);
    }
    Ok(())
}

/// `{"name": ""}` takes a reference away.
fn is_empty(value: &Value) -> bool {
    let blank = |value: &Value| value.is_null() || value.as_str() == Some("");
    blank(value) || value.as_object().is_some_and(|map| map.values().all(blank))
}

/// One reference with its name and its key.
fn completed(site: &Site<'_>, link: &Link, value: &Value, svm: Option<&str>) -> Result<Value, Refusal> {
    // Some clients give the bare name.
    let mut reference = if let Value::String(name) = value { json!({ "name": name }) } else { value.clone() };
    let key = key_of(link);
    let (name, id) = (path::text(&reference, "name"), path::get(&reference, key).map(path::plain));
    let fits = |record: &&Value| {
        name.is_none_or(|name| path::text(record, "name") == Some(name))
            && id.as_ref().is_none_or(|id| path::get(record, key).map(path::plain).as_ref() == Some(id))
            && (!link.of_svm || svm.is_none() || in_scope(record, svm))
    };
    let Some(found) = site.records(link.to).iter().find(fits) else {
        return Err(not_found(link, name, id.as_deref()));
    };
    for field in ["name", key] {
        if let Some(value) = path::get(found, field) {
            path::set(&mut reference, field, value.clone());
        }
    }
    Ok(reference)
}

/// An object of the SVM, or one of the cluster that every SVM may use.
fn in_scope(record: &Value, svm: Option<&str>) -> bool {
    path::text(record, "svm.uuid").is_none_or(|owner| Some(owner) == svm)
}

fn key_of(link: &Link) -> &'static str {
    table::named(link.to).and_then(|resource| resource.keys.last().copied()).unwrap_or("uuid")
}

fn not_found(link: &Link, name: Option<&str>, id: Option<&str>) -> Refusal {
    let which = name.or(id).unwrap_or_default();
    let what = match link.field {
        "svm" => format!("SVM \"{which}\" does not exist."),
        field => format!("The object \"{which}\" of field \"{field}\" does not exist."),
    };
    let status = if link.field == "svm" || link.code == 4 { 404 } else { 400 };
    Refusal::new(status, link.code, what).at(link.field)
}

/// Shows the present names of what a record refers to, and links to it.
pub(crate) fn refresh(site: &Site<'_>, resource: &Resource, record: &mut Value) {
    for link in resource.links {
        let Some(mut value) = path::get(record, link.field).cloned() else { continue };
        match &mut value {
            Value::Array(items) => items.iter_mut().for_each(|item| renew(site, link, item)),
            one => renew(site, link, one),
        }
        path::set(record, link.field, value);
    }
}

fn renew(site: &Site<'_>, link: &Link, reference: &mut Value) {
    let key = key_of(link);
    let Some(id) = path::get(reference, key).cloned() else { return };
    let Some(found) = site.records(link.to).iter().find(|record| path::get(record, key) == Some(&id)) else { return };
    if let Some(name) = path::get(found, "name") {
        path::set(reference, "name", name.clone());
    }
    if let Some(target) = table::named(link.to) {
        path::set(reference, "_links.self.href", target.href(found));
    }
}
