//! Storage VMs, made and changed by jobs of Unified Manager.

use runner_sdk::prelude::*;
use runner_sdk::serde_json::Map;

use crate::api::{Api, text};
use crate::cluster::{Records, cluster};
use crate::gateway::Gateway;
use crate::job::{Made, Written};
use crate::{key, system};

const SVMS: &str = "/api/v2/datacenter/svm/svms";
/// The protocols that an SVM can serve.
const PROTOCOLS: [&str; 5] = ["nfs", "cifs", "iscsi", "fcp", "nvme"];

#[derive(Deserialize, JsonSchema)]
pub(crate) struct SubmitInput {
    /// The storage VM's name.
    name: String,
    /// The cluster's key in Unified Manager, or its name.
    cluster_key: String,
    /// The names of the aggregates that it may use.
    aggregates: Vec<String>,
    /// The protocols that it serves: `nfs`, `cifs`, `iscsi`, `fcp`, `nvme`.
    protocols: Vec<String>,
    /// Interfaces that are made with it, as the API has them.
    ip_interfaces: Vec<Value>,
    /// Routes that are made with it, as the API has them.
    routes: Vec<Value>,
    /// Name service: `{domains: […], servers: […]}`.
    dns: Option<Map<String, Value>>,
    /// Its IPspace.
    ipspace: Option<String>,
    /// Its language.
    language: Option<String>,
    /// Its kind: `default`, or `dp_destination` for one that is mirrored to.
    subtype: Option<String>,
    /// The connection to Unified Manager.
    connection: String,
}

/// Asks for a storage VM, unless it is there already. A job makes it.
#[action]
pub(crate) fn submit_svm(input: SubmitInput) -> Result<Written> {
    let api = Api::new(&input.connection);
    let cluster = text(&cluster(api, &input.cluster_key)?, "/key");
    if let Some(there) = find(api, &cluster, &input.name)? {
        log::field("svm", &input.name).info("the storage VM is there already");
        return Ok(Written::nothing(Some(text(&there, "/key"))));
    }
    // What Unified Manager has not seen yet, the cluster may have.
    let gateway = Gateway::of_key(api, &cluster, "cluster")?;
    if let Some(uuid) = gateway.uuid("/svm/svms", &[("name", input.name.clone())])? {
        log::field("svm", &input.name)
            .info("the storage VM is there already, though Unified Manager has not seen it yet");
        let own = format!("{}:type=vserver,uuid={uuid}", gateway.cluster());
        return Ok(Written::nothing(Some(own)));
    }
    let answer = api.write("POST", SVMS, Some(&body(&input, &cluster)?))?;
    let query = json!({ "name": input.name, "cluster.key": cluster });
    Written::making(&answer, Made { cluster: gateway.cluster(), kind: "vserver", result: "svmKey", path: SVMS, query })
}

fn body(input: &SubmitInput, cluster: &str) -> Result<Value> {
    let mut body = json!({ "name": input.name, "cluster": { "key": cluster } });
    let Some(map) = body.as_object_mut() else { return Ok(body) };
    for protocol in &input.protocols {
        if !PROTOCOLS.contains(&protocol.as_str()) {
            bail!("bad-input", "there is no protocol `{protocol}`, only {}", PROTOCOLS.join(", "));
        }
        map.insert(protocol.clone(), json!({ "enabled": true }));
    }
    let names = |names: &[String]| names.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>();
    let mut put = |field: &str, value: Value| {
        let is_empty = value.as_array().is_some_and(Vec::is_empty);
        if !value.is_null() && !is_empty {
            map.insert(field.to_owned(), value);
        }
    };
    put("aggregates", names(&input.aggregates).into());
    put("ip_interfaces", input.ip_interfaces.clone().into());
    put("routes", input.routes.clone().into());
    put("dns", json!(input.dns));
    put("language", json!(input.language));
    put("subtype", json!(input.subtype));
    put("ipspace", input.ipspace.as_ref().map(|name| json!({ "name": name })).unwrap_or_default());
    Ok(body)
}

