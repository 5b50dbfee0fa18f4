//! Aggregates, volumes, qtrees, LUNs and who may see them.

use serde_json::{Value, json};

use crate::estate::Cluster;
use crate::path;
use crate::view::reference;

/// An aggregate.
pub(crate) fn aggregate(cluster: &Cluster, record: &Value) -> Option<Value> {
    let uuid = path::text(record, "uuid")?;
    let mut object = json!({
        "uuid": uuid,
        "type": "ssd",
        "node": reference(cluster, "cluster_node", record.get("node")),
        "performance_capacity": { "used": 31.5 },
        "space": { "efficiency": { "logical_used": 0, "savings": 0 } },
    });
    let fields = ["name", "state", "snaplock_type", "create_time", "block_storage.primary.raid_type"];
    for field in fields.into_iter().chain([
        "space.block_storage.size",
        "space.block_storage.used",
        "space.block_storage.available",
    ]) {
        path::copy(record, &mut object, field);
    }
    Some(object)
}

/// The aggregate that a volume is on.
pub(crate) fn aggregate_of(cluster: &Cluster, volume: &Value) -> Value {
    reference(cluster, "aggregate", path::array(volume, "aggregates").next())
}

/// A volume.
pub(crate) fn volume(cluster: &Cluster, record: &Value) -> Option<Value> {
    let uuid = path::text(record, "uuid")?;
    let aggregates = path::array(record, "aggregates").map(|one| reference(cluster, "aggregate", Some(one)));
    let mut object = json!({
        "uuid": uuid,
        "aggregates": aggregates.collect::<Vec<_>>(),
        "svm": reference(cluster, "vserver", record.get("svm")),
        "snapmirror": { "is_protected": path::is_true(record, "snapmirror.is_protected") },
    });
    let fields = [
        "name",
        "type",
        "style",
        "state",
        "language",
        "create_time",
        "autosize",
        "space.size",
        "space.used",
        "space.available",
    ];
    for field in fields.into_iter().chain(["nas.export_policy", "tiering.policy", "snapshot_policy"]) {
        path::copy(record, &mut object, field);
    }
    if path::get(&object, "space.size").is_none() {
        path::set(&mut object, "space.size", record.get("size").cloned());
    }
    if let Some(policy) = super::export_policy_key(cluster, record) {
        path::set(&mut object, "nas.export_policy.key", policy);
    }
    Some(object)
}

/// A qtree, but not the one that every volume is itself.
pub(crate) fn qtree(cluster: &Cluster, record: &Value) -> Option<Value> {
    let id = path::number(record, "id").filter(|id| *id > 0)?;
    let mut object = json!({
        "uuid": format!("{}-{id}", path::owned(record, "volume.uuid")),
        "id": id.to_string(),
        "svm": reference(cluster, "vserver", record.get("svm")),
        "volume": reference(cluster, "volume", record.get("volume")),
    });
    for field in ["name", "security_style", "export_policy"] {
        path::copy(record, &mut object, field);
    }
    Some(object)
}

/// A LUN.
pub(crate) fn lun(cluster: &Cluster, record: &Value) -> Option<Value> {
    let uuid = path::text(record, "uuid")?;
    let mut object = json!({
        "uuid": uuid,
        "class": "regular",
        "svm": reference(cluster, "vserver", record.get("svm")),
        "location": { "volume": reference(cluster, "volume", path::get(record, "location.volume")) },
    });
    for field in ["name", "comment", "os_type", "serial_number", "space.size", "space.used", "status", "lun_maps"] {
        path::copy(record, &mut object, field);
    }
    Some(object)
}

/// An initiator group.
pub(crate) fn igroup(cluster: &Cluster, record: &Value) -> Option<Value> {
    let uuid = path::text(record, "uuid")?;
    let mut object = json!({ "uuid": uuid, "svm": reference(cluster, "vserver", record.get("svm")) });
    for field in ["name", "os_type", "protocol", "initiators"] {
        path::copy(record, &mut object, field);
    }
    Some(object)
}
