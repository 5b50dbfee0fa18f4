//! Cluster peers: the combinations of NetApp's document, and two clusters that find each other.

use super::*;

const PEERS: &str = "/api/cluster/peers";

fn addresses(lab: &mut Lab, connection: &str) -> Vec<String> {
    let target = "/api/network/ip/interfaces?services=intercluster_core&fields=ip.address";
    let list = lab.ask(connection, "GET", target, &Value::Null).body;
    list["records"].as_array().unwrap().iter().map(|one| one["ip"]["address"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_combinations_of_the_document_succeed_and_fail_as_it_says() {
    let mut lab = Lab::new();
    let address = json!({ "ip_addresses": ["1.2.3.4"] });
    for (body, status, code) in [
        (json!({ "authentication": { "passphrase": "xyz12345" } }), 400, "4656069"),
        (json!({ "remote": address }), 400, "4656077"),
        (
            json!({ "remote": address, "authentication": { "passphrase": "xyz12345", "expiry_time": "P8D" } }),
            400,
            "4655058",
        ),
        (json!({ "remote": address, "authentication": { "passphrase": "xyz12345" } }), 201, ""),
        (json!({ "authentication": { "generate_passphrase": true } }), 201, ""),
        (json!({ "encryption": { "proposed": "tls-psk" } }), 201, ""),
        (json!({ "ipspace": { "name": "Default" } }), 201, ""),
        (
            json!({ "remote": address, "authentication": { "passphrase": "xyz12345" }, "encryption.proposed": "none" }),
            201,
            "",
        ),
        (json!({ "initial_allowed_svms": [{ "name": "svm_prod" }] }), 201, ""),
        (json!({}), 201, ""),
        (json!({ "name": "cluster1", "authentication.generate_passphrase": true }), 400, "4656071"),
        (json!({ "name": " ", "authentication.generate_passphrase": true }), 400, "4656072"),
        (json!({ "encryption.proposed": "tls_psk", "authentication.in_use": "absent" }), 400, "4656070"),
        (json!({ "initial_allowed_svms": [{ "name": "nope" }] }), 400, "2621462"),
        (json!({ "ipspace.name": "nope" }), 404, "4"),
        (json!({ "local_network": { "interfaces": [], "netmask": "24" } }), 400, "4656081"),
        (
            json!({ "local_network": { "ip_addresses": ["1.1.1.1", "1.1.1.2", "1.1.1.3"], "netmask": "24" } }),
            400,
            "4656087",
        ),
        (
            json!({ "local_network": { "ip_addresses": ["1.1.1.1"], "netmask": "24", "broadcast_domain": "no" } }),
            400,
            "4656086",
        ),
        (json!({ "local_network": { "ip_addresses": ["1.1.1.1"], "netmask": "no" } }), 400, "4656090"),
        (json!({ "local_network": { "ip_addresses": ["1.1.1.1"], "netmask": "24", "gateway": "no" } }), 400, "4656091"),
    ] {
        lab.ask("ontap", "DELETE", "/api/cluster/peers?name=*", &json!({}));
        let answer = lab.ask("ontap", "POST", PEERS, &body);
        assert_eq!(answer.refusal(), (status, code), "{body}: {}", answer.body);
    }
    lab.ask("ontap", "POST", "/simulator/rules", &json!({ "strict_peers": false }));
    let lenient = lab.ask("ontap", "POST", PEERS, &json!({ "name": "lenient", "remote": address }));
    assert_eq!(lenient.body["records"][0]["authentication"]["passphrase"].as_str().map(str::len), Some(24));
}

#[test]
fn changes_follow_the_rules_of_the_document() {
    let mut lab = Lab::new();
    let body = json!({ "name": "p", "remote": { "ip_addresses": ["1.2.3.4"] }, "authentication": { "passphrase": "xyz12345" } });
    let place = lab.make("ontap", PEERS, body);
    for (patch, status, code) in [
        (json!({}), 200, ""),
        (json!({ "encryption": { "proposed": "none" } }), 400, "4656073"),
        (
            json!({ "authentication": { "passphrase": "xyz12345", "in_use": "ok" }, "encryption": { "proposed": "none" } }),
            200,
            "",
        ),
        (json!({ "authentication": { "passphrase": "short" } }), 400, "4656082"),
        (json!({ "authentication": { "passphrase": "xyz12345", "expiry_time": "P2W" } }), 400, "4655058"),
        (json!({ "remote": { "ip_addresses": ["10.224.65.30"] } }), 200, ""),
        (json!({ "remote": { "ip_addresses": ["nowhere"] } }), 400, "4656076"),
    ] {
        let answer = lab.ask("ontap", "PATCH", &place, &patch);
        assert_eq!(answer.refusal(), (status, code), "{patch}: {}", answer.body);
    }
    let generated = lab.ask(
        "ontap",
        "PATCH",
        &place,
        &json!({ "authentication": { "generate_passphrase": true, "in_use": "ok" } }),
    );
    let passphrase = generated.body["records"][0]["authentication"]["passphrase"].as_str().unwrap().to_owned();
    let seen = lab.get(&format!("{place}?fields=**")).to_string();
    assert!(!seen.contains(&passphrase) && !seen.contains("xyz12345") && seen.contains("10.224.65.30"), "{seen}");
    assert_eq!(lab.ask("ontap", "PATCH", &place, &json!({})).body, json!({}), "a passphrase is said only once");
}

#[test]
fn an_offer_is_taken_up_by_whoever_has_its_passphrase() {
    let mut lab = Lab::new();
    let offer = lab.ask(
        "cluster1",
        "POST",
        PEERS,
        &json!({ "authentication": { "generate_passphrase": true }, "initial_allowed_svms": [{ "name": "svm_prod" }] }),
    );
    let said = &offer.body["records"][0];
    let passphrase = said["authentication"]["passphrase"].as_str().unwrap().to_owned();
    let there = addresses(&mut lab, "cluster1");
    assert_eq!(there.len(), 2);
    let wrong = json!({ "remote": { "ip_addresses": there }, "authentication": { "passphrase": "something else" } });
    let place = lab.make("cluster2", PEERS, wrong);
    assert_eq!(lab.ask("cluster2", "GET", &place, &Value::Null).body["status"]["state"], "pending");
    lab.change("cluster2", &place, json!({ "authentication": { "passphrase": passphrase } }));
    for (cluster, other) in [("cluster1", "cluster2"), ("cluster2", "cluster1")] {
        let peer = lab.ask(cluster, "GET", "/api/cluster/peers?fields=*", &Value::Null).body["records"][0].clone();
        assert_eq!(
            (&peer["name"], &peer["remote"]["name"], &peer["status"]["state"], &peer["authentication"]["state"]),
            (&json!(other), &json!(other), &json!("available"), &json!("ok")),
            "{peer}"
        );
        assert_eq!(peer["remote"]["ip_addresses"], json!(addresses(&mut lab, other)));
    }
    let uuid = lab.ask("cluster2", "GET", "/api/cluster", &Value::Null).body["uuid"].clone();
    assert_eq!(lab.get(PEERS)["records"][0]["uuid"], uuid, "an offer takes the uuid of the cluster that took it up");
}

#[test]
fn an_offer_is_void_when_its_passphrase_has_expired() {
    let mut lab = Lab::new();
    let offer = lab.ask(
        "cluster1",
        "POST",
        PEERS,
        &json!({ "authentication": { "generate_passphrase": true, "expiry_time": "PT1H" } }),
    );
    let passphrase = offer.body["records"][0]["authentication"]["passphrase"].clone();
    let there = addresses(&mut lab, "cluster1");
    lab.pass(3_600_001);
    let place = lab.make(
        "cluster2",
        PEERS,
        json!({ "remote": { "ip_addresses": there }, "authentication": { "passphrase": passphrase } }),
    );
    assert_eq!(lab.ask("cluster2", "GET", &place, &Value::Null).body["status"]["state"], "pending");
}

/// Peers the two clusters, with passphrases given on both sides.
fn peered() -> Lab {
    let mut lab = Lab::new();
    let (one, two) = (addresses(&mut lab, "cluster1"), addresses(&mut lab, "cluster2"));
    for (cluster, there) in [("cluster1", two), ("cluster2", one)] {
        lab.make(
            cluster,
            PEERS,
            json!({ "remote": { "ip_addresses": there }, "authentication": { "passphrase": "the same one" } }),
        );
    }
    lab
}

#[test]
fn clusters_that_know_each_other_need_the_same_passphrase() {
    let mut lab = peered();
    assert_eq!(lab.get("/api/cluster/peers?status.state=available")["num_records"], 1);
    let place = lab.get(PEERS)["records"][0]["_links"]["self"]["href"].as_str().unwrap().to_owned();
    lab.change("cluster1", &place, json!({ "authentication.passphrase": "another one" }));
    assert_eq!(lab.get(&place)["authentication"]["state"], "pending");
    assert_eq!(lab.ask("cluster1", "DELETE", &place, &json!({})).status, 200);
    let left = lab.ask("cluster2", "GET", "/api/cluster/peers?fields=status.state", &Value::Null).body;
    assert_eq!(left["records"][0]["status"]["state"], "unavailable");
}

#[test]
fn an_svm_peer_is_accepted_on_the_other_side() {
    let mut lab = peered();
    let body = json!({ "svm.name": "svm_prod", "peer.svm.name": "svm_dr", "peer.cluster.name": "cluster2", "applications": ["snapmirror"] });
    let place = lab.make("cluster1", "/api/svm/peers", body);
    assert_eq!(lab.get(&place)["state"], "initiated");
    let pending = lab.ask("cluster2", "GET", "/api/svm/peers?state=pending", &Value::Null).body;
    let theirs = pending["records"][0]["_links"]["self"]["href"].as_str().unwrap().to_owned();
    lab.change("cluster2", &theirs, json!({ "state": "peered" }));
    assert_eq!(lab.get(&place)["state"], "peered");
    let refused = lab.ask("cluster1", "DELETE", "/api/cluster/peers?name=*", &json!({}));
    assert_eq!(refused.refusal(), (409, "4663070"));
}

#[test]
fn a_volume_is_mirrored_failed_over_and_resynchronised() {
    let mut lab = peered();
    lab.make(
        "cluster1",
        "/api/svm/peers",
        json!({ "svm.name": "svm_prod", "peer.svm.name": "svm_dr", "peer.cluster.name": "cluster2" }),
    );
    lab.ask("cluster2", "PATCH", "/api/svm/peers?state=pending", &json!({ "state": "peered" }));
    lab.pass(2000);
    let body = json!({ "source": { "path": "svm_prod:projects", "cluster": { "name": "cluster1" } }, "destination": { "path": "svm_dr:projects_dr" },
        "create_destination": { "enabled": true }, "policy": { "name": "MirrorAllSnapshots" } });
    let place = lab.make("cluster2", "/api/snapmirror/relationships", body);
    let read = |lab: &mut Lab| lab.ask("cluster2", "GET", &place, &Value::Null).body;
    let kind = |lab: &mut Lab| {
        lab.ask("cluster2", "GET", "/api/storage/volumes?name=projects_dr&fields=type", &Value::Null).body["records"][0]
            ["type"]
            .clone()
    };
    assert_eq!((&read(&mut lab)["state"], kind(&mut lab)), (&json!("uninitialized"), json!("dp")));
    let early = lab.ask("cluster2", "PATCH", &place, &json!({ "state": "broken_off" }));
    assert_eq!(early.status, 400);
    lab.change("cluster2", &place, json!({ "state": "snapmirrored" }));
    lab.pass(3_600_000);
    let mirrored = read(&mut lab);
    assert_eq!(
        (&mirrored["state"], mirrored["lag_time"].as_str().is_some_and(|lag| lag.starts_with("PT1H"))),
        (&json!("snapmirrored"), true)
    );
    let transfer = lab.make("cluster2", &format!("{place}/transfers"), json!({}));
    assert_eq!(lab.ask("cluster2", "GET", &transfer, &Value::Null).body["state"], "transferring");
    lab.pass(2000);
    assert_eq!(lab.ask("cluster2", "GET", &transfer, &Value::Null).body["state"], "success");
    for (state, expected) in [("paused", "dp"), ("broken_off", "rw"), ("snapmirrored", "dp")] {
        lab.change("cluster2", &place, json!({ "state": state }));
        assert_eq!((&read(&mut lab)["state"], kind(&mut lab)), (&json!(state), json!(expected)));
    }
}
