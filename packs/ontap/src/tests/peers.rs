//! Cluster peers: the combinations of ONTAP's own documentation, and what a request looks like.

use runner_sdk::prelude::{Value, json};
use runner_sdk::testing::{Host, Run};

use super::{methods, run};

const PEERS: &str = "/api/cluster/peers";

fn create(input: Value) -> Run {
    let host = Host::new().on("GET", "ontap", PEERS, 200, json!({ "records": [] })).on(
        "POST",
        "ontap",
        PEERS,
        201,
        json!({ "records": [{ "uuid": "u", "authentication": { "passphrase": "made-up" } }] }),
    );
    run(host, "create_cluster_peer", input)
}

#[test]
fn the_combinations_that_fail_are_refused_before_anything_is_sent() {
    for (input, code) in [
        (json!({ "passphrase": "xyz12345" }), "4656069"),
        (json!({ "remote_ip_addresses": ["1.2.3.4"] }), "4656077"),
        (json!({ "remote_ip_addresses": ["1.2.3.4"], "passphrase": "xyz12345", "expiry_time": "P8D" }), "4655058"),
        (json!({ "generate_passphrase": true, "expiry_time": "2027-01-01T00:00:00Z" }), "4655058"),
        (json!({ "name": "no name", "generate_passphrase": true }), "4656072"),
        (json!({ "encryption": "tls-psk", "authentication_in_use": "absent" }), "4656070"),
        (json!({ "generate_passphrase": true, "local_netmask": "24" }), "4656081"),
        (json!({ "generate_passphrase": true, "passphrase": "x", "remote_ip_addresses": ["1.2.3.4"] }), "4656083"),
        (json!({ "generate_passphrase": true, "expiry_time": "tomorrow" }), "bad-input"),
    ] {
        let run = create(input.clone());
        assert_eq!(run.failure().code, code, "{input}");
        assert_eq!(run.requests.len(), 0, "{input}");
    }
}

#[test]
fn the_combinations_that_succeed_are_sent_as_they_are() {
    for (input, body) in [
        (
            json!({ "remote_ip_addresses": ["1.2.3.4"], "passphrase": "xyz12345" }),
            json!({ "remote": { "ip_addresses": ["1.2.3.4"] }, "authentication": { "passphrase": "xyz12345" } }),
        ),
        (json!({ "generate_passphrase": true }), json!({ "authentication": { "generate_passphrase": true } })),
        (json!({ "encryption": "tls-psk" }), json!({ "encryption": { "proposed": "tls_psk" } })),
        (json!({ "ipspace": "Default" }), json!({ "ipspace": { "name": "Default" } })),
        (json!({ "ipspace_uuid": "u" }), json!({ "ipspace": { "uuid": "u" } })),
        (
            json!({ "remote_ip_addresses": ["1.2.3.4"], "passphrase": "xyz12345", "encryption": "none", "expiry_time": "P7D" }),
            json!({
                "remote": { "ip_addresses": ["1.2.3.4"] }, "encryption": { "proposed": "none" },
                "authentication": { "passphrase": "xyz12345", "expiry_time": "P7D" },
            }),
        ),
        (json!({ "initial_allowed_svms": ["s1"] }), json!({ "initial_allowed_svms": [{ "name": "s1" }] })),
        (
            json!({ "generate_passphrase": true, "local_ip_addresses": ["1.2.3.4"], "local_netmask": "255.255.0.0",
                "local_broadcast_domain": "Default", "local_gateway": "1.2.0.1" }),
            json!({
                "authentication": { "generate_passphrase": true },
                "local_network": { "interfaces": [{ "ip_address": "1.2.3.4" }], "netmask": "255.255.0.0", "broadcast_domain": "Default", "gateway": "1.2.0.1" },
            }),
        ),
    ] {
        let run = create(input.clone());
        assert_eq!(run.output()["changed"], true, "{input}");
        assert_eq!(run.requests.last().unwrap().json::<Value>(), body, "{input}");
    }
}

#[test]
fn a_passphrase_that_was_made_is_not_in_the_result() {
    let run = create(json!({ "name": "cp1", "generate_passphrase": true }));
    assert!(!run.output().to_string().contains("made-up"));
    assert_eq!(methods(&run), ["GET", "POST"]);
}

#[test]
fn another_encryption_needs_the_passphrase_again() {
    let there = || {
        Host::new().on(
            "GET",
            "ontap",
            PEERS,
            200,
            json!({ "records": [{ "uuid": "u", "encryption": { "proposed": "none" } }] }),
        )
    };
    let failure = run(there(), "update_cluster_peer", json!({ "name": "cp1", "encryption": "tls_psk" })).failure();
    assert_eq!(failure.code, "4656073");
    let host = there().on("PATCH", "ontap", "/api/cluster/peers/u", 200, json!({}));
    let run =
        run(host, "update_cluster_peer", json!({ "name": "cp1", "encryption": "tls_psk", "passphrase": "xyz12345" }));
    assert_eq!(
        run.requests[1].json::<Value>(),
        json!({ "authentication": { "in_use": "ok", "passphrase": "xyz12345" }, "encryption": { "proposed": "tls_psk" } })
    );
}
