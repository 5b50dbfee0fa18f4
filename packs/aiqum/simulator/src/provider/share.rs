//! File shares: volumes with a performance service level, mounted and exported.

use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

use crate::Aiqum;
use crate::call::Call;
use crate::estate::Cluster;
use crate::job::{self, Results};
use crate::problem::Problem;
use crate::{key, path, svm, view};

/// How long it takes, in milliseconds.
const CREATE_MS: u64 = 3000;
const MODIFY_MS: u64 = 1500;
const DELETE_MS: u64 = 2500;
/// The smallest volume that ONTAP makes.
const SIZE_MIN: u64 = 20 * 1024 * 1024;

/// The shares: volumes that are not their SVM's root and not of a LUN.
pub(super) fn all(aiqum: &Aiqum) -> Vec<Value> {
    let mut shares = Vec::new();
    for cluster in aiqum.estate.clusters() {
        let luns = cluster.records("/storage/luns");
        let has_lun =
            |volume: &Value| luns.iter().any(|lun| path::get(lun, "location.volume.uuid") == volume.get("uuid"));
        let volumes = cluster.records("/storage/volumes").iter();
        let volumes = volumes.filter(|volume| !path::is_true(volume, "is_svm_root") && !has_lun(volume));
        shares.extend(volumes.map(|volume| shown(aiqum, cluster, volume)));
    }
    shares
}

fn shown(aiqum: &Aiqum, cluster: &Cluster, volume: &Value) -> Value {
    let uuid = path::owned(volume, "uuid");
    let own = key::of(cluster.uuid(), "volume", &uuid);
    let href = format!("/api/storage-provider/file-shares/{}", path::encoded(&own));
    let size = path::number(volume, "space.size").or_else(|| path::number(volume, "size"));
    let mut share = json!({
        "key": own, "uuid": uuid, "name": volume["name"], "type": "rw", "space": { "size": size },
        "operational_state": path::text(volume, "state").unwrap_or("online"),
        "cluster": view::cluster_reference(cluster), "svm": view::reference(cluster, "vserver", volume.get("svm")),
        "aggregate": view::aggregate_of(cluster, volume), "mountpoint": path::get(volume, "nas.path"),
        "_links": { "self": { "href": href } },
    });
    if let Some(policy) = path::get(volume, "nas.export_policy") {
        path::set(&mut share, "access_control.export_policy", policy.clone());
        path::set(&mut share, "access_control.export_policy.key", view::export_policy_key(cluster, volume));
    }
    aiqum.provider.show_assigned(&mut share);
    share
}

/// A share that is ordered: all that is needed to make it.
pub(crate) struct Order {
    connection: String,
    cluster: String,
    svm: String,
    level: String,
    policy: Option<String>,
    exported: Option<Exported>,
    body: Value,
}

/// How it is exported.
enum Exported {
    /// By a policy that is there, or that is made with this name and these rules.
    By(String, Option<Value>),
}

/// `POST /storage-provider/file-shares`.
pub(super) fn create(aiqum: &mut Aiqum, call: &Call<'_>) -> Result<Reply, Problem> {
    let order = ordered(aiqum, &call.body)?;
    let name = format!("Create file share {}", call.need("name")?);
    let work = move |aiqum: &mut Aiqum| made(aiqum, &order);
    Ok(job::accept(aiqum, call, "file_share_create", name, CREATE_MS, Box::new(work)))
}

