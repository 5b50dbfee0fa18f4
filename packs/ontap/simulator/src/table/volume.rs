//! Volumes: space, mounting, state, moves and clones.

use serde_json::{Value, json};

use crate::path;
use crate::refusal::Refusal;
use crate::resource::{Edit, Link, Params, Resource, Way, flag};
use crate::site::Site;

const PATH: &str = "/storage/volumes";
const SNAPSHOTS: &str = "/storage/volumes/{volume.uuid}/snapshots";
/// The smallest volume of ONTAP: 20 MB.
const SIZE_MIN: u64 = 20 << 20;
/// The largest volume of ONTAP: 300 TB.
const SIZE_MAX: u64 = 300 << 40;
/// ONTAP's general code for an operation that failed, where it has no better one.
const FAILED: u64 = 13_001;

/// The rows.
pub(crate) static ROWS: &[Resource] = &[Resource {
    path: PATH,
    brief: &["name", "svm.name", "svm.uuid"],
    expensive: &[
        "analytics",
        "anti_ransomware",
        "application",
        "clone.split_estimate",
        "efficiency.logging",
        "metric",
        "statistics",
    ],
    post: Way::Job(1200),
    patch: Way::Job(800),
    delete: Way::Job(1000),
    required: &["svm", "name"],
    unique: &[&["svm.uuid", "name"], &["svm.uuid", "nas.path"]],
    links: &[
        Link::SVM,
        Link::to("aggregates", "/storage/aggregates"),
        Link::of_svm("nas.export_policy", "/protocols/nfs/export-policies"),
        Link::of_svm("snapshot_policy", "/storage/snapshot-policies"),
        Link::of_svm("qos.policy", "/storage/qos/policies"),
        Link::of_svm("clone.parent_volume", PATH),
        Link::to("movement.destination_aggregate", "/storage/aggregates"),
    ],
    defaults: DEFAULTS,
    sizes: &["size", "space.size", "autosize.maximum", "autosize.minimum"],
    enums: &[
        ("state", &["online", "offline", "restricted", "mixed"]),
        ("type", &["rw", "dp", "ls"]),
        ("style", &["flexvol", "flexgroup", "flexgroup_constituent"]),
        ("guarantee.type", &["volume", "none"]),
        ("nas.security_style", &["unix", "ntfs", "mixed", "unified"]),
        ("autosize.mode", &["grow", "grow_shrink", "off"]),
    ],
    fixed: &["svm.name", "svm.uuid", "style"],
    check: complete,
    create,
    admit,
    change,
    spare: is_free,
    delete_with: |site, record| {
        let uuid = path::owned(record, "uuid");
        for table in [SNAPSHOTS, "/storage/qtrees", "/storage/quota/rules"] {
            site.remove(table, |other| path::text(other, "volume.uuid") == Some(&uuid));
        }
        site.remove("/storage/luns", |lun| path::text(lun, "location.volume.uuid") == Some(&uuid));
        Ok(())
    },
    view,
    ..Resource::BASE
}];

const DEFAULTS: &str = r#"{
    "state": "online", "style": "flexvol", "type": "rw", "language": "c.utf_8", "comment": "", "is_svm_root": false,
    "guarantee": {"type": "none", "honored": true}, "tiering": {"policy": "none"}, "snapshot_directory_access_enabled": true,
    "nas": {"security_style": "unix", "unix_permissions": 755, "uid": 0, "gid": 0},
    "autosize": {"mode": "off", "grow_threshold": 85, "shrink_threshold": 50}, "encryption": {"enabled": false},
    "space": {"snapshot": {"reserve_percent": 5, "autodelete_enabled": false}, "logical_space": {"enforcement": false, "reporting": false},
        "nearly_full_threshold_percent": 95, "full_threshold_percent": 98},
    "snaplock": {"type": "non_snaplock"}, "efficiency": {"compression": "none", "dedupe": "background", "state": "enabled"},
    "quota": {"state": "off", "enabled": false}, "snapmirror": {"is_protected": false}, "analytics": {"state": "off"},
    "anti_ransomware": {"state": "disabled"}, "activity_tracking": {"state": "off"}, "access_time_enabled": true
}"#;

