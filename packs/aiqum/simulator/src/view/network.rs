//! Addresses and ports.

use serde_json::{Value, json};

use crate::estate::Cluster;
use crate::path;
use crate::view::reference;

/// An address of an SVM or of the cluster.
pub(crate) fn interface(cluster: &Cluster, record: &Value) -> Option<Value> {
    let uuid = path::text(record, "uuid")?;
    let mut object = json!({ "uuid": uuid, "svm": reference(cluster, "vserver", record.get("svm")) });
    for field in ["name", "ip", "enabled", "state", "scope", "ipspace", "location"] {
        path::copy(record, &mut object, field);
    }
    for place in ["location.home_node", "location.node"] {
        if let Some(node) = path::get(record, place) {
            path::set(&mut object, place, reference(cluster, "cluster_node", Some(node)));
        }
    }
    Some(object)
}

/// A port.
pub(crate) fn port(cluster: &Cluster, record: &Value) -> Option<Value> {
    let uuid = path::text(record, "uuid")?;
    let mut object = json!({ "uuid": uuid, "node": reference(cluster, "cluster_node", record.get("node")) });
    for field in ["name", "state", "speed", "enabled", "mtu", "type", "broadcast_domain"] {
        path::copy(record, &mut object, field);
    }
    Some(object)
}
