//! Resources with rules of their own.

use super::*;

#[test]
fn an_svm_comes_and_goes_with_what_belongs_to_it() {
    let mut lab = Lab::new();
    let place = lab.make("ontap", "/api/svm/svms", json!({
        "name": "s1", "aggregates": [{ "name": "aggr1" }], "nfs": { "allowed": true, "enabled": "true" }, "routes": [{ "gateway": "10.1.100.1" }],
        "ip_interfaces": [{ "name": "s1_mgmt", "ip": { "address": "10.1.100.50", "netmask": "255.255.255.0" }, "service_policy": "default-management",
            "location": { "broadcast_domain": { "name": "Default" }, "home_node": { "name": "cluster1-01" } } }],
    }));
    let svm = lab.get(&place);
    assert_eq!(
        (&svm["nfs"]["enabled"], &svm["state"], &svm["ip_interfaces"][0]["ip"]["address"]),
        (&json!(true), &json!("running"), &json!("10.1.100.50"))
    );
    assert_eq!(names(&lab.get("/api/storage/volumes?svm.name=s1")), ["s1_root"]);
    assert_eq!(lab.get("/api/network/ip/routes?svm.name=s1&gateway=10.1.100.1")["num_records"], 1);
    let service = json!({ "svm.name": "s1", "protocol.v3_enabled": true });
    let again = [0, 1].map(|_| lab.ask("ontap", "POST", "/api/protocols/nfs/services", &service).status);
    assert_eq!(again, [201, 409]);
    let volume = lab.volume("v1");
    assert_eq!(lab.ask("ontap", "DELETE", &place, &json!({})).refusal(), (409, "8"));
    lab.change("ontap", &volume, json!({ "state": "offline" }));
    let answer = lab.ask("ontap", "DELETE", &volume, &json!({}));
    lab.finish("ontap", &answer);
    let answer = lab.ask("ontap", "DELETE", &place, &json!({}));
    lab.finish("ontap", &answer);
    for table in [
        "storage/volumes",
        "network/ip/interfaces",
        "network/ip/routes",
        "protocols/nfs/services",
        "protocols/nfs/export-policies",
    ] {
        assert_eq!(lab.get(&format!("/api/{table}?svm.name=s1"))["num_records"], 0, "{table}");
    }
}

#[test]
fn a_volume_grows_moves_and_is_cloned() {
    let mut lab = Lab::with_svm();
    let place = lab.volume("v1");
    lab.change("ontap", &place, json!({ "size": "2GB" }));
    lab.ask("ontap", "POST", "/simulator/used", &json!({ "volume": "v1", "percent": 90 }));
    let volume = lab.get(&place);
    assert_eq!(
        (&volume["size"], &volume["space"]["size"], &volume["space"]["percent_used"]),
        (&json!(2_u64 << 30), &json!(2_u64 << 30), &json!(94))
    );
    let answer = lab.ask("ontap", "PATCH", &place, &json!({ "size": "1GB" }));
    lab.pass(2000);
    assert_eq!(lab.get(answer.job())["state"], "failure");
    lab.change("ontap", &place, json!({ "movement.destination_aggregate.name": "aggr2" }));
    assert_eq!(lab.get(&place)["aggregates"][0]["name"], "aggr2");
    let clone =
        json!({ "name": "c1", "svm.name": "s1", "clone": { "is_flexclone": true, "parent_volume": { "name": "v1" } } });
    let clone = lab.make("ontap", "/api/storage/volumes", clone);
    let seen = lab.get(&clone);
    assert_eq!((&seen["size"], &seen["clone"]["parent_volume"]["name"]), (&json!(2_u64 << 30), &json!("v1")));
    lab.change("ontap", &place, json!({ "state": "offline" }));
    assert_eq!(lab.ask("ontap", "DELETE", &place, &json!({})).refusal(), (409, "8"), "it has a clone");
    lab.change("ontap", &clone, json!({ "clone": { "split_initiated": true } }));
    let answer = lab.ask("ontap", "DELETE", &place, &json!({}));
    lab.finish("ontap", &answer);
}

