//! The egress door: what is let out, what is sent, what comes back, and what every failure is called.

use std::sync::Arc;

use runner_host::{Connections, CurrentGrant, PackContext};
use runner_model::{Permissions, code};
use serde_json::{Value, json};

use super::kit::{Ears, attempt_in, connection, connections, http, no_connections, pack, value};
use super::server::{Server, raw};

fn permissions(http: Value) -> Permissions {
    serde_json::from_value(json!({ "http": http })).unwrap()
}

fn limited(connections: Connections, wish: Value, grant: Value) -> PackContext {
    let mut pack = pack(connections);
    pack.permissions = permissions(wish);
    pack.grant = permissions(grant);
    pack
}

fn error(answer: &Value) -> (&str, &str) {
    (answer["error"]["code"].as_str().unwrap_or(""), answer["error"]["message"].as_str().unwrap_or(""))
}

#[tokio::test]
async fn a_request_through_a_connection_arrives_as_it_was_meant() {
    let server = Server::plain().await;
    let request = json!({
        "connection": "box", "path": "/svm/a b/../vol?x", "method": "POST", "body": "{}",
        "query": [["fields", "name,state"], ["q", "a b&c+d"]], "headers": [["X-Trace", "1"]],
    });
    let answer = http(pack(connection(&format!("{}/api/", server.url()))), request).await;
    assert_eq!((&answer["status"], &answer["body"]), (&json!(200), &json!("hello")), "{answer}");
    assert!(answer["headers"].as_array().unwrap().contains(&json!(["x-kind", "Test"])), "{answer}");
    let seen = server.last();
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.target, "/api/svm/vol%3Fx?fields=name%2Cstate&q=a%20b%26c%2Bd");
    assert_eq!((seen.body.as_slice(), seen.header("x-trace")), (b"{}".as_slice(), Some("1")));
    assert!(seen.header("user-agent").unwrap().ends_with("demo/1.2.3"), "{seen:?}");
}

