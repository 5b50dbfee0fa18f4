//! SnapMirror: relationships on the cluster of the destination, their states and transfers, and policies.

use serde_json::{Value, json};

use crate::path;
use crate::refusal::Refusal;
use crate::resource::{Edit, Link, Params, Resource, Way};
use crate::site::Site;
use crate::{moment, table};

const PATH: &str = "/snapmirror/relationships";
const TRANSFERS: &str = "/snapmirror/relationships/{relationship.uuid}/transfers";
const POLICIES: &str = "/snapmirror/policies";
const VOLUMES: &str = "/storage/volumes";
/// How long a transfer takes, in milliseconds.
const TRANSFER_MS: u64 = 1500;

/// The rows.
pub(crate) static ROWS: &[Resource] = &[
    Resource {
        path: PATH,
        brief: &["source.path", "destination.path", "state", "healthy"],
        expensive: &["consistency_group_failover"],
        post: Way::Job(1000),
        patch: Way::Job(1500),
        delete: Way::Job(600),
        required: &["source.path", "destination.path"],
        unique: &[&["destination.path"]],
        links: &[Link::to("policy", POLICIES)],
        defaults: r#"{"state": "uninitialized", "healthy": true, "restore": false, "throttle": 0}"#,
        enums: &[(
            "state",
            &[
                "uninitialized",
                "snapmirrored",
                "paused",
                "broken_off",
                "in_sync",
                "out_of_sync",
                "synchronizing",
                "expanding",
            ],
        )],
        fixed: &["source.path", "destination.path"],
        check: complete,
        create,
        admit,
        change,
        spare: |_, _, _: &Params| Ok(()),
        delete_with: forget,
        view,
        ..Resource::BASE
    },
    Resource {
        path: TRANSFERS,
        brief: &["state"],
        post: Way::Now,
        patch: Way::Now,
        links: &[Link::to("relationship", PATH)],
        enums: &[("state", &["aborted", "hard_aborted"])],
        check: start_transfer,
        view: |site, record| {
            let ended = path::number(record, "~end").is_some_and(|end| site.now() >= end);
            if ended && path::text(record, "state") == Some("transferring") {
                path::set(record, "state", "success");
                path::set(record, "end_time", moment::written(path::number(record, "~end").unwrap_or_default()));
            }
        },
        ..Resource::BASE
    },
    Resource {
        path: POLICIES,
        brief: &["name", "type", "scope", "svm.name"],
        post: Way::Job(400),
        patch: Way::Job(300),
        delete: Way::Job(300),
        required: &["name"],
        unique: &[&["scope", "name"]],
        links: &[Link::SVM, Link::to("transfer_schedule", "/cluster/schedules")],
        defaults: r#"{"type": "async", "throttle": 0, "comment": "", "network_compression_enabled": false}"#,
        enums: &[("type", &["async", "sync", "continuous"])],
        check: |_, record| {
            let scope = if path::get(record, "svm").is_some() { "svm" } else { "cluster" };
            path::set(record, "scope", scope);
            Ok(())
        },
        spare: |site, record, _| {
            let uuid = path::text(record, "uuid");
            match site.records(PATH).iter().find(|one| path::text(one, "policy.uuid") == uuid) {
                Some(user) => Err(Refusal::in_use(format!(
                    "The policy is used by \"{}\".",
                    path::owned(user, "destination.path")
                ))),
                None => Ok(()),
            }
        },
        ..Resource::BASE
    },
];

/// An endpoint: which cluster, which SVM, which volume.
struct End {
    at: usize,
    svm: Value,
    volume: String,
}

/// Finds an endpoint `svm:volume`. An SVM has the name that its peer relationship gives it.
fn end(site: &mut Site<'_>, record: &Value, which: &str) -> Result<End, Refusal> {
    let field = format!("{which}.path");
    let place = path::owned(record, &field);
    let Some((svm, volume)) = place.split_once(':').filter(|(svm, _)| !svm.is_empty()) else {
        return Err(Refusal::invalid(&field, &place));
    };
    let own = site.find("/svm/svms", "name", svm).map(|svm| json!({ "name": svm["name"], "uuid": svm["uuid"] }));
    let cluster = path::text(record, &format!("{which}.cluster.name")).map(str::to_owned);
    let here = site.name_of(site.at);
    let elsewhere = which == "source" && cluster.as_ref().map_or(own.is_none(), |name| *name != here);
    if !elsewhere {
        let svm =
            own.ok_or_else(|| Refusal::bad(2_621_462, format!("SVM \"{svm}\" does not exist.")).at(field.as_str()))?;
        return Ok(End { at: site.at, svm, volume: volume.to_owned() });
    }
    let by_peer =
        |peer: &&Value| path::text(peer, "name") == Some(svm) || path::text(peer, "peer.svm.name") == Some(svm);
    let in_cluster =
        |peer: &&Value| cluster.as_deref().is_none_or(|name| path::text(peer, "peer.cluster.name") == Some(name));
    let found = site.records(table::svm_peer::PATH).iter().find(|peer| by_peer(peer) && in_cluster(peer));
    let uuid = found.map(|peer| path::owned(peer, "peer.svm.uuid")).unwrap_or_default();
    let at = (0..site.world.clusters.len()).find(|at| site.other(*at).find("/svm/svms", "uuid", &uuid).is_some());
    let Some(at) = at.filter(|_| !uuid.is_empty()) else {
        let message = format!("The SVM of \"{place}\" is not a peer of an SVM of this cluster.");
        return Err(Refusal::bad(6_619_707, message).at(field.as_str()));
    };
    let name = site.other(at).find("/svm/svms", "uuid", &uuid).map(|svm| path::owned(svm, "name"));
    Ok(End { at, svm: json!({ "name": name, "uuid": uuid }), volume: volume.to_owned() })
}

