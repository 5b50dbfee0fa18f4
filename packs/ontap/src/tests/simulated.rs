//! The actions against the simulated clusters: every kind of object from its making to its end, and every fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use runner_sdk::http;
use runner_sdk::prelude::{Result, Value, json};
use runner_sdk::serde_json;
use runner_sdk::testing::Host;

use crate::action;

/// Later than any job takes.
const LATER_MS: u64 = 60_000;

/// Simulated clusters, and their clock.
struct World {
    clock: Arc<AtomicU64>,
}

impl World {
    /// Runs a test with new clusters.
    fn with(test: impl FnOnce(&Self)) {
        let world = Self { clock: Arc::new(AtomicU64::new(1_795_257_960_000)) };
        let clock = world.clock.clone();
        let clusters = pack_ontap_simulator::with_clock(move || clock.load(Ordering::Relaxed));
        Host::new().simulate("ontap", clusters).inside(|| test(&world));
    }

    fn act(&self, name: &str, input: &Value) -> Result<Value> {
        Ok(serde_json::from_str(&action::run(name, &given(input))?)?)
    }

    /// Does it, waits for its job, and gives the result.
    fn done(&self, name: &str, input: &Value) -> Value {
        let output = self.act(name, input).unwrap_or_else(|failure| panic!("{name} {input}: {failure}"));
        self.pass(LATER_MS);
        let checked = self.act("check_job", &json!({ "job": output["job"] }));
        assert_eq!(checked.unwrap_or_else(|failure| panic!("{name} {input}: {failure}"))["done"], true, "{name}");
        output
    }

    fn pass(&self, millis: u64) {
        self.clock.fetch_add(millis, Ordering::Relaxed);
    }

    fn fault(&self, fault: &Value) {
        assert!(http::post("ontap", "/simulator/faults").json(fault).send().unwrap().is_success());
    }
}

/// The input with the connection that the host would add.
fn given(input: &Value) -> String {
    let mut input = input.clone();
    if let Some(map) = input.as_object_mut() {
        map.entry("connection").or_insert_with(|| json!("ontap"));
    }
    input.to_string()
}

/// Makes it twice, reads it in every way, and says which of it there is.
fn lives(world: &World, kind: &str, plural: &str, identity: &Value, more: &Value) {
    let mut input = identity.clone();
    crate::body::merge(&mut input, more);
    let made = world.done(&format!("create_{kind}"), &input);
    assert_eq!((&made["changed"], &made["created"]), (&json!(true), &json!(true)), "{kind}");
    let again = world.done(&format!("create_{kind}"), &input);
    assert_eq!((&again["changed"], &again["job"]), (&json!(false), &Value::Null), "{kind}: {again}");
    let got = world.act(&format!("get_{kind}"), identity).unwrap();
    assert!(got["record"].is_object(), "{kind}");
    let found = world.act(&format!("find_{kind}"), identity).unwrap();
    assert_eq!(found["found"], true, "{kind}");
    let listed = world.act(&format!("list_{plural}"), identity).unwrap();
    assert_eq!((&listed["num_records"], &listed["complete"]), (&json!(1), &json!(true)), "{kind}");
}

fn ends(world: &World, kind: &str, identity: &Value) {
    let deleted = world.done(&format!("delete_{kind}"), identity);
    assert_eq!(deleted["changed"], true, "{kind}");
    let again = world.done(&format!("delete_{kind}"), identity);
    assert_eq!(again["changed"], false, "{kind}");
    assert_eq!(world.act(&format!("get_{kind}"), identity).unwrap_err().code, "not-found", "{kind}");
}

