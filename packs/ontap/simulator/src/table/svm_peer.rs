//! SVM peers: asked for on one cluster, accepted on the other.

use serde_json::{Value, json};

use crate::path;
use crate::refusal::Refusal;
use crate::resource::{Edit, Link, Params, Resource, Way};
use crate::site::Site;

/// The path of the collection.
pub(crate) const PATH: &str = "/svm/peers";
const PERMISSIONS: &str = "/svm/peer-permissions";

/// The rows.
pub(crate) static ROWS: &[Resource] = &[
    Resource {
        path: PATH,
        brief: &["name", "svm.name"],
        post: Way::Job(800),
        patch: Way::Job(500),
        delete: Way::Job(500),
        required: &["svm", "peer.svm.name"],
        unique: &[&["svm.uuid", "peer.svm.name", "peer.cluster.name"]],
        links: &[Link::SVM],
        defaults: r#"{"state": "initiated", "applications": ["snapmirror"]}"#,
        enums: &[("state", &["peered", "rejected", "suspended", "initiated", "pending", "initializing"])],
        check: complete,
        create: tell_the_other,
        admit,
        change: tell_of_the_change,
        spare: is_unused,
        delete_with: leave,
        ..Resource::BASE
    },
    Resource {
        path: PERMISSIONS,
        keys: &["cluster_peer.uuid", "svm.uuid"],
        brief: &["cluster_peer.name", "svm.name"],
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["svm", "cluster_peer", "applications"],
        unique: &[&["cluster_peer.uuid", "svm.uuid"]],
        links: &[Link::SVM, Link::to("cluster_peer", super::peer::PATH)],
        ..Resource::BASE
    },
];

/// The cluster that a record of a peer means: by the name of the cluster peer, or of the cluster itself.
fn remote(site: &Site<'_>, name: &str) -> Option<usize> {
    if name == site.name_of(site.at) {
        return Some(site.at);
    }
    let peer = site
        .find(super::peer::PATH, "name", name)
        .filter(|peer| path::text(peer, "status.state") == Some("available"))?;
    let uuid = path::owned(peer, "~cluster");
    (0..site.world.clusters.len()).find(|at| site.uuid_of(*at) == uuid)
}

/// By which name a cluster knows another: that of the relationship.
fn name_for(site: &Site<'_>, other: usize) -> String {
    let uuid = site.uuid_of(other);
    let peer = site.find(super::peer::PATH, "~cluster", &uuid).map(|peer| path::owned(peer, "name"));
    peer.unwrap_or_else(|| site.name_of(other))
}

fn complete(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    if path::text(record, "peer.cluster.name").is_none() {
        let own = site.name_of(site.at);
        path::set(record, "peer.cluster.name", own);
    }
    let cluster = path::owned(record, "peer.cluster.name");
    let Some(at) = remote(site, &cluster) else {
        return Err(Refusal::bad(9_896_072, format!("Cluster \"{cluster}\" is not a healthy peer of this cluster."))
            .at("peer.cluster.name"));
    };
    let name = path::owned(record, "peer.svm.name");
    let found = site.other(at).find("/svm/svms", "name", &name).map(|svm| path::owned(svm, "uuid"));
    let Some(uuid) = found else {
        return Err(Refusal::bad(2_621_462, format!("SVM \"{name}\" does not exist on cluster \"{cluster}\"."))
            .at("peer.svm.name"));
    };
    path::set(record, "peer.svm.uuid", uuid);
    if path::text(record, "name").is_none() {
        path::set(record, "name", name);
    }
    Ok(())
}

/// Puts the other half of the relationship where it belongs. It is accepted at once within a cluster, and where a permission
/// or the cluster peer allows the SVM.
fn tell_the_other(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let cluster = path::owned(record, "peer.cluster.name");
    let here = site.at;
    let Some(at) = remote(site, &cluster) else {
        return Err(Refusal::bad(9_896_072, "The peer cluster is not available."));
    };
    let back = name_for(&site.other(at), here);
    let svm = record["peer"]["svm"].clone();
    let allowed = at == here || allows(&site.other(at), &back, path::text(&svm, "name").unwrap_or_default());
    let (own, other) = if allowed { ("peered", "peered") } else { ("initiated", "pending") };
    path::set(record, "state", own);
    let mut mirror = json!({
        "name": record["svm"]["name"], "svm": svm, "peer": { "svm": record["svm"], "cluster": { "name": back } },
        "applications": record["applications"], "state": other,
    });
    let mut there = site.other(at);
    let uuid = there.uuid();
    path::set(&mut mirror, "uuid", uuid);
    there.insert(PATH, mirror);
    Ok(())
}

