//! What the clusters have from the start: nodes, aggregates, ports, addresses, policies, and a little data to work on.

use serde_json::{Value, json};

use crate::path;
use crate::site::Site;
use crate::world::{Cluster, World};

/// The connections that lead to the first cluster.
const FIRST: [&str; 2] = ["ontap", "cluster1"];
const TIB: u64 = 1 << 40;
const GIB: u64 = 1 << 30;

/// A world with `cluster1` and `cluster2`.
pub(crate) fn world() -> World {
    let mut world = World::new();
    for name in ["cluster1", "cluster2"] {
        add_cluster(&mut world, name);
    }
    world
}

/// The cluster of a connection. One that was never asked for is made.
pub(crate) fn cluster(world: &mut World, connection: &str) -> usize {
    if FIRST.contains(&connection) {
        return 0;
    }
    let known = world.clusters.iter().position(|cluster| cluster.connection == connection);
    known.unwrap_or_else(|| add_cluster(world, connection))
}

fn add_cluster(world: &mut World, name: &str) -> usize {
    let at = world.clusters.len();
    world.clusters.push(Cluster::new(name));
    let mut site = Site { world, at };
    let uuid = site.uuid();
    site.insert("/cluster", json!({
        "name": name, "uuid": uuid, "location": "the simulator", "contact": "storage@example.com",
        "version": { "full": "NetApp Release 9.17.1: Thu Sep 18 10:00:00 UTC 2025", "generation": 9, "major": 17, "minor": 1 },
        "dns_domains": ["example.com"], "name_servers": ["192.0.2.53"], "ntp_servers": ["192.0.2.123"],
        "timezone": { "name": "Etc/UTC" }, "san_optimized": false, "disaggregated": false,
    }));
    site.insert(crate::table::cluster::PERSONALITY, json!({ "ASA_R2": false, "UNIFIED": true }));
    add_network(&mut site);
    for number in 1..=2 {
        add_node(&mut site, name, number);
    }
    let management = format!("192.168.{}.10", at + 1);
    add_interface(&mut site, "cluster_mgmt", &management, "default-management", &format!("{name}-01"));
    add_policies(&mut site);
    add_events(&mut site, name);
    add_data(&mut site, if at == 0 { "svm_prod" } else { "svm_dr" });
    at
}

fn add_network(site: &mut Site<'_>) {
    for name in ["Default", "Cluster"] {
        let uuid = site.uuid();
        site.insert("/network/ipspaces", json!({ "name": name, "uuid": uuid }));
        let domain = site.uuid();
        let mtu = if name == "Cluster" { 9000 } else { 1500 };
        let ipspace = json!({ "name": name, "uuid": uuid });
        site.insert(
            "/network/ethernet/broadcast-domains",
            json!({ "name": name, "uuid": domain, "mtu": mtu, "ipspace": ipspace }),
        );
    }
}

fn add_node(site: &mut Site<'_>, cluster: &str, number: usize) {
    let (name, uuid) = (format!("{cluster}-0{number}"), site.uuid());
    let version = json!({ "full": "NetApp Release 9.17.1", "generation": 9, "major": 17, "minor": 1 });
    site.insert("/cluster/nodes", json!({
        "name": name, "uuid": uuid, "state": "up", "model": "SIMBOX", "serial_number": format!("4082368-50-{number}"), "version": version,
        "membership": "available", "uptime": 864_000, "location": "the simulator", "storage_configuration": "multi_path",
        "ha": { "enabled": true, "auto_giveback": true }, "controller": { "memory_size": 68_719_476_736_u64, "cpu": { "count": 8 } },
    }));
    let node = json!({ "name": name, "uuid": uuid });
    let domain = reference(site, "/network/ethernet/broadcast-domains", "Default");
    for port in ["e0a", "e0b", "e0c", "e0d", "e0M"] {
        let id = site.uuid();
        let mut record = json!({ "name": port, "uuid": id, "node": node, "type": "physical", "enabled": true, "state": "up", "mtu": 1500, "speed": 10_000 });
        path::set(&mut record, "broadcast_domain", domain.clone());
        path::set(&mut record, "broadcast_domain.ipspace", json!({ "name": "Default" }));
        site.insert("/network/ethernet/ports", record);
    }
    let id = site.uuid();
    site.insert("/storage/aggregates", json!({
        "name": format!("aggr{number}"), "uuid": id, "state": "online", "node": node, "home_node": node,
        "snaplock_type": "non_snaplock", "create_time": "2026-01-05T08:00:00+00:00", "space": { "block_storage": { "size": 10 * TIB } },
        "block_storage": { "primary": { "disk_count": 12, "disk_class": "solid_state", "raid_type": "raid_dp" }, "mirror": { "enabled": false } },
        "data_encryption": { "software_encryption_enabled": false },
    }));
    let third = site.at + 1;
    add_interface(
        site,
        &format!("{name}_mgmt"),
        &format!("192.168.{third}.{}", 10 + number),
        "default-management",
        &name,
    );
    add_interface(
        site,
        &format!("{name}_ic"),
        &format!("192.168.{third}.{}", 20 + number),
        "default-intercluster",
        &name,
    );
}

