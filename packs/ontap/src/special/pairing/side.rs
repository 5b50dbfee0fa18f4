//! One cluster of two that are peers, or shall be.

use runner_sdk::prelude::{Result, Value, bail, json};

use crate::api::{Answer, Api, Wanted, encode};
use crate::body;

const PEERS: &str = "/api/cluster/peers";

/// A cluster.
pub(super) struct Side {
    pub(super) api: Api,
    /// What it calls itself.
    pub(super) name: String,
}

/// Whether it reaches the other one.
pub(super) fn is_available(peer: &Value) -> bool {
    body::text(peer, "status.state").as_deref() == Some("available")
}

/// What of a peering may be shown.
pub(super) fn shown(peer: &Value) -> Value {
    json!({ "uuid": peer.get("uuid"), "name": peer.get("name"), "state": body::text(peer, "status.state") })
}

impl Side {
    pub(super) fn of(api: Api) -> Result<Self> {
        let cluster = api.get("/api/cluster", &[("fields".to_owned(), "name".to_owned())])?;
        match body::text(&cluster, "name") {
            Some(name) => Ok(Self { api, name }),
            None => bail!("bad-response", "`{}` does not say how its cluster is called", api.connection),
        }
    }

    /// The peering with a cluster, if there is one.
    pub(super) fn peer(&self, cluster: &str) -> Result<Option<Value>> {
        for name in ["remote.name", "name"] {
            let query = vec![(name.to_owned(), cluster.to_owned()), ("fields".to_owned(), "*".to_owned())];
            let mut list = self.api.list(PEERS, &Wanted { query, limit: 1 })?;
            if let Some(peer) = list.records.pop() {
                return Ok(Some(peer));
            }
        }
        Ok(None)
    }

    /// The addresses that the other cluster is to talk to: those that were given, or all intercluster ones.
    pub(super) fn addresses(&self, given: Option<&Value>) -> Result<Vec<String>> {
        let given = given.and_then(Value::as_array).filter(|list| !list.is_empty());
        if let Some(list) = given {
            return Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        }
        let query = vec![
            // `intercluster_core`; older versions write it with a hyphen.
            ("services".to_owned(), "intercluster*".to_owned()),
            ("fields".to_owned(), "ip.address".to_owned()),
        ];
        let list = self.api.list("/api/network/ip/interfaces", &Wanted { query, limit: 256 })?;
        let addresses: Vec<_> = list.records.iter().filter_map(|record| body::text(record, "ip.address")).collect();
        if addresses.is_empty() {
            bail!(
                "no-intercluster-interface",
                "the cluster `{}` has no intercluster interface: make one for each node with `ontap.create_ip_interface service_policy=default-intercluster`",
                self.name
            );
        }
        Ok(addresses)
    }

    /// Makes a peering, or tells the one that is there.
    pub(super) fn write(&self, there: Option<&Value>, wanted: &Value) -> Result<Written> {
        let query = [("return_records".to_owned(), "true".to_owned())];
        let Some(uuid) = there.and_then(|peer| body::text(peer, "uuid")) else {
            return Ok(Written(self.api.send("POST", PEERS, &query, Some(wanted))?));
        };
        let mut wanted = wanted.clone();
        body::set(&mut wanted, "authentication.in_use", json!("ok"));
        // Both are decided when a peering is made.
        body::remove(&mut wanted, "ipspace");
        body::remove(&mut wanted, "initial_allowed_svms");
        Ok(Written(self.api.send("PATCH", &format!("{PEERS}/{}", encode(&uuid)), &query, Some(&wanted))?))
    }

    /// Ends the peering with a cluster; says whether there was one.
    pub(super) fn forget(&self, cluster: &str) -> Result<bool> {
        let Some(uuid) = self.peer(cluster)?.and_then(|peer| body::text(&peer, "uuid")) else { return Ok(false) };
        self.api.send("DELETE", &format!("{PEERS}/{}", encode(&uuid)), &[], None)?;
        Ok(true)
    }
}

/// What a cluster answered.
pub(super) struct Written(Answer);

impl Written {
    /// The passphrase that it made.
    pub(super) fn passphrase(&self, side: &Side) -> Result<Value> {
        let record = self.0.record().unwrap_or(&self.0.body);
        let found = body::get(record, "authentication.passphrase")
            .or_else(|| body::get(&self.0.body, "authentication.passphrase"));
        match found {
            Some(passphrase) => Ok(passphrase.clone()),
            None => bail!("bad-response", "the cluster `{}` was asked for a passphrase and gave none", side.name),
        }
    }
}
