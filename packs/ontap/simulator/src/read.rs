//! Reading: one object, a page of a collection, or how many there are.

use std::cmp::Ordering;

use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

use crate::answer::hal;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::site::Site;
use crate::{filter, path, projection};

/// Answers a GET.
pub(crate) fn get(site: &Site<'_>, call: &Call<'_>) -> Result<Reply, Refusal> {
    if call.is_for_one() {
        return Ok(hal(200, &shown(call, &call.record(site)?, true)));
    }
    // A collection below an object is not there if the object is not.
    crate::write::parent(site, call)?;
    let mut records = call.records(site);
    if call.query.return_records == Some(false) {
        return Ok(hal(200, &json!({ "num_records": records.len() })));
    }
    records.sort_by(|one, other| sorted(call, one, other));
    let (page, next) = page(site, call, &records);
    let shown: Vec<Value> = page.iter().map(|record| shown(call, record, false)).collect();
    let mut body =
        json!({ "records": shown, "num_records": shown.len(), "_links": { "self": { "href": own_link(call) } } });
    let Some(next) = next else { return Ok(hal(200, &body)) };
    path::set(&mut body, "_links.next.href", next.as_str());
    Ok(hal(200, &body).header("link", format!("<{next}>; rel=\"next\"")))
}

/// A record as it is answered, with its link.
pub(crate) fn shown(call: &Call<'_>, record: &Value, alone: bool) -> Value {
    let mut out = projection::shown(call.place.resource, &call.query, record, alone);
    path::set(&mut out, "_links.self.href", call.place.resource.href(record));
    out
}

fn sorted(call: &Call<'_>, one: &Value, other: &Value) -> Ordering {
    let orders = call.query.order.iter().map(|(field, descending)| {
        let order = filter::order(path::get(one, field), path::get(other, field));
        if *descending { order.reverse() } else { order }
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

/// The records of the wanted page, and the link to the next one.
///
/// The link names the last record that was given, so that a page starts in the right place even if others came or went;
/// if that very record is gone, how many were given says where.
fn page<'a>(site: &Site<'_>, call: &Call<'_>, records: &'a [Value]) -> (&'a [Value], Option<String>) {
    let number = |record: &Value| path::number(record, "~seq");
    let from = call.query.start.map_or(0, |(last, given)| {
        records.iter().position(|record| number(record) == Some(last)).map_or(given, |at| at + 1)
    });
    let rest = records.get(from..).unwrap_or_default();
    let page = rest.get(..call.query.max_records.min(rest.len())).unwrap_or(rest);
    let full = page.len() == call.query.max_records;
    let more = page.len() < rest.len() || (full && site.world.rules.empty_next);
    let next = page.last().filter(|_| more).map(|last| {
        let start = format!("start.record={}&start.offset={}", number(last).unwrap_or_default(), from + page.len());
        format!("/api{}?{}", bare_path(call), [start].into_iter().chain(pairs(call)).collect::<Vec<_>>().join("&"))
    });
    (page, next)
}

fn bare_path<'r>(call: &Call<'r>) -> &'r str {
    let path = call.request.path.trim_end_matches('/');
    let path = path.strip_prefix("/api").unwrap_or(path);
    path.strip_prefix("/v1").unwrap_or(path)
}

/// The parameters of the request, without those that say where a page starts.
fn pairs(call: &Call<'_>) -> impl Iterator<Item = String> {
    let pairs = call.request.query.iter().filter(|(name, _)| !name.starts_with("start."));
    pairs.map(|(name, value)| format!("{}={}", path::encoded(name), path::encoded(value)))
}

fn own_link(call: &Call<'_>) -> String {
    let all =
        call.request.query.iter().map(|(name, value)| format!("{}={}", path::encoded(name), path::encoded(value)));
    let query = all.collect::<Vec<_>>().join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    format!("/api{}{mark}{query}", bare_path(call))
}
