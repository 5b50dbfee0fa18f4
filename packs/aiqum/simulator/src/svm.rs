//! SVMs made, changed and deleted through Unified Manager.

use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

use crate::Aiqum;
use crate::call::Call;
use crate::problem::Problem;
use crate::{job, key, path, view};

/// How long it takes, in milliseconds.
const CREATE_MS: u64 = 4000;
const MODIFY_MS: u64 = 1500;
const DELETE_MS: u64 = 2500;

/// `POST /datacenter/svm/svms`.
pub(crate) fn create(aiqum: &mut Aiqum, call: &Call<'_>) -> Result<Reply, Problem> {
    call.need("name")?;
    let (connection, uuid) = cluster_of(aiqum, call.need("cluster.key")?)?;
    let body = for_ontap(aiqum, &call.body)?;
    let name = format!("Create SVM {}", call.need("name")?);
    let work = move |aiqum: &mut Aiqum| Ok(vec![("svmKey", made(aiqum, &connection, &uuid, &body)?)]);
    Ok(job::accept(aiqum, call, "svm_create", name, CREATE_MS, Box::new(work)))
}

/// The cluster of a key: its connection and its uuid.
pub(crate) fn cluster_of(aiqum: &Aiqum, wanted: &str) -> Result<(String, String), Problem> {
    let (cluster, _) = view::find(&aiqum.estate, "cluster", wanted)
        .ok_or_else(|| Problem::new(400, format!("There is no cluster with the key {wanted}.")).at("cluster.key"))?;
    Ok((cluster.connection.clone(), cluster.uuid().to_owned()))
}

/// Makes the SVM on the cluster; its key.
pub(crate) fn made(aiqum: &mut Aiqum, connection: &str, cluster: &str, body: &Value) -> Result<String, Problem> {
    aiqum.estate.ask(connection, "POST", "/svm/svms", &[], body)?;
    let (name, all) = (path::owned(body, "name"), aiqum.estate.list(connection, "/svm/svms"));
    let svm = all.iter().find(|svm| path::text(svm, "name") == Some(&name));
    let uuid = svm.map(|svm| path::owned(svm, "uuid")).unwrap_or_default();
    Ok(key::of(cluster, "vserver", &uuid))
}

/// The body that ONTAP understands: keys become names, and what is enabled is also allowed.
fn for_ontap(aiqum: &Aiqum, body: &Value) -> Result<Value, Problem> {
    let mut out = json!({});
    let same = [
        "name",
        "language",
        "subtype",
        "ipspace.name",
        "dns",
        "routes",
        "snapshot_policy.name",
        "ip_interfaces",
        "cifs.name",
        "cifs.ad_domain",
    ];
    for field in same {
        path::copy(body, &mut out, field);
    }
    let mut aggregates = Vec::new();
    for aggregate in path::array(body, "aggregates") {
        aggregates.push(match path::text(aggregate, "key") {
            Some(wanted) => {
                let found = view::find(&aiqum.estate, "aggregate", wanted);
                let (_, record) = found.ok_or_else(|| Problem::invalid("aggregates.key", wanted))?;
                json!({ "name": record.get("name") })
            }
            None => aggregate.clone(),
        });
    }
    if !aggregates.is_empty() {
        path::set(&mut out, "aggregates", aggregates);
    }
    for protocol in view::PROTOCOLS {
        if let Some(enabled) = path::get(body, &format!("{protocol}.enabled")) {
            path::set(&mut out, &format!("{protocol}.enabled"), enabled.clone());
            path::set(&mut out, &format!("{protocol}.allowed"), enabled.clone());
        }
    }
    Ok(out)
}

/// The SVM of a key: its connection and its uuid.
pub(crate) fn found(aiqum: &Aiqum, wanted: &str) -> Result<(String, String), Problem> {
    let (cluster, record) =
        view::find(&aiqum.estate, "vserver", wanted).ok_or_else(|| Problem::absent("SVM", wanted))?;
    Ok((cluster.connection.clone(), path::owned(record, "uuid")))
}

/// `PATCH /datacenter/svm/svms/{key}`.
pub(crate) fn modify(aiqum: &mut Aiqum, call: &Call<'_>, wanted: &str) -> Result<Reply, Problem> {
    let (connection, uuid) = found(aiqum, wanted)?;
    let mut body = for_ontap(aiqum, &call.body)?;
    path::copy(&call.body, &mut body, "state");
    let svm = wanted.to_owned();
    let work = move |aiqum: &mut Aiqum| {
        aiqum.estate.ask(&connection, "PATCH", &format!("/svm/svms/{uuid}"), &[], &body)?;
        Ok(vec![("svmKey", svm)])
    };
    Ok(job::accept(aiqum, call, "svm_modify", format!("Modify SVM {wanted}"), MODIFY_MS, Box::new(work)))
}

/// `DELETE /datacenter/svm/svms/{key}`.
pub(crate) fn delete(aiqum: &mut Aiqum, call: &Call<'_>, wanted: &str) -> Result<Reply, Problem> {
    let (connection, uuid) = found(aiqum, wanted)?;
    let work = move |aiqum: &mut Aiqum| {
        aiqum.estate.ask(&connection, "DELETE", &format!("/svm/svms/{uuid}"), &[], &Value::Null)?;
        Ok(Vec::new())
    };
    Ok(job::accept(aiqum, call, "svm_delete", format!("Delete SVM {wanted}"), DELETE_MS, Box::new(work)))
}
