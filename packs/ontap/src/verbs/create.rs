//! Creating: look first, make only what is not there, and say so if what is there is another thing.

use runner_sdk::prelude::{Failure, Result, Value, bail, json, log};

use super::{change, result};
use crate::api::Answer;
use crate::body::{self, Differences, differences};
use crate::call::Call;
use crate::field::When;
use crate::job;
use crate::locate::Place;
use crate::resource::Resource;

/// Creates an object, unless it is there.
///
/// # Errors
/// `exists-differently`, or what ONTAP said.
pub fn create(resource: &Resource, call: &Call) -> Result<Value> {
    let mut wanted = call.body(resource, When::Created)?;
    if let Some(check) = resource.check {
        check(&mut wanted, When::Created)?;
    }
    make(&Place::of(resource, call)?, call, &wanted)
}

/// Creates an object with this body, unless it is there.
///
/// # Errors
/// As [`create`].
pub fn make(place: &Place<'_>, call: &Call, wanted: &Value) -> Result<Value> {
    let identity = identity_of(place, call, wanted);
    let there = if identity.is_empty() { None } else { place.only(&identity, Some("*"))? };
    if let Some(there) = there {
        return settle(place, call, wanted, there);
    }
    let mut query = call.return_timeout();
    query.push(("return_records".to_owned(), "true".to_owned()));
    log::field("path", &place.path).info("creating");
    match place.api.send("POST", &place.path, &query, Some(wanted)) {
        Ok(answer) => Ok(made(place, wanted, &identity, &answer)),
        Err(failure) => appeared(place, call, wanted, &identity, failure),
    }
}

/// What tells the object from others. A cluster peer without a name is told by the addresses of the other cluster.
fn identity_of(place: &Place<'_>, call: &Call, wanted: &Value) -> Vec<(String, String)> {
    let identity = place.identity(call);
    let addresses = body::get(wanted, "remote.ip_addresses").and_then(Value::as_array).filter(|_| identity.is_empty());
    let first = addresses.and_then(|list| list.first()).and_then(Value::as_str);
    match first {
        Some(address) => vec![("remote.ip_addresses".to_owned(), address.to_owned())],
        None => identity,
    }
}

/// Somebody else may have made it between the look and the request, or an attempt of ours that nobody heard the end of.
fn appeared(
    place: &Place<'_>,
    call: &Call,
    wanted: &Value,
    identity: &[(String, String)],
    failure: Failure,
) -> Result<Value> {
    let exists =
        failure.details().and_then(|details| details.get("status")) == Some(&json!(409)) || failure.code == "1";
    if !exists || identity.is_empty() {
        return Err(failure);
    }
    match place.only(identity, Some("*"))? {
        Some(there) => settle(place, call, wanted, there),
        None => Err(failure),
    }
}

/// It is there: as wanted, or not.
fn settle(place: &Place<'_>, call: &Call, wanted: &Value, there: Value) -> Result<Value> {
    let Differences { different, .. } = differences(wanted, &there);
    match call.text("on_difference") {
        _ if different.is_empty() => Ok(result(false, there, Value::Null)),
        Some("ignore") => Ok(result(false, there, Value::Null)),
        Some("update") => {
            refuse_fixed(place, &different)?;
            let mut change_of = json!({});
            for path in &different {
                if let Some(value) = body::get(wanted, path) {
                    body::set(&mut change_of, path, value.clone());
                }
            }
            change(place, call, &change_of, there)
        }
        _ => {
            let lines: Vec<_> = different.iter().map(|path| shown(path, wanted, &there)).collect();
            let update = place.resource.action(super::Verb::Update);
            bail!(
                "exists-differently",
                "the {} is there, but not as described: {}; change it with `ontap.{update}`, or call this with `on_difference=update` or `ignore`",
                place.resource.name.replace('_', " "),
                lines.join(", ")
            )
        }
    }
}

/// What ONTAP cannot change afterwards.
fn refuse_fixed(place: &Place<'_>, different: &[String]) -> Result<()> {
    let fixed = place.resource.fields.iter().filter(|field| field.when == When::Created);
    let below = |path: &String, of: &str| path == of || path.strip_prefix(of).is_some_and(|rest| rest.starts_with('.'));
    let refused: Vec<_> = fixed
        .filter(|field| different.iter().any(|path| below(path, field.path)))
        .map(|field| format!("`{}`", field.name))
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    bail!(
        "cannot-change",
        "the {} is there, and {} cannot be changed: ONTAP decides it when the object is made",
        place.resource.name.replace('_', " "),
        refused.join(", ")
    )
}

fn shown(path: &str, wanted: &Value, there: &Value) -> String {
    let text = |value: &Value| body::get(value, path).map_or_else(|| "nothing".to_owned(), Value::to_string);
    format!("`{path}` is {}, not {}", text(there), text(wanted))
}

/// What is known of a new object: what ONTAP shows of it, else what its place says.
fn made(place: &Place<'_>, wanted: &Value, identity: &[(String, String)], answer: &Answer) -> Value {
    let mut record = json!({});
    for (name, value) in identity {
        body::set(&mut record, name, json!(value));
    }
    for path in ["name", "svm.name"] {
        if let Some(value) = body::get(wanted, path) {
            body::set(&mut record, path, value.clone());
        }
    }
    let keys = answer.location.as_ref().and_then(|place_of| place_of.keys(&place.path, place.resource.keys.len()));
    for (key, value) in place.resource.keys.iter().zip(keys.unwrap_or_default()) {
        body::set(&mut record, key, json!(value));
    }
    if answer.job.is_none()
        && let Some(shown) = answer.record()
    {
        body::merge(&mut record, shown);
    }
    let mut made = result(true, record, job::started(place, answer, job::Effect::Create, identity, wanted));
    body::set(&mut made, "created", json!(true));
    made
}
