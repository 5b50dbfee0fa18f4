//! Interfaces of a storage VM with a port and a service policy of one's choice, which Unified Manager itself cannot make:
//! through the gateway.

use runner_sdk::prelude::*;

use crate::api::{Api, text};
use crate::gateway::{Deleted, Gateway};
use crate::key;

const INTERFACES: &str = "/network/ip/interfaces";

#[derive(Deserialize, JsonSchema)]
pub(crate) struct CreateInput {
    /// The key of the storage VM.
    svm_key: String,
    /// The interface's name.
    name: String,
    /// Its address.
    ip_address: String,
    /// Its netmask.
    netmask: String,
    /// The node that it is at home on; null takes the first one that is well.
    node: Option<String>,
    /// The port of the node.
    port_name: String,
    /// What it serves: ONTAP's service policy.
    service_policy: String,
    /// The connection to Unified Manager.
    connection: String,
}

/// An interface that was made, or was there already.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Created {
    /// Whether anything was changed.
    changed: bool,
    /// The interface.
    interface: Value,
}

/// Creates an interface of a storage VM through the gateway, unless it is there already.
#[action]
pub(crate) fn create_interface(input: CreateInput) -> Result<Created> {
    let gateway = Gateway::of_key(Api::new(&input.connection), &input.svm_key, "vserver")?;
    let svm = key::parse(&input.svm_key, "vserver")?.uuid;
    let query = [("name", input.name.clone()), ("svm.uuid", svm.to_owned())];
    if let Some(there) = gateway.first(INTERFACES, &query)? {
        if text(&there, "/ip/address") != input.ip_address {
            let has = text(&there, "/ip/address");
            bail!(
                "interface-differs",
                "the interface `{}` is there with the address {has}, not {}",
                input.name,
                input.ip_address
            );
        }
        return Ok(Created { changed: false, interface: shown(&there) });
    }
    let node = match &input.node {
        Some(node) => node.clone(),
        None => first_node(&gateway)?,
    };
    let body = json!({
        "name": input.name,
        "svm": { "uuid": svm },
        "ip": { "address": input.ip_address, "netmask": input.netmask },
        "location": { "home_node": { "name": node }, "home_port": { "name": input.port_name, "node": { "name": node } } },
        "service_policy": { "name": input.service_policy },
        "enabled": true,
    });
    gateway.post_now(INTERFACES, &body)?;
    let made = gateway.first(INTERFACES, &query)?;
    Ok(Created { changed: true, interface: made.as_ref().map_or(body, shown) })
}

/// What is of interest of an interface.
fn shown(record: &Value) -> Value {
    json!({
        "name": record.get("name"),
        "uuid": record.get("uuid"),
        "ip": record.get("ip"),
        "node": record.pointer("/location/home_node/name"),
        "port": record.pointer("/location/home_port/name"),
        "service_policy": record.pointer("/service_policy/name"),
        "enabled": record.get("enabled"),
    })
}

fn first_node(gateway: &Gateway<'_>) -> Result<String> {
    let node = gateway.first("/cluster/nodes", &[("state", "up".to_owned()), ("order_by", "name".to_owned())])?;
    match node {
        Some(node) => Ok(text(&node, "/name")),
        None => bail!("no-node", "no node of the cluster is up"),
    }
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteInput {
    /// The key of the storage VM.
    svm_key: String,
    /// The interface's name.
    name: String,
    /// False: nothing is done. A `compensate` says here whether it was made.
    only_if: bool,
    /// The connection to Unified Manager.
    connection: String,
}

/// Deletes an interface of a storage VM through the gateway, if it is there.
#[action]
pub(crate) fn delete_interface(input: DeleteInput) -> Result<Deleted> {
    if !input.only_if {
        return Ok(Deleted { changed: false });
    }
    let svm = key::parse(&input.svm_key, "vserver")?.uuid.to_owned();
    let gateway = Gateway::of_key(Api::new(&input.connection), &input.svm_key, "vserver")?;
    Ok(Deleted { changed: gateway.discard(INTERFACES, &[("name", input.name), ("svm.uuid", svm)])? })
}
