//! Workloads: shares and LUNs together, and whether they get what their level promises.

use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

use crate::Aiqum;
use crate::path;
use crate::provider::{lun, share};

/// All workloads.
pub(super) fn all(aiqum: &Aiqum) -> Vec<Value> {
    let workload = |mut object: Value, kind: &str| {
        let is_assigned = path::get(&object, "assigned_performance_service_level").is_some();
        path::set(&mut object, "type", kind);
        path::set(&mut object, "conformance_status", if is_assigned { "conforming" } else { "unassigned" });
        path::set(
            &mut object,
            "iops",
            json!({ "average": 120.5, "median": 118.0, "max": 410.0, "95th_percentile": 350.2 }),
        );
        path::set(&mut object, "latency", json!({ "average": 0.6, "median": 0.5, "max": 1.4, "95th_percentile": 0.9 }));
        object
    };
    let shares = share::all(aiqum).into_iter().map(|object| workload(object, "file_share"));
    shares.chain(lun::all(aiqum).into_iter().map(|object| workload(object, "lun"))).collect()
}

/// How many there are of each.
pub(super) fn summary(aiqum: &Aiqum) -> Reply {
    let all = all(aiqum);
    let conforming = all.iter().filter(|one| path::text(one, "conformance_status") == Some("conforming")).count();
    let size: u64 = all.iter().filter_map(|one| path::number(one, "space.size")).sum();
    Reply::json(
        200,
        &json!({
            "total_workload_count": all.len(),
            "conformance_summary": { "conformant_workload_count": conforming, "non_conformant_workload_count": 0, "workload_with_unknown_status_count": 0 },
            "performance_service_level_summary": { "managed_workload_count": conforming, "unmanaged_workload_count": all.len() - conforming },
            "space": { "size": size },
        }),
    )
}
