//! The dialect of the document about Temporal and Active IQ: what its own script expects, where that is not the real API.
//!
//! Clusters have a `state`, aggregates a `space.available`, jobs a `uuid` and the states `success` and `failure`; an SVM's key
//! comes at once; interfaces and export policies are made below their SVM; file shares take a size as text and the name of a
//! policy; a change of one is answered with 200.

use runner_sdk::simulator::{Ending, Reply, Request};
use serde_json::{Value, json};

use crate::Aiqum;
use crate::call::Call;
use crate::problem::Problem;
use crate::provider::{share_made, share_ordered};
use crate::{job, key, path, svm, view};

/// How requests and answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// As NetApp's own description says.
    Real,
    /// As the document says.
    Seed,
}

impl Dialect {
    /// The dialect of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "real" => Some(Self::Real),
            "seed" => Some(Self::Seed),
            _ => None,
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Seed => "seed",
        }
    }
}

/// How long its jobs take, in milliseconds: what they do is done before they begin.
const JOB_MS: u64 = 2000;

/// Answers what is different in this dialect.
pub(crate) fn dispatch(aiqum: &mut Aiqum, call: &Call<'_>, segments: &[&str]) -> Option<Result<Reply, Problem>> {
    // The script does not wait until something is seen.
    aiqum.estate.acquire();
    Some(match (call.method, segments) {
        ("GET", ["datacenter", "cluster", "clusters", key]) => {
            let key = cluster_key(aiqum, key);
            view::get(aiqum, call.request, &["cluster", "clusters", &key]).map(|reply| changed(reply, widen))
        }
        ("GET", ["datacenter", rest @ ..]) => {
            let request = plain(aiqum, call.request);
            view::get(aiqum, &request, rest).map(|reply| changed(reply, widen))
        }
        ("POST", ["datacenter", "svm", "svms"]) => create_svm(aiqum, call),
        ("POST", ["datacenter", "svm", "svms", key, "network", "ip", "interfaces"]) => {
            create_interface(aiqum, call, key)
        }
        ("POST", ["datacenter", "svm", "svms", key, "export-policies"]) => create_export_policy(aiqum, call, key),
        ("POST", ["storage-provider", "file-shares"]) => create_share(aiqum, call),
        ("PATCH", ["storage-provider", "file-shares", key]) => modify_share(aiqum, call, key),
        _ => return None,
    })
}

/// The key of a cluster: what is none, such as the document's own `cluster-12345-abcde`, stands for the first cluster.
fn cluster_key(aiqum: &Aiqum, wanted: &str) -> String {
    let first = || aiqum.estate.clusters().next().map(|cluster| path::owned(&view::cluster_reference(cluster), "key"));
    if key::parse(wanted).is_some() { wanted.to_owned() } else { first().unwrap_or_default() }
}

/// The same request with `query=cluster.key:K` as a plain filter.
fn plain(aiqum: &Aiqum, request: &Request) -> Request {
    let mut plain = request.clone();
    let pairs = request.query.iter().filter(|(name, _)| name == "query").filter_map(|(_, value)| value.split_once(':'));
    for (name, value) in pairs {
        let value = if name == "cluster.key" { cluster_key(aiqum, value) } else { value.to_owned() };
        plain.query.push((name.to_owned(), value));
    }
    plain
}

/// The answer with its body changed.
fn changed(reply: Reply, change: fn(&mut Value)) -> Reply {
    let Ending::Response { status, body, .. } = &reply.ending else { return reply };
    let mut value: Value = serde_json::from_slice(body).unwrap_or_default();
    change(&mut value);
    Reply::json(*status, &value)
}

/// Adds the fields that the document reads.
fn widen(value: &mut Value) {
    if let Some(records) = value.get_mut("records").and_then(Value::as_array_mut) {
        records.iter_mut().for_each(widen);
        return;
    }
    if value.get("nodes").is_some() {
        let is_well = path::array(value, "nodes").all(|node| path::is_true(node, "health"));
        path::set(value, "state", if is_well { "up" } else { "degraded" });
        path::set(value, "health", is_well);
    }
    for field in ["size", "available", "used"] {
        let real = format!("space.block_storage.{field}");
        if let Some(number) = path::number(value, &real) {
            path::set(value, &format!("space.{field}"), number);
        }
    }
}

