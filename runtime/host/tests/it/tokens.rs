//! Access tokens: fetched once for all who wait, sent, renewed when they are refused, and shown nowhere.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use runner_host::{AuthKind, Connections};
use runner_model::{Failure, code};
use serde_json::{Value, json};

use super::kit::{Ears, attempt_in, connections, http, pack, value};
use super::server::{Authority, Reply, Seen, Server};

const SECRET: &str = "cl1ent/s3cret+x";
const TOKEN: &str = "t0ken-of-the-day";

fn granted(token: &str) -> Reply {
    Reply::of(200, json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600 }))
}

/// An endpoint whose nth token is `t0ken-of-the-day-n`.
async fn endpoint() -> Server {
    Server::scripted(None, |number, _| async move { granted(&format!("{TOKEN}-{number}")) }).await
}

fn oauth2(endpoint: &Server, more: Value) -> Value {
    let url = format!("{}/oauth/token", endpoint.url());
    let mut oauth2 = json!({ "token_url": url, "client_id": "runner", "client_secret": SECRET });
    oauth2.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "oauth2": oauth2 })
}

fn with(server: &Server, auth: &Value) -> Connections {
    let config = json!({ "kind": "k", "base_url": server.url(), "auth": auth, "manners": { "concurrency": 256 } });
    connections(&[("box", config)])
}

async fn ask(connections: &Connections) -> Value {
    http(pack(connections.clone()), json!({ "connection": "box", "path": "/", "method": "POST" })).await
}

