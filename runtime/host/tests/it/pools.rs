//! S19: what packs share of the way out, and what they do not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use runner_host::{ConnectionConfig, Connections, PackContext};
use runner_model::{ConnectionName, Limits, PackRef, code};
use rustls::HandshakeKind;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::kit::{connection, http, limits, pack};
use super::server::{Authority, Server};

/// The same pack under another name.
fn named(name: &str, connections: &Connections) -> PackContext {
    let mut pack = pack(connections.clone());
    pack.pack = PackRef::new(name).unwrap();
    pack
}

async fn ask(name: &str, connections: &Connections) -> Value {
    http(named(name, connections), json!({ "connection": "box", "path": "/" })).await
}

#[tokio::test]
async fn a_pack_keeps_its_connections_open_and_never_gets_another_packs() {
    let server = Server::plain().await;
    let connections = connection(&server.url());
    for round in 0..3 {
        for (count, name) in ["one", "two", "three"].into_iter().enumerate() {
            assert_eq!(ask(name, &connections).await["status"], 200);
            let open = server.connections.load(Ordering::SeqCst);
            assert_eq!(open, if round == 0 { count + 1 } else { 3 }, "{round} {name}");
        }
    }
    assert!(connections.test("box").await.unwrap().ok, "the host's own test has its own, too");
}

/// A TLS server that closes after each answer and remembers how each handshake was made.
async fn handshakes(authority: &Authority) -> (u16, Arc<Mutex<Vec<HandshakeKind>>>) {
    let (listener, config) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), authority.identity("localhost").server(None));
    let port = listener.local_addr().unwrap().port();
    let kinds = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&kinds);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = tokio_rustls::TlsAcceptor::from(Arc::clone(&config)).accept(stream).await.unwrap();
            seen.lock().push(stream.get_ref().1.handshake_kind().unwrap());
            drop(stream.read(&mut [0; 4096]).await);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";
            drop(stream.write_all(answer).await);
            drop(stream.shutdown().await);
        }
    });
    (port, kinds)
}

#[tokio::test]
async fn a_pack_takes_up_its_own_tls_sessions_and_no_others() {
    let authority = Authority::new();
    let (port, kinds) = handshakes(&authority).await;
    let config = json!({
        "kind": "storage", "base_url": format!("https://localhost:{port}"), "tls": { "ca_pem": authority.pem() },
    });
    let connections = super::kit::connections(&[("box", config)]);
    for name in ["one", "one", "two", "two", "one"] {
        assert_eq!(ask(name, &connections).await["body"], "hi");
    }
    use HandshakeKind::{Full, Resumed};
    assert_eq!(*kinds.lock(), [Full, Resumed, Full, Resumed, Resumed]);
}

#[tokio::test]
async fn a_pack_that_floods_waits_for_itself_and_holds_up_no_other() {
    assert_eq!(Limits::default().http.pack_requests_max, 32);
    let (slow, server) = (Server::plain().await, Server::plain().await);
    let mut limits = limits();
    limits.http.pack_requests_max = 3;
    let config = |server: &Server| {
        let config = json!({ "kind": "storage", "base_url": server.url() });
        serde_json::from_value::<ConnectionConfig>(config).unwrap()
    };
    let name = |name| ConnectionName::new(name).unwrap();
    let configs = vec![(name("slow"), config(&slow)), (name("box"), config(&server))];
    let connections = Connections::new(configs, BTreeMap::new(), &limits).unwrap();
    let hang = json!({ "connection": "slow", "path": "/hang", "timeout_ms": 1_500 });
    let flood: Vec<_> = (0..6).map(|_| tokio::spawn(http(named("flood", &connections), hang.clone()))).collect();
    while slow.seen.lock().len() < 3 {
        tokio::task::yield_now().await;
    }
    let request = json!({ "connection": "box", "path": "/", "timeout_ms": 200 });
    let own = http(named("flood", &connections), request.clone()).await;
    assert_eq!(own["error"]["code"], code::NET_TIMEOUT.id(), "its places are taken, and waiting counts: {own}");
    assert_eq!(http(named("other", &connections), request.clone()).await["status"], 200);
    assert_eq!(slow.connections.load(Ordering::SeqCst), 3, "the others wait");
    for task in flood {
        assert_eq!(task.await.unwrap()["error"]["code"], code::NET_TIMEOUT.id());
    }
    assert_eq!(http(named("flood", &connections), request).await["status"], 200);
}