/// A job as the document reads it.
pub(crate) fn job(record: &mut Value, reason: Option<&str>, progress: u64) {
    let state = match (path::text(record, "state"), path::text(record, "status")) {
        (Some("completed"), Some("normal" | "warning")) => "success",
        (Some("completed"), Some("partial_failures")) => "partial_failures",
        (Some("completed"), _) => "failure",
        (Some("initialized"), _) => "queued",
        _ => "running",
    };
    path::set(record, "state", state);
    path::set(record, "uuid", path::owned(record, "key"));
    path::set(record, "progress", if state == "success" { 100 } else { progress });
    path::set(record, "message", reason.unwrap_or(state));
}

/// The job of what is done already.
fn done(aiqum: &mut Aiqum, call: &Call<'_>, kind: &'static str, results: job::Results) -> Value {
    let key = job::start(aiqum, call.now, kind, kind.to_owned(), JOB_MS, Box::new(move |_| Ok(results)));
    job::reference(&key, call.dialect)
}

fn create_svm(aiqum: &mut Aiqum, call: &Call<'_>) -> Result<Reply, Problem> {
    let wanted = cluster_key(aiqum, call.need("cluster.key")?);
    let (connection, cluster) = svm::cluster_of(aiqum, &wanted)?;
    let mut body = json!({ "name": call.need("name")?, "subtype": "default" });
    for field in ["language", "aggregates"] {
        path::copy(&call.body, &mut body, field);
    }
    for protocol in path::array(&call.body, "allowed_protocols").filter_map(Value::as_str) {
        path::set(&mut body, &format!("{protocol}.enabled"), true);
        path::set(&mut body, &format!("{protocol}.allowed"), true);
    }
    let own = svm::made(aiqum, &connection, &cluster, &body)?;
    let job = done(aiqum, call, "svm_create", vec![("svmKey", own.clone())]);
    Ok(Reply::json(202, &json!({ "key": own, "svm_key": own, "name": body["name"], "job": job })))
}

/// A placeholder for a node, which the document has, is the first one.
fn create_interface(aiqum: &mut Aiqum, call: &Call<'_>, wanted: &str) -> Result<Reply, Problem> {
    let (connection, uuid) = svm::found(aiqum, wanted)?;
    let nodes = aiqum.estate.list(&connection, "/cluster/nodes");
    let named = path::text(&call.body, "location.home_node.uuid");
    let node = nodes.iter().find(|node| path::text(node, "uuid") == named).or_else(|| nodes.first());
    let node = json!({ "name": node.map(|node| node["name"].clone()) });
    let port = path::text(&call.body, "location.home_port.name").unwrap_or("e0d");
    let lif = json!({
        "name": call.need("name")?, "ip": call.body["ip"], "svm": { "uuid": uuid }, "enabled": true,
        "service_policy": { "name": path::text(&call.body, "service_policy").unwrap_or("default-data-files") },
        "location": { "home_node": node, "home_port": { "name": port, "node": node } },
    });
    aiqum.estate.ask(&connection, "POST", "/network/ip/interfaces", &[], &lif)?;
    let lifs = aiqum.estate.list(&connection, "/network/ip/interfaces");
    let made = lifs.iter().find(|made| made["name"] == lif["name"] && path::text(made, "svm.uuid") == Some(&uuid));
    Ok(Reply::json(201, &made))
}

/// Clients as texts are what they match.
fn create_export_policy(aiqum: &mut Aiqum, call: &Call<'_>, wanted: &str) -> Result<Reply, Problem> {
    let (connection, uuid) = svm::found(aiqum, wanted)?;
    let name = call.need("name")?.to_owned();
    let mut rules: Vec<Value> = path::array(&call.body, "rules").cloned().collect();
    for rule in &mut rules {
        let clients: Vec<Value> = path::array(rule, "clients")
            .map(|client| match client {
                Value::String(text) => json!({ "match": text }),
                other => other.clone(),
            })
            .collect();
        path::set(rule, "clients", clients);
    }
    let policy = json!({ "name": name, "svm": { "uuid": uuid }, "rules": rules });
    aiqum.estate.ask(&connection, "POST", "/protocols/nfs/export-policies", &[], &policy)?;
    let found = policy_key(aiqum, wanted, &name);
    Ok(Reply::json(201, &json!({ "key": found, "name": name, "rules": rules })))
}

