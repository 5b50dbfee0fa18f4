//! Snapshots, and the policies that take them.

use serde_json::{Value, json};

use crate::path;
use crate::refusal::Refusal;
use crate::resource::{Link, Params, Resource, Way};
use crate::site::Site;

const PATH: &str = "/storage/volumes/{volume.uuid}/snapshots";
const VOLUMES: &str = "/storage/volumes";

/// The rows.
pub(crate) static ROWS: &[Resource] = &[
    Resource {
        path: PATH,
        brief: &["name", "volume.name"],
        expensive: &["reclaimable_space", "delta"],
        post: Way::Job(500),
        patch: Way::Job(300),
        delete: Way::Job(300),
        required: &["name"],
        unique: &[&["volume.uuid", "name"]],
        links: &[Link::to("volume", VOLUMES), Link::SVM],
        check: complete,
        spare: no_clone_stands_on,
        ..Resource::BASE
    },
    Resource {
        path: "/storage/snapshot-policies",
        brief: &["name", "svm"],
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["name", "copies"],
        unique: &[&["svm.uuid", "name"]],
        links: &[Link::SVM, Link::to("copies.schedule", "/cluster/schedules")],
        defaults: r#"{"enabled": true, "comment": ""}"#,
        check: complete_policy,
        spare: is_unused,
        ..Resource::BASE
    },
];

/// Takes a snapshot; gives its uuid.
pub(crate) fn taken(site: &mut Site<'_>, volume: &Value, svm: &Value, name: &str) -> String {
    let (uuid, moment) = (site.uuid(), site.moment());
    let volume = json!({ "name": volume["name"], "uuid": volume["uuid"] });
    let used = site
        .find(VOLUMES, "uuid", volume["uuid"].as_str().unwrap_or_default())
        .and_then(|found| path::number(found, "~used"));
    let mut record =
        json!({ "name": name, "uuid": uuid, "volume": volume, "svm": svm, "create_time": moment, "size": 0 });
    path::set(&mut record, "~used", used);
    site.insert(PATH, record);
    uuid
}

/// Sets a volume back to a snapshot; what was taken later is gone.
pub(crate) fn restore(site: &mut Site<'_>, volume: &mut Value, name: &str) {
    let uuid = path::owned(volume, "uuid");
    let Some(snapshot) = site.find_all(PATH, &[("volume.uuid", &uuid), ("name", name)]).cloned() else { return };
    let last = path::number(&snapshot, "~seq");
    site.remove(PATH, |other| path::text(other, "volume.uuid") == Some(&uuid) && path::number(other, "~seq") > last);
    path::set(volume, "~used", path::number(&snapshot, "~used"));
}

fn complete(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let volume = path::owned(record, "volume.uuid");
    let Some(volume) = site.find(VOLUMES, "uuid", &volume).cloned() else { return Err(Refusal::absent()) };
    if path::text(&volume, "state") != Some("online") {
        return Err(Refusal::bad(13_001, format!("Volume \"{}\" is not online.", path::owned(&volume, "name"))));
    }
    if path::text(&volume, "type") == Some("dp") {
        return Err(Refusal::bad(1_638_461, "Snapshots can only be created on read/write (RW) volumes."));
    }
    let moment = site.moment();
    path::set(record, "svm", volume["svm"].clone());
    path::set(record, "create_time", moment);
    path::set(record, "size", 0);
    path::set(record, "~used", path::number(&volume, "~used"));
    Ok(())
}

fn no_clone_stands_on(site: &mut Site<'_>, record: &Value, _: &Params) -> Result<(), Refusal> {
    let uuid = path::text(record, "uuid");
    let clone = site.records(VOLUMES).iter().find(|volume| path::text(volume, "clone.parent_snapshot.uuid") == uuid);
    match clone {
        Some(clone) => Err(Refusal::in_use(format!(
            "Snapshot \"{}\" has not expired or is locked: volume \"{}\" is a clone of it.",
            path::owned(record, "name"),
            path::owned(clone, "name"),
        ))),
        None => Ok(()),
    }
}

/// Copies name their schedules, which have to be there.
fn complete_policy(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let scope = if path::get(record, "svm").is_some() { "svm" } else { "cluster" };
    path::set(record, "scope", scope);
    let mut copies = path::get(record, "copies").and_then(Value::as_array).cloned().unwrap_or_default();
    for copy in &mut copies {
        let name =
            path::text(copy, "schedule.name").or_else(|| path::text(copy, "schedule")).unwrap_or_default().to_owned();
        let schedule = site.find("/cluster/schedules", "name", &name);
        let schedule = schedule
            .or_else(|| site.find("/cluster/schedules", "uuid", path::text(copy, "schedule.uuid").unwrap_or_default()));
        let Some(schedule) = schedule else {
            return Err(Refusal::bad(918_252, format!("Schedule \"{name}\" not found.")).at("copies.schedule.name"));
        };
        let reference = json!({ "name": schedule["name"], "uuid": schedule["uuid"] });
        if path::number(copy, "count").is_none() {
            return Err(Refusal::missing("copies.count"));
        }
        path::set(copy, "schedule", reference);
        if path::get(copy, "snapmirror_label").is_none() {
            path::set(copy, "snapmirror_label", "-");
        }
        if path::get(copy, "prefix").is_none() {
            path::set(copy, "prefix", schedule["name"].clone());
        }
    }
    path::set(record, "copies", copies);
    Ok(())
}

fn is_unused(site: &mut Site<'_>, record: &Value, _: &Params) -> Result<(), Refusal> {
    let uuid = path::text(record, "uuid");
    let user = site.records(VOLUMES).iter().find(|volume| path::text(volume, "snapshot_policy.uuid") == uuid);
    match user {
        Some(user) => Err(Refusal::in_use(format!("The policy is used by volume \"{}\".", path::owned(user, "name")))),
        None => Ok(()),
    }
}
