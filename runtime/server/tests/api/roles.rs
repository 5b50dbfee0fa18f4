//! Every route × everybody who may ask, from the document.

use std::collections::BTreeMap;

use runner_model::{Clock as _, Role, SystemClock, SystemEntropy};
use runner_server::{AccessMode, new_key};
use serde_json::{Value, json};

use crate::document::{hold, operations};
use crate::kit::{Answer, Place, Process, Settings, by};
use crate::request;

/// Whoever may ask, and what their key opens.
struct Somebody {
    who: &'static str,
    secret: Option<String>,
    role: Option<Role>,
}

async fn everybody(process: &Process) -> Vec<Somebody> {
    let mut all = vec![Somebody { who: "nobody", secret: None, role: None }];
    all.push(Somebody { who: "a guess", secret: Some(format!("rk_{}", "0".repeat(64))), role: None });
    for role in Role::ALL {
        all.push(Somebody { who: role.as_str(), secret: Some(process.key(role, None).await), role: Some(role) });
    }
    let make = |expires| new_key(&SystemEntropy, &SystemClock, "old".to_owned(), Role::Admin, None, expires);
    let (secret, key, digest) = make(Some(SystemClock.now().plus_ms(-1)));
    process.store.add_key(key, digest, by()).await.unwrap();
    all.push(Somebody { who: "expired", secret: Some(secret), role: None });
    let (secret, key, digest) = make(None);
    process.store.add_key(key.clone(), digest, by()).await.unwrap();
    process.store.revoke_key(key.id, by()).await.unwrap();
    all.push(Somebody { who: "revoked", secret: Some(secret), role: None });
    all
}

/// The answer, without the rest of a stream.
async fn asked(process: &Process, method: &str, path: &str, key: Option<&str>) -> Answer {
    let mut request = request(process, method, path, key);
    if ["post", "put", "patch"].contains(&method) {
        request = request.header("content-type", "application/json").body("{}");
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let is_stream = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
    let body = if is_stream { Vec::new() } else { response.bytes().await.unwrap().to_vec() };
    Answer { status, headers, body }
}

/// The path with something real in it.
fn real(path: &str, execution: &str) -> String {
    let id = if path.contains("/executions/") || path.contains("/inquiries/") { execution } else { "unknown" };
    let path = path.replace("{id}", id).replace("{action}", "core.noop").replace("{pack}", "core");
    path.replace("{rule}", "h.none").replace("{path}", "none").replace("{ref}", "h.none")
}

async fn process(place: &Place) -> Process {
    place.start_with(Settings { access: AccessMode::Keys, ..Settings::default() }).await
}

async fn execution(process: &Process, admin: &str) -> String {
    let request = request(process, "POST", "/api/v1/executions?wait=20s", Some(admin));
    let body = json!({"action": "core.noop"}).to_string();
    let answer = Answer::of(request.header("content-type", "application/json").body(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_opens_to_whom_the_document_says_and_to_nobody_else() {
    let place = Place::with(&[]);
    let process = process(&place).await;
    let everybody = everybody(&process).await;
    let admin = everybody.iter().find(|one| one.who == "admin").and_then(|one| one.secret.clone()).unwrap();
    let id = execution(&process, &admin).await;
    let document = process.api.openapi();
    for (path, method, operation) in operations(&document) {
        let needed = operation["x-role"].as_str().unwrap();
        for somebody in &everybody {
            let answer = asked(&process, &method, &real(&path, &id), somebody.secret.as_deref()).await;
            let start: String = answer.text().chars().take(300).collect();
            let place = format!("{method} {path} by {}: {} {start}", somebody.who, answer.status);
            let code = if answer.status >= 400 { answer.json()["code"].clone() } else { Value::Null };
            assert!(answer.status < 500 || path == "/readyz", "{place}");
            match (needed.parse::<Role>(), somebody.role) {
                (Err(_), _) => assert_eq!(needed, "public", "{place}"),
                (Ok(_), None) => assert_eq!((answer.status, code), (401, json!("E-API-0002")), "{place}"),
                (Ok(needed), Some(role)) if role < needed => {
                    assert_eq!((answer.status, code), (403, json!("E-API-0003")), "{place}");
                }
                (Ok(_), Some(_)) => assert!(![401, 403].contains(&answer.status), "{place}"),
            }
            hold(&document, &path, &method, &answer);
        }
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_pack_sees_nothing_and_touches_nothing() {
    let place = Place::with(&[]);
    let process = process(&place).await;
    let admin = process.key(Role::Admin, None).await;
    let other = process.key(Role::Admin, Some(&["h"])).await;
    let id = execution(&process, &admin).await;
    for (path, method, _) in operations(&process.api.openapi()) {
        if path.starts_with("/api/v1/webhooks/") || !path.starts_with("/api/v1/") {
            continue;
        }
        let answer = asked(&process, &method, &real(&path, &id), Some(&other)).await;
        let start: String = answer.text().chars().take(300).collect();
        let place = format!("{method} {path}: {} {start}", answer.status);
        // What cannot be understood is refused before anything is looked for.
        let is_unread = answer.status == 422 && answer.json()["code"] == "E-API-0001";
        let about_core = real(&path, &id).contains("core") || path.contains("/executions/{id}");
        if about_core && !is_unread {
            // An action that is not there is a mistake in what was asked.
            let wanted: &[u16] = if path.ends_with("/executions") { &[404, 422] } else { &[404] };
            assert!(wanted.contains(&answer.status), "{place}");
        }
        // Triggers of runner's own are everybody's, and examples are no data.
        let leaks = answer.text().contains("actions/core.")
            || !path.ends_with("/triggers") && !path.ends_with(".json") && answer.text().contains("\"core.");
        assert!(!leaks, "{place}");
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_a_pack_can_do_what_its_role_can_there() {
    let place = Place::with(&[]);
    let process = process(&place).await;
    let own = process.key(Role::Operator, Some(&["h", "core"])).await;
    let body = json!({"action": "h.good"}).to_string();
    let run = request(&process, "POST", "/api/v1/executions?wait=20s", Some(&own));
    let answer = Answer::of(run.header("content-type", "application/json").body(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let list = asked(&process, "get", "/api/v1/executions?count=true", Some(&own)).await;
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(list.header("x-total-count"), "1");
    process.stop().await;
}

/// So that a change of a rule is seen by whoever reads the change.
#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_rules_is_the_one_that_was_read() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let mut table: BTreeMap<String, String> = BTreeMap::new();
    for (path, method, operation) in operations(&process.api.openapi()) {
        let is_typed = path.starts_with("/api/v1/actions/") && !path.contains('{');
        if !is_typed {
            let role = operation["x-role"].as_str().unwrap().to_owned();
            table.insert(format!("{path} {}", method.to_uppercase()), role);
        }
    }
    insta::assert_snapshot!(table.iter().map(|(route, role)| format!("{role:<9} {route}\n")).collect::<String>());
    process.stop().await;
}
