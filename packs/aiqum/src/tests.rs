//! The actions against the simulated Unified Manager, and their metadata against them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use pack_aiqum_simulator::{Aiqum, aiqum};
use runner_sdk::prelude::*;
use runner_sdk::simulator::{Request, Simulator};
use runner_sdk::testing::{Host, Run, Testable};

use super::*;

mod datasource;
mod igroup;

/// A moment from which tests count.
const START: u64 = 1_795_000_000_000;

/// Unified Manager, which goes on from one action to the next.
struct Um {
    aiqum: Rc<RefCell<Aiqum>>,
    now: u64,
}

impl Um {
    fn new() -> Self {
        Self { aiqum: Rc::new(RefCell::new(aiqum())), now: START }
    }

    fn host(&self) -> Host {
        let aiqum = Rc::clone(&self.aiqum);
        Host::new().now_ms(self.now).simulate("aiqum", move |request: &Request| aiqum.borrow_mut().handle(request))
    }

    /// Runs an action with the connection added to its input.
    fn run<I>(&self, action: impl Testable<I>, mut input: Value) -> Run {
        input["connection"] = json!("aiqum");
        self.host().run(action, input)
    }

    /// Lets something happen to the simulator itself.
    fn control(&self, path: &str, body: &Value) {
        let mut request = Request::new("POST", path);
        request.body = body.to_string().into_bytes();
        let aiqum = Rc::clone(&self.aiqum);
        let _ = self.host().inside(move || aiqum.borrow_mut().handle(&request));
    }

    fn pass(&mut self, seconds: u64) {
        self.now += seconds * 1000;
    }

    /// Makes an SVM and waits until it is seen; its key.
    fn svm(&mut self) -> Value {
        let written = self.run(submit_svm, submit("cluster1")).output();
        assert_eq!(written["changed"], true);
        self.pass(10);
        let done = self.run(check_job, json!({ "job": written["job"] })).output();
        assert_eq!((&done["done"], &done["status"]), (&json!(true), &json!("normal")));
        self.pass(5);
        done["results"]["svmKey"].clone()
    }
}

fn submit(cluster: &str) -> Value {
    json!({ "name": "svm1", "cluster_key": cluster, "aggregates": ["aggr1"], "protocols": ["nfs"], "ip_interfaces": [], "routes": [], "language": "c.utf_8" })
}

fn share(svm: &Value) -> Value {
    json!({ "name": "docs", "size": "50GB", "svm_key": svm, "performance_service_level": "Value", "acl": [] })
}

fn methods(run: &Run) -> Vec<&str> {
    run.requests.iter().map(|request| request.method.as_str()).filter(|method| *method != "GET").collect()
}

#[test]
fn every_action_has_its_metadata_and_every_metadata_its_action() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("actions");
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let described: BTreeSet<_> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let exported: BTreeSet<_> = ACTIONS.iter().map(|action| action.name.to_owned()).collect();
    assert_eq!(described, exported);
}

#[test]
fn a_cluster_is_well_if_all_of_its_nodes_are() {
    let um = Um::new();
    let health = um.run(check_cluster_health, json!({ "cluster_key": "cluster1" })).output();
    assert_eq!((&health["healthy"], &health["summary"]), (&json!(true), &json!("all 2 nodes of cluster1 are healthy")));
    let by_key = um.run(get_cluster, json!({ "cluster_key": health["cluster_key"] })).output();
    assert_eq!(by_key["name"], "cluster1");
    um.control("/simulator/rules", &json!({ "unhealthy_nodes": ["cluster1-02"] }));
    let health = um.run(check_cluster_health, json!({ "cluster_key": "cluster1" })).output();
    assert_eq!((&health["healthy"], &health["unhealthy_nodes"]), (&json!(false), &json!(["cluster1-02"])));
    assert_eq!(um.run(list_nodes, json!({ "cluster_key": "cluster1" })).output()["num_records"], 2);
}

#[test]
fn a_cluster_that_is_not_watched_is_a_clear_failure() {
    let failure = Um::new().run(get_cluster, json!({ "cluster_key": "cluster9" })).failure();
    assert_eq!(failure.code, "cluster-not-found");
    assert_eq!(failure.message, "Unified Manager watches no cluster `cluster9`, only `cluster1`, `cluster2`");
}