/// The key of an export policy of an SVM, by its name.
fn policy_key(aiqum: &mut Aiqum, svm: &str, name: &str) -> Option<String> {
    aiqum.estate.acquire();
    let policies = view::of_kind("export_policy").map(|view| view::objects(aiqum, view)).unwrap_or_default();
    let it = |policy: &&Value| path::text(policy, "svm.key") == Some(svm) && path::text(policy, "name") == Some(name);
    policies.iter().find(it).map(|policy| path::owned(policy, "key"))
}

fn create_share(aiqum: &mut Aiqum, call: &Call<'_>) -> Result<Reply, Problem> {
    let svm = call.need("svm.key")?.to_owned();
    let size = path::get(&call.body, "size").map(path::plain).ok_or_else(|| Problem::missing("size"))?;
    let bytes = bytes(&size).ok_or_else(|| Problem::invalid("size", &size))?;
    // The document knows no levels.
    let level = aiqum.provider.usual_level();
    let mut body = json!({ "name": call.need("name")?, "svm": { "key": svm }, "space": { "size": bytes }, "performance_service_level": { "key": level } });
    if let Some(mountpoint) = path::text(&call.body, "path") {
        path::set(&mut body, "mountpoint", mountpoint);
    }
    if let Some(name) = path::text(&call.body, "export_policy.name") {
        let policy = policy_key(aiqum, &svm, name).ok_or_else(|| Problem::invalid("export_policy.name", name))?;
        path::set(&mut body, "access_control.export_policy.key", policy);
    }
    let order = share_ordered(aiqum, &body)?;
    let results = share_made(aiqum, &order)?;
    let own = results.first().map(|(_, key)| key.clone()).unwrap_or_default();
    style(aiqum, call, &own)?;
    let job = done(aiqum, call, "file_share_create", results);
    Ok(Reply::json(202, &json!({ "key": own, "name": body["name"], "job": job })))
}

/// What the real API cannot set is set on the volume.
fn style(aiqum: &mut Aiqum, call: &Call<'_>, share: &str) -> Result<(), Problem> {
    let mut nas = json!({});
    path::copy(&call.body, &mut nas, "security_style");
    if let Some(mode) =
        path::get(&call.body, "unix_permissions").map(path::plain).and_then(|text| text.parse::<u64>().ok())
    {
        path::set(&mut nas, "unix_permissions", mode);
    }
    let parsed = key::parse(share)
        .and_then(|key| Some((aiqum.estate.cluster(key.cluster)?.connection.clone(), key.uuid.to_owned())));
    let Some((connection, uuid)) = parsed.filter(|_| nas != json!({})) else { return Ok(()) };
    aiqum.estate.ask(&connection, "PATCH", &format!("/storage/volumes/{uuid}"), &[], &json!({ "nas": nas }))?;
    Ok(())
}

/// `500GB` and the like, by 1024.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)?.to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "KB" | "K" => 1 << 10,
        "MB" | "M" => 1 << 20,
        "GB" | "G" => 1 << 30,
        "TB" | "T" => 1_u64 << 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn modify_share(aiqum: &mut Aiqum, call: &Call<'_>, wanted: &str) -> Result<Reply, Problem> {
    let (cluster, volume) =
        view::find(&aiqum.estate, "volume", wanted).ok_or_else(|| Problem::absent("file share", wanted))?;
    let (connection, uuid) = (cluster.connection.clone(), path::owned(volume, "uuid"));
    let policy = json!({ "nas": { "export_policy": { "name": call.need("export_policy.name")? } } });
    aiqum.estate.ask(&connection, "PATCH", &format!("/storage/volumes/{uuid}"), &[], &policy)?;
    Ok(Reply::json(200, &json!({ "key": wanted, "export_policy": call.body["export_policy"] })))
}
