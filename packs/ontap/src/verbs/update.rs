//! Changing: look first, send only what is different.

use runner_sdk::prelude::{Result, Value, bail, json, log};

use super::result;
use crate::body::{self, differences};
use crate::call::Call;
use crate::field::When;
use crate::job;
use crate::locate::Place;
use crate::resource::Resource;

/// Changes an object to what the call says of it.
///
/// # Errors
/// `not-found`, or what ONTAP said.
pub fn update(resource: &Resource, call: &Call) -> Result<Value> {
    let mut wanted = call.body(resource, When::Changed)?;
    if let Some(check) = resource.check {
        check(&mut wanted, When::Changed)?;
    }
    if wanted.as_object().is_none_or(runner_sdk::serde_json::Map::is_empty) {
        bail!("bad-input", "nothing to change: say what it shall be, by parameters or in `fields`");
    }
    let place = Place::of(resource, call)?;
    let there = place.need(call, Some("*"))?;
    change(&place, call, &wanted, there)
}

/// Changes an object that is there, where it is not as wanted.
///
/// # Errors
/// What ONTAP said.
pub fn change(place: &Place<'_>, call: &Call, wanted: &Value, there: Value) -> Result<Value> {
    let found = differences(wanted, &there);
    let paths: Vec<_> = found.different.iter().chain(&found.unknown).collect();
    if paths.is_empty() {
        return Ok(result(false, there, Value::Null));
    }
    let mut patch = json!({});
    for path in paths {
        if let Some(value) = body::get(wanted, path) {
            body::set(&mut patch, path, value.clone());
        }
    }
    let item = place.item(&there)?;
    log::field("path", &item).info("changing");
    let answer = place.api.send("PATCH", &item, &call.return_timeout(), Some(&patch))?;
    let identity: Vec<_> =
        place.resource.keys.iter().filter_map(|key| Some(((*key).to_owned(), body::text(&there, key)?))).collect();
    let job = job::started(place, &answer, job::Effect::Update, &identity, &patch);
    Ok(result(true, there, job))
}
