//! Where there is room: what aggregates are good for, and the best one for a new workload.

use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

use crate::Aiqum;
use crate::call::Call;
use crate::problem::Problem;
use crate::{path, view};

/// Every simulated aggregate is of flash and can serve each level.
pub(super) fn capabilities(aiqum: &Aiqum) -> Vec<Value> {
    let levels: Vec<Value> =
        aiqum.provider.levels.iter().map(|level| json!({ "key": level["key"], "name": level["name"] })).collect();
    let capability = |aggregate: Value| {
        let href =
            format!("/api/storage-provider/aggregate-capabilities/{}", path::encoded(&path::owned(&aggregate, "key")));
        json!({
            "key": aggregate["key"], "name": aggregate["name"], "uuid": aggregate["uuid"], "cluster": aggregate["cluster"],
            "performance_service_levels": levels, "_links": { "self": { "href": href } },
        })
    };
    aggregates(aiqum).into_iter().map(capability).collect()
}

fn aggregates(aiqum: &Aiqum) -> Vec<Value> {
    view::of_kind("aggregate").map(|view| view::objects(aiqum, view)).unwrap_or_default()
}

/// `POST /storage-provider/data-placement`: the aggregate with the most room of those that are named, or of all.
pub(super) fn place(aiqum: &Aiqum, call: &Call<'_>) -> Result<Reply, Problem> {
    let capacity = path::get(&call.body, "capacity").map(path::plain).ok_or_else(|| Problem::missing("capacity"))?;
    let needed: u64 = capacity.parse().map_err(|_| Problem::invalid("capacity", &capacity))?;
    // The real API has this misspelling of a performance service level's key.
    if let Some(level) = path::text(&call.body, "ssl_key").filter(|key| aiqum.provider.level(key).is_none()) {
        return Err(Problem::invalid("ssl_key", level));
    }
    let among: Vec<&str> = path::array(&call.body, "resource_keys").filter_map(Value::as_str).collect();
    let available = |aggregate: &Value| path::number(aggregate, "space.block_storage.available").unwrap_or_default();
    let fits = |aggregate: &Value| {
        let named = ["key", "cluster.key"]
            .iter()
            .filter_map(|field| path::text(aggregate, field))
            .any(|key| among.contains(&key));
        (among.is_empty() || named)
            && path::text(aggregate, "state") == Some("online")
            && available(aggregate) >= needed
    };
    let best = aggregates(aiqum).into_iter().filter(fits).max_by_key(available);
    best.map(|aggregate| Reply::json(202, &aggregate))
        .ok_or_else(|| Problem::new(400, "No aggregate has room for this capacity."))
}
