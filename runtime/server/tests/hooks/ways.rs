//! Deliveries go past the router, and those whose path is not written plainly go through it: nobody can tell.

use std::collections::BTreeMap;

use crate::kit::{Answer, Place, Process, github_rule};

const BODY: &str = r#"{"who": "me"}"#;

/// What the sender sees, apart from what is new each time.
async fn seen(process: &Process, method: &str, path: &str, signed: &str) -> (u16, BTreeMap<String, String>, String) {
    let signed = process.github_request("", signed, BODY).build().unwrap();
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    // One that shows what was compressed as it came.
    let client = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
    let request = client.request(method, format!("http://{}/api/v1/webhooks/{path}", process.address));
    let request = request.headers(signed.headers().clone()).body(BODY);
    let answer = Answer::of(request.header("x-request-id", "mine").header("accept-encoding", "gzip")).await;
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let text = match answer.status {
        202 => answer.json()["duplicate"].to_string(),
        _ => answer.text(),
    };
    (answer.status, headers, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_answered_alike_whichever_way_it_takes() {
    let reply = format!("    reply: {{body: '{}<% event().body.who %>'}}\n", "word ".repeat(2_000));
    let long = github_rule("long", "core.noop", &reply);
    let rules = [("plain", github_rule("plain", "core.noop", "")), ("long", long)];
    let rules: Vec<_> = rules.iter().map(|(name, rule)| (*name, rule.as_str())).collect();
    let process = Place::with(&rules).start().await;
    // Each is sent plainly first, so that the other one is the same delivery again.
    for (method, plain, other, status) in [
        ("POST", "plain", "pl%61in", 202),
        ("POST", "plain/", "pl%61in/", 202),
        ("POST", "long", "l%6Fng", 200),
        ("POST", "nowhere", "n%6Fwhere", 404),
        ("PUT", "plain", "pl%61in", 405),
        ("PATCH", "plain", "pl%61in", 405),
        ("GET", "plain", "pl%61in", 405),
        ("DELETE", "plain", "pl%61in", 405),
    ] {
        let delivery = format!("{method} {plain}");
        seen(&process, method, plain, &delivery).await;
        let straight = seen(&process, method, plain, &delivery).await;
        assert_eq!(straight.0, status, "{delivery}: {straight:?}");
        assert_eq!(straight.1["x-request-id"], "mine");
        assert_eq!(straight, seen(&process, method, other, &delivery).await, "{delivery}");
        assert_eq!(straight.1.contains_key("content-encoding"), plain == "long", "{delivery}");
    }
    // What no signature fits is refused alike.
    for path in ["plain", "pl%61in"] {
        let forged = process.github_request(path, "2", "{}").header("x-hub-signature-256", "sha256=00");
        assert_eq!(Answer::of(forged).await.status, 401, "{path}");
    }
    process.stop().await;
}
