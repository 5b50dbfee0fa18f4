//! A simulated system behind real sockets: what a client that is not runner sees of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that finds something else fails, and that is what it is for"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runner_host::{Compiling, Host, HostOptions, Simulator, World};
use runner_model::{Clock as _, ConnectionName, Limits, SystemClock};
use runner_server::{Certificate, Options, Running, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

struct Served {
    running: Running,
    shutdown: CancellationToken,
}

impl Served {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.url())
    }

    async fn socket(&self) -> TcpStream {
        TcpStream::connect(self.running.address()).await.unwrap()
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.running.finished().await;
    }
}

async fn simulator() -> Simulator {
    let cache_dir = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled"));
    let host = Host::new(HostOptions {
        cache_dir,
        compiling: Compiling::Here,
        limits: Limits::default(),
        clock: Arc::new(SystemClock),
    })
    .unwrap();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/components/host-simulator.wasm");
    let component = host.load(std::fs::read(path).unwrap().into(), World::Simulator).await.unwrap();
    host.simulator(&component, ConnectionName::new("array").unwrap())
}

async fn served_with(tls: Option<Certificate>, limits: Limits) -> Served {
    let shutdown = CancellationToken::new();
    let options = Options { listen: "127.0.0.1:0".parse().unwrap(), tls, limits: limits.http };
    let running = serve(simulator().await, options, shutdown.clone()).await.unwrap();
    Served { running, shutdown }
}

async fn served() -> Served {
    served_with(None, Limits::default()).await
}

fn client() -> reqwest::ClientBuilder {
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}

async fn json(response: reqwest::Response) -> serde_json::Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_request_arrives_as_it_was_sent_and_the_answer_comes_back() {
    let served = served().await;
    let request = client().build().unwrap().post(served.url("/v1/a%20b?size=1%2B1&name=x%20y")).header("X-Mark", "7");
    let response = request.body("hello").send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()),
        (200, "application/json")
    );
    let seen = json(response).await;
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["path"], "/v1/a%20b");
    assert_eq!(seen["query"], serde_json::json!([["size", "1+1"], ["name", "x y"]]));
    assert_eq!((seen["body"].as_str(), seen["connection"].as_str()), (Some("hello"), Some("array")));
    let headers = seen["headers"].as_array().unwrap();
    assert!(headers.contains(&serde_json::json!(["x-mark", "7"])), "{headers:?}");
    served.stop().await;
}

#[tokio::test]
async fn what_foreign_clients_send_arrives_unchanged() {
    let served = served().await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let mut socket = served.socket().await;
        let head = format!("{method} /api/a%3Ab%2Cc/?fields=&all&return_records=True&x=1%2C2 HTTP/1.1\r\nhost: x\r\n");
        let request = format!("{head}connection: close\r\ncontent-length: 9\r\n\r\n{{\"a.b\":1}}");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        let seen: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!((&seen["method"], &seen["path"]), (&method.into(), &"/api/a%3Ab%2Cc/".into()));
        let query = serde_json::json!([["fields", ""], ["all", ""], ["return_records", "True"], ["x", "1,2"]]);
        assert_eq!((&seen["query"], &seen["body"]), (&query, &"{\"a.b\":1}".into()), "{method}");
    }
    served.stop().await;
}

#[tokio::test]
async fn the_simulated_system_keeps_its_state_between_connections() {
    let served = served().await;
    for count in 1..=3 {
        let response = client().build().unwrap().get(served.url("/x?status=404")).send().await.unwrap();
        assert_eq!(response.status(), 404);
        assert_eq!(json(response).await["count"], count);
    }
    served.stop().await;
}

#[tokio::test]
async fn a_dropped_connection_is_closed_without_a_byte() {
    let served = served().await;
    let mut socket = served.socket().await;
    socket.write_all(b"GET /drop HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // Closed or reset: either way there is no answer.
    let _ = socket.read_to_end(&mut answer).await;
    assert_eq!(answer, b"");
    assert!(client().build().unwrap().get(served.url("/drop")).send().await.is_err());
    served.stop().await;
}

#[tokio::test]
async fn a_delay_passes_before_the_answer() {
    let served = served().await;
    let start = Instant::now();
    let response = client().build().unwrap().get(served.url("/x?delay_ms=150")).send().await.unwrap();
    assert!(response.status().is_success() && start.elapsed() >= Duration::from_millis(150));
    served.stop().await;
}

#[tokio::test]
async fn tls_is_trusted_by_authority_and_not_without() {
    let certificate = Certificate::for_this_machine(SystemClock.now()).unwrap();
    let authority = reqwest::Certificate::from_pem(certificate.authority_pem().as_bytes()).unwrap();
    let served = served_with(Some(certificate), Limits::default()).await;
    let trusting = client().tls_certs_only([authority]).build().unwrap();
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{}/x", served.running.address().port());
        assert!(trusting.get(url).send().await.unwrap().status().is_success(), "{host}");
    }
    let stranger = Certificate::for_this_machine(SystemClock.now()).unwrap();
    let authority = reqwest::Certificate::from_pem(stranger.authority_pem().as_bytes()).unwrap();
    let distrusting = client().tls_certs_only([authority]).build().unwrap();
    assert!(distrusting.get(served.url("/x")).send().await.unwrap_err().is_connect());
    served.stop().await;
}

#[tokio::test]
async fn a_body_or_head_over_the_limit_is_refused_and_the_server_goes_on() {
    let mut limits = Limits::default();
    limits.http.request_bytes_max = 1000;
    limits.http.headers_max = 20;
    let served = served_with(None, limits).await;
    let client = client().build().unwrap();
    assert_eq!(client.post(served.url("/x")).body("x".repeat(1001)).send().await.unwrap().status(), 413);
    let many = (0..30).fold(client.get(served.url("/x")), |request, i| request.header(format!("x-{i}"), "v"));
    assert_eq!(many.send().await.unwrap().status(), 431);
    let mut socket = served.socket().await;
    socket.write_all(b"this is not HTTP\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(client.post(served.url("/x")).body("x".repeat(1000)).send().await.unwrap().status(), 200);
    served.stop().await;
}

#[tokio::test]
async fn a_simulator_that_breaks_answers_502_with_the_code() {
    let served = served().await;
    let response = client().build().unwrap().get(served.url("/panic")).send().await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(json(response).await["error"]["code"], "E-NET-0012");
    served.stop().await;
}

#[tokio::test]
async fn stopping_ends_idle_connections_and_lets_a_request_finish() {
    let served = served().await;
    let mut idle = served.socket().await;
    let client = client().build().unwrap();
    let slow = tokio::spawn(client.get(served.url("/x?delay_ms=300")).send());
    // The system counts its requests: the slow one has arrived when there is one more than were sent here.
    for sent in 1.. {
        if json(client.get(served.url("/x")).send().await.unwrap()).await["count"] != sent {
            break;
        }
    }
    served.stop().await;
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"");
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let served = served().await;
    let listen = served.running.address();
    let options = Options { listen, tls: None, limits: Limits::default().http };
    let error = serve(simulator().await, options, CancellationToken::new()).await.unwrap_err();
    assert!(error.to_string().contains(&listen.to_string()), "{error}");
    served.stop().await;
}