/// Checks an order.
pub(crate) fn ordered(aiqum: &Aiqum, body: &Value) -> Result<Order, Problem> {
    let need =
        |field: &str| path::text(body, field).filter(|text| !text.is_empty()).ok_or_else(|| Problem::missing(field));
    let (name, svm_key) = (need("name")?, need("svm.key")?);
    let size = path::get(body, "space.size").ok_or_else(|| Problem::missing("space.size"))?;
    let size = size
        .as_u64()
        .filter(|size| *size >= SIZE_MIN)
        .ok_or_else(|| Problem::invalid("space.size", &path::plain(size)))?;
    let (level, policy) = super::named(aiqum, body)?;
    let (cluster, record) = view::find(&aiqum.estate, "vserver", svm_key)
        .ok_or_else(|| Problem::new(400, format!("There is no SVM with the key {svm_key}.")).at("svm.key"))?;
    let mut volume =
        json!({ "name": name, "size": size, "guarantee": { "type": "none" }, "svm": { "uuid": record["uuid"] } });
    let aggregate = match path::text(body, "aggregate.key") {
        Some(wanted) => {
            let found = view::find(&aiqum.estate, "aggregate", wanted).map(|(_, record)| record["name"].clone());
            found.ok_or_else(|| Problem::invalid("aggregate.key", wanted))?
        }
        None => roomiest(cluster),
    };
    path::set(&mut volume, "aggregates", json!([{ "name": aggregate }]));
    let mountpoint = path::text(body, "mountpoint").map_or_else(|| format!("/{name}"), str::to_owned);
    path::set(&mut volume, "nas.path", mountpoint);
    Ok(Order {
        connection: cluster.connection.clone(),
        cluster: cluster.uuid().to_owned(),
        svm: path::owned(record, "uuid"),
        level,
        policy,
        exported: exported(aiqum, body, name)?,
        body: volume,
    })
}

fn roomiest(cluster: &Cluster) -> Value {
    let available = |aggregate: &&Value| path::number(aggregate, "space.block_storage.available").unwrap_or_default();
    cluster
        .records("/storage/aggregates")
        .iter()
        .max_by_key(available)
        .map(|aggregate| aggregate["name"].clone())
        .unwrap_or_default()
}

fn exported(aiqum: &Aiqum, body: &Value, name: &str) -> Result<Option<Exported>, Problem> {
    let Some(policy) = path::get(body, "access_control.export_policy") else { return Ok(None) };
    if let Some(wanted) = path::text(policy, "key") {
        let found = view::find(&aiqum.estate, "export_policy", wanted);
        let (_, record) = found.ok_or_else(|| Problem::invalid("access_control.export_policy.key", wanted))?;
        return Ok(Some(Exported::By(path::owned(record, "name"), None)));
    }
    let Some(rules) = path::get(policy, "rules") else { return Ok(None) };
    let named = path::text(policy, "name_tag").map_or_else(|| format!("{name}_policy"), str::to_owned);
    Ok(Some(Exported::By(named, Some(ontap_rules(rules)))))
}

/// Unified Manager calls Kerberos by its name.
fn ontap_rules(rules: &Value) -> Value {
    let mut rules = rules.clone();
    for rule in rules.as_array_mut().into_iter().flatten() {
        for field in ["ro_rule", "rw_rule", "superuser"] {
            for flavour in rule.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
                let text = flavour.as_str().unwrap_or_default().replace("kerberos5", "krb5");
                *flavour = Value::from(text);
            }
        }
    }
    rules
}

/// Makes the share.
pub(crate) fn made(aiqum: &mut Aiqum, order: &Order) -> Result<Results, Problem> {
    let mut body = order.body.clone();
    if let Some(Exported::By(name, rules)) = &order.exported {
        let policy = json!({ "name": name, "svm": { "uuid": order.svm }, "rules": rules });
        if rules.is_some() {
            aiqum.estate.ask(&order.connection, "POST", "/protocols/nfs/export-policies", &[], &policy)?;
        }
        path::set(&mut body, "nas.export_policy.name", name.as_str());
    }
    aiqum.estate.ask(&order.connection, "POST", "/storage/volumes", &[], &body)?;
    let volumes = aiqum.estate.list(&order.connection, "/storage/volumes");
    let it = |volume: &&Value| volume["name"] == body["name"] && path::text(volume, "svm.uuid") == Some(&order.svm);
    let uuid = volumes.iter().find(it).map(|volume| path::owned(volume, "uuid")).unwrap_or_default();
    let own = key::of(&order.cluster, "volume", &uuid);
    aiqum.provider.assign(&own, Some(&order.level), order.policy.as_deref());
    Ok(vec![("fileshareKey", own)])
}

