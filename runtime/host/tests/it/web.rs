//! `wasi:http` leaves by the egress door: what is sent, what comes back, and the same denials as `http.send`.

use std::sync::Arc;

use runner_host::{Connections, PackContext, World};
use runner_model::{Code, Outcome, code};
use serde_json::{Value, json};

use super::kit::{Ears, actions, attempt_in, code_of, connections, host, limits, pack, wasm};
use super::server::{Reply, Server};

async fn component() -> runner_host::Component {
    host().load(wasm("host-web.wasm"), World::Action).await.unwrap()
}

async fn run(pack: PackContext, function: &str, input: Value, ears: &Arc<Ears>) -> Outcome {
    let mut attempt = attempt_in(pack, function, input);
    attempt.observer = Arc::clone(ears) as _;
    host().run(&component().await, attempt).await
}

/// Sends a request; what the guest made of the answer.
async fn send(pack: PackContext, request: Value) -> Value {
    match run(pack, "send", request, &Arc::default()).await {
        Outcome::Succeeded { result } => result,
        other => panic!("{other:?}"),
    }
}

/// A connection `box` with a password.
fn boxed(base_url: &str) -> Connections {
    let auth = json!({ "basic": { "username": "admin", "password": "hunter2" } });
    connections(&[("box", json!({ "kind": "storage", "base_url": base_url, "auth": auth }))])
}

#[tokio::test]
async fn a_request_of_wasi_arrives_over_the_connection_that_it_names_with_the_hosts_credentials() {
    let server = Server::scripted(None, |_, seen| async move {
        Reply(201, vec![("x-kind", "Test".to_owned())], String::from_utf8(seen.body).unwrap())
    })
    .await;
    let request = json!({
        "authority": "box.connection", "path": "/svm?fields=name%2Cstate&q=a+b", "method": "POST", "body": "{\"a\":1}",
        "headers": { "x-trace": "1", "content-length": "7" },
    });
    let answer = send(pack(boxed(&format!("{}/api/", server.url()))), request).await;
    assert_eq!((&answer["status"], &answer["body"]), (&json!(201), &json!("{\"a\":1}")), "{answer}");
    assert_eq!(answer["headers"]["x-kind"], "Test");
    let seen = server.last();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/api/svm?fields=name%2Cstate&q=a%20b"));
    assert_eq!(seen.header("authorization"), Some("Basic YWRtaW46aHVudGVyMg=="));
    assert_eq!((seen.header("x-trace"), seen.header("content-length")), (Some("1"), Some("7")));
    assert!(seen.header("traceparent").is_some() && seen.header("user-agent").unwrap().ends_with("demo/1.2.3"));
}

#[tokio::test]
async fn bodies_of_wasi_are_held_to_the_limits_of_all_requests() {
    let server = Server::scripted(None, |_, seen| async move {
        Reply::of(200, if seen.target == "/much" { "x".repeat(2 << 20) } else { seen.body.len().to_string() })
    })
    .await;
    let ask = |path: &str, bytes: usize| {
        let request = json!({ "authority": "box.connection", "path": path, "method": "POST", "body_bytes": bytes });
        send(pack(boxed(&server.url())), request)
    };
    let most = limits().http.request_bytes_max;
    assert_eq!(ask("/", most).await["body"], most.to_string());
    let sent = server.seen.lock().len();
    let answer = ask("/", most + 1).await;
    assert!(answer["error"].as_str().unwrap().contains("HttpRequestBodySize"), "{answer}");
    assert_eq!(server.seen.lock().len(), sent, "nothing was sent");
    let answer = ask("/much", 0).await;
    assert!(answer["error"].as_str().unwrap().contains("HttpResponseBodySize"), "{answer}");
}

#[tokio::test]
async fn a_request_of_wasi_ends_in_time() {
    let server = Server::plain().await;
    let request = json!({ "authority": "box.connection", "path": "/hang", "timeout_ms": 200 });
    let answer = send(pack(boxed(&server.url())), request).await;
    assert!(answer["error"].as_str().unwrap().contains("HttpResponseTimeout"), "{answer}");
    // Without a time of its own, that of the attempt.
    let mut hanging =
        attempt_in(pack(boxed(&server.url())), "send", json!({ "authority": "box.connection", "path": "/hang" }));
    hanging.timeout = std::time::Duration::from_millis(400);
    let outcome = host().run(&component().await, hanging).await;
    assert_eq!(code_of(&outcome), code::HOST_TIMEOUT.id(), "{outcome:?}");
}

/// S3: what a guest can make the host hold.
#[tokio::test]
async fn resources_headers_and_calls_of_wasi_are_bounded() {
    for (function, expected) in
        [("hold_fields", code::HOST_TABLE), ("large_fields", code::HOST_CALLS), ("ask_forever", code::HOST_CALLS)]
    {
        let outcome = run(pack(boxed("http://127.0.0.1:9")), function, json!({}), &Arc::default()).await;
        assert_eq!(code_of(&outcome), expected.id(), "{function}: {outcome:?}");
    }
}

/// One request as both interfaces say it, and what becomes of it.
struct Denial {
    /// As `http.send` takes it.
    own: Value,
    /// As `wasi:http` does.
    wasi: Value,
    expected: Code,
    /// The error that a guest of WASI sees.
    word: &'static str,
}

