//! The gateway: what Unified Manager lacks is asked of ONTAP itself, with Unified Manager's login for the cluster.

use std::time::Duration;

use runner_sdk::http::{Path, Request};
use runner_sdk::prelude::*;
use runner_sdk::serde_json::Map;

use crate::api::{Api, text};
use crate::{key, system};

/// Seconds that ONTAP may take to finish before it answers with a job.
const RETURN_TIMEOUT: &str = "60";

/// What was done.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Deleted {
    /// Whether anything was changed.
    pub(crate) changed: bool,
}

/// The gateway to a cluster.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gateway<'a> {
    api: Api<'a>,
    cluster: &'a str,
}

impl<'a> Gateway<'a> {
    /// The gateway to the cluster of an object.
    pub(crate) fn of_key(api: Api<'a>, key: &'a str, kind: &str) -> Result<Self> {
        Ok(Self { api, cluster: key::parse(key, kind)?.cluster })
    }

    /// The cluster's uuid.
    pub(crate) fn cluster(&self) -> &'a str {
        self.cluster
    }

    fn path(&self, path: &str) -> Path {
        Path::raw(format!("/api/v2/gateways/{}{path}", self.cluster))
    }

    /// Reads an object, or a collection.
    pub(crate) fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value> {
        self.api.get(self.path(path), query)
    }

    /// The first record of a collection that fits a query.
    pub(crate) fn first(&self, path: &str, query: &[(&str, String)]) -> Result<Option<Value>> {
        let mut query = query.to_vec();
        query.push(("fields", "*".to_owned()));
        Ok(self.get(path, &query)?.pointer("/records/0").cloned())
    }

    /// The uuid of the first record that fits a query.
    pub(crate) fn uuid(&self, path: &str, query: &[(&str, String)]) -> Result<Option<String>> {
        Ok(self.get(path, query)?.pointer("/records/0").map(|record| text(record, "/uuid")))
    }

    /// Makes, changes or deletes something, and waits until ONTAP has done it.
    pub(crate) fn write(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let query = [("return_timeout", RETURN_TIMEOUT.to_owned())];
        let answer = self.api.send(method, self.path(path), &query, body)?;
        if answer.get("job").is_some() {
            log::field("path", path).info("ONTAP goes on with it in a job");
        }
        Ok(answer)
    }

    /// Makes something while the client waits, which ONTAP has no `return_timeout` for.
    pub(crate) fn post_now(&self, path: &str, body: &Value) -> Result<Value> {
        self.api.send("POST", self.path(path), &[], Some(body))
    }

    /// Deletes something while the client waits, which ONTAP has no `return_timeout` for.
    pub(crate) fn delete_now(&self, path: &str) -> Result<Value> {
        self.api.send("DELETE", self.path(path), &[], None)
    }

    /// Deletes the first record that fits a query, if there is one.
    pub(crate) fn discard(&self, path: &str, query: &[(&str, String)]) -> Result<bool> {
        let Some(uuid) = self.uuid(path, query)? else { return Ok(false) };
        self.write("DELETE", &format!("{path}/{uuid}"), None)?;
        Ok(true)
    }
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct GatewayInput {
    /// The cluster's uuid or its key.
    cluster_uuid: String,
    /// The method.
    method: String,
    /// The path of ONTAP's API, without `/api`, such as `/storage/volumes`.
    path: String,
    /// The query: names and values.
    query: Map<String, Value>,
    /// The body.
    body: Option<Value>,
    /// The storage VM that the request is tunnelled to, by its name.
    svm: Option<String>,
    /// The connection to Unified Manager.
    connection: String,
}

/// What ONTAP answered.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// The status.
    status: u16,
    /// The body.
    body: Value,
    /// Where the object is, if ONTAP said so.
    location: Option<String>,
}

/// Sends a request to ONTAP through Unified Manager's gateway.
#[action]
pub(crate) fn gateway(input: GatewayInput) -> Result<Answer> {
    let cluster = if key::is_key(&input.cluster_uuid) {
        key::parse(&input.cluster_uuid, "cluster")?.cluster
    } else {
        &input.cluster_uuid
    };
    let path = input.path.strip_prefix("/api").unwrap_or(&input.path);
    let mut request =
        Request::new(&input.method, &input.connection, Path::raw(format!("/api/v2/gateways/{cluster}{path}")));
    for (name, value) in system::filters(&input.query) {
        request = request.query(name, value);
    }
    if let Some(svm) = &input.svm {
        request = request.header("x-dot-svm-name", svm);
    }
    if let Some(body) = &input.body {
        request = request.json(body);
    }
    let response = request.header("accept", "application/hal+json").timeout(Duration::from_secs(120)).send()?.ok()?;
    let body = if response.body().is_empty() { Value::Null } else { response.json()? };
    Ok(Answer { status: response.status(), location: response.header("location").map(str::to_owned), body })
}
