//! Performance service levels and storage efficiency policies: kept by Unified Manager itself.

use runner_sdk::clock::rfc3339;
use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

use crate::Aiqum;
use crate::call::Call;
use crate::problem::Problem;
use crate::{list, path, route};

const TIB: u64 = 1 << 40;

/// The levels that are always there: name, expected and peak IOPS a TiB, the least of them, latency in milliseconds.
const SYSTEM: [(&str, &str, u64, u64, u64, f64); 6] = [
    ("Extreme for Database Logs", "For databases' logs: the lowest latency", 22528, 45056, 4000, 1.0),
    ("Extreme for Database Shared Data", "For databases' shared data", 16384, 32768, 2000, 1.0),
    ("Extreme for Database Data", "For databases' data", 12288, 24576, 2000, 1.0),
    ("Extreme Performance", "For latency-sensitive applications", 6144, 12288, 1000, 1.0),
    ("Performance", "For databases and virtual machines", 2048, 4096, 500, 2.0),
    ("Value", "For home directories, mail, web and backup", 128, 512, 75, 17.0),
];

/// The levels that are always there.
pub(super) fn levels() -> Vec<Value> {
    let level = |(number, (name, about, expected, peak, least, latency)): (usize, (&str, &str, u64, u64, u64, f64))| {
        json!({
            "key": format!("1251e51b-069f-11ea-980d-fa163e82bb{number:02x}"), "name": name, "description": about, "system_defined": true,
            "iops": { "expected_iops_per_tb": expected, "peak_iops_per_tb": peak, "absolute_min_iops": least, "peak_iops_allocation_policy": "used_space" },
            "latency": { "expected": latency }, "workload_count": 0, "space": { "used": 0, "available": 0 },
        })
    };
    (1..).zip(SYSTEM).map(level).collect()
}

/// The policies that are always there.
pub(super) fn policies() -> Vec<Value> {
    let policy = |number: usize, name: &str, how: &str, thin: bool| {
        json!({
            "key": format!("1250f1c2-069f-11ea-980d-fa163e82bb{number:02x}"), "name": name, "description": name, "system_defined": true,
            "compression": how, "deduplication": how, "space_thin_provisioned": thin, "workload_count": 0,
        })
    };
    vec![policy(1, "High Space Savings", "inline", true), policy(2, "Low Space Savings", "background", true)]
}

/// A level as what it is assigned to shows it.
pub(super) fn brief(level: &Value, size: Option<u64>) -> Value {
    let least = path::number(level, "iops.absolute_min_iops").unwrap_or_default();
    let of_size = |field: &str| {
        let each = path::number(level, field).unwrap_or_default();
        let whole = u128::from(each) * u128::from(size.unwrap_or_default()) / u128::from(TIB);
        u64::try_from(whole).unwrap_or(u64::MAX).max(least)
    };
    let (expected, peak) = (of_size("iops.expected_iops_per_tb"), of_size("iops.peak_iops_per_tb"));
    json!({ "key": level["key"], "name": level["name"], "expected_iops": expected, "peak_iops": peak })
}

/// Which of the two lists.
type Pick = fn(&mut Aiqum) -> &mut Vec<Value>;

/// `/storage-provider/performance-service-levels…`.
pub(super) fn of_levels(aiqum: &mut Aiqum, call: &Call<'_>, rest: &[&str]) -> Result<Reply, Problem> {
    let required = ["name", "iops.expected_iops_per_tb", "iops.peak_iops_per_tb", "latency.expected"];
    dispatch(aiqum, call, rest, "performance service level", |aiqum| &mut aiqum.provider.levels, &required)
}

/// `/storage-provider/storage-efficiency-policies…`.
pub(super) fn of_policies(aiqum: &mut Aiqum, call: &Call<'_>, rest: &[&str]) -> Result<Reply, Problem> {
    dispatch(aiqum, call, rest, "storage efficiency policy", |aiqum| &mut aiqum.provider.policies, &["name"])
}

fn dispatch(
    aiqum: &mut Aiqum,
    call: &Call<'_>,
    rest: &[&str],
    what: &str,
    pick: Pick,
    required: &[&str],
) -> Result<Reply, Problem> {
    match (call.method, rest) {
        ("GET", []) => {
            let mut all = pick(aiqum).clone();
            count_workloads(aiqum, &mut all);
            list::reply(call.request, all, list::PAGE)
        }
        ("POST", []) => add(aiqum, call, what, pick, required),
        ("GET", [key]) => Ok(Reply::json(200, find(pick(aiqum), what, key)?)),
        ("PATCH", [key]) => {
            let one = own(pick(aiqum), what, key)?;
            path::merge(one, &call.body);
            path::set(one, "update_time", rfc3339(call.now));
            Ok(Reply::json(200, one))
        }
        ("DELETE", [key]) => {
            own(pick(aiqum), what, key)?;
            if aiqum.provider.assigned.iter().any(|it| it.level == *key || it.policy.as_deref() == Some(*key)) {
                return Err(Problem::new(400, format!("The {what} is assigned to workloads.")));
            }
            pick(aiqum).retain(|one| path::text(one, "key") != Some(key));
            Ok(Reply::json(200, &json!({})))
        }
        _ => Err(route::nowhere(call)),
    }
}

fn count_workloads(aiqum: &Aiqum, all: &mut [Value]) {
    for one in all {
        let key = path::owned(one, "key");
        let users = aiqum.provider.assigned.iter().filter(|it| it.level == key || it.policy.as_ref() == Some(&key));
        path::set(one, "workload_count", users.count());
    }
}

fn add(aiqum: &mut Aiqum, call: &Call<'_>, what: &str, pick: Pick, required: &[&str]) -> Result<Reply, Problem> {
    if let Some(field) = required.iter().find(|field| path::get(&call.body, field).is_none()) {
        return Err(Problem::missing(field));
    }
    let name = call.need("name")?;
    if pick(aiqum).iter().any(|one| path::text(one, "name") == Some(name)) {
        return Err(Problem::new(400, format!("There is already a {what} of the name {name}.")).at("name"));
    }
    let mut one = json!({ "system_defined": false, "workload_count": 0, "create_time": rfc3339(call.now) });
    path::merge(&mut one, &call.body);
    let key = aiqum.provider.next_key();
    path::set(&mut one, "key", key);
    pick(aiqum).push(one.clone());
    Ok(Reply::json(201, &one))
}

fn find<'a>(all: &'a mut [Value], what: &str, key: &str) -> Result<&'a mut Value, Problem> {
    all.iter_mut().find(|one| path::text(one, "key") == Some(key)).ok_or_else(|| Problem::absent(what, key))
}

/// One that is not always there: those cannot be changed.
fn own<'a>(all: &'a mut [Value], what: &str, key: &str) -> Result<&'a mut Value, Problem> {
    let one = find(all, what, key)?;
    if path::is_true(one, "system_defined") {
        return Err(Problem::new(403, format!("The {what} is defined by the system and cannot be changed.")));
    }
    Ok(one)
}
