//! Reading: one object, or a collection.

use runner_sdk::prelude::{Result, Value, json};

use crate::api::Wanted;
use crate::call::Call;
use crate::locate::Place;
use crate::resource::Resource;

/// Reads one that must be there.
pub(super) fn get(resource: &Resource, call: &Call) -> Result<Value> {
    let place = Place::of(resource, call)?;
    Ok(json!({ "record": place.need(call, call.text("fields"))? }))
}

/// Reads one if it is there.
pub(super) fn find(resource: &Resource, call: &Call) -> Result<Value> {
    let place = Place::of(resource, call)?;
    let mut query = place.identity(call);
    query.extend(call.query());
    let record = place.only(&query, call.text("fields"))?;
    Ok(json!({ "found": record.is_some(), "record": record }))
}

/// Reads several.
pub(super) fn list(resource: &Resource, call: &Call) -> Result<Value> {
    let place = Place::of(resource, call)?;
    let mut query = place.identity(call);
    query.extend(call.query());
    query.push(("fields".to_owned(), call.text("fields").unwrap_or(resource.listed).to_owned()));
    for name in ["order_by", "max_records"] {
        let text = call.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        query.extend(text.map(|text| (name.to_owned(), text)));
    }
    let limit = call.number("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let list = place.api.list(&place.path, &Wanted { query, limit })?;
    Ok(json!({ "num_records": list.records.len(), "records": list.records, "complete": list.complete }))
}
