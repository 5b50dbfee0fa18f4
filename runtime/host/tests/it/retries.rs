//! What is sent again, after which wait, and what is not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit};
use parking_lot::Mutex;
use runner_host::{ConnectionConfig, Connections, LogLevel};
use runner_model::{ConnectionName, Manners, Outcome, code};
use serde_json::{Value, json};

use super::kit::{Ears, attempt_in, connections, http, limits, pack, run, value};
use super::server::{Reply, Server, raw};

/// A connection to this server, with these manners.
fn polite(server: &Server, retry: Value) -> Connections {
    let manners = json!({ "retry": retry });
    connections(&[("box", json!({ "kind": "storage", "base_url": server.url(), "manners": manners }))])
}

async fn ask(connections: Connections, method: &str) -> Value {
    http(pack(connections), json!({ "connection": "box", "path": "/a", "method": method })).await
}

/// A server that refuses the first `refusals` requests in this way.
async fn refusing(
    refusals: usize,
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: Value,
) -> Server {
    Server::scripted(None, move |number, _| {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let refusal = Reply(status, headers, body.to_string());
        async move { if number < refusals { refusal } else { Reply::of(200, "done") } }
    })
    .await
}

const LOCKED: &str = "2621573";
const NOW: &str = "Wed, 21 Oct 2026 07:28:00 GMT";
const SOON: &str = "Wed, 21 Oct 2026 07:28:01 GMT";

#[tokio::test]
async fn a_write_is_sent_again_when_the_server_says_when_in_seconds_or_as_a_date() {
    for headers in
        [&[("retry-after", "1")] as &'static [(&'static str, &'static str)], &[("retry-after", SOON), ("date", NOW)]]
    {
        let server = refusing(1, 503, headers, json!({})).await;
        let ears = Arc::new(Ears::default());
        let request = json!({ "connection": "box", "path": "/a", "method": "POST", "body": "{}" });
        let mut attempt = attempt_in(pack(polite(&server, json!({}))), "http", request);
        attempt.observer = Arc::clone(&ears) as _;
        assert_eq!(value(attempt).await["body"], "done");
        assert_eq!(server.seen.lock().len(), 2);
        assert_eq!(server.last().body, b"{}", "the same body once more");
        let lines = ears.lines.lock();
        let [line] = lines.as_slice() else { panic!("one line says so: {lines:?}") };
        assert_eq!(line.level, LogLevel::Warn);
        assert_eq!(
            line.message,
            "the server answered 503: the request is sent again in 1.0 s, as it asks for (try 2 of 3)"
        );
        assert_eq!(ears.requests.lock().len(), 1, "for the observer it is one request");
    }
}

#[tokio::test]
async fn a_code_in_the_body_is_a_reason_whether_it_is_a_number_or_a_string() {
    let rule = json!({ "wait": 0.001, "body": { "pointer": "/error/code", "codes": [LOCKED] } });
    for code in [json!(LOCKED), json!(2_621_573)] {
        let server = refusing(2, 409, &[], json!({ "error": { "code": code } })).await;
        assert_eq!(ask(polite(&server, rule.clone()), "PATCH").await["body"], "done");
        assert_eq!(server.seen.lock().len(), 3);
    }
    let server = refusing(1, 409, &[], json!({ "error": { "code": "4" } })).await;
    assert_eq!(ask(polite(&server, rule), "PATCH").await["status"], 409, "another code is the pack's business");
    assert_eq!(server.seen.lock().len(), 1);
}

#[tokio::test]
async fn a_code_in_a_body_that_is_no_refusal_is_none() {
    let rule = json!({ "wait": 0.001, "body": { "pointer": "/error/code", "codes": [LOCKED] } });
    let server = refusing(1, 200, &[], json!({ "state": "failure", "error": { "code": LOCKED } })).await;
    let answer = ask(polite(&server, rule), "GET").await;
    assert!(answer["body"].as_str().unwrap().contains("failure"), "a failed job is an answer: {answer}");
}

#[tokio::test]
async fn the_last_answer_is_given_when_the_tries_are_used_up() {
    for (tries, method, status, requests) in [
        (json!({ "wait": 0.001, "tries": 4 }), "GET", 503, 4),
        (json!({ "wait": 0.001, "tries": 4 }), "GET", 504, 4),
        (json!({ "wait": 0.001, "tries": 4 }), "GET", 502, 4),
        (json!({ "wait": 0.001, "tries": 4 }), "POST", 429, 4),
        (json!({ "wait": 0.001, "tries": 4 }), "POST", 503, 1),
        (json!({ "wait": 0.001, "tries": 4 }), "POST", 502, 1),
        (json!({ "wait": 0.001, "tries": 4 }), "GET", 500, 1),
        (json!({ "tries": 1 }), "GET", 503, 1),
        (json!({ "statuses": [] }), "GET", 503, 1),
    ] {
        let server = refusing(100, status, &[], json!("refused")).await;
        let answer = ask(polite(&server, tries.clone()), method).await;
        assert_eq!(answer["status"], status, "{answer}");
        assert_eq!(answer["body"], "\"refused\"");
        assert_eq!(server.seen.lock().len(), requests, "{method} {status} {tries}");
    }
}

#[tokio::test]
async fn a_wait_that_would_pass_the_deadline_fails_now_and_says_what_the_server_asks_for() {
    let server = refusing(100, 503, &[("retry-after", "3600")], json!({})).await;
    // The time of the attempt, which is 30 s, and the time that the guest gives the request.
    for (timeout_ms, method) in [(None, "POST"), (None, "GET"), (Some(5_000), "POST")] {
        let request = json!({ "connection": "box", "path": "/", "method": method, "timeout_ms": timeout_ms });
        let answer = http(pack(polite(&server, json!({}))), request).await;
        assert_eq!(answer["error"]["code"], code::NET_NOT_NOW.id(), "{answer}");
        assert_eq!(answer["error"]["retryable"], true);
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("answered 503") && message.contains("3600 s"), "{message}");
        assert!(answer["error"]["hint"].as_str().unwrap().contains("retry"), "{answer}");
    }
    assert_eq!(server.seen.lock().len(), 3, "each was sent once");
    let absurd = refusing(100, 429, &[("retry-after", "18446744073709551615")], json!({})).await;
    assert_eq!(ask(polite(&absurd, json!({})), "GET").await["error"]["code"], code::NET_NOT_NOW.id());
}

