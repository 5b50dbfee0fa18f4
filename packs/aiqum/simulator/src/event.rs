//! Events: what Unified Manager noticed, who has taken note, and who is to see to it.

use runner_sdk::clock::rfc3339;
use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

use crate::Aiqum;
use crate::call::Call;
use crate::problem::Problem;
use crate::{list, path, view};

/// What was done to events, by number; the events themselves are made of the clusters.
#[derive(Default)]
pub(crate) struct Events {
    changes: Vec<(String, Value)>,
}

/// The objects that have events from the start: what, severity, and how grave.
const KINDS: [(&str, &str, &str, &str, &str); 3] = [
    ("volume", "Volume Space Nearly Full", "warning", "capacity", "risk"),
    ("aggregate", "Aggregate Days Until Full", "error", "capacity", "risk"),
    ("cluster_node", "Node Performance Capacity Used Threshold Breached", "warning", "performance", "event"),
];

fn all(aiqum: &Aiqum) -> Vec<Value> {
    let mut events = Vec::new();
    for cluster in aiqum.estate.clusters() {
        for (kind, name, severity, area, level) in KINDS {
            let table = view::of_kind(kind).map_or("", |view| view.table);
            let Some(record) = cluster.records(table).first() else { continue };
            let number = events.len() + 1;
            let href = format!("/api/management-server/events/{number}");
            events.push(json!({
                "key": number.to_string(), "name": name, "severity": severity, "current_state": "new", "group": "storage_capacity",
                "cause": format!("{name}: {}", path::owned(record, "name")), "cluster": view::cluster_reference(cluster),
                "svm": view::reference(cluster, "vserver", record.get("svm")),
                "impact": { "area": area, "level": level, "resource_type": kind, "resource_name": record.get("name"), "resource_uuid": record.get("uuid") },
                "history": [], "_links": { "self": { "href": href } },
            }));
        }
    }
    for event in &mut events {
        let key = path::owned(event, "key");
        for (_, change) in aiqum.events.changes.iter().filter(|(known, _)| *known == key) {
            path::merge(event, change);
        }
    }
    events
}

/// `GET /management-server/events`.
pub(crate) fn list(aiqum: &Aiqum, call: &Call<'_>) -> Result<Reply, Problem> {
    list::reply(call.request, all(aiqum), list::PAGE)
}

/// `GET /management-server/events/{key}`.
pub(crate) fn get(aiqum: &Aiqum, key: &str) -> Result<Reply, Problem> {
    Ok(Reply::json(200, &find(aiqum, key)?))
}

fn find(aiqum: &Aiqum, key: &str) -> Result<Value, Problem> {
    let event = all(aiqum).into_iter().find(|event| path::text(event, "key") == Some(key));
    event.ok_or_else(|| Problem::absent("event", key))
}

/// `PATCH /management-server/events/{key}`: a new state, somebody to see to it, or a note.
pub(crate) fn modify(aiqum: &mut Aiqum, call: &Call<'_>, key: &str) -> Result<Reply, Problem> {
    let event = find(aiqum, key)?;
    let (user, at) = (call.request.basic_auth().map(|(user, _)| user).unwrap_or_default(), rfc3339(call.now));
    let mut change = json!({});
    match path::text(&call.body, "current_state") {
        Some("acknowledged") => path::set(&mut change, "acknowledged_username", user.as_str()),
        Some("resolved") => path::set(&mut change, "resolved_username", user.as_str()),
        Some(other) => return Err(Problem::invalid("current_state", other)),
        None => {}
    }
    path::copy(&call.body, &mut change, "current_state");
    path::copy(&call.body, &mut change, "annotation");
    if let Some(assignee) = path::text(&call.body, "assigned.user") {
        path::set(&mut change, "assigned", json!({ "user": assignee, "timestamp": at }));
    }
    if change == json!({}) {
        return Err(Problem::new(400, "Nothing is to be changed: give current_state, assigned.user or annotation."));
    }
    if let Some(state) = path::text(&change, "current_state").map(str::to_owned) {
        let mut history: Vec<Value> = path::array(&event, "history").cloned().collect();
        history.push(json!({ "state": state, "timestamp": at, "user": user }));
        path::set(&mut change, "history", history);
    }
    aiqum.events.changes.push((key.to_owned(), change));
    get(aiqum, key)
}