#[test]
fn the_aggregate_with_the_most_room_is_picked() {
    let um = Um::new();
    let pick = |least: &str, name: Value, strategy: &str| {
        um.run(
            pick_aggregate,
            json!({ "cluster_key": "cluster1", "min_available": least, "aggregate_name": name, "strategy": strategy }),
        )
    };
    let best = pick("10GB", Value::Null, "most_free").output();
    let all =
        um.run(list_aggregates, json!({ "cluster_key": "cluster1", "state": "online", "min_available": 0 })).output();
    assert_eq!(all["aggregates"][0], best);
    assert_eq!(all["aggregates"].as_array().unwrap().len(), 2);
    assert_eq!(pick("10GB", json!("aggr1"), "most_free").output()["name"], "aggr1");
    assert_eq!(pick("10GB", Value::Null, "data_placement").output()["name"], best["name"]);
    let failure = pick("900TB", Value::Null, "most_free").failure();
    assert!(failure.code == "no-aggregate" && failure.message.contains("`aggr1` is online with"), "{failure}");
    assert_eq!(pick("10GB", json!("aggr9"), "most_free").failure().code, "no-aggregate");
}

#[test]
fn an_svm_is_asked_for_once() {
    let mut um = Um::new();
    let svm = um.svm();
    let again = um.run(submit_svm, submit("cluster1"));
    assert!(methods(&again).is_empty());
    assert_eq!(again.output(), json!({ "changed": false, "key": svm, "job": null }));
    // Also if Unified Manager has not seen it yet.
    um.control("/simulator/rules", &json!({ "acquisition_ms": 600_000 }));
    let other = json!({ "name": "svm2", "cluster_key": "cluster1", "aggregates": [], "protocols": [], "ip_interfaces": [], "routes": [] });
    assert_eq!(um.run(submit_svm, other.clone()).output()["changed"], true);
    um.pass(20);
    assert_eq!(um.run(find_svm, json!({ "name": "svm2", "cluster_key": "cluster1" })).output()["found"], false);
    assert_eq!(um.run(submit_svm, other).output()["changed"], false);
}

#[test]
fn a_job_that_failed_says_why() {
    let mut um = Um::new();
    um.control("/simulator/faults", &json!({ "kind": "job_failure", "message": "The licence is missing." }));
    let written = um.run(submit_svm, submit("cluster1")).output();
    assert_eq!(um.run(check_job, json!({ "job": written["job"] })).output()["done"], false);
    um.pass(10);
    let failure = um.run(check_job, json!({ "job": written["job"] })).failure();
    assert_eq!(failure.code, "job-failed");
    assert!(failure.message.ends_with("ended with the status error: The licence is missing"), "{failure}");
}

#[test]
fn a_job_that_is_forgotten_is_done_when_what_it_makes_is_there() {
    let mut um = Um::new();
    um.control("/simulator/faults", &json!({ "kind": "job_gone" }));
    let written = um.run(submit_svm, submit("cluster1")).output();
    let progress = um.run(check_job, json!({ "job": written["job"] })).output();
    assert_eq!((&progress["done"], &progress["state"]), (&json!(false), &json!("gone")));
    // Its time comes, and with the next look at the cluster what it made is seen.
    um.pass(10);
    assert_eq!(um.run(system_info, json!({})).requests.len(), 1);
    um.pass(10);
    let progress = um.run(check_job, json!({ "job": written["job"] })).output();
    assert_eq!(progress["done"], true);
    assert!(progress["results"]["svmKey"].as_str().unwrap().contains(":type=vserver,"));
    let bare = um.run(check_job, json!({ "job_key": written["job"]["key"] })).failure();
    assert_eq!(bare.code, "job-gone");
    assert_eq!(um.run(check_job, json!({ "job": null })).output()["done"], true);
}

#[test]
fn what_is_only_planned_has_no_job_and_the_steps_after_it_go_on() {
    let um = Um::new();
    let key = um.run(get_cluster, json!({ "cluster_key": "cluster1" })).output()["key"].clone();
    let written = job::Written::making(
        &json!({ "name": "svm1", "uuid": "u-1" }),
        job::Made { cluster: "c-1", kind: "vserver", result: "svmKey", path: "/", query: Value::Null },
    );
    let written = written.unwrap();
    assert_eq!((written.key.as_deref(), written.job), (Some("c-1:type=vserver,uuid=u-1"), None));
    let svm = format!("{}:type=vserver,uuid=u-1", key.as_str().unwrap().split(':').next().unwrap());
    let root = |style: &str| um.run(set_root_volume, json!({ "svm_key": svm, "security_style": style }));
    assert_eq!(root("unix").output()["changed"], false);
    assert_eq!(root("ntfs").failure().code, "no-root-volume");
}

