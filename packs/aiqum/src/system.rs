//! Unified Manager itself, its workloads, and how filters and differences are read.

use runner_sdk::prelude::*;
use runner_sdk::serde_json::Map;

use crate::api::{Api, Query};
use crate::cluster::Records;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct SystemInput {
    /// The connection to Unified Manager.
    connection: String,
}

/// Says which Unified Manager it is, and whether its services run.
#[action]
pub(crate) fn system_info(input: SystemInput) -> Result<Value> {
    Api::new(&input.connection).get("/api/v2/management-server/system", &[])
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct WorkloadsInput {
    /// Filters: fields and what they must be, such as `{conformance_status: conforming, svm.name: svm1}`.
    filter: Map<String, Value>,
    /// How many at most.
    limit: usize,
    /// The connection to Unified Manager.
    connection: String,
}

/// Lists workloads: file shares and LUNs, with their performance service level and whether they get it.
#[action]
pub(crate) fn list_workloads(input: WorkloadsInput) -> Result<Records> {
    let query = filters(&input.filter);
    Ok(Api::new(&input.connection).list("/api/v2/storage-provider/workloads", &query, input.limit)?.into())
}

/// A query of an object's members; what is null is left out, a list is `a|b`.
pub(crate) fn filters(map: &Map<String, Value>) -> Query<'_> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let value = |value: &Value| match value {
        Value::Null => None,
        Value::Array(values) => Some(values.iter().map(text).collect::<Vec<_>>().join("|")),
        value => Some(text(value)),
    };
    map.iter().filter_map(|(name, member)| Some((name.as_str(), value(member)?))).collect()
}

/// Whether an object is already as it is wanted.
pub(crate) fn holds(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| there.get(key).is_some_and(|there| holds(there, value)))
        }
        (there, wanted) => there == wanted,
    }
}
