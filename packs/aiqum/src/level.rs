//! Performance service levels: what a workload is promised.

use runner_sdk::prelude::*;

use crate::api::{Api, text};
use crate::cluster::Records;

const LEVELS: &str = "/api/v2/storage-provider/performance-service-levels";
/// More levels than anybody keeps apart.
const MANY: usize = 1000;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListInput {
    /// Only those of this name, with `*` and `|`.
    name: Option<String>,
    /// The connection to Unified Manager.
    connection: String,
}

/// Lists performance service levels.
#[action]
pub(crate) fn list_psl(input: ListInput) -> Result<Records> {
    let query = input.name.map(|name| ("name", name)).into_iter().collect();
    Ok(Api::new(&input.connection).list(LEVELS, &query, MANY)?.into())
}

/// The key of a level, by its key or its name.
pub(crate) fn key_of(api: Api<'_>, wanted: &str) -> Result<String> {
    let levels = api.list(LEVELS, &vec![], MANY)?;
    let found = levels.iter().find(|level| text(level, "/key") == wanted || text(level, "/name") == wanted);
    let Some(level) = found else {
        let names: Vec<_> = levels.iter().map(|level| format!("`{}`", text(level, "/name"))).collect();
        bail!("psl-not-found", "there is no performance service level `{wanted}`, only {}", names.join(", "))
    };
    Ok(text(level, "/key"))
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct CreateInput {
    /// The level's name.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// IOPS that a workload can expect for each TiB.
    expected_iops_per_tb: u64,
    /// IOPS that it gets at most for each TiB.
    peak_iops_per_tb: u64,
    /// IOPS that it gets however small it is.
    absolute_min_iops: u64,
    /// Latency that it can expect, in milliseconds.
    expected_latency: f64,
    /// The connection to Unified Manager.
    connection: String,
}

/// A level that was made, or was there already.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Created {
    /// Whether anything was changed.
    changed: bool,
    /// The level's key.
    key: String,
}

/// Creates a performance service level, unless there is one of the name.
#[action]
pub(crate) fn create_psl(input: CreateInput) -> Result<Created> {
    let api = Api::new(&input.connection);
    if let Some(there) = api.list(LEVELS, &vec![("name", input.name.clone())], 1)?.first() {
        return Ok(Created { changed: false, key: text(there, "/key") });
    }
    let body = json!({
        "name": input.name,
        "description": input.description.unwrap_or_default(),
        "iops": {
            "expected_iops_per_tb": input.expected_iops_per_tb,
            "peak_iops_per_tb": input.peak_iops_per_tb,
            "absolute_min_iops": input.absolute_min_iops,
        },
        "latency": { "expected": input.expected_latency },
    });
    let made = api.write("POST", LEVELS, Some(&body))?;
    Ok(Created { changed: true, key: text(&made, "/key") })
}
