//! Which servers are trusted.

use runner_host::{Connections, TlsKind};
use runner_model::code;
use serde_json::{Value, json};

use super::kit::{connections, http, pack};
use super::server::{Authority, Identity, Server};

fn with_tls(server: &Server, tls: Value) -> Connections {
    connections(&[("box", json!({ "kind": "storage", "base_url": server.https(), "tls": tls }))])
}

async fn ask(connections: Connections) -> Value {
    http(pack(connections), json!({ "connection": "box", "path": "/" })).await
}

fn refused(answer: &Value) -> &str {
    assert_eq!(answer["error"]["code"], code::NET_TLS.id(), "{answer}");
    assert_eq!(answer["error"]["kind"], "ErrorKind::Tls");
    assert_eq!(answer["error"]["retryable"], false);
    answer["error"]["message"].as_str().unwrap()
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_it_is_configured_and_nowhere_else() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = Server::tls(&ours.identity("localhost")).await;
    assert_eq!(ask(with_tls(&server, json!({ "ca_pem": ours.pem() }))).await["body"], "hello");
    let both = format!("{}{}", theirs.pem(), ours.pem());
    assert_eq!(ask(with_tls(&server, json!({ "ca_pem": both }))).await["body"], "hello");
    let answer = ask(with_tls(&server, json!({ "ca_pem": theirs.pem() }))).await;
    assert!(refused(&answer).contains("not signed by a trusted authority"), "{answer}");
    assert!(answer["error"]["hint"].as_str().unwrap().contains("tls.pin"));
    let answer = ask(with_tls(&server, json!({}))).await;
    refused(&answer);
    assert!(server.seen.lock().len() == 2, "a refused server got no request");
}

#[tokio::test]
async fn a_certificate_for_another_name_or_time_is_refused() {
    let ours = Authority::new();
    let other_name = Server::tls(&ours.identity("other.example")).await;
    let answer = ask(with_tls(&other_name, json!({ "ca_pem": ours.pem() }))).await;
    assert!(refused(&answer).contains("not for this host name"), "{answer}");
    let expired = Server::tls(&ours.identity_until("localhost", 2001)).await;
    let answer = ask(with_tls(&expired, json!({ "ca_pem": ours.pem() }))).await;
    assert!(refused(&answer).contains("expired"), "{answer}");
}

#[tokio::test]
async fn a_pin_trusts_one_certificate_whatever_its_name() {
    let authority = Authority::new();
    let (identity, other) = (authority.identity_until("other.example", 2001), authority.identity("localhost"));
    let server = Server::tls(&identity).await;
    let print = identity.fingerprint();
    for form in [print.clone(), print.replace(':', "").to_lowercase()] {
        assert_eq!(ask(with_tls(&server, json!({ "pin_sha256": form }))).await["body"], "hello");
    }
    let impostor = Server::tls(&other).await;
    let answer = ask(with_tls(&impostor, json!({ "pin_sha256": print }))).await;
    assert!(refused(&answer).contains(&other.fingerprint()), "the fingerprint that was found helps: {answer}");
    assert!(impostor.seen.lock().is_empty());
}

#[tokio::test]
async fn a_pin_beside_an_authority_narrows_it() {
    let authority = Authority::new();
    let (pinned, other) = (authority.identity("localhost"), authority.identity("localhost"));
    let tls = json!({ "ca_pem": authority.pem(), "pin_sha256": pinned.fingerprint() });
    assert_eq!(ask(with_tls(&Server::tls(&pinned).await, tls.clone())).await["body"], "hello");
    refused(&ask(with_tls(&Server::tls(&other).await, tls.clone())).await);
    let stranger = json!({ "ca_pem": Authority::new().pem(), "pin_sha256": pinned.fingerprint() });
    refused(&ask(with_tls(&Server::tls(&pinned).await, stranger)).await);
}

#[tokio::test]
async fn an_insecure_connection_trusts_anybody_and_says_so() {
    let server = Server::tls(&Authority::new().identity_until("other.example", 2001)).await;
    let insecure = with_tls(&server, json!({ "insecure": true }));
    assert_eq!(insecure.get("box").unwrap().tls, TlsKind::Insecure);
    assert_eq!(ask(insecure).await["body"], "hello");
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_told_apart_from_one_that_is_not_trusted() {
    let plain = Server::plain().await;
    let answer = ask(with_tls(&plain, json!({ "insecure": true }))).await;
    assert!(refused(&answer).contains("handshake"), "{answer}");
}

/// S18: whoever is not who the connection means is refused with one code, and gets no request.
#[tokio::test]
async fn whoever_cannot_prove_to_be_the_server_is_refused() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let trusting = json!({ "ca_pem": ours.pem() });
    for (identity, tls, message) in [
        (ours.identity_until("localhost", 2001), &trusting, "has expired"),
        (ours.identity_from("localhost", 2099), &trusting, "not valid"),
        (ours.identity("other.example"), &trusting, "not for this host name"),
        (ours.identity("*.localhost"), &trusting, "not for this host name"),
        (theirs.identity("localhost"), &trusting, "not signed by a trusted authority"),
        (ours.identity("localhost"), &json!({}), "not signed by a trusted authority"),
        (Identity::self_signed("localhost"), &json!({}), "not signed by a trusted authority"),
        (Identity::self_signed("localhost"), &trusting, "not signed by a trusted authority"),
    ] {
        let server = Server::tls(&identity).await;
        let answer = ask(with_tls(&server, tls.clone())).await;
        assert!(refused(&answer).contains(message), "{message}: {answer}");
        assert!(server.seen.lock().is_empty(), "{message}");
    }
    // A URL trusts whom the platform trusts, whatever a connection says.
    let server = Server::tls(&ours.identity("localhost")).await;
    let mut pack = pack(with_tls(&server, json!({ "insecure": true })));
    let rule = json!({ "http": [{ "url": server.https(), "methods": ["*"] }] });
    (pack.permissions, pack.grant) =
        (serde_json::from_value(rule.clone()).unwrap(), serde_json::from_value(rule).unwrap());
    refused(&http(pack, json!({ "url": server.https() })).await);
}