#[test]
fn an_interface_is_made_once_and_deleted_only_if_told_to() {
    let mut um = Um::new();
    let svm = um.svm();
    let interface = |address: &str| json!({ "svm_key": svm, "name": "svm1_mgmt", "ip_address": address, "netmask": "255.255.255.0", "port_name": "e0c", "service_policy": "default-management" });
    let made = um.run(create_interface, interface("10.1.100.50")).output();
    assert_eq!((&made["changed"], &made["interface"]["node"]), (&json!(true), &json!("cluster1-01")));
    assert_eq!(um.run(create_interface, interface("10.1.100.50")).output()["changed"], false);
    assert_eq!(um.run(create_interface, interface("10.1.100.99")).failure().code, "interface-differs");
    let delete = |only_if: bool| {
        um.run(delete_interface, json!({ "svm_key": svm, "name": "svm1_mgmt", "only_if": only_if })).output()
    };
    assert_eq!([delete(false), delete(true), delete(true)].map(|gone| gone["changed"] == true), [false, true, false]);
}

#[test]
fn an_export_policy_gets_the_rules_that_it_lacks() {
    let mut um = Um::new();
    let svm = um.svm();
    let rule =
        |client: &str| json!({ "clients": [client], "protocols": ["nfs3"], "ro_rule": ["sys"], "rw_rule": ["sys"] });
    let policy =
        |rules: Value| um.run(create_export_policy, json!({ "svm_key": svm, "name": "p1", "rules": rules })).output();
    let made = policy(json!([rule("10.1.0.0/16")]));
    assert_eq!((&made["changed"], &made["created"]), (&json!(true), &json!(true)));
    assert_eq!(policy(json!([rule("10.1.0.0/16")]))["changed"], false);
    let added = policy(json!([rule("10.1.0.0/16"), rule("10.2.0.0/16")]));
    assert_eq!((&added["created"], added["added_rules"].as_array().unwrap().len()), (&json!(false), 1));
    um.pass(5);
    let seen = um.run(list_export_policies, json!({ "svm_key": svm, "name": "p1" })).output();
    assert_eq!(seen["records"][0]["rules"].as_array().unwrap().len(), 2);
    let undo = json!({ "svm_key": svm, "name": "p1", "whole": false, "rules": added["added_rules"] });
    assert_eq!(um.run(delete_export_policy, undo).output()["changed"], true);
    let whole = json!({ "svm_key": svm, "name": "p1", "whole": true, "rules": [] });
    assert_eq!(um.run(delete_export_policy, whole.clone()).output()["changed"], true);
    assert_eq!(um.run(delete_export_policy, whole).output()["changed"], false);
}

#[test]
fn a_share_is_made_changed_styled_and_discarded() {
    let mut um = Um::new();
    let svm = um.svm();
    let written = um.run(create_file_share, share(&svm)).output();
    um.pass(10);
    let key = um.run(check_job, json!({ "job": written["job"] })).output()["results"]["fileshareKey"].clone();
    um.pass(5);
    assert_eq!(um.run(create_file_share, share(&svm)).output(), json!({ "changed": false, "key": key, "job": null }));
    assert_eq!(um.run(get_file_share, json!({ "share_key": key })).output()["mountpoint"], "/docs");
    let update = |more: Value| {
        let mut input = json!({ "share_key": key });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        um.run(update_file_share, input)
    };
    assert_eq!(update(json!({ "size": "50GB" })).output()["changed"], false);
    assert_eq!(update(json!({ "size": "60GB", "name": "x" })).failure().code, "bad-input");
    assert_eq!(update(json!({ "size": "60GB" })).output()["changed"], true);
    let apply = |name: &str| um.run(apply_export_policy, json!({ "share_key": key, "export_policy_name": name }));
    assert_eq!(apply("default").output()["changed"], false);
    let failure = apply("nothing").failure();
    assert_eq!((failure.code.as_str(), failure.retryable), ("export-policy-not-found", true));
    let style = |mode: &str| {
        um.run(set_volume_style, json!({ "share_key": key, "unix_permissions": mode, "security_style": "unix" }))
            .output()
    };
    assert_eq!(style("750")["changed"], true);
    assert_eq!(style("750")["changed"], false);
    assert_eq!(um.run(verify_nfs, json!({ "svm_key": svm })).output()["nfs"]["enabled"], true);
    let discard = || um.run(discard_file_share, json!({ "svm_key": svm, "name": "docs", "only_if": true })).output();
    assert_eq!([discard(), discard()].map(|gone| gone["changed"] == true), [true, false]);
}