/// A volume as the simulator itself makes one, in the first aggregate.
pub(crate) fn plain(site: &mut Site<'_>, svm: &Value, name: &str, size: u64) -> Value {
    let mut record: Value = serde_json::from_str(DEFAULTS).unwrap_or_default();
    let (uuid, moment, aggregate) = (site.uuid(), site.moment(), first_aggregate(site));
    path::merge(
        &mut record,
        &json!({ "name": name, "uuid": uuid, "svm": svm, "size": size, "aggregates": [aggregate], "create_time": moment }),
    );
    with_policies(site, &mut record);
    record
}

fn first_aggregate(site: &Site<'_>) -> Value {
    site.records("/storage/aggregates")
        .first()
        .map(|found| json!({ "name": found["name"], "uuid": found["uuid"] }))
        .unwrap_or_default()
}

/// The policies that a volume has if none are named.
fn with_policies(site: &Site<'_>, record: &mut Value) {
    let svm = path::owned(record, "svm.uuid");
    if path::get(record, "nas.export_policy").is_none()
        && let Some(policy) =
            site.find_all("/protocols/nfs/export-policies", &[("svm.uuid", &svm), ("name", "default")])
    {
        let policy = json!({ "name": "default", "id": policy["id"] });
        path::set(record, "nas.export_policy", policy);
    }
    if path::get(record, "snapshot_policy").is_none()
        && let Some(policy) = site.find("/storage/snapshot-policies", "name", "default")
    {
        let policy = json!({ "name": "default", "uuid": policy["uuid"] });
        path::set(record, "snapshot_policy", policy);
    }
}

fn complete(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    valid_name(record)?;
    if path::is_true(record, "clone.is_flexclone") || path::get(record, "clone.parent_volume").is_some() {
        complete_clone(site, record)?;
    }
    if path::get(record, "aggregates").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        if path::text(record, "style") != Some("flexgroup") {
            let message = "One of \"aggregates.uuid\", \"aggregates.name\", or \"style\" must be provided.";
            return Err(Refusal::bad(787_140, message).at("aggregates"));
        }
        let all: Vec<Value> = site
            .records("/storage/aggregates")
            .iter()
            .map(|a| json!({ "name": a["name"], "uuid": a["uuid"] }))
            .collect();
        path::set(record, "aggregates", all);
    }
    let size = path::number(record, "size").or_else(|| path::number(record, "space.size")).unwrap_or(SIZE_MIN);
    valid_size("size", size)?;
    path::set(record, "size", size);
    valid_mount(record)?;
    with_policies(site, record);
    let moment = site.moment();
    path::set(record, "create_time", moment);
    Ok(())
}

fn complete_clone(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let parent = path::owned(record, "clone.parent_volume.uuid");
    let Some(parent) = site.find(PATH, "uuid", &parent).cloned() else {
        return Err(Refusal::missing("clone.parent_volume"));
    };
    for field in ["size", "aggregates", "style"] {
        if let Some(value) = path::get(&parent, field) {
            path::set(record, field, value.clone());
        }
    }
    path::set(record, "clone.is_flexclone", true);
    if path::get(record, "clone.parent_svm").is_none() {
        path::set(record, "clone.parent_svm", parent["svm"].clone());
    }
    if let Some(name) = path::text(record, "clone.parent_snapshot.name") {
        let wanted = [("volume.uuid", parent["uuid"].as_str().unwrap_or_default()), ("name", name)];
        let found = site.find_all(SNAPSHOTS, &wanted).map(|snapshot| snapshot["uuid"].clone());
        let uuid = found.ok_or_else(|| {
            Refusal::new(404, 4, format!("Snapshot \"{name}\" does not exist.")).at("clone.parent_snapshot")
        })?;
        path::set(record, "clone.parent_snapshot.uuid", uuid);
    }
    Ok(())
}

fn valid_name(record: &Value) -> Result<(), Refusal> {
    let name = path::text(record, "name").unwrap_or_default();
    let fine = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if !fine || name.is_empty() || name.len() > 203 || name.starts_with(|letter: char| letter.is_ascii_digit()) {
        return Err(Refusal::invalid("name", name));
    }
    Ok(())
}

fn valid_size(field: &str, size: u64) -> Result<(), Refusal> {
    if !(SIZE_MIN..=SIZE_MAX).contains(&size) {
        return Err(Refusal::invalid(field, &size.to_string()));
    }
    Ok(())
}

