//! The two sides, played by hand: what each is told, and what nobody is shown.

use runner_sdk::prelude::{Value, json};
use runner_sdk::testing::{Host, Run};

use crate::tests::run;

const PEERS: &str = "/api/cluster/peers";
const SECRET: &str = "made-by-cluster1";

/// Both clusters, before they are peers.
fn clusters() -> Host {
    let mut host = Host::new();
    for (name, address) in [("cluster1", "10.0.0.1"), ("cluster2", "10.0.0.2")] {
        let interfaces = json!({ "records": [{ "ip": { "address": address } }] });
        host = host
            .on("GET", name, "/api/cluster", 200, json!({ "name": name }))
            .on("GET", name, "/api/network/ip/interfaces", 200, interfaces)
            // By the other cluster's name, then by the peering's.
            .on("GET", name, PEERS, 200, json!({ "records": [] }))
            .on("GET", name, PEERS, 200, json!({ "records": [] }))
            .on(
                "GET",
                name,
                PEERS,
                200,
                json!({ "records": [{ "uuid": format!("of-{name}"), "status": { "state": "available" } }] }),
            );
    }
    let made =
        json!({ "num_records": 1, "records": [{ "uuid": "of-cluster1", "authentication": { "passphrase": SECRET } }] });
    host.on("POST", "cluster1", PEERS, 201, made)
}

fn pair(host: Host) -> Run {
    run(host, "pair_clusters", json!({}))
}

#[test]
fn one_side_makes_a_passphrase_and_the_other_is_told() {
    let run = pair(clusters().on("POST", "cluster2", PEERS, 201, json!({ "records": [{ "uuid": "of-cluster2" }] })));
    let output = run.output();
    assert_eq!((&output["changed"], &output["remote"]["uuid"]), (&json!(true), &json!("of-cluster2")));
    let bodies: Vec<Value> = run.requests.iter().filter(|sent| sent.method == "POST").map(|sent| sent.json()).collect();
    assert_eq!(bodies[0]["remote"]["ip_addresses"], json!(["10.0.0.2"]));
    assert_eq!(bodies[0]["authentication"]["generate_passphrase"], true);
    assert_eq!(bodies[1]["remote"]["ip_addresses"], json!(["10.0.0.1"]));
    assert_eq!(bodies[1]["authentication"]["passphrase"], SECRET);
}

#[test]
fn the_passphrase_is_in_nothing_that_is_kept() {
    let refused = json!({ "error": { "code": "4656095", "message": "cannot reach the address" } });
    for run in [
        pair(clusters().on(
            "POST",
            "cluster2",
            PEERS,
            201,
            json!({ "records": [{ "authentication": { "passphrase": SECRET } }] }),
        )),
        pair(clusters().on("POST", "cluster2", PEERS, 400, refused).on(
            "DELETE",
            "cluster1",
            "/api/cluster/peers/of-cluster1",
            200,
            json!({}),
        )),
    ] {
        let kept = format!("{:?} {:?} {:?} {:?}", run.result, run.logs, run.heartbeats, run.kv);
        assert!(!kept.contains(SECRET), "{kept}");
    }
}

#[test]
fn an_offer_that_is_not_accepted_is_withdrawn() {
    let refused = json!({ "error": { "code": "4656095", "message": "cannot reach the address" } });
    let host = clusters().on("POST", "cluster2", PEERS, 400, refused).on(
        "DELETE",
        "cluster1",
        "/api/cluster/peers/of-cluster1",
        200,
        json!({}),
    );
    let failure = pair(host).failure();
    assert_eq!(failure.code, "4656095");
    assert!(failure.message.ends_with("the offer on `cluster1` was withdrawn"), "{failure}");
}

#[test]
fn clusters_that_are_peers_are_left_alone() {
    let mut host = Host::new();
    for name in ["cluster1", "cluster2"] {
        let peer = json!({ "records": [{ "uuid": "u", "name": "x", "status": { "state": "available" } }] });
        host = host.on("GET", name, "/api/cluster", 200, json!({ "name": name })).on("GET", name, PEERS, 200, peer);
    }
    let run = pair(host);
    assert_eq!(run.output()["changed"], false);
    assert!(run.requests.iter().all(|sent| sent.method == "GET"));
}

#[test]
fn a_cluster_is_not_its_own_peer() {
    let same = || json!({ "name": "cluster1" });
    let host = Host::new().on("GET", "cluster1", "/api/cluster", 200, same()).on(
        "GET",
        "cluster2",
        "/api/cluster",
        200,
        same(),
    );
    assert_eq!(pair(host).failure().code, "4656071");
}
