//! Clusters and their nodes.

use serde_json::{Value, json};

use crate::estate::Cluster;
use crate::view::reference;
use crate::{key, path};

/// A cluster: its health is that of its nodes.
pub(crate) fn cluster(cluster: &Cluster, record: &Value) -> Option<Value> {
    let uuid = path::text(record, "uuid")?;
    let space = |field: &str| -> u64 {
        let aggregates = cluster.records("/storage/aggregates").iter();
        aggregates.filter_map(|aggregate| path::number(aggregate, &format!("space.block_storage.{field}"))).sum()
    };
    let nodes: Vec<Value> =
        cluster.records("/cluster/nodes").iter().filter_map(|record| node(cluster, record)).collect();
    let interfaces = cluster.records("/network/ip/interfaces").iter();
    let management = interfaces.filter(|lif| path::text(lif, "name") == Some("cluster_mgmt"));
    let mut object = json!({
        "uuid": uuid,
        "name": record.get("name"),
        "management_ip": management.filter_map(|lif| path::text(lif, "ip.address")).next(),
        "storage_capacity": { "total": space("size"), "used": space("used"), "available": space("available") },
        "nodes": nodes,
        "is_san_optimized": path::is_true(record, "san_optimized"),
        "isSanOptimized": path::is_true(record, "san_optimized"),
    });
    for field in ["version", "location", "contact"] {
        path::copy(record, &mut object, field);
    }
    Some(object)
}

/// A node.
pub(crate) fn node(cluster: &Cluster, record: &Value) -> Option<Value> {
    let uuid = path::text(record, "uuid")?;
    let others = cluster.records("/cluster/nodes").iter().filter(|other| path::text(other, "uuid") != Some(uuid));
    let partners: Vec<Value> = others.map(|other| reference(cluster, "cluster_node", Some(other))).collect();
    let mut object = json!({
        "uuid": uuid,
        "key": key::of(cluster.uuid(), "cluster_node", uuid),
        "health": path::text(record, "state") == Some("up"),
        "ha": { "partners": partners },
        "performance_capacity": { "used": 31.5 },
    });
    for field in ["name", "model", "serial_number", "version", "location", "uptime"] {
        path::copy(record, &mut object, field);
    }
    Some(object)
}