/// An address of the cluster's own.
fn add_interface(site: &mut Site<'_>, name: &str, address: &str, policy: &str, node: &str) {
    let (uuid, node) = (site.uuid(), reference(site, "/cluster/nodes", node));
    let (domain, ipspace) = (
        reference(site, "/network/ethernet/broadcast-domains", "Default"),
        reference(site, "/network/ipspaces", "Default"),
    );
    let port = json!({ "name": "e0c", "node": { "name": node["name"] } });
    site.insert("/network/ip/interfaces", json!({
        "name": name, "uuid": uuid, "enabled": true, "state": "up", "scope": "cluster", "vip": false, "ipspace": ipspace,
        "ip": { "address": address, "netmask": "24", "family": "ipv4" }, "service_policy": { "name": policy },
        "services": crate::table::network::services(policy),
        "location": { "home_node": node, "node": node, "home_port": port, "port": port, "broadcast_domain": domain, "is_home": true, "auto_revert": true },
    }));
}

fn reference(site: &Site<'_>, table: &str, name: &str) -> Value {
    let uuid = site.find(table, "name", name).map(|record| path::owned(record, "uuid"));
    json!({ "name": name, "uuid": uuid })
}

fn add_policies(site: &mut Site<'_>) {
    for (name, minutes, hours) in [
        ("5min", "*", ""),
        ("hourly", "5", ""),
        ("8hour", "15", "2,10,18"),
        ("daily", "10", "0"),
        ("weekly", "15", "0"),
    ] {
        let numbers = |text: &str| text.split(',').filter_map(|part| part.parse::<u64>().ok()).collect::<Vec<_>>();
        let every: Vec<u64> = if minutes == "*" { (0..60).step_by(5).collect() } else { numbers(minutes) };
        let mut cron = json!({ "minutes": every });
        if !hours.is_empty() {
            path::set(&mut cron, "hours", numbers(hours));
        }
        if name == "weekly" {
            path::set(&mut cron, "weekdays", vec![0]);
        }
        named(site, "/cluster/schedules", json!({ "name": name, "type": "cron", "scope": "cluster", "cron": cron }));
    }
    let copy = |count: u64, schedule: &str| json!({ "count": count, "prefix": schedule, "snapmirror_label": schedule, "schedule": { "name": schedule } });
    named(
        site,
        "/storage/snapshot-policies",
        json!({ "name": "default", "enabled": true, "scope": "cluster",
        "comment": "Default policy with hourly, daily & weekly schedules.", "copies": [copy(6, "hourly"), copy(2, "daily"), copy(2, "weekly")] }),
    );
    named(
        site,
        "/storage/snapshot-policies",
        json!({ "name": "none", "enabled": true, "scope": "cluster", "comment": "Policy for no automatic snapshots.", "copies": [] }),
    );
    for (name, kind) in [
        ("Asynchronous", "async"),
        ("MirrorAllSnapshots", "async"),
        ("MirrorAndVault", "async"),
        ("MirrorLatest", "async"),
        ("XDPDefault", "async"),
        ("Unified7year", "async"),
        ("Synchronous", "sync"),
        ("StrictSync", "sync"),
    ] {
        named(
            site,
            "/snapmirror/policies",
            json!({ "name": name, "type": kind, "scope": "cluster", "throttle": 0, "network_compression_enabled": false }),
        );
    }
    for (name, iops) in [("value-fixed", 1000), ("performance-fixed", 15_000), ("extreme-fixed", 50_000)] {
        named(
            site,
            "/storage/qos/policies",
            json!({ "name": name, "policy_class": "preset", "scope": "cluster", "object_count": 0,
            "fixed": { "max_throughput_iops": iops, "min_throughput_iops": 0, "capacity_shared": false } }),
        );
    }
    for name in ["nfs", "cifs", "iscsi", "fcp", "snapmirror", "snaprestore", "flexclone", "snapmirror_sync", "s3"] {
        site.insert("/cluster/licensing/licenses", json!({ "name": name, "scope": "site", "state": "compliant",
            "licenses": [{ "installed_license": "ONTAP One", "serial_number": "1-80-000011", "active": true, "evaluation": false }] }));
    }
}

fn named(site: &mut Site<'_>, table: &'static str, mut record: Value) {
    let uuid = site.uuid();
    path::set(&mut record, "uuid", uuid);
    site.insert(table, record);
}

fn add_events(site: &mut Site<'_>, cluster: &str) {
    let events = [
        ("callhome.reboot.normal", "notice", "Call home for REBOOT"),
        ("wafl.vol.nearlyFull", "error", "Volume archive is nearly full"),
    ];
    for (index, (name, severity, message)) in (1_u64..).zip(events) {
        site.insert("/support/ems/events", json!({
            "index": index, "node": reference(site, "/cluster/nodes", &format!("{cluster}-01")), "time": "2026-11-21T06:00:00+00:00",
            "message": { "name": name, "severity": severity }, "log_message": format!("{name}: {message}."), "source": "simulator",
        }));
    }
}

/// An SVM with two volumes, so that there is something to grow, copy and peer.
fn add_data(site: &mut Site<'_>, svm: &str) {
    let mut record = json!({ "name": svm, "aggregates": [{ "name": "aggr1" }, { "name": "aggr2" }], "nfs": { "allowed": true, "enabled": true } });
    let uuid = site.uuid();
    path::set(&mut record, "uuid", uuid);
    // What is made here is right by construction: a refusal would be a mistake of this file, and the tests would show it.
    if crate::table::svm::found(site, record).is_err() || svm != "svm_prod" {
        return;
    }
    let owner = reference(site, "/svm/svms", svm);
    for (name, gib, percent) in [("projects", 100, 40), ("archive", 50, 93)] {
        let mut volume = crate::table::volume::plain(site, &owner, name, gib * GIB);
        path::set(&mut volume, "nas.path", format!("/{name}"));
        path::set(&mut volume, "~used", gib * GIB / 100 * percent);
        site.insert("/storage/volumes", volume);
    }
}