#[tokio::test]
async fn a_request_needs_both_sides_and_a_denial_names_the_line_to_add() {
    let server = Server::plain().await;
    let everything = json!([{ "connection": "*", "methods": ["*"] }]);
    let reading = json!([{ "connection": "storage", "methods": ["GET"], "paths": ["/api/**"] }]);
    let request = json!({ "connection": "box", "path": "/api/x", "method": "POST" });
    let ask = |wish: &Value, grant: &Value, request: &Value| {
        http(limited(connection(&server.url()), wish.clone(), grant.clone()), request.clone())
    };

    let answer = ask(&reading, &everything, &request).await;
    assert_eq!(error(&answer).0, code::NET_DENIED.id());
    let hint = answer["error"]["hint"].as_str().unwrap();
    assert!(hint.contains(r#"pack.yaml: `- { connection: storage, methods: [POST], paths: ["/api/x"] }`"#), "{hint}");

    let answer = ask(&everything, &reading, &request).await;
    let hint = answer["error"]["hint"].as_str().unwrap();
    let grant = r#"`[grants.demo]` in runner.toml: `{ connection = "box", methods = ["POST"], paths = ["/api/x"] }`"#;
    assert!(hint.contains(grant), "{hint}");
    assert_eq!(answer["error"]["kind"], "ErrorKind::Denied");

    assert!(server.seen.lock().is_empty(), "nothing was sent");
    let get = json!({ "connection": "box", "path": "/api/x" });
    assert_eq!(ask(&reading, &reading, &get).await["status"], 200);
    for escape in ["/api/../admin", "/api/%2e%2e/admin", "/api/./../../admin"] {
        let answer = ask(&reading, &reading, &json!({ "connection": "box", "path": escape })).await;
        assert_eq!(error(&answer).0, code::NET_DENIED.id(), "{escape}");
    }
    let answer = ask(&reading, &reading, &json!({ "connection": "box", "path": "/api/..%2fadmin" })).await;
    assert_eq!(error(&answer).0, code::NET_BAD_REQUEST.id());
}

#[tokio::test]
async fn a_url_needs_a_permission_for_its_origin() {
    let server = Server::plain().await;
    let origin = server.url();
    let rule = json!([{ "url": origin, "methods": ["GET"] }]);
    let url = format!("{origin}/x?a=1#fragment");
    let allowed = limited(no_connections(), rule.clone(), rule.clone());
    let answer =
        http(allowed, json!({ "url": url, "query": [["b", "2"]], "headers": [["authorization", "mine"]] })).await;
    assert_eq!(answer["status"], 200, "{answer}");
    let seen = server.last();
    assert_eq!((seen.target.as_str(), seen.header("authorization")), ("/x?a=1&b=2", Some("mine")));

    let answer = http(limited(no_connections(), rule, json!([])), json!({ "url": url })).await;
    assert_eq!(error(&answer).0, code::NET_DENIED.id());
    let hint = answer["error"]["hint"].as_str().unwrap();
    assert!(hint.contains(&format!("url = \"{origin}\"")), "{hint}");
}

#[tokio::test]
async fn malformed_requests_never_leave() {
    let server = Server::plain().await;
    let long = "v".repeat(70_000);
    let cases = [
        (json!({ "connection": "nobody", "path": "/" }), code::NET_UNKNOWN_CONNECTION),
        (json!({ "connection": "box", "path": "x" }), code::NET_BAD_REQUEST),
        (json!({ "connection": "box", "path": "/a\r\nb" }), code::NET_BAD_REQUEST),
        (json!({ "connection": "box", "path": "/", "method": "get" }), code::NET_BAD_REQUEST),
        (json!({ "connection": "box", "path": "/", "method": "CONNECT" }), code::NET_BAD_REQUEST),
        (json!({ "connection": "box", "path": "/", "method": "" }), code::NET_BAD_REQUEST),
        (json!({ "connection": "box", "path": "/", "headers": [["Host", "x"]] }), code::NET_BAD_REQUEST),
        (json!({ "connection": "box", "path": "/", "headers": [["Content-Length", "5"]] }), code::NET_BAD_REQUEST),
        (json!({ "connection": "box", "path": "/", "headers": [["Transfer-Encoding", "x"]] }), code::NET_BAD_REQUEST),
        (json!({ "connection": "box", "path": "/", "headers": [["connection", "x"]] }), code::NET_BAD_REQUEST),
        (json!({ "connection": "box", "path": "/", "headers": [["AUTHORIZATION", "x"]] }), code::NET_BAD_REQUEST),
        (json!({ "connection": "box", "path": "/", "headers": [["a b", "x"]] }), code::NET_BAD_REQUEST),
        (json!({ "connection": "box", "path": "/", "headers": [["a", "x\r\ny: z"]] }), code::NET_BAD_REQUEST),
        (json!({ "connection": "box", "path": "/", "headers": [["a", long]] }), code::NET_TOO_LARGE),
        (json!({ "connection": "box", "path": "/", "headers": vec![["a", "b"]; 101] }), code::NET_TOO_LARGE),
        (json!({ "connection": "box", "path": "/", "query": [["a", "x".repeat(17_000)]] }), code::NET_TOO_LARGE),
        (json!({ "connection": "box", "path": "/", "method": "PUT", "body_bytes": 15 << 19 }), code::NET_TOO_LARGE),
        (json!({ "url": "ftp://127.0.0.1/" }), code::NET_BAD_REQUEST),
        (json!({ "url": "http://user:pw@127.0.0.1/" }), code::NET_BAD_REQUEST),
        (json!({ "url": "http://127.0.0.1/\n" }), code::NET_BAD_REQUEST),
        (json!({ "url": "nonsense" }), code::NET_BAD_REQUEST),
    ];
    for (request, expected) in cases {
        let answer = http(pack(connection(&server.url())), request.clone()).await;
        assert_eq!(error(&answer).0, expected.id(), "{request}: {answer}");
        assert!(!error(&answer).1.contains("pw"), "{answer}");
    }
    assert!(server.seen.lock().is_empty());
}

#[tokio::test]
async fn responses_are_held_to_their_limits() {
    let server = Server::plain().await;
    let limit = super::kit::limits().http.response_bytes_max;
    let ask = |path: &str, query: Value| {
        http(pack(connection(&server.url())), json!({ "connection": "box", "path": path, "query": query }))
    };
    assert_eq!(ask("/big", json!([["bytes", limit.to_string()]])).await["length"], limit);
    assert_eq!(error(&ask("/big", json!([["bytes", (limit + 1).to_string()]])).await).0, code::NET_TOO_LARGE.id());
    let unzipped = ask("/gzip", json!([["bytes", "3000"]])).await;
    assert_eq!((&unzipped["length"], &unzipped["status"]), (&json!(3000), &json!(200)));
    let bomb = ask("/gzip", json!([["bytes", "20000000"]])).await;
    assert_eq!(error(&bomb).0, code::NET_TOO_LARGE.id(), "{bomb}");
    let many = ask("/headers", json!([["count", "150"], ["length", "1"]])).await;
    assert_eq!(error(&many).0, code::NET_TOO_LARGE.id(), "{many}");
    let long = ask("/headers", json!([["count", "10"], ["length", "9000"]])).await;
    assert_eq!(error(&long).0, code::NET_TOO_LARGE.id(), "{long}");
    let redirect = ask("/redirect", json!([])).await;
    assert_eq!(redirect["status"], 302, "redirects are not followed");
    assert_eq!(server.last().target, "/redirect");
}

#[tokio::test]
async fn every_failure_of_the_network_has_its_own_code() {
    let (garbage, _) = raw(|_| "this is not HTTP\r\n\r\n").await;
    let (short, _) = raw(|_| "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
    let (closed, _) = raw(|_| "").await;
    let free_port = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let cases = [
        (format!("http://127.0.0.1:{garbage}"), code::NET_PROTOCOL, false),
        (format!("http://127.0.0.1:{short}"), code::NET_CLOSED, true),
        (format!("http://127.0.0.1:{closed}"), code::NET_CLOSED, true),
        (format!("http://127.0.0.1:{free_port}"), code::NET_CONNECT, true),
        ("http://no-such-host.invalid".to_owned(), code::NET_DNS, true),
    ];
    for (base, expected, retryable) in cases {
        let answer = http(pack(connection(&base)), json!({ "connection": "box", "path": "/" })).await;
        assert_eq!(error(&answer).0, expected.id(), "{base}: {answer}");
        assert_eq!(answer["error"]["retryable"], retryable, "{base}: {answer}");
    }
}

#[tokio::test]
async fn only_a_read_is_sent_again_when_the_connection_closes_without_an_answer() {
    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
    for (method, effect, connections, succeeds) in [
        ("GET", None, 2, true),
        ("POST", Some("read"), 2, true),
        ("POST", None, 1, false),
        ("GET", Some("update"), 1, false),
        ("PATCH", None, 1, false),
        ("DELETE", None, 1, false),
    ] {
        let (port, count) = raw(|number| if number == 0 { "" } else { OK }).await;
        let request = json!({ "connection": "box", "path": "/", "method": method, "effect": effect });
        let answer = http(pack(connection(&format!("http://127.0.0.1:{port}"))), request).await;
        assert_eq!(answer["status"] == 200, succeeds, "{method}: {answer}");
        assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), connections, "{method}");
    }
}

#[tokio::test]
async fn a_connection_is_kept_open_and_has_a_limit_of_places() {
    let server = Server::plain().await;
    let shared = connection(&server.url());
    for _ in 0..3 {
        let answer = http(pack(shared.clone()), json!({ "connection": "box", "path": "/" })).await;
        assert_eq!(answer["status"], 200);
    }
    assert_eq!(server.connections.load(std::sync::atomic::Ordering::SeqCst), 1);

    let hang = json!({ "connection": "box", "path": "/hang", "timeout_ms": 1_000 });
    let hanging: Vec<_> = (0..4).map(|_| tokio::spawn(http(pack(shared.clone()), hang.clone()))).collect();
    while server.seen.lock().iter().filter(|seen| seen.target == "/hang").count() < 4 {
        tokio::task::yield_now().await;
    }
    let late = http(pack(shared.clone()), json!({ "connection": "box", "path": "/", "timeout_ms": 100 })).await;
    assert_eq!(error(&late).0, code::NET_TIMEOUT.id(), "all four places are taken: {late}");
    for task in hanging {
        task.await.unwrap();
    }
    let free = http(pack(shared), json!({ "connection": "box", "path": "/" })).await;
    assert_eq!(free["status"], 200);
}

#[tokio::test]
async fn the_observer_hears_of_requests_without_their_query() {
    let server = Server::plain().await;
    let ears = Arc::new(Ears::default());
    for request in [
        json!({ "connection": "box", "path": "/a/../b", "query": [["token", "s3cret"]] }),
        json!({ "connection": "nobody", "path": "/" }),
    ] {
        let mut attempt = attempt_in(pack(connection(&server.url())), "http", request);
        attempt.observer = Arc::clone(&ears) as _;
        value(attempt).await;
    }
    let heard = ears.requests.lock();
    assert_eq!((heard[0].method.as_str(), heard[0].target.as_str(), heard[0].path.as_str()), ("GET", "box", "/b"));
    assert_eq!(heard[0].result, Ok(200));
    assert_eq!(heard[1].result, Err(code::NET_UNKNOWN_CONNECTION.id().to_owned()));
    assert!(!format!("{heard:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_request_through_a_connection_says_where_it_belongs_in_the_trace() {
    let server = Server::plain().await;
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let ask = async |trace: Option<&str>, headers: Value| {
        let request = json!({ "connection": "box", "path": "/", "headers": headers });
        let mut attempt = attempt_in(pack(connection(&server.url())), "http", request);
        attempt.trace = trace.map(|trace| trace.parse().unwrap());
        value(attempt).await;
        server.last().header("traceparent").unwrap().to_owned()
    };
    let (first, second) = (ask(Some(given), json!([])).await, ask(Some(given), json!([])).await);
    assert!(first.starts_with(&given[..36]) && second.starts_with(&given[..36]), "{first} {second}");
    assert!(first != second && first != given, "each request is a span of its own");
    assert_eq!(&ask(None, json!([])).await[3..35], "07".repeat(16), "the execution is the trace");
    assert_eq!(ask(None, json!([["traceparent", given]])).await, given, "a guest knows better");
}

#[tokio::test]
async fn configured_headers_are_sent_and_belong_to_the_host() {
    let server = Server::plain().await;
    let keyed = || {
        let config = json!({ "kind": "storage", "base_url": server.url(), "headers": { "X-Api-Key": "k3y" } });
        pack(connections(&[("box", config)]))
    };
    http(keyed(), json!({ "connection": "box", "path": "/" })).await;
    assert_eq!(server.last().header("x-api-key"), Some("k3y"));
    let answer = http(keyed(), json!({ "connection": "box", "path": "/", "headers": [["x-api-key", "mine"]] })).await;
    assert_eq!(error(&answer).0, code::NET_BAD_REQUEST.id());
}

#[tokio::test]
async fn what_is_taken_back_holds_for_the_next_request_of_attempts_that_run() {
    let server = Server::plain().await;
    let current = CurrentGrant::of(pack(no_connections()).grant);
    let context = || PackContext { current: Some(current.clone()), ..pack(connection(&server.url())) };
    let request = json!({ "connection": "box", "path": "/x" });
    assert_eq!(http(context(), request.clone()).await["status"], 200);
    current.set(Permissions::default());
    let answer = http(context(), request.clone()).await;
    assert_eq!(error(&answer).0, code::NET_DENIED.id());
    assert!(
        answer["error"]["hint"].as_str().unwrap().starts_with("`runner pack grant demo --connection box`"),
        "{answer}"
    );
}