#[test]
fn a_lun_an_endpoint_a_level_and_an_event_are_written_once() {
    let mut um = Um::new();
    let svm = um.svm();
    let lun = json!({ "name": "lun1", "size": "10GB", "svm_key": svm, "os_type": "linux", "performance_service_level": "Performance", "igroups": [] });
    let written = um.run(create_lun, lun.clone()).output();
    um.pass(10);
    let key = um.run(check_job, json!({ "job": written["job"] })).output()["results"]["lunKey"].clone();
    um.pass(5);
    assert_eq!(um.run(create_lun, lun).output()["changed"], false);
    assert_eq!(um.run(expand_lun, json!({ "lun_key": key, "size": "5GB" })).output()["changed"], false);
    assert_eq!(um.run(expand_lun, json!({ "lun_key": key, "size": "20GB" })).output()["changed"], true);
    um.pass(10);
    assert_eq!(um.run(delete_lun, json!({ "lun_key": key })).output()["changed"], true);

    let endpoint =
        json!({ "resource_key": svm, "address": "10.1.100.60", "netmask": "255.255.255.0", "data_protocols": ["nfs"] });
    assert_eq!(um.run(create_access_endpoint, endpoint.clone()).output()["changed"], true);
    um.pass(10);
    assert_eq!(um.run(create_access_endpoint, endpoint).output()["changed"], false);

    let level = json!({ "name": "gold", "expected_iops_per_tb": 1000, "peak_iops_per_tb": 2000, "absolute_min_iops": 75, "expected_latency": 2.0 });
    assert_eq!(
        [um.run(create_psl, level.clone()), um.run(create_psl, level)].map(|run| run.output()["changed"] == true),
        [true, false]
    );

    let event = um.run(list_events, json!({ "filter": { "current_state": "new" }, "limit": 1 })).output()["records"][0]
        ["key"]
        .clone();
    let acknowledge = || um.run(acknowledge_event, json!({ "event_key": event })).output()["changed"] == true;
    assert_eq!([acknowledge(), acknowledge()], [true, false]);
    let assign = || um.run(assign_event, json!({ "event_key": event, "user": "ada" })).output()["changed"] == true;
    assert_eq!([assign(), assign()], [true, false]);
}

#[test]
fn failures_say_what_to_do_and_whether_to_try_again() {
    let um = Um::new();
    for (fault, code, retryable) in [
        (json!({ "kind": "unavailable" }), "http-503", true),
        (json!({ "kind": "throttled" }), "http-429", true),
        (json!({ "kind": "refused" }), "http-403", false),
        (json!({ "kind": "refused", "status": 500 }), "http-500", true),
        (json!({ "kind": "locked" }), "2621573", true),
    ] {
        um.control("/simulator/faults", &fault);
        let failure = um.run(system_info, json!({})).failure();
        assert_eq!((failure.code.as_str(), failure.retryable), (code, retryable), "{fault}: {failure}");
    }
    um.control("/simulator/faults", &json!({ "kind": "refused" }));
    let failure = um.run(system_info, json!({})).failure();
    assert!(failure.message.contains("needs the role Storage Administrator"), "{failure}");
}

#[test]
fn the_gateway_leads_to_ontap() {
    let um = Um::new();
    let cluster = um.run(get_cluster, json!({ "cluster_key": "cluster2" })).output();
    for uuid in [&cluster["uuid"], &cluster["key"]] {
        let input =
            json!({ "cluster_uuid": uuid, "method": "GET", "path": "/api/cluster", "query": { "fields": "name" } });
        let answer = um.run(gateway::gateway, input).output();
        assert_eq!((&answer["status"], &answer["body"]["name"]), (&json!(200), &json!("cluster2")));
    }
}