#[test]
fn a_guaranteed_volume_needs_its_space() {
    let mut lab = Lab::with_svm();
    let body = json!({ "name": "big", "svm.name": "s1", "aggregates": [{ "name": "aggr1" }], "size": "11TB", "guarantee.type": "volume" });
    let answer = lab.ask("ontap", "POST", "/api/storage/volumes", &body);
    lab.pass(2000);
    let job = lab.get(answer.job());
    assert!(job["state"] == "failure" && job["message"].as_str().unwrap().contains("not enough space"), "{job}");
}

#[test]
fn names_follow_their_objects() {
    let mut lab = Lab::with_svm();
    let policy = lab.make("ontap", "/api/protocols/nfs/export-policies", json!({ "name": "old", "svm.name": "s1" }));
    let volume = lab.volume("v1");
    lab.change("ontap", &volume, json!({ "nas.export_policy.name": "old" }));
    lab.change("ontap", &policy, json!({ "name": "new" }));
    assert_eq!(lab.get(&volume)["nas"]["export_policy"]["name"], "new");
    assert_eq!(lab.ask("ontap", "DELETE", &policy, &json!({})).refusal(), (409, "8"));
}

#[test]
fn rules_of_an_export_policy_are_objects_of_their_own() {
    let mut lab = Lab::with_svm();
    let rule = |client: &str| json!({ "clients": [{ "match": client }], "ro_rule": ["sys"], "rw_rule": ["never"], "protocols": ["nfs3"] });
    let policy = lab.make(
        "ontap",
        "/api/protocols/nfs/export-policies",
        json!({ "name": "p", "svm.name": "s1", "rules": [rule("10.1.0.0/16")] }),
    );
    let added = lab.make("ontap", &format!("{policy}/rules"), rule("192.168.1.0/24"));
    assert_eq!(added, format!("{policy}/rules/2"));
    assert_eq!(lab.get(&policy)["rules"].as_array().map(Vec::len), Some(2));
    let refused = lab.ask(
        "ontap",
        "POST",
        &format!("{policy}/rules"),
        &json!({ "clients": [{ "match": "x" }], "ro_rule": ["maybe"], "rw_rule": ["sys"] }),
    );
    assert_eq!(refused.refusal(), (400, "262197"));
    assert_eq!(lab.ask("ontap", "DELETE", &added, &json!({})).status, 200);
    assert_eq!(lab.get(&format!("{policy}/rules"))["num_records"], 1);
}

#[test]
fn snapshots_qtrees_and_quotas_lie_in_a_volume() {
    let mut lab = Lab::with_svm();
    let volume = lab.volume("v1");
    let snapshot = lab.make("ontap", &format!("{volume}/snapshots"), json!({ "name": "before" }));
    assert_eq!((&lab.get(&snapshot)["volume"]["name"], &lab.get(&volume)["snapshot_count"]), (&json!("v1"), &json!(1)));
    lab.ask("ontap", "POST", "/simulator/used", &json!({ "volume": "v1", "percent": 50 }));
    lab.change("ontap", &volume, json!({ "restore_to": { "snapshot": { "name": "before" } } }));
    assert_eq!(lab.get(&volume)["space"]["used"], 0);
    let qtree =
        lab.make("ontap", "/api/storage/qtrees", json!({ "name": "q1", "svm.name": "s1", "volume.name": "v1" }));
    assert_eq!(qtree.split('/').count(), 6, "{qtree}");
    assert_eq!(lab.get(&qtree)["path"], "/v1/q1");
    let rule = |hard: u64| json!({ "svm.name": "s1", "volume.name": "v1", "type": "tree", "qtree.name": "q1", "space": { "hard_limit": hard, "soft_limit": 8 } });
    assert_eq!(lab.ask("ontap", "POST", "/api/storage/quota/rules", &rule(4)).status, 400);
    lab.make("ontap", "/api/storage/quota/rules", rule(10));
    assert_eq!(lab.ask("ontap", "POST", "/api/storage/quota/rules", &rule(10)).refusal(), (409, "1"));
    assert_eq!(lab.ask("ontap", "DELETE", &qtree, &json!({})).refusal(), (409, "8"));
}

