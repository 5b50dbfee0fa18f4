//! `/cluster/jobs`: what clients see of the jobs, and what they may do to them.

use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

use crate::answer::hal;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::site::Site;
use crate::world::Cluster;
use crate::{body, path};

/// The path of the collection.
pub(crate) const PATH: &str = "/cluster/jobs";

/// The jobs that can be read.
pub(crate) fn records(cluster: &Cluster, now: u64) -> Vec<Value> {
    cluster.jobs.iter().filter(|job| job.is_there(now)).map(|job| job.record(now)).collect()
}

/// `PATCH …/{uuid}?action=cancel|pause|resume`; `{"state": "pause"}` says the same.
pub(crate) fn patch(site: &mut Site<'_>, call: &Call<'_>) -> Result<Reply, Refusal> {
    let uuid = path::owned(&call.record(site)?, "uuid");
    let body = body::read(&call.request.body)?;
    let from_query = call.query.params.iter().find(|(name, _)| name == "action").map(|(_, value)| value.clone());
    let action = from_query
        .or_else(|| path::text(&body, "state").map(str::to_owned))
        .ok_or_else(|| Refusal::missing("action"))?;
    let now = site.now();
    let jobs = site.world.clusters.get_mut(site.at).map(|cluster| &mut cluster.jobs);
    let job = jobs.and_then(|jobs| jobs.iter_mut().find(|job| job.uuid == uuid)).ok_or_else(Refusal::absent)?;
    job.act(&action, now)?;
    Ok(hal(200, &json!({})))
}
