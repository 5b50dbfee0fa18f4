//! What holds for every request: ids, compression, a full queue, the end of the process.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::kit::{Answer, Place, Settings};
use crate::{ask, begun, request};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_an_id_its_own_or_a_new_one() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let own = Answer::of(request(&process, "GET", "/nothing", None).header("x-request-id", "mine-1")).await;
    assert_eq!((own.header("x-request-id"), &own.json()["instance"]), ("mine-1", &json!("mine-1")));
    let new = Answer::of(request(&process, "GET", "/nothing", None).header("x-request-id", "a b\"<")).await;
    assert!(!new.header("x-request-id").contains('<'));
    assert_eq!(new.json()["instance"], new.header("x-request-id"));
    assert_ne!(
        process.get("/version").await.header("x-request-id"),
        process.get("/version").await.header("x-request-id")
    );
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_answers_are_compressed_for_those_who_can_read_it() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let path = "/api/v1/openapi.json";
    let plain = ask(&process, "GET", path, None).await;
    let small = Answer::of(request(&process, "GET", path, None).header("accept-encoding", "gzip")).await;
    assert_eq!(small.header("vary"), "accept-encoding");
    // The client unpacks it, and says no more that it was packed.
    assert_eq!(small.json(), plain.json());
    let mut socket = tokio::net::TcpStream::connect(process.address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    assert!(text.contains("content-encoding: gzip") && bytes.len() < plain.body.len() / 3);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_answers_429_and_says_when_to_come_again() {
    let place = Place::with(&[]);
    let process = place.start_with(Settings { queue_max: 0, ..Settings::default() }).await;
    let answer = process.post("/executions", &json!({"action": "h.good"})).await;
    assert_eq!(answer.refusal(), (429, "E-EXEC-0017".to_owned()));
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stops_takes_nothing_new_and_says_so() {
    let place = Place::with(&[]);
    let process = place.start().await;
    assert_eq!(ask(&process, "GET", "/readyz", None).await.status, 503, "it has not begun");
    process.api.ready();
    assert_eq!(ask(&process, "GET", "/readyz", None).await.status, 200);
    let id = begun(&process, "h.asks", json!({})).await;
    let url = "/executions?wait=300";
    let body = json!({"action": "h.asks"});
    let waiting = process.post(url, &body);
    let drain = async {
        crate::kit::eventually("two are there", async || {
            let list = process.get("/executions").await.json();
            (list["items"].as_array().unwrap().len() == 2).then_some(())
        })
        .await;
        process.api.drain();
    };
    let (waiting, ()) = tokio::join!(waiting, drain);
    assert_eq!(waiting.status, 202, "who waits is answered: {}", waiting.text());
    let refused = process.post("/executions", &json!({"action": "h.good"})).await;
    assert_eq!(refused.refusal(), (503, "E-API-0010".to_owned()));
    assert_eq!((refused.header("retry-after"), refused.header("connection")), ("1", "close"));
    assert_eq!(ask(&process, "GET", "/readyz", None).await.status, 503);
    assert_eq!(ask(&process, "GET", "/healthz", None).await.status, 200);
    assert_eq!(process.get(&format!("/executions/{id}")).await.status, 200, "what only looks is answered");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_open_when_the_process_stops_is_answered_once_more() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let mut socket = tokio::net::TcpStream::connect(process.address).await.unwrap();
    let ask = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    socket.write_all(ask).await.unwrap();
    let mut buffer = vec![0; 4096];
    let read = socket.read(&mut buffer).await.unwrap();
    let first = String::from_utf8_lossy(&buffer[..read]).to_lowercase();
    assert!(first.starts_with("http/1.1 200") && !first.contains("connection: close"), "{first}");
    let stopping = tokio::spawn(process.stop());
    // Until the process has been told, the connection stays as it is; afterwards it is closed with the answer.
    let rest = async {
        loop {
            socket.write_all(ask).await.unwrap();
            let read = socket.read(&mut buffer).await.unwrap();
            let answer = String::from_utf8_lossy(&buffer[..read]).to_lowercase();
            assert!(answer.starts_with("http/1.1 200"), "{answer}");
            if answer.contains("connection: close") {
                break;
            }
        }
        assert_eq!(socket.read(&mut buffer).await.unwrap(), 0);
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), rest).await.unwrap();
    stopping.await.unwrap();
}
