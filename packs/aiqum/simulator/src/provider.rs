//! Storage as a service: what Unified Manager makes of volumes and LUNs with a performance service level.

mod endpoint;
mod level;
mod lun;
mod placement;
mod share;
mod workload;

use runner_sdk::simulator::Reply;
use serde_json::Value;

use crate::Aiqum;
use crate::call::Call;
use crate::problem::Problem;
use crate::{list, path, route};

pub(crate) use share::{made as share_made, ordered as share_ordered};

/// What Unified Manager keeps of it.
pub(crate) struct Provider {
    /// Performance service levels.
    levels: Vec<Value>,
    /// Storage efficiency policies.
    policies: Vec<Value>,
    /// What is assigned to volumes and LUNs, by their key.
    assigned: Vec<Assigned>,
    /// Access endpoints.
    endpoints: Vec<Value>,
    /// Active Directory mappings of SVMs.
    directories: Vec<Value>,
    /// The last number that was given.
    number: u64,
}

/// What is assigned to a volume or a LUN.
struct Assigned {
    /// Its key.
    key: String,
    /// The key of its performance service level.
    level: String,
    /// The key of its storage efficiency policy.
    policy: Option<String>,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            levels: level::levels(),
            policies: level::policies(),
            assigned: Vec::new(),
            endpoints: Vec::new(),
            directories: Vec::new(),
            number: 1000,
        }
    }
}

impl Provider {
    /// A key that was never given before.
    fn next_key(&mut self) -> String {
        self.number += 1;
        format!("{:08x}-7f1c-11ee-a506-0050569d{:04x}", 0x3f5b_0000 + self.number, self.number)
    }

    /// Assigns a level, and a policy if there is one.
    fn assign(&mut self, key: &str, level: Option<&str>, policy: Option<&str>) {
        match self.assigned.iter_mut().find(|known| known.key == key) {
            Some(known) => {
                if let Some(level) = level {
                    level.clone_into(&mut known.level);
                }
                known.policy = policy.map(str::to_owned).or_else(|| known.policy.take());
            }
            None => self.assigned.push(Assigned {
                key: key.to_owned(),
                level: level.unwrap_or_default().to_owned(),
                policy: policy.map(str::to_owned),
            }),
        }
    }

    /// What is assigned, as objects show it.
    fn show_assigned(&self, object: &mut Value) {
        let key = path::owned(object, "key");
        let Some(assigned) = self.assigned.iter().find(|known| known.key == key) else { return };
        if let Some(level) = self.level(&assigned.level) {
            path::set(
                object,
                "assigned_performance_service_level",
                level::brief(level, path::number(object, "space.size")),
            );
        }
        let policy =
            assigned.policy.as_ref().and_then(|key| self.policies.iter().find(|p| path::text(p, "key") == Some(key)));
        if let Some(policy) = policy {
            path::set(object, "assigned_storage_efficiency_policy.key", policy["key"].clone());
            path::set(object, "assigned_storage_efficiency_policy.name", policy["name"].clone());
        }
    }

    /// The key of the level that is given where none is asked for.
    pub(crate) fn usual_level(&self) -> String {
        let usual = self.levels.iter().find(|level| path::text(level, "name") == Some("Value"));
        usual.map(|level| path::owned(level, "key")).unwrap_or_default()
    }

    fn level(&self, key: &str) -> Option<&Value> {
        self.levels.iter().find(|level| path::text(level, "key") == Some(key))
    }
}

/// The level and the policy that a body names: the level must be there.
fn named(aiqum: &Aiqum, body: &Value) -> Result<(String, Option<String>), Problem> {
    let level = "performance_service_level.key";
    let wanted = path::text(body, level).ok_or_else(|| Problem::missing(level))?;
    aiqum.provider.level(wanted).ok_or_else(|| Problem::invalid(level, wanted))?;
    let policy = path::text(body, "storage_efficiency_policy.key").map(str::to_owned);
    if let Some(key) =
        policy.as_ref().filter(|key| aiqum.provider.policies.iter().all(|p| path::text(p, "key") != Some(key)))
    {
        return Err(Problem::invalid("storage_efficiency_policy.key", key));
    }
    Ok((wanted.to_owned(), policy))
}

/// The only property of a body: a change of a share or a LUN is of one at a time.
fn only_property(body: &Value) -> Result<(), Problem> {
    match body.as_object().map_or(0, serde_json::Map::len) {
        0 => Err(Problem::new(400, "Nothing is to be changed.")),
        1 => Ok(()),
        _ => Err(Problem::new(400, "Only one property can be changed in a request.")),
    }
}

/// `/storage-provider/…`.
pub(crate) fn dispatch(aiqum: &mut Aiqum, call: &Call<'_>, segments: &[&str]) -> Result<Reply, Problem> {
    match (call.method, segments) {
        (_, ["performance-service-levels", rest @ ..]) => level::of_levels(aiqum, call, rest),
        (_, ["storage-efficiency-policies", rest @ ..]) => level::of_policies(aiqum, call, rest),
        ("GET", ["aggregate-capabilities"]) => list::reply(call.request, placement::capabilities(aiqum), list::PAGE),
        ("GET", ["aggregate-capabilities", key]) => one(placement::capabilities(aiqum), "aggregate", key),
        ("POST", ["data-placement"]) => placement::place(aiqum, call),
        ("GET", ["file-shares"]) => list::reply(call.request, share::all(aiqum), list::PAGE),
        ("GET", ["file-shares", key]) => one(share::all(aiqum), "file share", key),
        ("POST", ["file-shares"]) => share::create(aiqum, call),
        ("PATCH", ["file-shares", key]) => share::modify(aiqum, call, key),
        ("DELETE", ["file-shares", key]) => share::delete(aiqum, call, key),
        ("GET", ["luns"]) => list::reply(call.request, lun::all(aiqum), list::PAGE),
        ("GET", ["luns", key]) => one(lun::all(aiqum), "LUN", key),
        ("POST", ["luns"]) => lun::create(aiqum, call),
        ("PATCH", ["luns", key]) => lun::modify(aiqum, call, key),
        ("DELETE", ["luns", key]) => lun::delete(aiqum, call, key),
        (_, ["access-endpoints", rest @ ..]) => endpoint::dispatch(aiqum, call, rest),
        ("GET", ["workloads"]) => list::reply(call.request, workload::all(aiqum), list::PAGE),
        ("GET", ["workloads-summary"]) => Ok(workload::summary(aiqum)),
        (_, ["active-directories-mappings", rest @ ..]) => endpoint::directories(aiqum, call, rest),
        _ => Err(route::nowhere(call)),
    }
}

/// The object with a key.
fn one(objects: Vec<Value>, what: &str, key: &str) -> Result<Reply, Problem> {
    let found = objects.into_iter().find(|object| path::text(object, "key") == Some(key));
    found.map(|object| Reply::json(200, &object)).ok_or_else(|| Problem::absent(what, key))
}
