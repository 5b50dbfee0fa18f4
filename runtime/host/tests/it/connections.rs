//! Settings of connections, and `runner connection test`.

use std::collections::BTreeMap;

use runner_host::{AuthKind, ConnectionConfig, Connections, TlsKind};
use runner_model::{ConnectionName, code};
use serde_json::{Value, json};

use super::kit::{connection, connections, host, limits, simulators};
use super::server::{Authority, Server};

#[tokio::test]
async fn a_test_shows_address_certificate_and_status() {
    let authority = Authority::new();
    let identity = authority.identity("localhost");
    let server = Server::tls(&identity).await;
    let config = json!({
        "kind": "ontap", "base_url": format!("{}/secret", server.https()), "tls": { "ca_pem": authority.pem() },
        "auth": { "basic": { "username": "admin", "password": "pw" } },
    });
    let report = connections(&[("box", config)]).test("box").await.unwrap();
    assert!(report.addresses.iter().any(std::net::IpAddr::is_loopback), "{report:?}");
    let certificate = report.certificate.unwrap();
    assert!(certificate.subject.contains("localhost") && certificate.issuer.contains("Storage department"));
    assert!(certificate.expires.contains("2100"), "{certificate:?}");
    assert_eq!(certificate.sha256, identity.fingerprint());
    assert_eq!((report.connection.auth, report.connection.tls), (AuthKind::Basic, TlsKind::Ca));
    assert_eq!(server.last().target, "/secret/");
}

#[tokio::test]
async fn a_test_of_a_server_that_is_not_trusted_shows_what_to_pin() {
    let identity = Authority::new().identity("localhost");
    let server = Server::tls(&identity).await;
    let failure = connection(&server.https()).test("box").await.unwrap_err();
    assert_eq!(failure.code, code::NET_TLS.id(), "{failure:?}");
    assert!(failure.hint.unwrap().contains(&identity.fingerprint()));
    assert!(failure.message.contains("Storage department"), "{}", failure.message);
}

#[tokio::test]
async fn a_test_says_how_far_it_got() {
    let server = Server::plain().await;
    let cases = [
        (server.url(), None),
        ("http://no-such-host.invalid".to_owned(), Some(code::NET_DNS)),
        ("http://127.0.0.1:1".to_owned(), Some(code::NET_CONNECT)),
        (format!("https://127.0.0.1:{}", server.port), Some(code::NET_TLS)),
    ];
    for (base, expected) in cases {
        let result = connection(&base).test("box").await;
        match expected {
            None => assert_eq!(result.unwrap().status, 200),
            Some(code) => assert_eq!(result.unwrap_err().code, code.id(), "{base}"),
        }
    }
    let unknown = connection(&server.url()).test("nobody").await.unwrap_err();
    assert_eq!(unknown.code, code::NET_UNKNOWN_CONNECTION.id());
}

#[tokio::test]
async fn a_simulated_connection_can_be_tested_too() {
    let name = ConnectionName::new("box").unwrap();
    let simulator = host().simulator(simulators().await, name.clone());
    let connections = Connections::none(&limits()).with_simulator(name, "storage", simulator);
    let report = connections.test("box").await.unwrap();
    assert_eq!((report.status, report.connection.simulated), (200, true));
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let base = "https://cluster.example";
    let cases: [(Value, &str); 8] = [
        (json!({ "kind": "k", "base_url": "ftp://x/" }), "neither"),
        (json!({ "kind": "k", "base_url": "https://u:hunter2@x/" }), "credentials"),
        (json!({ "kind": "k", "base_url": "https://x/?a=b" }), "query"),
        (json!({ "kind": "k", "base_url": base, "tls": { "ca_pem": "nothing" } }), "no certificate"),
        (json!({ "kind": "k", "base_url": base, "tls": { "insecure": true, "ca_pem": "x" } }), "meaningless"),
        (json!({ "kind": "k", "base_url": base, "headers": { "a b": "x" } }), "not a header's name"),
        (json!({ "kind": "k", "base_url": base, "auth": { "bearer": { "token": "hunter2\n" } } }), "characters"),
        (
            json!({ "kind": "k", "base_url": base, "auth": { "basic": { "username": "a:b", "password": "" } } }),
            "no `:`",
        ),
    ];
    for (config, expected) in cases {
        let parsed: ConnectionConfig = serde_json::from_value(config.clone()).unwrap();
        let name = ConnectionName::new("box").unwrap();
        let failure = Connections::new(vec![(name, parsed)], BTreeMap::new(), &limits()).unwrap_err();
        assert_eq!(failure.code, code::CONF_INVALID.id(), "{config}");
        assert!(failure.message.contains(expected) && !failure.message.contains("hunter2"), "{failure}");
    }
}

#[test]
fn a_name_stands_once() {
    let config = || serde_json::from_value(json!({ "kind": "k", "base_url": "https://x/" })).unwrap();
    let name = || ConnectionName::new("box").unwrap();
    let failure =
        Connections::new(vec![(name(), config()), (name(), config())], BTreeMap::new(), &limits()).unwrap_err();
    assert!(failure.message.contains("twice"));
}
