//! The document's own script, call by call: its SVM, its interfaces, its export policy, its share.

use super::*;

#[test]
fn the_documents_script_runs_from_beginning_to_end() {
    let mut um = Um::new();
    assert_eq!(um.ask("POST", "/simulator/dialect", &json!({ "dialect": "seed" })).0, 200);
    script(&mut um, "");
}

#[test]
fn the_documents_own_cluster_is_the_first_one() {
    let mut um = Um::new();
    let cluster = um.get("/seed/api/v2/datacenter/cluster/clusters/cluster-12345-abcde");
    assert_eq!((&cluster["name"], &cluster["state"]), (&json!("cluster1"), &json!("up")));
    let aggregates = "/seed/api/v2/datacenter/storage/aggregates?query=cluster.key%3Acluster-12345-abcde";
    assert_eq!(um.get(aggregates)["num_records"], 2);
    let body = json!({ "name": "a", "cluster": { "key": "cluster-12345-abcde" }, "allowed_protocols": ["nfs"] });
    assert_eq!(um.ask("POST", "/seed/api/v2/datacenter/svm/svms", &body).0, 202);
    assert_eq!(um.ask("POST", "/api/v2/datacenter/svm/svms", &body).0, 400);
}

#[test]
fn a_base_path_switches_the_dialect_for_one_client() {
    let mut um = Um::new();
    script(&mut um, "/seed");
    assert!(um.first("/api/v2/datacenter/cluster/clusters").get("state").is_none());
}

fn script(um: &mut Um, base: &str) {
    let api = format!("{base}/api/v2");
    let own = um.first(&format!("{api}/datacenter/cluster/clusters"))["key"].clone();
    let cluster = um.get(&format!("{api}/datacenter/cluster/clusters/{}?fields=name,state,health,version", key(&own)));
    assert_eq!(cluster["state"], "up");
    let query = format!("query=cluster.key%3A{}&fields=name,key,space.size,space.available,state", key(&own));
    let aggregates = um.get(&format!("{api}/datacenter/storage/aggregates?{query}"));
    assert_eq!(aggregates["num_records"], 2);
    let best = &aggregates["records"][0];
    assert!(best["state"] == "online" && best["space"]["available"].as_u64().unwrap() > 10_737_418_240);

    let body = json!({ "name": "production_nfs_svm", "cluster": { "key": own }, "state": "running", "subtype": "default", "language": "c.utf_8",
        "security_style": "unix", "allowed_protocols": ["nfs"], "aggregates": [{ "name": best["name"] }] });
    let (status, made) = um.ask("POST", &format!("{api}/datacenter/svm/svms"), &body);
    assert_eq!(status, 202, "{made}");
    let job = format!("{api}/management-server/jobs/{}", key(&made["job"]["uuid"]));
    assert_eq!(um.get(&job)["state"], "queued");
    um.pass(10);
    assert_eq!(um.get(&job)["state"], "success");

    let svm = format!("{api}/datacenter/svm/svms/{}", key(&made["svm_key"]));
    for (name, address, port, policy) in
        [("mgmt", "10.1.100.50", "e0c", "default-management"), ("data", "10.1.100.51", "e0d", "default-data-files")]
    {
        let body = json!({ "name": format!("production_nfs_svm_{name}"), "ip": { "address": address, "netmask": "255.255.255.0" },
            "location": { "home_node": { "uuid": "node-uuid-placeholder" }, "home_port": { "name": port } }, "service_policy": policy, "enabled": true });
        let (status, answer) = um.ask("POST", &format!("{svm}/network/ip/interfaces"), &body);
        assert_eq!(status, 201, "{answer}");
    }
    let rule = json!({ "clients": ["192.168.1.0/24"], "protocols": ["nfs3", "nfs4"], "ro_rule": ["sys"], "rw_rule": ["none"], "superuser": ["none"], "allow_suid": false });
    let (status, answer) =
        um.ask("POST", &format!("{svm}/export-policies"), &json!({ "name": "production_policy", "rules": [rule] }));
    assert_eq!(status, 201, "{answer}");
    let share = json!({ "name": "shared_documents", "size": "500GB", "svm": { "key": made["svm_key"] }, "path": "/shared_documents",
        "export_policy": { "name": "production_policy" }, "unix_permissions": "755", "security_style": "unix" });
    let (status, share) = um.ask("POST", &format!("{api}/storage-provider/file-shares"), &share);
    assert_eq!(status, 202, "{share}");
    let body = json!({ "export_policy": { "name": "production_policy" } });
    assert_eq!(um.ask("PATCH", &format!("{api}/storage-provider/file-shares/{}", key(&share["key"])), &body).0, 200);
    assert_eq!(um.get(&format!("{svm}?fields=nfs.enabled,state,protocols"))["nfs"]["enabled"], true);
}