/// An empty path is no path.
fn valid_mount(record: &mut Value) -> Result<(), Refusal> {
    match path::text(record, "nas.path") {
        Some("") => {
            path::set(record, "nas.path", Value::Null);
            Ok(())
        }
        Some(place) if !place.starts_with('/') || place == "/" && !path::is_true(record, "is_svm_root") => {
            Err(Refusal::invalid("nas.path", place))
        }
        _ => Ok(()),
    }
}

fn create(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    if path::is_true(record, "clone.is_flexclone") {
        return base_of_clone(site, record);
    }
    enough_space(site, record, path::number(record, "size").unwrap_or_default())
}

/// A clone stands on a snapshot: on the one that is named, or on one that is made for it.
fn base_of_clone(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    if path::text(record, "clone.parent_snapshot.uuid").is_some() {
        return Ok(());
    }
    let parent = record["clone"]["parent_volume"].clone();
    let name = format!(
        "clone_{}.{}",
        path::owned(record, "name"),
        site.moment().replace("+00:00", "").replace([':', 'T'], "_")
    );
    let owner =
        site.find(PATH, "uuid", parent["uuid"].as_str().unwrap_or_default()).map(|volume| volume["svm"].clone());
    let snapshot = super::copies::taken(site, &parent, &owner.unwrap_or_default(), &name);
    path::set(record, "clone.parent_snapshot", json!({ "name": name, "uuid": snapshot }));
    Ok(())
}

/// Refuses what does not fit into its aggregates.
fn enough_space(site: &Site<'_>, record: &Value, more: u64) -> Result<(), Refusal> {
    if path::text(record, "guarantee.type") != Some("volume") {
        return Ok(());
    }
    let aggregates = path::all(record, "aggregates.uuid");
    let free = aggregates.iter().filter_map(|uuid| uuid.as_str()).map(|uuid| {
        let size = site
            .find("/storage/aggregates", "uuid", uuid)
            .and_then(|found| path::number(found, "space.block_storage.size"));
        size.unwrap_or_default().saturating_sub(super::cluster::taken(site, uuid))
    });
    let free: u64 = free.sum();
    if more > free {
        let names: Vec<String> = path::all(record, "aggregates.name").into_iter().map(path::plain).collect();
        let message = format!(
            "There is not enough space in the aggregate \"{}\" for volume \"{}\": {more} bytes are needed, {free} are available.",
            names.join(", "),
            path::owned(record, "name"),
        );
        return Err(Refusal::new(500, FAILED, message));
    }
    Ok(())
}

fn admit(site: &mut Site<'_>, edit: &Edit) -> Result<(), Refusal> {
    valid_name(&edit.after)?;
    valid_mount(&mut edit.after.clone())?;
    if let Some(size) = new_size(edit) {
        valid_size("size", size)?;
        if path::text(&edit.after, "state") != Some("online") {
            let message = format!("Volume \"{}\" is not online.", path::owned(&edit.before, "name"));
            return Err(Refusal::new(409, FAILED, message));
        }
    }
    if path::is_true(&edit.before, "is_svm_root")
        && path::text(&edit.patch, "state").is_some_and(|state| state != "online")
    {
        return Err(Refusal::in_use("The root volume of an SVM cannot be taken offline."));
    }
    if let Some(name) = path::text(&edit.patch, "restore_to.snapshot.name") {
        let uuid = path::owned(&edit.before, "uuid");
        if site.find_all(SNAPSHOTS, &[("volume.uuid", &uuid), ("name", name)]).is_none() {
            return Err(Refusal::new(404, 4, format!("Snapshot \"{name}\" does not exist.")).at("restore_to.snapshot"));
        }
    }
    Ok(())
}

fn new_size(edit: &Edit) -> Option<u64> {
    path::number(&edit.patch, "size").or_else(|| path::number(&edit.patch, "space.size"))
}

