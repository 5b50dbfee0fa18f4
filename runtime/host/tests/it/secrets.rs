//! Credentials never enter the sandbox, nor anything that is shown.

use std::sync::Arc;

use base64::Engine as _;
use serde_json::{Value, json};

use super::kit::{Ears, attempt_in, connections, pack, value};
use super::server::{Authority, Server};

const USER: &str = "svc-runner";
const PASSWORD: &str = "Tr0ub4dor-and-three";

fn halves(text: &str) -> Value {
    let (head, tail) = text.split_at(text.len() / 2);
    json!([head, tail])
}

#[tokio::test]
async fn the_password_is_sent_and_is_nowhere_in_the_guests_memory() {
    let authority = Authority::new();
    let server = Server::tls(&authority.identity("localhost")).await;
    let config = json!({
        "kind": "storage", "base_url": server.https(), "tls": { "ca_pem": authority.pem() },
        "auth": { "basic": { "username": USER, "password": PASSWORD } },
    });
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let input = json!({
        "request": { "connection": "box", "path": "/secret" },
        "needles": [halves(PASSWORD), halves(&encoded), halves("the door is open"), halves("BEGIN CERTIFICATE")],
    });
    let ears = Arc::new(Ears::default());
    let mut attempt = attempt_in(pack(connections(&[("box", config)])), "search_memory", input);
    attempt.observer = Arc::clone(&ears) as _;
    let found = value(attempt).await;

    assert_eq!(server.last().header("authorization"), Some(format!("Basic {encoded}").as_str()));
    assert_eq!(found["answer"]["body"], "the door is open");
    assert!(found["searched_bytes"].as_u64().unwrap() >= 1024 * 1024, "{found}");
    let found: Vec<u64> = serde_json::from_value(found["found"].clone()).unwrap();
    assert_eq!((found[0], found[1], found[3]), (0, 0, 0));
    assert!(found[2] > 0, "the search finds what is there");
    assert!(!format!("{:?}{:?}", ears.requests.lock(), ears.lines.lock()).contains(PASSWORD));
}

#[tokio::test]
async fn neither_debug_output_nor_errors_hold_a_credential() {
    let configs = |base: &str| {
        [
            json!({ "kind": "k", "base_url": base, "auth": { "basic": { "username": USER, "password": PASSWORD } } }),
            json!({ "kind": "k", "base_url": base, "auth": { "bearer": { "token": PASSWORD } } }),
            json!({ "kind": "k", "base_url": base, "headers": { "x-key": PASSWORD } }),
        ]
    };
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let hidden = |text: &str| assert!(!text.contains(PASSWORD) && !text.contains(&encoded), "{text}");
    // Nobody listens, the name does not exist, the server is no TLS server.
    let plain = Server::plain().await;
    let bases = ["http://127.0.0.1:1", "https://no-such-host.invalid", &format!("https://127.0.0.1:{}", plain.port)];
    for config in bases.iter().flat_map(|base| configs(base)) {
        let connections = connections(&[("box", config)]);
        hidden(&format!("{connections:?} {:?}", connections.list()));
        hidden(&serde_json::to_string(&connections.list()).unwrap());
        let failure = connections.test("box").await.unwrap_err();
        hidden(&format!("{failure:?}"));
        let answer = value(attempt_in(pack(connections), "http", json!({ "connection": "box", "path": "/" }))).await;
        assert!(answer["error"].is_object(), "{answer}");
        hidden(&answer.to_string());
    }
}

#[tokio::test]
async fn a_bearer_token_is_sent() {
    let server = Server::plain().await;
    let config = json!({ "kind": "k", "base_url": server.url(), "auth": { "bearer": { "token": "t0ken" } } });
    let request = json!({ "connection": "box", "path": "/secret" });
    let answer = value(attempt_in(pack(connections(&[("box", config)])), "http", request)).await;
    assert_eq!(answer["body"], "the door is open");
    assert_eq!(server.last().header("authorization"), Some("Bearer t0ken"));
}
