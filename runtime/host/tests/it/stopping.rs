//! Cancelling stops a guest, and what it waits for, at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use runner_model::{Outcome, code};
use serde_json::json;

use super::kit::{Ears, actions, attempt, attempt_in, code_of, connection, http, pack, run};
use super::server::Server;

/// Far less than any of the timeouts, far more than a busy machine needs.
const AT_ONCE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn cancelling_interrupts_a_loop() {
    actions().await;
    let looping = attempt("loop_forever", json!({}));
    let cancel = looping.cancel.clone();
    let running = tokio::spawn(run(looping));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let start = Instant::now();
    cancel.cancel();
    assert_eq!(running.await.unwrap(), Outcome::Canceled);
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
}

#[tokio::test]
async fn cancelling_aborts_a_request_that_hangs() {
    let server = Server::plain().await;
    let hanging = attempt_in(pack(connection(&server.url())), "http", json!({ "connection": "box", "path": "/hang" }));
    let cancel = hanging.cancel.clone();
    actions().await;
    let running = tokio::spawn(run(hanging));
    while server.seen.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    let start = Instant::now();
    cancel.cancel();
    assert_eq!(running.await.unwrap(), Outcome::Canceled);
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_attempt_that_is_cancelled_before_it_begins_never_begins() {
    let ears = Arc::new(Ears::default());
    let mut never = attempt("log", json!({ "message": "x" }));
    never.observer = Arc::clone(&ears) as _;
    never.cancel.cancel();
    assert_eq!(run(never).await, Outcome::Canceled);
    assert!(ears.lines.lock().is_empty());
}

#[tokio::test]
async fn the_attempts_timeout_ends_a_request_that_hangs() {
    let server = Server::plain().await;
    let mut hanging =
        attempt_in(pack(connection(&server.url())), "http", json!({ "connection": "box", "path": "/hang" }));
    hanging.timeout = Duration::from_millis(400);
    let outcome = run(hanging).await;
    assert_eq!(code_of(&outcome), code::HOST_TIMEOUT.id(), "{outcome:?}");
}

#[tokio::test]
async fn the_requests_own_timeout_is_an_error_that_the_guest_sees() {
    let server = Server::plain().await;
    let request = json!({ "connection": "box", "path": "/hang", "timeout_ms": 200 });
    let answer = http(pack(connection(&server.url())), request).await;
    assert_eq!(answer["error"]["code"], code::NET_TIMEOUT.id(), "{answer}");
    assert_eq!(answer["error"]["kind"], "ErrorKind::Timeout");
    assert_eq!(answer["error"]["retryable"], true);
}

#[tokio::test]
async fn heartbeats_are_heard_and_tell_of_the_end() {
    let ears = Arc::new(Ears::default());
    let mut beating = attempt("heartbeat", json!({ "progress": "{\"done\":3}" }));
    beating.observer = Arc::clone(&ears) as _;
    assert_eq!(run(beating).await, Outcome::Succeeded { result: json!(true) });
    assert_eq!(*ears.heartbeats.lock(), ["{\"done\":3}"]);
}