fn found(aiqum: &Aiqum, wanted: &str) -> Result<(String, String), Problem> {
    let (cluster, volume) =
        view::find(&aiqum.estate, "volume", wanted).ok_or_else(|| Problem::absent("file share", wanted))?;
    Ok((cluster.connection.clone(), path::owned(volume, "uuid")))
}

/// `PATCH /storage-provider/file-shares/{key}`: one property at a time.
pub(super) fn modify(aiqum: &mut Aiqum, call: &Call<'_>, wanted: &str) -> Result<Reply, Problem> {
    let (connection, uuid) = found(aiqum, wanted)?;
    super::only_property(&call.body)?;
    let mut patch = json!({});
    let level =
        path::get(&call.body, "performance_service_level").map(|_| super::named(aiqum, &call.body)).transpose()?;
    let policy = path::text(&call.body, "storage_efficiency_policy.key").map(str::to_owned);
    path::copy(&call.body, &mut patch, "name");
    if let Some(size) = path::get(&call.body, "space.size") {
        path::set(&mut patch, "size", size.clone());
    }
    if let Some(mountpoint) = path::get(&call.body, "mountpoint") {
        path::set(&mut patch, "nas.path", mountpoint.clone());
    }
    if let Some(Exported::By(name, None)) = exported(aiqum, &call.body, "")? {
        path::set(&mut patch, "nas.export_policy.name", name);
    }
    if patch == json!({}) && level.is_none() && policy.is_none() {
        return Err(Problem::new(400, "None of these properties can be changed."));
    }
    let own = wanted.to_owned();
    let work = move |aiqum: &mut Aiqum| {
        if patch != json!({}) {
            aiqum.estate.ask(&connection, "PATCH", &format!("/storage/volumes/{uuid}"), &[], &patch)?;
        }
        aiqum.provider.assign(&own, level.as_ref().map(|(level, _)| level.as_str()), policy.as_deref());
        Ok(vec![("fileshareKey", own)])
    };
    Ok(job::accept(aiqum, call, "file_share_modify", format!("Modify file share {wanted}"), MODIFY_MS, Box::new(work)))
}

/// `DELETE /storage-provider/file-shares/{key}`: taken offline, then deleted.
pub(super) fn delete(aiqum: &mut Aiqum, call: &Call<'_>, wanted: &str) -> Result<Reply, Problem> {
    let (connection, uuid) = found(aiqum, wanted)?;
    let own = wanted.to_owned();
    let work = move |aiqum: &mut Aiqum| {
        gone(aiqum, &connection, &uuid)?;
        aiqum.provider.assigned.retain(|assigned| assigned.key != own);
        Ok(Vec::new())
    };
    Ok(job::accept(aiqum, call, "file_share_delete", format!("Delete file share {wanted}"), DELETE_MS, Box::new(work)))
}

/// Deletes a volume.
pub(super) fn gone(aiqum: &mut Aiqum, connection: &str, uuid: &str) -> Result<(), Problem> {
    let place = format!("/storage/volumes/{uuid}");
    // One that is not mounted cannot be unmounted, which does not matter.
    let _ = aiqum.estate.ask(connection, "PATCH", &place, &[], &json!({ "nas": { "path": "" } }));
    aiqum.estate.ask(connection, "PATCH", &place, &[], &json!({ "state": "offline" }))?;
    aiqum.estate.ask(connection, "DELETE", &place, &[], &Value::Null)?;
    Ok(())
}

/// The SVM of a key: for the others that order something in it.
pub(super) fn svm_of(aiqum: &Aiqum, wanted: &str) -> Result<(String, String), Problem> {
    svm::found(aiqum, wanted)
        .map_err(|_| Problem::new(400, format!("There is no SVM with the key {wanted}.")).at("svm.key"))
}
