//! How shares and LUNs are reached: access endpoints, and the directories that SVMs know users from.

use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

use crate::Aiqum;
use crate::call::Call;
use crate::problem::Problem;
use crate::provider::share;
use crate::{job, key, list, path, route, view};

/// How long it takes, in milliseconds.
const CREATE_MS: u64 = 2000;
const DELETE_MS: u64 = 1000;

/// `/storage-provider/access-endpoints…`.
pub(super) fn dispatch(aiqum: &mut Aiqum, call: &Call<'_>, rest: &[&str]) -> Result<Reply, Problem> {
    match (call.method, rest) {
        ("GET", []) => {
            let of = call.request.query("resource.key");
            let fits = |endpoint: &Value| {
                let keys = ["svm.key", "fileshare.key", "lun.key"].map(|field| path::text(endpoint, field));
                of.is_none_or(|wanted| keys.contains(&Some(wanted)))
            };
            let mut request = call.request.clone();
            request.query.retain(|(name, _)| name != "resource.key");
            let endpoints = aiqum.provider.endpoints.iter().filter(|endpoint| fits(endpoint)).cloned();
            list::reply(&request, endpoints.collect(), list::PAGE)
        }
        ("GET", [key]) => super::one(aiqum.provider.endpoints.clone(), "access endpoint", key),
        ("POST", []) => create(aiqum, call),
        ("PATCH", [key]) => modify(aiqum, call, key),
        ("DELETE", [key]) => delete(aiqum, call, key),
        _ => Err(route::nowhere(call)),
    }
}

/// The SVM that an endpoint is for: named itself, or that of a share or a LUN.
fn svm_key(aiqum: &Aiqum, call: &Call<'_>) -> Result<String, Problem> {
    for (field, kind) in [("fileshare.key", "volume"), ("lun.key", "lun")] {
        let Some(wanted) = path::text(&call.body, field) else { continue };
        let (cluster, record) =
            view::find(&aiqum.estate, kind, wanted).ok_or_else(|| Problem::invalid(field, wanted))?;
        return Ok(key::of(cluster.uuid(), "vserver", &path::owned(record, "svm.uuid")));
    }
    call.need("svm.key").map(str::to_owned)
}

fn create(aiqum: &mut Aiqum, call: &Call<'_>) -> Result<Reply, Problem> {
    let svm = svm_key(aiqum, call)?;
    let (connection, uuid) = share::svm_of(aiqum, &svm)?;
    call.need("ip.address")?;
    call.need("ip.netmask")?;
    let body = call.body.clone();
    let name = path::text(&body, "name")
        .map_or_else(|| format!("nslm_{}", path::owned(&body, "ip.address").replace('.', "_")), str::to_owned);
    let cluster = key::parse(&svm).map(|key| key.cluster.to_owned()).unwrap_or_default();
    let home = aiqum
        .estate
        .cluster(&cluster)
        .and_then(|cluster| cluster.records("/cluster/nodes").first())
        .cloned()
        .unwrap_or_default();
    let policy = policy_for(&body);
    let work = move |aiqum: &mut Aiqum| {
        let node = json!({ "name": home["name"] });
        let lif = json!({
            "name": name, "svm": { "uuid": uuid }, "ip": { "address": body["ip"]["address"], "netmask": body["ip"]["netmask"] },
            "location": { "home_node": node, "home_port": { "name": "e0d", "node": node } }, "service_policy": { "name": policy }, "enabled": true,
        });
        aiqum.estate.ask(&connection, "POST", "/network/ip/interfaces", &[], &lif)?;
        let lifs = aiqum.estate.list(&connection, "/network/ip/interfaces");
        let made = lifs
            .iter()
            .find(|lif| path::text(lif, "name") == Some(&name) && path::text(lif, "svm.uuid") == Some(&uuid));
        let lif = made.map(|lif| path::owned(lif, "uuid")).unwrap_or_default();
        let own = key::of(&cluster, "network_lif", &lif);
        let mut endpoint = body.clone();
        for (field, value) in [("key", own.as_str()), ("uuid", &lif), ("name", &name), ("svm.key", &svm)] {
            path::set(&mut endpoint, field, value);
        }
        aiqum.provider.endpoints.push(endpoint);
        Ok(vec![("accessEndpointKey", own)])
    };
    let what = format!("Create access endpoint {}", call.need("ip.address")?);
    Ok(job::accept(aiqum, call, "access_endpoint_create", what, CREATE_MS, Box::new(work)))
}

