//! Clients that do not keep to the rules, on bare sockets: no 5xx, nothing that hangs, nobody else is held up.

use std::time::Duration;

use runner_server::HttpOptions;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::kit::{Place, Process, Settings};

const HOOK: &str = "trigger:\n  type: core.webhook\n  parameters: {path: x, auth: none, body_max: 1000}\n\
                    action: {ref: core.noop}\n";

async fn process(http: HttpOptions) -> Process {
    Place::with(&[("one", HOOK)]).start_with(Settings { http, ..Settings::default() }).await
}

/// Sends bytes and hears everything until the server hangs up. That it does not is what the deadline is for.
async fn exchange(process: &Process, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(process.address).await.unwrap();
    let (mut reader, mut writer) = socket.split();
    let mut heard = Vec::new();
    let talk = async {
        // A server that refuses before it has read everything closes the connection, which is an error here.
        let _ = writer.write_all(bytes).await;
        let _ = reader.read_to_end(&mut heard).await;
    };
    tokio::time::timeout(Duration::from_secs(60), talk).await.expect("the server does not hang up");
    String::from_utf8_lossy(&heard).into_owned()
}

fn statuses(heard: &str) -> Vec<&str> {
    heard.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_clients_that_send_a_byte_a_second_hold_nobody_up() {
    let process = process(HttpOptions { header_timeout: Duration::from_secs(600), ..HttpOptions::default() }).await;
    let mut slow = Vec::new();
    for _ in 0..500 {
        let mut socket = TcpStream::connect(process.address).await.unwrap();
        socket.write_all(b"POST /api/v1/webhooks/x HT").await.unwrap();
        slow.push(socket);
    }
    let dripping = async {
        loop {
            for socket in &mut slow {
                socket.write_all(b"T").await.unwrap();
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let others = async {
        for _ in 0..200 {
            assert_eq!(process.post("/webhooks/x", &json!({})).await.status, 202);
            assert_eq!(process.get("/rules").await.status, 200);
        }
    };
    tokio::select! {
        () = dripping => {}
        () = others => {}
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_ends_its_headers_is_cut_off() {
    let process = process(HttpOptions { header_timeout: Duration::from_millis(200), ..HttpOptions::default() }).await;
    let heard = exchange(&process, b"POST /api/v1/webhooks/x HTTP/1.1\r\nHost: localhost\r\nX-Long").await;
    assert!(statuses(&heard).iter().all(|status| status.starts_with('4')), "{heard}");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_too_long_are_refused() {
    let process = process(HttpOptions::default()).await;
    let long = "x".repeat(100_000);
    for request in [
        format!("POST /api/v1/webhooks/x HTTP/1.1\r\nHost: localhost\r\nX-Long: {long}\r\n\r\n"),
        format!("GET /api/v1/{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{}\r\n", "X-Many: x\r\n".repeat(5_000)),
    ] {
        let heard = exchange(&process, request.as_bytes()).await;
        let statuses = statuses(&heard);
        assert!(statuses.iter().all(|status| status.starts_with('4')), "{statuses:?}");
    }
    assert_eq!(process.get("/rules").await.status, 200);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_long_or_broken_are_refused_and_no_server_error() {
    let process = process(HttpOptions::default()).await;
    let head = "POST /api/v1/webhooks/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let long = "x".repeat(0x578);
    // Of what is too long nothing is sent that is not read before the answer: what is left unread when a connection is
    // closed may take the answer with it.
    let cases = [
        (format!("{head}Content-Length: 5000\r\n\r\n"), "413"),
        (format!("{head}Content-Length: 99999999999\r\n\r\n"), "413"),
        (format!("{head}Transfer-Encoding: chunked\r\n\r\n578\r\n{long}\r\n"), "413"),
        (format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n0\r\n\r\n"), "400"),
        (format!("{head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx"), "400"),
        (format!("{head}Content-Length: -1\r\n\r\n"), "400"),
        (format!("{head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nxxxxxx"), "400"),
        (format!("{head}Transfer-Encoding: gzip\r\n\r\nxxxxx"), "400"),
        ("\x16\x03\x01\x02\x00\x01".to_owned(), "400"),
        ("POST /api/v1/webhooks/%ff%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(), "400"),
    ];
    for (request, status) in cases {
        let heard = exchange(&process, request.as_bytes()).await;
        assert_eq!(statuses(&heard), [status], "{:?}", &request[..request.len().min(160)]);
    }
    assert_eq!(process.post("/webhooks/x", &json!({})).await.status, 202);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_ends_too_soon_is_no_delivery() {
    let process = process(HttpOptions::default()).await;
    let mut socket = TcpStream::connect(process.address).await.unwrap();
    let head = "POST /api/v1/webhooks/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{}";
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.shutdown().await.unwrap();
    let mut heard = Vec::new();
    let _ = socket.read_to_end(&mut heard).await;
    assert!(!String::from_utf8_lossy(&heard).contains(" 202 "));
    assert_eq!(process.get("/events").await.json()["items"], json!([]));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_come_at_once_are_answered_one_after_the_other() {
    let process = process(HttpOptions::default()).await;
    let one = "POST /api/v1/webhooks/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}";
    let last = "GET /api/v1/nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let heard = exchange(&process, [one.repeat(20), last.to_owned()].concat().as_bytes()).await;
    let mut expected = vec!["202"; 20];
    expected.push("404");
    assert_eq!(statuses(&heard), expected);
    process.stop().await;
}