#[test]
fn every_kind_of_object_is_made_once_read_changed_and_removed() {
    let volume = json!({ "name": "v1", "svm": "s1" });
    let within = |name: &str| json!({ "name": name, "volume": "v1", "svm": "s1" });
    let of_svm = |name: &str| json!({ "name": name, "svm": "s1" });
    let aggregates = json!({ "aggregates": ["aggr1"] });
    World::with(|world| {
        lives(
            world,
            "svm",
            "svms",
            &json!({ "name": "s1" }),
            &json!({ "aggregates": ["aggr1"], "iscsi_enabled": true }),
        );
        let rows = [
            ("nfs_service", "nfs_services", json!({ "svm": "s1" }), json!({ "enabled": true })),
            (
                "ip_interface",
                "ip_interfaces",
                of_svm("lif1"),
                json!({ "address": "10.0.0.9", "netmask": "24", "home_node": "cluster1-01", "service_policy": "default-data-files" }),
            ),
            ("route", "routes", json!({ "gateway": "10.0.0.1", "svm": "s1" }), json!({})),
            ("export_policy", "export_policies", of_svm("p1"), json!({})),
            (
                "export_rule",
                "export_rules",
                json!({ "policy": "p1", "svm": "s1", "client": "10.1.0.0/16" }),
                json!({ "ro_rule": ["sys"], "rw_rule": ["sys"] }),
            ),
            (
                "snapshot_policy",
                "snapshot_policies",
                json!({ "name": "gold" }),
                json!({ "copies": [{ "schedule": { "name": "hourly" }, "count": 5 }], "enabled": true }),
            ),
            (
                "volume",
                "volumes",
                volume.clone(),
                json!({ "size": "1GB", "aggregates": ["aggr1"], "junction_path": "/v1", "export_policy": "p1" }),
            ),
            ("snapshot", "snapshots", within("before"), json!({ "comment": "c" })),
            ("qtree", "qtrees", within("q1"), json!({ "security_style": "unix" })),
            (
                "quota_rule",
                "quota_rules",
                json!({ "volume": "v1", "svm": "s1", "type": "tree", "qtree": "q1" }),
                json!({ "space_hard_limit": "1MB" }),
            ),
            (
                "igroup",
                "igroups",
                of_svm("hosts"),
                json!({ "os_type": "linux", "protocol": "iscsi", "initiators": ["iqn.1998-01.com.vmware:a"] }),
            ),
            ("lun", "luns", of_svm("/vol/v1/l1"), json!({ "os_type": "linux", "size": "10MB" })),
            ("lun_map", "lun_maps", json!({ "lun": "/vol/v1/l1", "igroup": "hosts", "svm": "s1" }), json!({})),
        ];
        for (kind, plural, identity, more) in &rows {
            lives(world, kind, plural, identity, more);
        }
        for (kind, identity, change) in [
            ("volume", &volume, json!({ "comment": "x" })),
            ("snapshot", &within("before"), json!({ "comment": "other" })),
            ("qtree", &within("q1"), json!({ "security_style": "mixed" })),
            ("svm", &json!({ "name": "s1" }), json!({ "comment": "x" })),
            ("ip_interface", &of_svm("lif1"), json!({ "enabled": false })),
            ("export_policy", &of_svm("p1"), json!({ "new_name": "p1" })),
            ("lun", &of_svm("/vol/v1/l1"), json!({ "size": "20MB" })),
            ("igroup", &of_svm("hosts"), json!({ "comment": "x" })),
        ] {
            let mut input = identity.clone();
            crate::body::merge(&mut input, &change);
            let update = format!("update_{kind}");
            assert_eq!(world.done(&update, &input)["changed"], kind != "export_policy", "{kind}");
            assert_eq!(world.done(&update, &input)["changed"], false, "{kind}");
        }
        for (kind, _, identity, _) in rows.iter().rev() {
            if *kind == "volume" {
                world.done("unmount_volume", identity);
                world.done("offline_volume", identity);
            }
            ends(world, kind, identity);
        }
        ends(world, "svm", &json!({ "name": "s1" }));
        assert_eq!(world.act("list_aggregates", &aggregates).unwrap()["num_records"], 2);
    });
}