fn change(site: &mut Site<'_>, edit: &mut Edit) -> Result<(), Refusal> {
    if let Some(size) = new_size(edit) {
        resize(site, edit, size)?;
    }
    valid_mount(&mut edit.after)?;
    if let Some(target) = path::get(&edit.patch, "movement.destination_aggregate").cloned() {
        let size = path::number(&edit.after, "size").unwrap_or_default();
        let mut moved = edit.after.clone();
        path::set(&mut moved, "aggregates", vec![target.clone()]);
        enough_space(site, &moved, size)?;
        edit.after = moved;
        path::set(
            &mut edit.after,
            "movement",
            json!({ "destination_aggregate": target, "state": "success", "percent_complete": 100 }),
        );
    }
    if path::is_true(&edit.patch, "clone.split_initiated") {
        path::set(&mut edit.after, "clone", json!({ "is_flexclone": false }));
    }
    if let Some(enabled) = path::get(&edit.patch, "quota.enabled").and_then(Value::as_bool) {
        path::set(&mut edit.after, "quota.state", if enabled { "on" } else { "off" });
    }
    if let Some(restored) = path::remove(&mut edit.after, "restore_to") {
        super::copies::restore(site, &mut edit.after, path::text(&restored, "snapshot.name").unwrap_or_default());
    }
    Ok(())
}

fn resize(site: &Site<'_>, edit: &mut Edit, size: u64) -> Result<(), Refusal> {
    let (old, used) = (
        path::number(&edit.before, "size").unwrap_or_default(),
        path::number(&edit.before, "~used").unwrap_or_default(),
    );
    if size < used {
        let message = format!(
            "Volume \"{}\" cannot shrink to {size} bytes: {used} bytes are used.",
            path::owned(&edit.before, "name")
        );
        return Err(Refusal::new(500, FAILED, message));
    }
    enough_space(site, &edit.before, size.saturating_sub(old))?;
    path::set(&mut edit.after, "size", size);
    path::remove(&mut edit.after, "space.size");
    Ok(())
}

fn is_free(site: &mut Site<'_>, record: &Value, params: &Params) -> Result<(), Refusal> {
    let (name, uuid) = (path::owned(record, "name"), path::owned(record, "uuid"));
    let refuse = |what: String| Err(Refusal::in_use(format!("Volume \"{name}\" {what}")));
    if path::text(record, "state") == Some("online") && site.world.rules.offline_before_delete && !flag(params, "force")
    {
        return refuse("is online. Take it offline before you delete it.".to_owned());
    }
    if path::is_true(record, "is_svm_root") {
        return refuse("is the root volume of its SVM, and goes with it.".to_owned());
    }
    let clones = site.records(PATH).iter().filter(|other| path::text(other, "clone.parent_volume.uuid") == Some(&uuid));
    let clones: Vec<String> = clones.map(|clone| path::owned(clone, "name")).collect();
    if !clones.is_empty() {
        return refuse(format!("has clones ({}). Delete or split them first.", clones.join(", ")));
    }
    let place = format!("{}:{name}", path::owned(record, "svm.name"));
    if site.records("/snapmirror/relationships").iter().any(|one| path::text(one, "destination.path") == Some(&place)) {
        return refuse("is the destination of a SnapMirror relationship. Delete that first.".to_owned());
    }
    let on_it =
        site.records("/storage/luns").iter().filter(|lun| path::text(lun, "location.volume.uuid") == Some(&uuid));
    let mapped: Vec<&str> = on_it.filter_map(|lun| path::text(lun, "uuid")).collect();
    if site
        .records("/protocols/san/lun-maps")
        .iter()
        .any(|map| path::text(map, "lun.uuid").is_some_and(|lun| mapped.contains(&lun)))
    {
        return refuse("has mapped LUNs. Unmap them first.".to_owned());
    }
    Ok(())
}

fn view(site: &Site<'_>, record: &mut Value) {
    let size = path::number(record, "size").unwrap_or_default();
    let used = path::number(record, "~used").unwrap_or_default();
    let reserve = path::number(record, "space.snapshot.reserve_percent").unwrap_or_default();
    let reserved = size / 100 * reserve;
    let available = size.saturating_sub(reserved).saturating_sub(used);
    let uuid = path::owned(record, "uuid");
    let count =
        site.records(SNAPSHOTS).iter().filter(|snapshot| path::text(snapshot, "volume.uuid") == Some(&uuid)).count();
    let percent = used.saturating_mul(100) / size.saturating_sub(reserved).max(1);
    path::merge(
        record,
        &json!({
            "space": { "size": size, "used": used, "available": available, "percent_used": percent, "physical_used": used, "footprint": used,
                "snapshot": { "used": 0, "reserve_size": reserved } },
            "snapshot_count": count,
        }),
    );
    if path::get(record, "clone.is_flexclone").is_none() {
        path::set(record, "clone.is_flexclone", false);
    }
}