fn denials(port: u16) -> Vec<Denial> {
    let denial = |own: Value, wasi: Value, expected, word| Denial { own, wasi, expected, word };
    let (no, bad) = (code::NET_DENIED, code::NET_BAD_REQUEST);
    let at = |authority: &str, path: &str| json!({ "scheme": "http", "authority": authority, "path": path });
    let url = |authority: &str, path: &str| json!({ "url": format!("http://{authority}{path}") });
    let on = |name: &str, path: &str, method: &str| {
        (
            json!({ "connection": name, "path": path, "method": method }),
            json!({ "authority": format!("{name}.connection"), "path": path, "method": method }),
        )
    };
    let mut all: Vec<Denial> = [
        // Another path, method, connection; a path that climbs out; a connection that nobody configured.
        ("box", "/admin", "GET", no, "HttpRequestDenied"),
        ("box", "/api/../admin", "GET", no, "HttpRequestDenied"),
        ("box", "/api/%2e%2e/admin", "GET", no, "HttpRequestDenied"),
        ("box", "/api/..%2fadmin", "GET", bad, "E-NET-0003"),
        ("box", "/api/x", "DELETE", no, "HttpRequestDenied"),
        ("box", "/api/x", "CONNECT", bad, "E-NET-0003"),
        ("other", "/api/x", "GET", no, "HttpRequestDenied"),
        ("nobody", "/api/x", "GET", code::NET_UNKNOWN_CONNECTION, "DestinationNotFound"),
    ]
    .into_iter()
    .map(|(name, path, method, expected, word)| {
        let (own, wasi) = on(name, path, method);
        denial(own, wasi, expected, word)
    })
    .collect();
    // Another host, another port, the same host by another name, the address of a cloud's metadata, this machine.
    for authority in [
        "example.com".to_owned(),
        format!("127.0.0.1:{}", port.wrapping_add(1)),
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
        "169.254.169.254".to_owned(),
        "[fd00:ec2::254]".to_owned(),
        "2130706433".to_owned(),
        "0x7f.1".to_owned(),
    ] {
        all.push(denial(url(&authority, "/api/x"), at(&authority, "/api/x"), no, "HttpRequestDenied"));
    }
    let granted = format!("127.0.0.1:{port}");
    all.push(denial(url(&granted, "/admin"), at(&granted, "/admin"), no, "HttpRequestDenied"));
    let user = format!("user:pw@{granted}");
    all.push(denial(url(&user, "/api/x"), at(&user, "/api/x"), bad, "E-NET-0003"));
    // Credentials of the guest's own on a connection that has some; a header over the limit; one of the host's.
    for (name, value, expected, word) in
        [("authorization", "mine".to_owned(), bad, "E-NET-0003"), ("te", "trailers".to_owned(), bad, "E-NET-0003")]
    {
        let (mut own, mut wasi) = on("box", "/api/x", "GET");
        own["headers"] = json!([[name, value]]);
        wasi["headers"] = json!({ name: value });
        all.push(denial(own, wasi, expected, word));
    }
    all
}

#[tokio::test]
async fn both_ways_out_deny_the_same_with_the_same_codes() {
    let server = Server::plain().await;
    let rules = json!({ "http": [
        { "connection": "box", "methods": ["GET"], "paths": ["/api/**"] },
        { "connection": "nobody", "methods": ["GET"] },
        { "url": server.url(), "methods": ["GET"], "paths": ["/api/**"] },
    ] });
    let limited = || {
        let base = json!({ "kind": "box", "base_url": server.url(), "auth": { "bearer": { "token": "t" } } });
        let mut pack = pack(connections(&[("box", base.clone()), ("other", with_kind(base, "other"))]));
        pack.permissions = serde_json::from_value(rules.clone()).unwrap();
        pack.grant = serde_json::from_value(rules.clone()).unwrap();
        pack
    };
    for Denial { own, wasi, expected, word } in denials(server.port) {
        let (ears, wasi_ears) = (Arc::new(Ears::default()), Arc::new(Ears::default()));
        let mut attempt = attempt_in(limited(), "http", own.clone());
        attempt.observer = Arc::clone(&ears) as _;
        let answer = host().run(actions().await, attempt).await;
        let Outcome::Succeeded { result: answer } = answer else { panic!("{own}: {answer:?}") };
        assert_eq!(answer["error"]["code"], expected.id(), "{own}: {answer}");

        let outcome = run(limited(), "send", wasi.clone(), &wasi_ears).await;
        let Outcome::Succeeded { result } = outcome else { panic!("{wasi}: {outcome:?}") };
        assert!(result["error"].as_str().is_some_and(|error| error.contains(word)), "{wasi}: {result}");
        let heard = |ears: &Ears| ears.requests.lock().iter().map(|request| request.result.clone()).collect::<Vec<_>>();
        assert_eq!(heard(&wasi_ears), [Err(expected.id().to_owned())], "{wasi}");
        assert_eq!(heard(&ears), heard(&wasi_ears), "{own}");
        // What the errors of WASI cannot say stands in the log.
        let lines = wasi_ears.lines.lock();
        let fields = lines.iter().flat_map(|line| &line.fields).cloned().collect::<Vec<_>>();
        assert!(fields.contains(&("code".to_owned(), expected.id().to_owned())), "{lines:?}");
    }
    // Headers that frame a message cannot even be built.
    for name in ["host", "connection", "transfer-encoding", "upgrade", "proxy-authorization"] {
        let request = json!({ "authority": "box.connection", "path": "/api/x", "headers": { name: "x" } });
        let answer = send(limited(), request).await;
        assert!(answer["error"].as_str().unwrap().contains("Forbidden"), "{name}: {answer}");
    }
    assert!(server.seen.lock().is_empty(), "nothing was sent");
    assert_eq!(send(limited(), json!({ "authority": "box.connection", "path": "/api/x" })).await["status"], 200);
    let direct = json!({ "scheme": "http", "authority": format!("127.0.0.1:{}", server.port), "path": "/api/x" });
    assert_eq!(send(limited(), direct).await["status"], 200);
}

fn with_kind(mut config: Value, kind: &str) -> Value {
    config["kind"] = kind.into();
    config
}
