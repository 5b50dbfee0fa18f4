//! What is for tests and not of Unified Manager: `/simulator/…`. Needs no login.

use runner_sdk::simulator::{Reply, Request};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Aiqum;
use crate::fault::Fault;
use crate::path;
use crate::seed::Dialect;

/// The paths below this prefix are answered here.
pub(crate) const PREFIX: &str = "/simulator/";
/// How long it takes until Unified Manager sees what has changed on a cluster.
const ACQUISITION_MS: u64 = 2000;

/// How Unified Manager behaves, as set by `POST /simulator/rules`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rules {
    /// How often the clusters are looked at, in milliseconds.
    pub(crate) acquisition_ms: u64,
    /// How long a job takes, in milliseconds; without it each kind of work takes its own time.
    pub(crate) job_ms: Option<u64>,
    /// Nodes that are not well, by name.
    pub(crate) unhealthy_nodes: Vec<String>,
    /// Aggregates that are offline, by name.
    pub(crate) offline_aggregates: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            acquisition_ms: ACQUISITION_MS,
            job_ms: None,
            unhealthy_nodes: Vec::new(),
            offline_aggregates: Vec::new(),
        }
    }
}

impl Rules {
    /// Makes an object look ill that shall be.
    pub(crate) fn disturb(&self, kind: &str, object: &mut Value) {
        let is_among =
            |names: &[String], object: &Value| names.iter().any(|name| path::text(object, "name") == Some(name));
        match kind {
            "cluster_node" if is_among(&self.unhealthy_nodes, object) => path::set(object, "health", false),
            "aggregate" if is_among(&self.offline_aggregates, object) => path::set(object, "state", "offline"),
            "cluster" => {
                for node in object.get_mut("nodes").and_then(Value::as_array_mut).into_iter().flatten() {
                    self.disturb("cluster_node", node);
                }
            }
            _ => {}
        }
    }
}

/// Answers a request to the simulator itself.
pub(crate) fn handle(aiqum: &mut Aiqum, request: &Request) -> Reply {
    let what = request.path.strip_prefix(PREFIX).unwrap_or_default().trim_end_matches('/');
    let result = match (request.method.as_str(), what) {
        ("GET", "requests") => Ok(ok(&aiqum.log.record())),
        ("DELETE", "requests") => {
            aiqum.log = crate::log::Log::default();
            Ok(ok(&json!({})))
        }
        ("GET", "faults") => Ok(ok(&json!({ "faults": aiqum.faults }))),
        ("DELETE", "faults") => {
            aiqum.faults.clear();
            Ok(ok(&json!({})))
        }
        ("POST", "faults") => add_faults(aiqum, request),
        ("GET", "rules") => Ok(ok(&json!(aiqum.rules))),
        ("POST", "rules") => set_rules(aiqum, request),
        ("GET", "dialect") => Ok(ok(&json!({ "dialect": aiqum.dialect.name() }))),
        ("POST", "dialect") => set_dialect(aiqum, request),
        ("POST", "reset") => {
            *aiqum = Aiqum::default();
            Ok(ok(&json!({})))
        }
        _ => Err(problem(404, "no such path of the simulator")),
    };
    result.into()
}

fn ok(value: &Value) -> Reply {
    Reply::json(200, value)
}

fn problem(status: u16, error: impl Into<String>) -> Reply {
    Reply::json(status, &json!({ "error": error.into() }))
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Reply> {
    serde_json::from_value(value).map_err(|error| problem(400, error.to_string()))
}

/// One fault, or a list of them.
fn add_faults(aiqum: &mut Aiqum, request: &Request) -> Result<Reply, Reply> {
    let body: Value = request.json()?;
    let faults: Vec<Fault> = if body.is_array() { read(body)? } else { vec![read(body)?] };
    aiqum.faults.extend(faults);
    Ok(ok(&json!({ "faults": aiqum.faults })))
}

/// Sets the rules that are named; the others stay.
fn set_rules(aiqum: &mut Aiqum, request: &Request) -> Result<Reply, Reply> {
    let mut rules = json!(aiqum.rules);
    path::merge(&mut rules, &request.json()?);
    aiqum.rules = read(rules)?;
    Ok(ok(&json!(aiqum.rules)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    dialect: String,
}

fn set_dialect(aiqum: &mut Aiqum, request: &Request) -> Result<Reply, Reply> {
    let Chosen { dialect } = request.json()?;
    let unknown = || problem(400, format!("there is no dialect `{dialect}`, only `real` and `seed`"));
    aiqum.dialect = Dialect::named(&dialect).ok_or_else(unknown)?;
    Ok(ok(&json!({ "dialect": aiqum.dialect.name() })))
}