fn complete(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let (source, target) = (end(site, record, "source")?, end(site, record, "destination")?);
    let (from, to) = (path::owned(&source.svm, "uuid"), path::owned(&target.svm, "uuid"));
    if !table::svm_peer::are_peers(site, &to, &from) {
        let message = format!(
            "SVM \"{}\" is not a peer of SVM \"{}\".",
            path::owned(&target.svm, "name"),
            path::owned(&source.svm, "name")
        );
        return Err(Refusal::bad(6_619_707, message));
    }
    let volume = site.other(source.at).find_all(VOLUMES, &[("svm.uuid", &from), ("name", &source.volume)]).cloned();
    if volume.is_none() && !source.volume.is_empty() {
        return Err(Refusal::new(404, 917_927, format!("The specified volume \"{}\" was not found.", source.volume))
            .at("source.path"));
    }
    let make = path::is_true(record, "create_destination.enabled");
    let there = site.find_all(VOLUMES, &[("svm.uuid", &to), ("name", &target.volume)]);
    match there.map(|volume| path::owned(volume, "type")) {
        None if !make && !target.volume.is_empty() => {
            let message = format!("The specified volume \"{}\" was not found.", target.volume);
            return Err(Refusal::new(404, 917_927, message).at("destination.path"));
        }
        Some(kind) if kind != "dp" && make => return Err(Refusal::exists(&path::owned(record, "destination.path"))),
        Some(kind) if kind != "dp" => {
            let message = format!("Volume \"{}\" is not a data-protection (dp) volume.", target.volume);
            return Err(Refusal::bad(6_619_715, message).at("destination.path"));
        }
        _ => {}
    }
    let (name, uuid) = (site.name_of(source.at), site.uuid_of(source.at));
    path::set(record, "source.cluster", json!({ "name": name, "uuid": uuid }));
    path::set(record, "source.svm", source.svm);
    path::set(record, "destination.svm", target.svm);
    if path::text(record, "policy.uuid").is_none() {
        let policy = site
            .find(POLICIES, "name", "Asynchronous")
            .map(|policy| json!({ "name": policy["name"], "uuid": policy["uuid"] }));
        path::set(record, "policy", policy);
    }
    let policy = path::owned(record, "policy.uuid");
    let kind = site.find(POLICIES, "uuid", &policy).map(|policy| path::owned(policy, "type"));
    path::set(record, "policy.type", kind);
    let wanted = path::owned(record, "state");
    path::set(record, "~wanted", wanted);
    path::set(record, "state", "uninitialized");
    Ok(())
}

fn create(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let (source, target) = (end(site, record, "source")?, end(site, record, "destination")?);
    let (from, to) = (path::owned(&source.svm, "uuid"), path::owned(&target.svm, "uuid"));
    if path::is_true(record, "create_destination.enabled")
        && site.find_all(VOLUMES, &[("svm.uuid", &to), ("name", &target.volume)]).is_none()
    {
        let size = site
            .other(source.at)
            .find_all(VOLUMES, &[("svm.uuid", &from), ("name", &source.volume)])
            .and_then(|v| path::number(v, "size"));
        let mut volume = table::volume::plain(site, &target.svm, &target.volume, size.unwrap_or(1 << 30));
        path::set(&mut volume, "type", "dp");
        site.insert(VOLUMES, volume);
    }
    path::remove(record, "create_destination");
    if path::text(record, "~wanted") == Some("snapmirrored") {
        transfer(site, record);
        path::set(record, "state", "snapmirrored");
    }
    path::remove(record, "~wanted");
    Ok(())
}

