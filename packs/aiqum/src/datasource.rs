//! Data sources: the clusters that Unified Manager is told to watch. What is told of the login never comes back.

use runner_sdk::prelude::*;

use crate::api::{Api, text};

const SOURCES: &str = "/api/v2/admin/datasources/clusters";

#[derive(Deserialize, JsonSchema)]
pub(crate) struct AddInput {
    /// The cluster's address: a host name or an IP address.
    address: String,
    /// The port.
    port: u16,
    /// The protocol: `https` or `http`.
    protocol: String,
    /// The cluster's user that Unified Manager logs in as.
    username: String,
    /// That user's password.
    password: String,
    /// The connection to Unified Manager.
    connection: String,
}

/// A data source that was added, or was there already.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Added {
    /// Whether anything was changed.
    changed: bool,
    /// Its key, which is the cluster's; null until Unified Manager has spoken to the cluster.
    key: Option<String>,
    /// What Unified Manager shows of it.
    datasource: Value,
}

impl Added {
    fn new(changed: bool, mut datasource: Value) -> Self {
        if let Some(map) = datasource.as_object_mut() {
            map.remove("password");
        }
        let key = datasource.get("key").and_then(Value::as_str).map(str::to_owned);
        Self { changed, key, datasource }
    }
}

/// Tells Unified Manager to watch a cluster, unless it watches the address already: then its login stays as it is.
#[action]
pub(crate) fn add_datasource(input: AddInput) -> Result<Added> {
    let api = Api::new(&input.connection);
    if let Some(there) = known(api, &input.address)? {
        return Ok(Added::new(false, there));
    }
    let body = json!({
        "address": input.address,
        "port": input.port,
        "protocol": input.protocol,
        "username": input.username,
        "password": input.password,
    });
    Ok(Added::new(true, api.write("POST", SOURCES, Some(&body))?))
}

/// The data source of an address. Unified Manager's list of them takes neither filters nor pages.
fn known(api: Api<'_>, address: &str) -> Result<Option<Value>> {
    let answer = api.get(SOURCES, &[])?;
    let Some(records) = answer.get("records").and_then(Value::as_array) else {
        bail!("bad-response", "`{SOURCES}` answered without `records`")
    };
    Ok(records.iter().find(|record| text(record, "/address").eq_ignore_ascii_case(address)).cloned())
}