fn form(seen: &Seen) -> Vec<(String, String)> {
    url::form_urlencoded::parse(&seen.body).into_owned().collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn a_token_is_asked_for_as_the_standard_says_and_kept() {
    let (server, endpoint) = (Server::plain().await, endpoint().await);
    let asked = with(&server, &oauth2(&endpoint, json!({ "scopes": ["read", "write"], "audience": "https://array" })));
    for _ in 0..3 {
        assert_eq!(ask(&asked).await["status"], 200);
        assert_eq!(server.last().header("authorization"), Some(format!("Bearer {TOKEN}-0").as_str()));
    }
    assert_eq!(endpoint.seen.lock().len(), 1);
    let seen = endpoint.last();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/oauth/token"));
    assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    let encoded = base64::engine::general_purpose::STANDARD.encode("runner:cl1ent%2Fs3cret%2Bx");
    assert_eq!(seen.header("authorization"), Some(format!("Basic {encoded}").as_str()));
    let expected =
        [pair("grant_type", "client_credentials"), pair("scope", "read write"), pair("audience", "https://array")];
    assert_eq!(form(&seen), expected);
    assert_eq!(asked.get("box").unwrap().auth, AuthKind::OAuth2);
}

#[tokio::test]
async fn a_client_may_show_its_secret_in_the_body() {
    let (server, endpoint) = (Server::plain().await, endpoint().await);
    ask(&with(&server, &oauth2(&endpoint, json!({ "client_auth": "post" })))).await;
    let seen = endpoint.last();
    assert_eq!(seen.header("authorization"), None);
    let expected =
        [pair("grant_type", "client_credentials"), pair("client_id", "runner"), pair("client_secret", SECRET)];
    assert_eq!(form(&seen), expected);
}

/// Two hundred requests that all wait when the endpoint answers: it waits for their connections to the server.
async fn two_hundred(status: u16) -> (Server, Vec<Result<u16, Failure>>) {
    let server = Server::plain().await;
    let arrived = Arc::clone(&server.connections);
    let endpoint = Server::scripted(None, move |_, _| {
        let arrived = Arc::clone(&arrived);
        async move {
            while arrived.load(Ordering::SeqCst) < 200 {
                tokio::task::yield_now().await;
            }
            if status == 200 { granted(TOKEN) } else { Reply::of(status, "") }
        }
    })
    .await;
    let asked = with(&server, &oauth2(&endpoint, json!({})));
    let asks = (0..200).map(|_| {
        let asked = asked.clone();
        tokio::spawn(async move { asked.test("box").await.map(|report| report.status) })
    });
    let mut results = Vec::new();
    for ask in asks.collect::<Vec<_>>() {
        results.push(ask.await.unwrap());
    }
    (endpoint, results)
}

#[tokio::test]
async fn two_hundred_requests_wait_for_one_token() {
    let (endpoint, results) = two_hundred(200).await;
    assert!(results.iter().all(|result| *result == Ok(200)), "{results:?}");
    assert_eq!(endpoint.seen.lock().len(), 1);
}

#[tokio::test]
async fn a_fetch_that_fails_fails_for_all_who_wait_for_it() {
    let (endpoint, results) = two_hundred(503).await;
    for result in results {
        let failure = result.unwrap_err();
        assert_eq!((failure.code.as_str(), failure.retryable), (code::NET_TOKEN.id(), true), "{failure:?}");
    }
    assert_eq!(endpoint.seen.lock().len(), 1);
}

#[tokio::test]
async fn a_token_that_the_server_refuses_is_replaced_once_and_the_request_repeated_once() {
    let endpoint = endpoint().await;
    let fresh = format!("Bearer {TOKEN}-1");
    let wanted = fresh.clone();
    let server = Server::scripted(None, move |_, seen| {
        let status = if seen.header("authorization") == Some(&wanted) { 200 } else { 401 };
        async move { Reply::of(status, "x") }
    })
    .await;
    let asked = with(&server, &oauth2(&endpoint, json!({})));
    let asks: Vec<_> = (0..12)
        .map(|_| {
            let asked = asked.clone();
            tokio::spawn(async move { ask(&asked).await })
        })
        .collect();
    for ask in asks {
        assert_eq!(ask.await.unwrap()["status"], 200);
    }
    assert_eq!(endpoint.seen.lock().len(), 2, "all were refused with the first token, and got the same second one");
    assert_eq!(server.last().header("authorization"), Some(fresh.as_str()));
}

#[tokio::test]
async fn a_server_that_refuses_every_token_is_asked_twice() {
    let endpoint = endpoint().await;
    let server = Server::scripted(None, |_, _| async { Reply::of(401, "who are you") }).await;
    let asked = with(&server, &oauth2(&endpoint, json!({})));
    let answer = ask(&asked).await;
    assert_eq!((&answer["status"], &answer["body"]), (&json!(401), &json!("who are you")));
    assert_eq!((server.seen.lock().len(), endpoint.seen.lock().len()), (2, 2));
    let report = asked.test("box").await.unwrap();
    assert!(!report.ok && report.hint.unwrap().contains("audience"));
    assert_eq!(report.token.unwrap().endpoint, format!("{}/oauth/token", endpoint.url()));
}

#[tokio::test]
async fn the_endpoint_is_trusted_as_the_connection_is_unless_it_has_settings_of_its_own() {
    let (ours, theirs, clients) = (Authority::new(), Authority::new(), Authority::new());
    let own = || {
        let (cert, key) = clients.identity("runner").pem();
        json!({ "cert_pem": cert, "key_pem": key })
    };
    let server = Server::tls(&ours.identity("localhost")).await;
    let script = |_, _| async { granted(TOKEN) };
    // One that also asks for the client's certificate, and one of another authority.
    let same = Server::scripted(Some(ours.identity("localhost").server(Some(&clients))), script).await;
    let other = Server::scripted(Some(theirs.identity("localhost").server(None)), script).await;
    let asked = |endpoint: &Server, tls: Value, token_tls: Value| {
        let mut auth = json!({ "token_url": endpoint.https(), "client_id": "runner", "client_secret": SECRET });
        if !token_tls.is_null() {
            auth["token_tls"] = token_tls;
        }
        let config = json!({ "kind": "k", "base_url": server.https(), "tls": tls, "auth": { "oauth2": auth } });
        connections(&[("box", config)])
    };
    let shown = json!({ "ca_pem": ours.pem(), "client_certificate": own() });
    assert_eq!(ask(&asked(&same, shown, Value::Null)).await["status"], 200);
    let plain = json!({ "ca_pem": ours.pem() });
    let answer = ask(&asked(&same, plain.clone(), Value::Null)).await;
    assert!(answer["error"]["message"].as_str().unwrap().contains("asks for a client certificate"), "{answer}");

    let answer = ask(&asked(&other, plain.clone(), Value::Null)).await;
    assert_eq!(answer["error"]["code"], code::NET_TOKEN.id(), "{answer}");
    assert!(answer["error"]["message"].as_str().unwrap().contains(&other.https()), "{answer}");
    assert!(answer["error"]["hint"].as_str().unwrap().contains("token_tls"), "{answer}");
    assert_eq!(ask(&asked(&other, plain.clone(), json!({ "ca_pem": theirs.pem() }))).await["status"], 200);
    let pinned = json!({ "pin_sha256": ours.identity("localhost").fingerprint() });
    let answer = ask(&asked(&other, plain, pinned)).await;
    assert!(answer["error"]["hint"].as_str().unwrap().contains("auth.token_tls"), "{answer}");
}

#[tokio::test]
async fn neither_the_secret_nor_a_token_is_shown_whatever_the_endpoint_answers() {
    let server = Server::plain().await;
    let echo = json!({ "error": SECRET, "error_description": format!("{SECRET} {TOKEN}"), "token": TOKEN });
    let encoded = base64::engine::general_purpose::STANDARD.encode("runner:cl1ent%2Fs3cret%2Bx");
    let hidden = |text: &str| {
        for secret in [SECRET, TOKEN, &encoded, "cl1ent%2Fs3cret%2Bx"] {
            assert!(!text.contains(secret), "{text}");
        }
    };
    for (status, body) in [
        (400, echo.clone()),
        (401, json!({ "error": "invalid_client" })),
        (200, echo),
        (200, json!({ "access_token": format!("{TOKEN}\n") })),
        (302, json!({})),
        (500, json!(SECRET)),
    ] {
        let endpoint = Server::scripted(None, move |_, _| {
            let body = body.to_string();
            async move { Reply::of(status, body) }
        })
        .await;
        let asked = with(&server, &oauth2(&endpoint, json!({})));
        hidden(&format!("{asked:?} {:?} {}", asked.list(), serde_json::to_string(&asked.list()).unwrap()));
        let answer = ask(&asked).await;
        assert_eq!(answer["error"]["code"], code::NET_TOKEN.id(), "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(&endpoint.url()), "{answer}");
        hidden(&answer.to_string());
        hidden(&format!("{:?}", asked.test("box").await.unwrap_err()));
    }
    assert!(server.seen.lock().is_empty(), "nothing is sent without a token");
}

#[tokio::test]
async fn a_token_never_enters_the_memory_of_a_guest() {
    let (server, endpoint) = (Server::plain().await, endpoint().await);
    let halves = |text: &str| {
        let (head, tail) = text.split_at(text.len() / 2);
        json!([head, tail])
    };
    let input = json!({
        "request": { "connection": "box", "path": "/secret" },
        "needles": [halves(TOKEN), halves(SECRET), halves("the door is open")],
    });
    let ears = Arc::new(Ears::default());
    let mut attempt = attempt_in(pack(with(&server, &oauth2(&endpoint, json!({})))), "search_memory", input);
    attempt.observer = Arc::clone(&ears) as _;
    let found = value(attempt).await;
    assert_eq!(found["answer"]["body"], "the door is open");
    let found: Vec<u64> = serde_json::from_value(found["found"].clone()).unwrap();
    assert_eq!((found[0], found[1]), (0, 0));
    assert!(found[2] > 0, "the search finds what is there");
    assert!(!format!("{:?}{:?}", ears.requests.lock(), ears.lines.lock()).contains(TOKEN));
}
