//! SVMs, export policies and CIFS shares.

use serde_json::{Value, json};

use crate::estate::Cluster;
use crate::view::reference;
use crate::{key, path};

/// The protocols that an SVM can serve.
pub(crate) const PROTOCOLS: [&str; 5] = ["nfs", "cifs", "iscsi", "fcp", "nvme"];

/// An SVM.
pub(crate) fn svm(cluster: &Cluster, record: &Value) -> Option<Value> {
    let uuid = path::text(record, "uuid")?;
    let aggregates = path::array(record, "aggregates").map(|one| reference(cluster, "aggregate", Some(one)));
    let mut object = json!({ "uuid": uuid, "aggregates": aggregates.collect::<Vec<_>>() });
    for protocol in PROTOCOLS {
        let field = format!("{protocol}.enabled");
        path::set(&mut object, &field, path::is_true(record, &field));
    }
    for field in ["name", "state", "subtype", "language", "ipspace", "snapshot_policy", "dns", "cifs.name"] {
        path::copy(record, &mut object, field);
    }
    Some(object)
}

/// An export policy. ONTAP numbers them within a cluster.
pub(crate) fn export_policy(cluster: &Cluster, record: &Value) -> Option<Value> {
    let id = path::number(record, "id")?;
    let mut object =
        json!({ "uuid": id.to_string(), "id": id, "svm": reference(cluster, "vserver", record.get("svm")) });
    path::copy(record, &mut object, "name");
    path::copy(record, &mut object, "rules");
    Some(object)
}

/// The key of the export policy of a volume.
pub(crate) fn export_policy_key(cluster: &Cluster, volume: &Value) -> Option<String> {
    let svm = path::text(volume, "svm.uuid")?;
    let name = path::text(volume, "nas.export_policy.name")?;
    let of_it =
        |policy: &&Value| path::text(policy, "svm.uuid") == Some(svm) && path::text(policy, "name") == Some(name);
    let policy = cluster.records("/protocols/nfs/export-policies").iter().find(of_it)?;
    Some(key::of(cluster.uuid(), "export_policy", &path::number(policy, "id")?.to_string()))
}

/// A CIFS share.
pub(crate) fn cifs_share(cluster: &Cluster, record: &Value) -> Option<Value> {
    let name = path::text(record, "name")?;
    let mut object = json!({
        "uuid": format!("{}-{name}", path::owned(record, "svm.uuid")),
        "svm": reference(cluster, "vserver", record.get("svm")),
    });
    for field in ["name", "path", "comment"] {
        path::copy(record, &mut object, field);
    }
    Some(object)
}