#[tokio::test]
async fn a_wait_of_ones_own_that_would_pass_the_deadline_gives_the_answer() {
    let server = refusing(100, 503, &[], json!({ "why": "rebooting" })).await;
    let request = json!({ "connection": "box", "path": "/", "timeout_ms": 2_000 });
    let answer = http(pack(polite(&server, json!({ "wait": 60, "wait_max": 60 }))), request).await;
    assert_eq!((&answer["status"], &answer["body"]), (&json!(503), &json!(r#"{"why":"rebooting"}"#)), "{answer}");
}

#[tokio::test]
async fn cancelling_ends_a_wait() {
    let server = refusing(100, 503, &[("retry-after", "600")], json!({})).await;
    let ears = Arc::new(Ears::default());
    let mut attempt = attempt_in(pack(polite(&server, json!({}))), "http", json!({ "connection": "box", "path": "/" }));
    attempt.timeout = Duration::from_secs(3600);
    attempt.observer = Arc::clone(&ears) as _;
    let cancel = attempt.cancel.clone();
    let running = tokio::spawn(run(attempt));
    while ears.lines.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    cancel.cancel();
    assert!(matches!(running.await.unwrap(), Outcome::Canceled));
}

#[tokio::test]
async fn a_place_is_free_while_a_request_waits() {
    let server = Server::scripted(None, |number, _| async move {
        if number == 0 {
            Reply(503, vec![("retry-after", "600".to_owned())], String::new())
        } else {
            Reply::of(200, "")
        }
    })
    .await;
    let config = json!({ "kind": "k", "base_url": server.url(), "manners": { "concurrency": 1 } });
    let one_place = connections(&[("box", config)]);
    assert_eq!(one_place.get("box").unwrap().concurrency, 1);
    let ears = Arc::new(Ears::default());
    let mut attempt = attempt_in(pack(one_place.clone()), "http", json!({ "connection": "box", "path": "/" }));
    attempt.timeout = Duration::from_secs(3600);
    attempt.observer = Arc::clone(&ears) as _;
    let cancel = attempt.cancel.clone();
    let waiting = tokio::spawn(run(attempt));
    while ears.lines.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask(one_place, "GET").await["status"], 200);
    cancel.cancel();
    waiting.await.unwrap();
}

#[tokio::test]
async fn only_a_read_is_sent_again_after_a_lost_connection_and_as_often_as_there_are_tries() {
    for (method, effect, expected) in [
        ("GET", None, 4),
        ("POST", Some("read"), 4),
        ("POST", None, 1),
        ("PATCH", None, 1),
        ("DELETE", None, 1),
        ("GET", Some("update"), 1),
    ] {
        for bytes in ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"] {
            let (port, count) = raw(move |_| bytes).await;
            let config = json!({
                "kind": "k", "base_url": format!("http://127.0.0.1:{port}"),
                "manners": { "retry": { "tries": 4, "wait": 0.001 } },
            });
            let request = json!({ "connection": "box", "path": "/", "method": method, "effect": effect });
            let answer = http(pack(connections(&[("box", config)])), request).await;
            assert_eq!(answer["error"]["code"], code::NET_CLOSED.id(), "{answer}");
            assert_eq!(count.load(Ordering::SeqCst), expected, "{method} {effect:?} {bytes:?}");
        }
    }
}

#[tokio::test]
async fn a_kind_has_manners_of_its_own_and_the_connections_are_taken_before_them() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let server = Server::scripted(None, move |_, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Reply::of(423, json!({ "error": { "code": 7 } })) }
    })
    .await;
    let of_kind: Manners = serde_json::from_value(json!({
        "concurrency": 7, "headers": { "x-dot-client-app": "runner" }, "test": { "path": "/api/cluster" },
        "retry": { "tries": 3, "wait": 0.001, "body": { "pointer": "/error/code", "codes": ["7"] } },
    }))
    .unwrap();
    let with = |own: Value| {
        let mut config = json!({ "kind": "storage", "base_url": server.url() });
        config.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        let config: ConnectionConfig = serde_json::from_value(config).unwrap();
        let kinds = BTreeMap::from([("storage".to_owned(), of_kind.clone())]);
        Connections::new(vec![(ConnectionName::new("box").unwrap(), config)], kinds, &limits()).unwrap()
    };
    let of_kind_only = with(json!({}));
    assert_eq!(of_kind_only.get("box").unwrap().concurrency, 7);
    ask(of_kind_only.clone(), "POST").await;
    assert_eq!(count.swap(0, Ordering::SeqCst), 3);
    assert_eq!(server.last().header("x-dot-client-app"), Some("runner"));
    let report = of_kind_only.test("box").await.unwrap();
    assert_eq!((report.path.as_str(), report.ok), ("/api/cluster", false), "{report:?}");
    assert_eq!(server.last().target, "/api/cluster");
    assert_eq!(count.swap(0, Ordering::SeqCst), 1, "a test is one request");

    let own =
        json!({ "manners": { "concurrency": 9, "retry": { "tries": 2 } }, "headers": { "X-Dot-Client-App": "ours" } });
    let own = with(own);
    assert_eq!(own.get("box").unwrap().concurrency, 9);
    ask(own, "POST").await;
    assert_eq!(count.swap(0, Ordering::SeqCst), 2);
    assert_eq!(server.last().header("x-dot-client-app"), Some("ours"));
}

/// Counts what is counted, by name and labels.
#[derive(Default)]
struct Figures(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl metrics::Recorder for Figures {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        Counter::from_arc(Arc::clone(self.0.lock().entry(name).or_default()))
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test]
async fn each_further_try_is_counted() {
    let figures = Figures::default();
    // Of this thread, which is the test's only one.
    let _counting = metrics::set_default_local_recorder(&figures);
    let server = refusing(2, 429, &[], json!({})).await;
    ask(polite(&server, json!({ "wait": 0.001 })), "POST").await;
    let counted = figures.0.lock();
    let count = |name: &str| counted.get(name).map(|count| count.load(Ordering::SeqCst));
    assert_eq!(count("runner_http_retries_total connection=box reason=status"), Some(2), "{:?}", counted.keys());
    assert_eq!(count("runner_http_requests_total connection=box outcome=2xx"), Some(1), "{:?}", counted.keys());
}
