//! Certificates of the client: shown to who asks for one, beside any other authentication.

use std::collections::BTreeMap;

use base64::Engine as _;
use runner_host::{AuthKind, ConnectionConfig, Connections};
use runner_model::{ConnectionName, code};
use serde_json::{Value, json};

use super::kit::{connections, http, limits, pack};
use super::server::{Authority, Identity, Reply, Server};

struct Array {
    server: Server,
    ours: Authority,
    clients: Authority,
}

impl Array {
    async fn new() -> Self {
        let (ours, clients) = (Authority::new(), Authority::new());
        let tls = ours.identity("localhost").server(Some(&clients));
        let server = Server::scripted(Some(tls), |_, _| async { Reply::of(200, "hello") }).await;
        Self { server, ours, clients }
    }

    fn connections(&self, own: Option<&Identity>, auth: Value) -> Connections {
        let mut tls = json!({ "ca_pem": self.ours.pem() });
        if let Some(own) = own {
            tls["client_certificate"] = certificate(own);
        }
        connections(&[("box", json!({ "kind": "k", "base_url": self.server.https(), "tls": tls, "auth": auth }))])
    }
}

fn certificate(own: &Identity) -> Value {
    let (certificate, key) = own.pem();
    json!({ "cert_pem": certificate, "key_pem": key })
}

async fn ask(connections: Connections) -> Value {
    http(pack(connections), json!({ "connection": "box", "path": "/", "method": "POST" })).await
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_it_beside_any_other_authentication() {
    let array = Array::new().await;
    let own = array.clients.identity("runner");
    let connections = array.connections(Some(&own), json!("none"));
    assert_eq!(ask(connections.clone()).await["body"], "hello");
    assert_eq!(array.server.last().header("authorization"), None);
    let info = connections.get("box").unwrap();
    assert_eq!((info.auth, info.client_certificate), (AuthKind::None, true));
    assert_eq!(connections.test("box").await.unwrap().status, 200);

    let basic = json!({ "basic": { "username": "u", "password": "p" } });
    assert_eq!(ask(array.connections(Some(&own), basic)).await["body"], "hello");
    assert_eq!(array.server.last().header("authorization"), Some("Basic dTpw"));
}

#[tokio::test]
async fn without_the_right_certificate_the_server_refuses_and_the_error_says_which_it_wants() {
    let array = Array::new().await;
    let stranger = Authority::new().identity("runner");
    for (own, message, hint) in [
        (None, "asks for a client certificate", "tls.client_certificate"),
        (Some(&stranger), "does not accept the client certificate", "authority"),
    ] {
        let answer = ask(array.connections(own, json!("none"))).await;
        assert_eq!(answer["error"]["code"], code::NET_TLS.id(), "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(message), "{answer}");
        assert!(answer["error"]["hint"].as_str().unwrap().contains(hint), "{answer}");
        let failure = array.connections(own, json!("none")).test("box").await.unwrap_err();
        assert_eq!(failure.code, code::NET_TLS.id(), "{failure:?}");
        assert!(failure.message.contains(message), "{failure:?}");
    }
    assert!(array.server.seen.lock().is_empty(), "no request got through");
}

#[tokio::test]
async fn a_certificate_is_shown_to_a_pinned_server_too() {
    let clients = Authority::new();
    let identity = Authority::new().identity("other.example");
    let server =
        Server::scripted(Some(identity.server(Some(&clients))), |_, _| async { Reply::of(200, "hello") }).await;
    for tls in [json!({ "pin_sha256": identity.fingerprint() }), json!({ "insecure": true })] {
        let mut tls = tls;
        tls["client_certificate"] = certificate(&clients.identity("runner"));
        let config = json!({ "kind": "k", "base_url": server.https(), "tls": tls });
        assert_eq!(ask(connections(&[("box", config)])).await["body"], "hello");
    }
}

#[test]
fn certificates_that_cannot_be_used_are_refused_and_no_key_is_shown() {
    let authority = Authority::new();
    let (cert, key) = authority.identity("runner").pem();
    let (_, other) = authority.identity("runner").pem();
    let secret: String = key.lines().nth(1).unwrap().to_owned();
    let https = "https://array.example";
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let cases = [
        (https, json!({ "cert_pem": cert, "key_pem": other }), "another certificate's"),
        (https, json!({ "cert_pem": key, "key_pem": key }), "no certificate"),
        (https, json!({ "cert_pem": cert, "key_pem": cert }), "no private key"),
        (https, json!({ "cert_pem": cert, "key_pem": encrypted }), "is encrypted"),
        (https, json!({ "cert_pem": cert, "key_pem": key.replace('A', "!") }), "key"),
        ("http://array.example", json!({ "cert_pem": cert, "key_pem": key }), "https:"),
    ];
    for (base_url, own, expected) in cases {
        let config = json!({ "kind": "k", "base_url": base_url, "tls": { "client_certificate": own } });
        let config: ConnectionConfig = serde_json::from_value(config).unwrap();
        assert!(!format!("{config:?}").contains(&secret));
        let name = ConnectionName::new("box").unwrap();
        let failure = Connections::new(vec![(name, config)], BTreeMap::new(), &limits()).unwrap_err();
        assert!(failure.message.contains(expected), "{failure}");
        let shown = format!("{failure:?}");
        assert!(!shown.contains(&secret), "{shown}");
        let decoded = base64::engine::general_purpose::STANDARD.decode(&secret).unwrap();
        assert!(!shown.contains(&hex::encode(decoded)), "{shown}");
    }
}
