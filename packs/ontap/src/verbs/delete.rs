//! Deleting what is there.

use runner_sdk::prelude::{Result, Value, json, log};

use super::result;
use crate::body;
use crate::call::Call;
use crate::job;
use crate::locate::Place;
use crate::resource::Resource;

/// Deletes an object, if it is there.
///
/// # Errors
/// What ONTAP said.
pub fn delete(resource: &Resource, call: &Call) -> Result<Value> {
    if call.flag("only_if") == Some(false) {
        return Ok(result(false, json!({}), Value::Null));
    }
    let place = match Place::of(resource, call) {
        Ok(place) => place,
        // What it belongs to is gone, and it with that.
        Err(failure) if failure.code == "not-found" => return Ok(result(false, json!({}), Value::Null)),
        Err(failure) => return Err(failure),
    };
    match place.find(call, None)? {
        Some(there) => remove(&place, call, there),
        None => Ok(result(false, json!({}), Value::Null)),
    }
}

/// Deletes an object that is there.
///
/// # Errors
/// What ONTAP said.
pub fn remove(place: &Place<'_>, call: &Call, there: Value) -> Result<Value> {
    let item = place.item(&there)?;
    log::field("path", &item).info("deleting");
    let answer = match place.api.send("DELETE", &item, &call.return_timeout(), None) {
        Ok(answer) => answer,
        // Somebody else was faster.
        Err(failure) if failure.code == "4" => return Ok(result(false, there, Value::Null)),
        Err(failure) => return Err(failure),
    };
    let identity: Vec<_> =
        place.resource.keys.iter().filter_map(|key| Some(((*key).to_owned(), body::text(&there, key)?))).collect();
    let job = job::started(place, &answer, job::Effect::Delete, &identity, &json!({}));
    Ok(result(true, there, job))
}