#[test]
fn a_volume_is_resized_cloned_moved_and_taken_offline_once() {
    let volume = |more: Value| {
        let mut input = json!({ "name": "projects", "svm": "svm_prod" });
        crate::body::merge(&mut input, &more);
        input
    };
    World::with(|world| {
        for (name, more) in [
            ("resize_volume", json!({ "size": "200GB" })),
            ("move_volume", json!({ "aggregate": "aggr2" })),
            ("unmount_volume", json!({})),
            ("mount_volume", json!({ "junction_path": "/other" })),
            ("offline_volume", json!({})),
            ("online_volume", json!({})),
        ] {
            assert_eq!(world.done(name, &volume(more.clone()))["changed"], true, "{name}");
            assert_eq!(world.done(name, &volume(more))["changed"], false, "{name}");
        }
        let clone = json!({ "name": "c1", "svm": "svm_prod", "parent": "projects" });
        assert_eq!(world.done("clone_volume", &clone)["created"], true);
        assert_eq!(world.done("clone_volume", &clone)["changed"], false);
        let by = |page: Value| world.act("list_volumes", &json!({ "svm": "svm_prod", "max_records": page })).unwrap();
        assert_eq!(by(json!(1))["records"], by(Value::Null)["records"], "the pages are followed");
        assert!(by(json!(1))["num_records"].as_u64() > Some(2));
    });
}

#[test]
fn what_passes_by_itself_is_worth_another_try_and_makes_nothing_twice() {
    let volume = json!({ "name": "v1", "svm": "svm_prod", "size": "1GB", "aggregates": ["aggr1"] });
    for (fault, code) in [
        (json!({ "kind": "unavailable", "method": "POST", "path": "/api/storage/volumes" }), "13001"),
        (json!({ "kind": "throttled", "method": "POST", "path": "/api/storage/volumes" }), "13001"),
        (json!({ "kind": "locked", "method": "POST", "path": "/api/storage/volumes" }), "2621573"),
        (json!({ "kind": "drop_before", "method": "POST", "path": "/api/storage/volumes" }), "E-NET-0009"),
        (json!({ "kind": "drop_after", "method": "POST", "path": "/api/storage/volumes" }), "E-NET-0009"),
    ] {
        World::with(|world| {
            world.fault(&fault);
            let failure = world.act("create_volume", &volume).unwrap_err();
            assert_eq!((failure.code.as_str(), failure.retryable), (code, true), "{fault}");
            world.pass(LATER_MS);
            let made = world.done("create_volume", &volume);
            assert_eq!(made["changed"], fault["kind"] != "drop_after", "{fault}");
            let list = world.act("list_volumes", &json!({ "name": "v1" })).unwrap();
            assert_eq!(list["num_records"], 1, "{fault}");
        });
    }
}

#[test]
fn a_job_that_fails_is_a_failure_and_one_that_is_gone_is_told_by_its_object() {
    let volume = json!({ "name": "v1", "svm": "svm_prod", "size": "1GB", "aggregates": ["aggr1"] });
    World::with(|world| {
        world.fault(&json!({ "kind": "job_failure", "message": "no space in the aggregate", "code": 917_831 }));
        let job = world.act("create_volume", &volume).unwrap()["job"].clone();
        world.pass(LATER_MS);
        let failure = world.act("check_job", &json!({ "job": job })).unwrap_err();
        assert_eq!((failure.code.as_str(), failure.retryable), ("917831", false));
        assert!(failure.message.contains("no space in the aggregate"), "{failure}");
    });
    World::with(|world| {
        world.fault(&json!({ "kind": "job_gone" }));
        let job = world.act("create_volume", &volume).unwrap()["job"].clone();
        world.pass(LATER_MS);
        assert_eq!(world.act("check_job", &json!({ "job": job })).unwrap()["state"], "gone");
    });
    World::with(|world| {
        let job = world.act("create_volume", &volume).unwrap()["job"].clone();
        // ONTAP forgets a job 300 seconds after its end.
        world.pass(1_000_000);
        world.act("list_volumes", &json!({})).unwrap();
        world.pass(1_000_000);
        assert_eq!(world.act("check_job", &json!({ "job": job })).unwrap()["state"], "gone");
    });
}