fn policy_for(body: &Value) -> &'static str {
    let is_block =
        path::array(body, "data_protocols").any(|protocol| matches!(protocol.as_str(), Some("iscsi" | "fcp")));
    if is_block { "default-data-blocks" } else { "default-data-files" }
}

fn is_there(aiqum: &Aiqum, wanted: &str) -> Result<(), Problem> {
    let found = aiqum.provider.endpoints.iter().any(|endpoint| path::text(endpoint, "key") == Some(wanted));
    if found { Ok(()) } else { Err(Problem::absent("access endpoint", wanted)) }
}

fn modify(aiqum: &mut Aiqum, call: &Call<'_>, wanted: &str) -> Result<Reply, Problem> {
    is_there(aiqum, wanted)?;
    let (own, change) = (wanted.to_owned(), call.body.clone());
    let work = move |aiqum: &mut Aiqum| {
        let found = aiqum.provider.endpoints.iter_mut().find(|endpoint| path::text(endpoint, "key") == Some(&own));
        if let Some(endpoint) = found {
            path::merge(endpoint, &change);
        }
        Ok(vec![("accessEndpointKey", own)])
    };
    Ok(job::accept(
        aiqum,
        call,
        "access_endpoint_modify",
        format!("Modify access endpoint {wanted}"),
        DELETE_MS,
        Box::new(work),
    ))
}

fn delete(aiqum: &mut Aiqum, call: &Call<'_>, wanted: &str) -> Result<Reply, Problem> {
    is_there(aiqum, wanted)?;
    let own = wanted.to_owned();
    let parsed = key::parse(wanted)
        .and_then(|key| Some((aiqum.estate.cluster(key.cluster)?.connection.clone(), key.uuid.to_owned())));
    let work = move |aiqum: &mut Aiqum| {
        if let Some((connection, uuid)) = &parsed {
            aiqum.estate.ask(connection, "DELETE", &format!("/network/ip/interfaces/{uuid}"), &[], &Value::Null)?;
        }
        aiqum.provider.endpoints.retain(|endpoint| path::text(endpoint, "key") != Some(&own));
        Ok(Vec::new())
    };
    Ok(job::accept(
        aiqum,
        call,
        "access_endpoint_delete",
        format!("Delete access endpoint {wanted}"),
        DELETE_MS,
        Box::new(work),
    ))
}

/// `/storage-provider/active-directories-mappings…`.
pub(super) fn directories(aiqum: &mut Aiqum, call: &Call<'_>, rest: &[&str]) -> Result<Reply, Problem> {
    match (call.method, rest) {
        ("GET", []) => list::reply(call.request, aiqum.provider.directories.clone(), list::PAGE),
        ("GET", [key]) => super::one(aiqum.provider.directories.clone(), "Active Directory mapping", key),
        ("POST", []) => {
            for field in ["svm.key", "domain", "username", "password"] {
                call.need(field)?;
            }
            let own = aiqum.provider.next_key();
            // The password is used, not kept.
            let mapping = json!({ "key": own, "domain": call.body["domain"], "username": call.body["username"], "svm": call.body["svm"], "dns": call.body["dns"] });
            aiqum.provider.directories.push(mapping.clone());
            Ok(Reply::json(201, &mapping))
        }
        _ => Err(route::nowhere(call)),
    }
}