fn find(api: Api<'_>, cluster: &str, name: &str) -> Result<Option<Value>> {
    let query = vec![("name", name.to_owned()), ("cluster.key", cluster.to_owned())];
    api.first(SVMS, &query)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct SvmInput {
    /// The storage VM's key.
    svm_key: String,
    /// The connection to Unified Manager.
    connection: String,
}

fn svm(api: Api<'_>, wanted: &str) -> Result<Value> {
    key::parse(wanted, "vserver")?;
    let found = api.find(path!("/api/v2/datacenter/svm/svms/{wanted}"))?;
    let absent = || {
        let message = format!(
            "Unified Manager knows no storage VM `{wanted}`; it sees new ones some minutes after they are made"
        );
        Failure::new("svm-not-found", message).retryable()
    };
    found.ok_or_else(absent)
}

/// Reads a storage VM.
#[action]
pub(crate) fn get_svm(input: SvmInput) -> Result<Value> {
    svm(Api::new(&input.connection), &input.svm_key)
}

/// Verifies that a storage VM serves NFS.
#[action]
pub(crate) fn verify_nfs(input: SvmInput) -> Result<Value> {
    let svm = svm(Api::new(&input.connection), &input.svm_key)?;
    if svm.pointer("/nfs/enabled").and_then(Value::as_bool) != Some(true) {
        bail!(
            "nfs-disabled",
            "NFS is not enabled on the storage VM `{}`: enable it, or make one with `protocols: [nfs]`",
            text(&svm, "/name")
        );
    }
    Ok(svm)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct FindInput {
    /// The storage VM's name.
    name: String,
    /// The cluster's key in Unified Manager, or its name.
    cluster_key: String,
    /// The connection to Unified Manager.
    connection: String,
}

/// What was found.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Found {
    /// Whether it is there.
    found: bool,
    /// Its key; null if it is not there.
    svm_key: Option<String>,
    /// What Unified Manager shows of it; null if it is not there.
    svm: Option<Value>,
}

/// Looks for a storage VM by its name, which may not be there, or not yet.
#[action]
pub(crate) fn find_svm(input: FindInput) -> Result<Found> {
    let api = Api::new(&input.connection);
    let cluster = text(&cluster(api, &input.cluster_key)?, "/key");
    let svm = find(api, &cluster, &input.name)?;
    Ok(Found { found: svm.is_some(), svm_key: svm.as_ref().map(|svm| text(svm, "/key")), svm })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListInput {
    /// Filters: fields and what they must be, with `*` and `|`, such as `{nfs.enabled: true}`.
    filter: Map<String, Value>,
    /// How many at most.
    limit: usize,
    /// The connection to Unified Manager.
    connection: String,
}

/// Lists storage VMs.
#[action]
pub(crate) fn list_svms(input: ListInput) -> Result<Records> {
    Ok(Api::new(&input.connection).list(SVMS, &system::filters(&input.filter), input.limit)?.into())
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ModifyInput {
    /// The storage VM's key.
    svm_key: String,
    /// What to change, as the API has it, such as `{nfs: {enabled: true}}`.
    fields: Map<String, Value>,
    /// The connection to Unified Manager.
    connection: String,
}

/// Changes a storage VM where it is not yet as it shall be. A job does it.
#[action]
pub(crate) fn modify_svm(input: ModifyInput) -> Result<Written> {
    let api = Api::new(&input.connection);
    let there = svm(api, &input.svm_key)?;
    let wanted = Value::Object(input.fields);
    if system::holds(&there, &wanted) {
        return Ok(Written::nothing(Some(input.svm_key)));
    }
    let answer = api.write("PATCH", path!("/api/v2/datacenter/svm/svms/{input.svm_key}"), Some(&wanted))?;
    Written::changing(&answer, input.svm_key)
}

/// Deletes a storage VM, if it is there. A job does it.
#[action]
pub(crate) fn delete_svm(input: SvmInput) -> Result<Written> {
    let api = Api::new(&input.connection);
    key::parse(&input.svm_key, "vserver")?;
    if api.find(path!("/api/v2/datacenter/svm/svms/{input.svm_key}"))?.is_none() {
        return Ok(Written::nothing(Some(input.svm_key)));
    }
    let answer = api.write("DELETE", path!("/api/v2/datacenter/svm/svms/{input.svm_key}"), None)?;
    Written::changing(&answer, input.svm_key)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct DiscardInput {
    /// The storage VM's name.
    name: String,
    /// The cluster's key in Unified Manager, or its name.
    cluster_key: String,
    /// False: nothing is done. A `compensate` says here whether it was made.
    only_if: bool,
    /// The connection to Unified Manager.
    connection: String,
}

/// Undoes the making of a storage VM: deletes it on its cluster through the gateway, whether Unified Manager has seen it or not.
#[action]
pub(crate) fn discard_svm(input: DiscardInput) -> Result<Written> {
    if !input.only_if {
        return Ok(Written::nothing(None));
    }
    let api = Api::new(&input.connection);
    let key = text(&cluster(api, &input.cluster_key)?, "/key");
    let changed = Gateway::of_key(api, &key, "cluster")?.discard("/svm/svms", &[("name", input.name)])?;
    Ok(Written { changed, key: None, job: None })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct RootInput {
    /// The storage VM's key.
    svm_key: String,
    /// The name that its root volume shall have; null leaves the one that it has.
    name: Option<String>,
    /// The security style that it shall have: `unix`, `ntfs` or `mixed`.
    security_style: Option<String>,
    /// The connection to Unified Manager.
    connection: String,
}

/// Sets what Unified Manager cannot: the name and the security style of a storage VM's root volume, through the gateway.
#[action]
pub(crate) fn set_root_volume(input: RootInput) -> Result<Written> {
    let gateway = Gateway::of_key(Api::new(&input.connection), &input.svm_key, "vserver")?;
    let svm = key::parse(&input.svm_key, "vserver")?.uuid.to_owned();
    let mut wanted = Map::new();
    if let Some(name) = input.name {
        wanted.insert("name".to_owned(), json!(name));
    }
    if let Some(style) = input.security_style {
        wanted.insert("nas".to_owned(), json!({ "security_style": style }));
    }
    let wanted = Value::Object(wanted);
    let query = [("svm.uuid", svm), ("is_svm_root", "true".to_owned())];
    let Some(volume) = gateway.first("/storage/volumes", &query)? else {
        // ONTAP makes it in this style if nothing else is said.
        if system::holds(&json!({ "nas": { "security_style": "unix" } }), &wanted) {
            return Ok(Written::nothing(None));
        }
        bail!("no-root-volume", "the storage VM `{}` has no root volume yet", input.svm_key)
    };
    let own = format!("{}:type=volume,uuid={}", gateway.cluster(), text(&volume, "/uuid"));
    if system::holds(&volume, &wanted) {
        return Ok(Written::nothing(Some(own)));
    }
    gateway.write("PATCH", &format!("/storage/volumes/{}", text(&volume, "/uuid")), Some(&wanted))?;
    Ok(Written { changed: true, key: Some(own), job: None })
}
