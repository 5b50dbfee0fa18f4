//! Access endpoints: addresses by which shares and LUNs are reached.

use runner_sdk::prelude::*;

use crate::api::{Api, text};
use crate::cluster::Records;
use crate::job::{Made, Written};

const ENDPOINTS: &str = "/api/v2/storage-provider/access-endpoints";
/// More endpoints than one object has.
const MANY: usize = 1000;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct CreateInput {
    /// The key of the storage VM, the file share or the LUN that is to be reached.
    resource_key: String,
    /// The address.
    address: String,
    /// The address on the partner, for block protocols.
    ha_address: Option<String>,
    /// The netmask.
    netmask: String,
    /// The gateway.
    gateway: Option<String>,
    /// The protocols: `nfs`, `cifs`, `iscsi`, `fcp`.
    data_protocols: Vec<String>,
    /// The VLAN.
    vlan: Option<u32>,
    /// The largest packet.
    mtu: Option<u32>,
    /// The connection to Unified Manager.
    connection: String,
}

/// Creates an access endpoint, unless the resource has one with the address. A job makes it.
#[action]
pub(crate) fn create_access_endpoint(input: CreateInput) -> Result<Written> {
    let api = Api::new(&input.connection);
    let query = vec![("resource.key", input.resource_key.clone())];
    let there = api.list(ENDPOINTS, &query, MANY)?;
    if let Some(endpoint) = there.iter().find(|endpoint| text(endpoint, "/ip/address") == input.address) {
        return Ok(Written::nothing(Some(text(endpoint, "/key"))));
    }
    let kinds = [(":type=vserver,", "svm"), (":type=volume,", "fileshare"), (":type=lun,", "lun")];
    let Some((_, field)) = kinds.iter().find(|(kind, _)| input.resource_key.contains(kind)) else {
        bail!("bad-key", "`{}` is not the key of a storage VM, a file share or a LUN", input.resource_key)
    };
    let mut body =
        json!({ "ip": { "address": input.address, "netmask": input.netmask }, "data_protocols": input.data_protocols });
    if let Some(map) = body.as_object_mut() {
        map.insert((*field).to_owned(), json!({ "key": input.resource_key }));
        let more = [("gateway", json!(input.gateway)), ("vlan", json!(input.vlan)), ("mtu", json!(input.mtu))];
        map.extend(
            more.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)),
        );
    }
    if let (Some(address), Some(ip)) = (&input.ha_address, body.pointer_mut("/ip").and_then(Value::as_object_mut)) {
        ip.insert("ha_address".to_owned(), json!(address));
    }
    let answer = api.write("POST", ENDPOINTS, Some(&body))?;
    let query = json!({ "resource.key": input.resource_key, "ip.address": input.address });
    let (cluster, _) = input.resource_key.split_once(':').unwrap_or_default();
    let made = Made { cluster, kind: "network_lif", result: "accessEndpointKey", path: ENDPOINTS, query };
    Written::making(&answer, made)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListInput {
    /// The key of the storage VM, the file share or the LUN.
    resource_key: String,
    /// The connection to Unified Manager.
    connection: String,
}

/// Lists the access endpoints of a storage VM, a file share or a LUN.
#[action]
pub(crate) fn list_access_endpoints(input: ListInput) -> Result<Records> {
    Ok(Api::new(&input.connection).list(ENDPOINTS, &vec![("resource.key", input.resource_key)], MANY)?.into())
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteInput {
    /// The access endpoint's key.
    endpoint_key: String,
    /// The connection to Unified Manager.
    connection: String,
}

/// Deletes an access endpoint, if it is there. A job does it.
#[action]
pub(crate) fn delete_access_endpoint(input: DeleteInput) -> Result<Written> {
    let api = Api::new(&input.connection);
    if api.find(path!("/api/v2/storage-provider/access-endpoints/{input.endpoint_key}"))?.is_none() {
        return Ok(Written::nothing(Some(input.endpoint_key)));
    }
    let answer = api.write("DELETE", path!("/api/v2/storage-provider/access-endpoints/{input.endpoint_key}"), None)?;
    Written::changing(&answer, input.endpoint_key)
}