#[test]
fn a_lun_is_mapped_once_and_not_deleted_while_it_is() {
    let mut lab = Lab::with_svm();
    lab.volume("v1");
    let group = json!({ "name": "ig", "svm.name": "s1", "os_type": "linux", "protocol": "iscsi", "initiators": [{ "name": "iqn.1994-05.com.redhat:host1" }] });
    let igroup = lab.make("ontap", "/api/protocols/san/igroups", group.clone());
    assert_eq!(lab.ask("ontap", "POST", "/api/protocols/san/igroups", &group).refusal(), (409, "5374733"));
    let lun = lab.make(
        "ontap",
        "/api/storage/luns",
        json!({ "name": "/vol/v1/lun1", "svm.name": "s1", "os_type": "linux", "space.size": "100GB" }),
    );
    let seen = lab.get(&lun);
    assert_eq!((&seen["location"]["volume"]["name"], &seen["status"]["mapped"]), (&json!("v1"), &json!(false)));
    let initiators = format!("{igroup}/initiators");
    lab.make("ontap", &initiators, json!({ "name": "iqn.1994-05.com.redhat:host2" }));
    let gone = format!("{initiators}/iqn.1994-05.com.redhat:host1");
    assert_eq!(lab.ask("ontap", "DELETE", &gone, &json!({})).status, 200);
    assert_eq!(names(&json!({ "records": lab.get(&igroup)["initiators"] })), ["iqn.1994-05.com.redhat:host2"]);
    let map = json!({ "svm.name": "s1", "lun.name": "/vol/v1/lun1", "igroup.name": "ig" });
    let place = lab.make("ontap", "/api/protocols/san/lun-maps", map.clone());
    assert_eq!(lab.get(&place)["logical_unit_number"], 0);
    assert_eq!(lab.ask("ontap", "POST", "/api/protocols/san/lun-maps", &map).refusal(), (409, "5374922"));
    assert_eq!(lab.ask("ontap", "DELETE", &lun, &json!({})).status, 409);
    assert_eq!(lab.ask("ontap", "DELETE", &igroup, &json!({})).status, 409);
    assert_eq!(lab.ask("ontap", "PATCH", &lun, &json!({ "space.size": "50GB" })).status, 400);
    assert_eq!(lab.ask("ontap", "DELETE", &place, &json!({})).status, 200);
    assert_eq!(lab.ask("ontap", "DELETE", &lun, &json!({})).status, 200);
}

#[test]
fn a_share_needs_a_path_that_is_mounted() {
    let mut lab = Lab::with_svm();
    lab.volume("v1");
    let share = |name: &str, path: &str| json!({ "name": name, "path": path, "svm.name": "s1" });
    assert_eq!(lab.ask("ontap", "POST", "/api/protocols/cifs/shares", &share("no", "/nowhere")).status, 400);
    let place = lab.make("ontap", "/api/protocols/cifs/shares", share("yes$ & more", "/v1/deep"));
    assert_eq!(lab.get(&place)["acls"][0]["user_or_group"], "Everyone");
    lab.make("ontap", &format!("{place}/acls"), json!({ "user_or_group": "ops", "permission": "read" }));
    assert_eq!(lab.get(&place)["acls"].as_array().map(Vec::len), Some(2));
}

#[test]
fn every_collection_of_the_table_can_be_listed() {
    let mut lab = Lab::new();
    for resource in crate::table::all() {
        serde_json::from_str::<Value>(resource.defaults).unwrap();
        if resource.parents().next().is_none() {
            let answer = lab.ask("ontap", "GET", &format!("/api{}?fields=*", resource.path), &Value::Null);
            assert_eq!(answer.status, 200, "{}", resource.path);
        }
    }
}
