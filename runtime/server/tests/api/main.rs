//! The REST API over real sockets, with the store on the disk.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something else fails, and that is what it is for"
)]

#[path = "../hooks/kit.rs"]
#[allow(dead_code, reason = "it serves other tests too")]
mod kit;

mod access;
mod document;
mod events;
mod executions;
mod keys;
mod lists;
mod local;
mod roles;
mod serving;

use kit::{Answer, Process};
use serde_json::Value;

/// A request with the path as a whole and a key.
async fn ask(process: &Process, method: &str, path: &str, key: Option<&str>) -> Answer {
    Answer::of(request(process, method, path, key)).await
}

fn request(process: &Process, method: &str, path: &str, key: Option<&str>) -> reqwest::RequestBuilder {
    let method = reqwest::Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let request = process.client.request(method, format!("http://{}{path}", process.address));
    match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    }
}

async fn send(process: &Process, method: &str, path: &str, key: Option<&str>, body: &Value) -> Answer {
    let request = request(process, method, path, key).header("content-type", "application/json");
    Answer::of(request.body(body.to_string())).await
}

/// An execution that was asked for, by its id.
async fn begun(process: &Process, action: &str, parameters: Value) -> String {
    let answer = process.post("/executions", &serde_json::json!({"action": action, "parameters": parameters})).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}