fn allows(site: &Site<'_>, peer: &str, svm: &str) -> bool {
    let by_permission = site.find_all(PERMISSIONS, &[("cluster_peer.name", peer), ("svm.name", svm)]).is_some();
    let by_peer = site.find(super::peer::PATH, "name", peer).is_some_and(|peer| {
        path::all(peer, "initial_allowed_svms.name")
            .iter()
            .any(|name| matches!(name.as_str(), Some(name) if name == svm || name == "*"))
    });
    by_permission || by_peer
}

fn admit(_: &mut Site<'_>, edit: &Edit) -> Result<(), Refusal> {
    let (before, wanted) = (path::owned(&edit.before, "state"), path::text(&edit.patch, "state").unwrap_or_default());
    match (before.as_str(), wanted) {
        ("initiated", "peered") => {
            Err(Refusal::bad(9_896_057, "The relationship has to be accepted on the peer cluster.").at("state"))
        }
        (_, "initiated" | "pending" | "initializing") if before != wanted => Err(Refusal::invalid("state", wanted)),
        _ => Ok(()),
    }
}

fn tell_of_the_change(site: &mut Site<'_>, edit: &mut Edit) -> Result<(), Refusal> {
    let (state, applications) = (path::owned(&edit.after, "state"), edit.after["applications"].clone());
    with_mirror(site, &edit.before, |mirror| {
        path::set(mirror, "state", state);
        path::set(mirror, "applications", applications);
    });
    Ok(())
}

/// The other half, if it is there.
fn with_mirror(site: &mut Site<'_>, record: &Value, change: impl FnOnce(&mut Value)) {
    let Some(at) = remote(site, &path::owned(record, "peer.cluster.name")) else { return };
    let (own, theirs) = (path::owned(record, "svm.uuid"), path::owned(record, "peer.svm.uuid"));
    let mut there = site.other(at);
    let mut all = there.table(PATH).into_iter().flatten();
    let mirror = all
        .find(|peer| path::text(peer, "svm.uuid") == Some(&theirs) && path::text(peer, "peer.svm.uuid") == Some(&own));
    if let Some(mirror) = mirror {
        change(mirror);
    }
}

fn is_unused(site: &mut Site<'_>, record: &Value, _: &Params) -> Result<(), Refusal> {
    let (own, theirs) = (path::owned(record, "svm.uuid"), path::owned(record, "peer.svm.uuid"));
    let used = site.records("/snapmirror/relationships").iter().any(|one| {
        path::text(one, "destination.svm.uuid") == Some(&own) && path::text(one, "source.svm.uuid") == Some(&theirs)
    });
    if used {
        return Err(Refusal::in_use("The SVM peer is in use by SnapMirror relationships. Delete those first."));
    }
    Ok(())
}

fn leave(site: &mut Site<'_>, record: &Value) -> Result<(), Refusal> {
    let Some(at) = remote(site, &path::owned(record, "peer.cluster.name")) else { return Ok(()) };
    let (own, theirs) = (path::owned(record, "svm.uuid"), path::owned(record, "peer.svm.uuid"));
    site.other(at).remove(PATH, |peer| {
        path::text(peer, "svm.uuid") == Some(&theirs) && path::text(peer, "peer.svm.uuid") == Some(&own)
    });
    Ok(())
}

/// Whether two SVMs are peers for SnapMirror: the same one always is.
pub(crate) fn are_peers(site: &Site<'_>, svm: &str, other: &str) -> bool {
    let peered = |peer: &&Value| path::text(peer, "state") == Some("peered");
    svm == other
        || site
            .records(PATH)
            .iter()
            .filter(peered)
            .any(|peer| path::text(peer, "svm.uuid") == Some(svm) && path::text(peer, "peer.svm.uuid") == Some(other))
}
