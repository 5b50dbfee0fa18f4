//! The data centre as Unified Manager shows it: views of the records of the clusters, a row for each collection.

mod cluster;
mod nas;
mod network;
mod storage;

use runner_sdk::simulator::{Reply, Request};
use serde_json::{Value, json};

use crate::Aiqum;
use crate::estate::{Cluster, Estate};
use crate::problem::Problem;
use crate::{key, list, path};

pub(crate) use nas::{PROTOCOLS, export_policy_key};
pub(crate) use storage::aggregate_of;

/// A collection of the data centre.
pub(crate) struct View {
    /// Its path below `/datacenter`.
    pub(crate) path: &'static str,
    /// The type in the keys of its objects.
    pub(crate) kind: &'static str,
    /// The collection of ONTAP that it is made of.
    pub(crate) table: &'static str,
    /// Makes the object of a record; none if it is not shown.
    pub(crate) shape: fn(&Cluster, &Value) -> Option<Value>,
}

/// The cluster itself has no collection in ONTAP.
const ITSELF: &str = "";

static VIEWS: &[View] = &[
    View { path: "cluster/clusters", kind: "cluster", table: ITSELF, shape: cluster::cluster },
    View { path: "cluster/nodes", kind: "cluster_node", table: "/cluster/nodes", shape: cluster::node },
    View { path: "storage/aggregates", kind: "aggregate", table: "/storage/aggregates", shape: storage::aggregate },
    View { path: "storage/volumes", kind: "volume", table: "/storage/volumes", shape: storage::volume },
    View { path: "storage/qtrees", kind: "qtree", table: "/storage/qtrees", shape: storage::qtree },
    View { path: "storage/luns", kind: "lun", table: "/storage/luns", shape: storage::lun },
    View { path: "svm/svms", kind: "vserver", table: "/svm/svms", shape: nas::svm },
    View {
        path: "protocols/nfs/export-policies",
        kind: "export_policy",
        table: "/protocols/nfs/export-policies",
        shape: nas::export_policy,
    },
    View { path: "protocols/cifs/shares", kind: "cifs_share", table: "/protocols/cifs/shares", shape: nas::cifs_share },
    View { path: "protocols/san/igroups", kind: "igroup", table: "/protocols/san/igroups", shape: storage::igroup },
    View {
        path: "network/ip/interfaces",
        kind: "network_lif",
        table: "/network/ip/interfaces",
        shape: network::interface,
    },
    View {
        path: "network/ethernet/ports",
        kind: "network_port",
        table: "/network/ethernet/ports",
        shape: network::port,
    },
];

/// The collection of a type of key.
pub(crate) fn of_kind(kind: &str) -> Option<&'static View> {
    VIEWS.iter().find(|view| view.kind == kind)
}

/// `GET /datacenter/…`.
pub(crate) fn get(aiqum: &Aiqum, request: &Request, segments: &[&str]) -> Result<Reply, Problem> {
    let whole = segments.join("/");
    let nowhere = || Problem::new(404, format!("There is no resource at {}.", request.path));
    if let Some(view) = VIEWS.iter().find(|view| view.path == whole) {
        return list::reply(request, objects(aiqum, view), list::PAGE);
    }
    let (collection, wanted) = whole.rsplit_once('/').ok_or_else(nowhere)?;
    let view = VIEWS.iter().find(|view| view.path == collection).ok_or_else(nowhere)?;
    let object = object(aiqum, view, wanted).ok_or_else(|| Problem::absent(view.kind, wanted))?;
    Ok(Reply::json(200, &object))
}

/// The objects of a collection, of all clusters.
pub(crate) fn objects(aiqum: &Aiqum, view: &View) -> Vec<Value> {
    let estate = &aiqum.estate;
    let mut objects = Vec::new();
    for cluster in estate.clusters() {
        let itself = std::slice::from_ref(&cluster.record);
        let records = if view.table == ITSELF { itself } else { cluster.records(view.table) };
        objects.extend(records.iter().filter_map(|record| shaped(aiqum, view, cluster, record)));
    }
    objects
}

/// The object with a key.
pub(crate) fn object(aiqum: &Aiqum, view: &View, wanted: &str) -> Option<Value> {
    objects(aiqum, view).into_iter().find(|object| path::text(object, "key") == Some(wanted))
}

fn shaped(aiqum: &Aiqum, view: &View, cluster: &Cluster, record: &Value) -> Option<Value> {
    let mut object = (view.shape)(cluster, record)?;
    let uuid = path::owned(&object, "uuid");
    let own = key::of(cluster.uuid(), view.kind, &uuid);
    let href = format!("/api/datacenter/{}/{}", view.path, path::encoded(&own));
    path::set(&mut object, "key", own);
    path::set(&mut object, "_links.self.href", href);
    if view.table != ITSELF {
        path::set(&mut object, "cluster", cluster_reference(cluster));
    }
    aiqum.rules.disturb(view.kind, &mut object);
    Some(object)
}

/// A cluster as other objects name it.
pub(crate) fn cluster_reference(cluster: &Cluster) -> Value {
    let key = key::of(cluster.uuid(), "cluster", cluster.uuid());
    json!({ "key": key, "name": cluster.name(), "uuid": cluster.uuid() })
}

/// Another object of the same cluster, as a record names it by `uuid` and `name`.
pub(crate) fn reference(cluster: &Cluster, kind: &str, named: Option<&Value>) -> Value {
    let Some(named) = named.filter(|named| named.is_object()) else { return Value::Null };
    let uuid = path::owned(named, "uuid");
    json!({ "key": key::of(cluster.uuid(), kind, &uuid), "name": named.get("name"), "uuid": uuid })
}

/// An object that a client names by its key: the cluster it is on, and its record at the last acquisition.
pub(crate) fn find<'e>(estate: &'e Estate, kind: &str, wanted: &str) -> Option<(&'e Cluster, &'e Value)> {
    let parsed = key::parse(wanted).filter(|key| key.kind == kind)?;
    let cluster = estate.cluster(parsed.cluster)?;
    let view = of_kind(kind)?;
    if view.table == ITSELF {
        return (cluster.uuid() == parsed.uuid).then_some((cluster, &cluster.record));
    }
    let own =
        |record: &&Value| (view.shape)(cluster, record).is_some_and(|it| path::text(&it, "uuid") == Some(parsed.uuid));
    cluster.records(view.table).iter().find(own).map(|record| (cluster, record))
}