/// The state that a relationship goes to, if it may.
fn admit(_: &mut Site<'_>, edit: &Edit) -> Result<(), Refusal> {
    let Some(wanted) = path::text(&edit.patch, "state") else { return Ok(()) };
    let before = path::owned(&edit.before, "state");
    let may = match (before.as_str(), wanted) {
        (before, wanted) if before == wanted => true,
        ("uninitialized" | "paused" | "broken_off", "snapmirrored" | "in_sync") => true,
        ("snapmirrored" | "in_sync", "paused" | "broken_off") | ("paused", "broken_off") => true,
        _ => false,
    };
    if !may {
        let message = format!("A relationship in state \"{before}\" cannot go to state \"{wanted}\".");
        return Err(Refusal::bad(13_303_822, message).at("state"));
    }
    Ok(())
}

fn change(site: &mut Site<'_>, edit: &mut Edit) -> Result<(), Refusal> {
    let (before, after) = (path::owned(&edit.before, "state"), path::owned(&edit.after, "state"));
    if before == after {
        return Ok(());
    }
    let writable = after == "broken_off";
    if writable || before == "broken_off" {
        let (svm, volume) = (path::owned(&edit.after, "destination.svm.uuid"), destination_volume(&edit.after));
        let uuid =
            site.find_all(VOLUMES, &[("svm.uuid", &svm), ("name", &volume)]).map(|found| path::owned(found, "uuid"));
        site.update(VOLUMES, &uuid.unwrap_or_default(), |volume| {
            path::set(volume, "type", if writable { "rw" } else { "dp" })
        });
    }
    if matches!(after.as_str(), "snapmirrored" | "in_sync") && before != "paused" {
        transfer(site, &mut edit.after);
    }
    Ok(())
}

fn destination_volume(record: &Value) -> String {
    path::owned(record, "destination.path").split_once(':').map(|(_, volume)| volume.to_owned()).unwrap_or_default()
}

/// Notes a transfer that ends now, in a job that took its time.
fn transfer(site: &mut Site<'_>, record: &mut Value) {
    let (uuid, now, moment) = (site.uuid(), site.now(), site.moment());
    let relationship = json!({ "uuid": record["uuid"] });
    site.insert(TRANSFERS, json!({
        "uuid": uuid, "relationship": relationship, "state": "success", "bytes_transferred": 1_048_576, "end_time": moment, "~end": now,
    }));
    path::set(record, "~last", now);
    path::set(record, "~transfer", uuid);
}

/// `POST …/transfers`: an update, or the first transfer of all.
fn start_transfer(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let relationship = path::owned(record, "relationship.uuid");
    let Some(found) = site.find(PATH, "uuid", &relationship).cloned() else { return Err(Refusal::absent()) };
    match path::text(&found, "state") {
        Some("snapmirrored" | "uninitialized" | "in_sync") => {}
        state => {
            let message = format!("A relationship in state \"{}\" takes no transfer.", state.unwrap_or_default());
            return Err(Refusal::bad(13_303_812, message));
        }
    }
    let end = site.now() + TRANSFER_MS;
    for (field, value) in
        [("state", json!("transferring")), ("bytes_transferred", json!(1_048_576)), ("~end", json!(end))]
    {
        path::set(record, field, value);
    }
    let uuid = path::owned(record, "uuid");
    site.update(PATH, &relationship, |found| {
        path::set(found, "state", "snapmirrored");
        path::set(found, "~last", end);
        path::set(found, "~transfer", uuid);
    });
    Ok(())
}

fn forget(site: &mut Site<'_>, record: &Value) -> Result<(), Refusal> {
    let uuid = path::owned(record, "uuid");
    site.remove(TRANSFERS, |transfer| path::text(transfer, "relationship.uuid") == Some(&uuid));
    // The destination keeps what it has, and can be written.
    let (svm, volume) = (path::owned(record, "destination.svm.uuid"), destination_volume(record));
    let found =
        site.find_all(VOLUMES, &[("svm.uuid", &svm), ("name", &volume)]).map(|found| path::owned(found, "uuid"));
    site.update(VOLUMES, &found.unwrap_or_default(), |volume| path::set(volume, "type", "rw"));
    Ok(())
}

fn view(site: &Site<'_>, record: &mut Value) {
    let last = path::number(record, "~last");
    if let (Some(uuid), Some(end)) = (path::text(record, "~transfer").map(str::to_owned), last) {
        let done = site.now() >= end;
        path::set(
            record,
            "transfer",
            json!({
                "uuid": uuid, "state": if done { "success" } else { "transferring" }, "bytes_transferred": 1_048_576, "end_time": moment::written(end),
            }),
        );
    }
    let live = matches!(path::text(record, "state"), Some("snapmirrored" | "paused" | "in_sync"));
    if let Some(last) = last.filter(|_| live) {
        path::set(record, "lag_time", moment::duration(site.now().saturating_sub(last)));
        path::set(record, "exported_snapshot", format!("snapmirror.{}", path::owned(record, "uuid")));
    }
}
