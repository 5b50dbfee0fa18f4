//! The clusters that Unified Manager watches: asked through their own REST API, and remembered as they were at the last
//! acquisition. Knows nothing of what Unified Manager makes of them.

use std::collections::BTreeMap;

use runner_sdk::simulator::{Ending, Reply, Request, Simulator};
use serde_json::Value;

use crate::path;
use crate::problem::Problem;

/// The collections that are acquired.
const TABLES: [&str; 11] = [
    "/cluster/nodes",
    "/storage/aggregates",
    "/svm/svms",
    "/storage/volumes",
    "/storage/qtrees",
    "/storage/luns",
    "/network/ip/interfaces",
    "/network/ethernet/ports",
    "/protocols/nfs/export-policies",
    "/protocols/cifs/shares",
    "/protocols/san/igroups",
];
/// `um:um`: what Unified Manager logs in with.
const LOGIN: &str = "Basic dW06dW0=";

/// The clusters.
pub(crate) struct Estate {
    ontap: Box<dyn Simulator>,
    clusters: Vec<Cluster>,
    acquired: Option<u64>,
}

/// A cluster as it was at the last acquisition.
#[derive(Default)]
pub(crate) struct Cluster {
    /// What it is called in the simulated world.
    pub(crate) connection: String,
    /// The cluster itself.
    pub(crate) record: Value,
    /// Whether it is no longer watched.
    pub(crate) removed: bool,
    /// How it is reached and logged in to.
    pub(crate) login: Login,
    tables: BTreeMap<&'static str, Vec<Value>>,
}

/// How Unified Manager reaches a cluster and logs in to it. The password is not kept: nothing may show it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Login {
    /// The port.
    pub(crate) port: u64,
    /// The protocol.
    pub(crate) protocol: String,
    /// The user.
    pub(crate) username: String,
}

impl Default for Login {
    fn default() -> Self {
        Self { port: 443, protocol: "https".to_owned(), username: "um".to_owned() }
    }
}

static NO_RECORDS: &[Value] = &[];

impl Cluster {
    /// Its uuid.
    pub(crate) fn uuid(&self) -> &str {
        path::text(&self.record, "uuid").unwrap_or_default()
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        path::text(&self.record, "name").unwrap_or_default()
    }

    /// The records of a collection.
    pub(crate) fn records(&self, table: &str) -> &[Value] {
        self.tables.get(table).map_or(NO_RECORDS, Vec::as_slice)
    }
}

impl Estate {
    /// The clusters of a simulated world.
    pub(crate) fn new(ontap: impl Simulator + 'static, connections: &[&str]) -> Self {
        let cluster = |name: &&str| Cluster { connection: (*name).to_owned(), ..Cluster::default() };
        Self { ontap: Box::new(ontap), clusters: connections.iter().map(cluster).collect(), acquired: None }
    }

    /// The clusters that are watched.
    pub(crate) fn clusters(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.iter().filter(|cluster| !cluster.removed)
    }

    /// The cluster with this uuid.
    pub(crate) fn cluster(&self, uuid: &str) -> Option<&Cluster> {
        self.clusters().find(|cluster| cluster.uuid() == uuid)
    }

    /// Watches a further cluster, or one that was removed.
    pub(crate) fn watch(&mut self, connection: &str, login: Login) {
        match self.clusters.iter_mut().find(|cluster| cluster.connection == connection) {
            Some(cluster) => (cluster.removed, cluster.login) = (false, login),
            None => {
                self.clusters.push(Cluster { connection: connection.to_owned(), login, ..Cluster::default() });
            }
        }
        self.acquire();
    }

    /// Logs in to a cluster in another way from now on.
    pub(crate) fn log_in(&mut self, uuid: &str, login: Login) {
        if let Some(cluster) = self.clusters.iter_mut().find(|cluster| cluster.uuid() == uuid) {
            cluster.login = login;
        }
    }

    /// Watches a cluster no longer.
    pub(crate) fn forget(&mut self, uuid: &str) {
        if let Some(cluster) = self.clusters.iter_mut().find(|cluster| cluster.uuid() == uuid) {
            cluster.removed = true;
        }
    }

    /// Looks at the clusters if the last look is long enough ago.
    pub(crate) fn acquire_due(&mut self, now: u64, every_ms: u64) {
        if self.acquired.is_none_or(|at| now >= at + every_ms) {
            self.acquire();
            self.acquired = Some(now);
        }
    }

    /// Looks at the clusters.
    pub(crate) fn acquire(&mut self) {
        for at in 0..self.clusters.len() {
            let Some(connection) = self.clusters.get(at).map(|cluster| cluster.connection.clone()) else { continue };
            let record = self.ask(&connection, "GET", "/cluster", &[], &Value::Null).unwrap_or_default();
            let tables = TABLES.iter().map(|table| (*table, self.list(&connection, table))).collect();
            if let Some(cluster) = self.clusters.get_mut(at) {
                cluster.record = record;
                cluster.tables = tables;
            }
        }
    }

    /// The records of a collection as they are now.
    pub(crate) fn list(&mut self, connection: &str, table: &str) -> Vec<Value> {
        let all = [("fields", "**"), ("max_records", "10000")];
        match self.ask(connection, "GET", table, &all, &Value::Null) {
            Ok(body) => path::array(&body, "records").cloned().collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Asks a cluster, and waits for what it does.
    pub(crate) fn ask(
        &mut self,
        connection: &str,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Value, Problem> {
        let mut request = Request::new(method, format!("/api{path}"));
        connection.clone_into(&mut request.connection);
        request.query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if method != "GET" {
            request.query.push(("return_timeout".to_owned(), "120".to_owned()));
        }
        if !body.is_null() {
            request.body = body.to_string().into_bytes();
        }
        let Ending::Response { status, body, .. } = self.forward(request).ending else {
            return Err(Problem::new(500, format!("The connection to {connection} was closed.")));
        };
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if (200..300).contains(&status) { Ok(body) } else { Err(Problem::of_ontap(status, &body)) }
    }

    /// Hands a request on as it is, with the login that Unified Manager has for the cluster.
    pub(crate) fn forward(&mut self, mut request: Request) -> Reply {
        request.headers.retain(|(name, _)| name != "authorization");
        request.headers.push(("authorization".to_owned(), LOGIN.to_owned()));
        self.ontap.handle(&request)
    }
}
