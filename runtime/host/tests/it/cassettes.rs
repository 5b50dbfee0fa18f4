//! Cassettes: what is written down of requests, and what is given back of it.

use std::path::Path;
use std::sync::Arc;

use runner_host::{Attempt, Connections, PackContext, Player, Recorder, Traffic};
use runner_model::{ConnectionName, Outcome, SystemClock, code};
use serde_json::{Value, json};

use super::kit::{actions, attempt, host, limits, pack, simulators};

async fn simulated() -> Connections {
    let name = ConnectionName::new("box").unwrap();
    let simulator = host().simulator(simulators().await, name.clone());
    Connections::none(&limits()).with_simulator(name, "storage", simulator)
}

/// A connection that leads nowhere, of the kind that was recorded.
fn nowhere() -> Connections {
    let config = serde_json::from_value(json!({ "kind": "storage", "base_url": "http://127.0.0.1:0/" })).unwrap();
    Connections::new(vec![(ConnectionName::new("box").unwrap(), config)], std::collections::BTreeMap::new(), &limits())
        .unwrap()
}

fn recorded(path: &Path, connections: Connections) -> Arc<PackContext> {
    let recorder = Recorder::create(path, Arc::new(SystemClock)).unwrap();
    Arc::new(pack(connections.with_traffic(Some(Traffic::Recorded(Arc::new(recorder))))))
}

fn replayed(path: &Path) -> (Arc<Player>, Arc<PackContext>) {
    let player = Arc::new(Player::open(path).unwrap());
    let connections = nowhere().with_traffic(Some(Traffic::Replayed(player.clone())));
    (player, Arc::new(pack(connections)))
}

/// Sends a request as a step of an execution.
async fn ask(pack: &Arc<PackContext>, step: &str, request: Value) -> Value {
    let mut whole = json!({ "connection": "box" });
    whole.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
    let mut attempt: Attempt = attempt("http", whole);
    attempt.pack = pack.clone();
    attempt.idempotency_key = format!("x/{step}");
    match host().run(actions().await, attempt).await {
        Outcome::Succeeded { result } => result,
        other => panic!("{other:?}"),
    }
}

fn lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn what_was_recorded_is_given_back_without_the_system() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tape");
    let requests = [
        ("1", json!({ "path": "/a%3Ab/", "query": [["z", "1"], ["fields", ""]] })),
        ("1", json!({ "path": "/x", "method": "POST", "body": "{\"size\":1}", "query": [["status", "201"]] })),
        ("2", json!({ "path": "/drop", "method": "DELETE" })),
        ("2", json!({ "path": "/", "query": [["status", "503"]] })),
    ];
    let recording = recorded(&path, simulated().await);
    let mut answers = Vec::new();
    for (step, request) in &requests {
        answers.push(ask(&recording, step, request.clone()).await);
    }
    let seen = lines(&path);
    assert_eq!((&seen[0]["cassette"], seen.len()), (&json!(1), 5));
    assert_eq!(seen[1]["request"]["query"], json!([["fields", ""], ["z", "1"]]));
    assert_eq!((&seen[2]["request"]["json"], &seen[2]["response"]["status"]), (&json!({ "size": 1 }), &json!(201)));
    assert_eq!((&seen[3]["error"]["code"], &seen[3]["step"]), (&json!(code::NET_CLOSED.id()), &json!(1)));
    let (player, replaying) = replayed(&path);
    assert_eq!(player.connections(), [("box".to_owned(), "storage".to_owned())].into());
    for ((step, request), answer) in requests.iter().zip(&answers) {
        let again = ask(&replaying, step, request.clone()).await;
        let plain =
            |answer: &Value| serde_json::from_str(answer["body"].as_str().unwrap_or("null")).unwrap_or(Value::Null);
        let (seen, was): (Value, Value) = (plain(&again), plain(answer));
        assert_eq!((&again["status"], &again["error"]["code"]), (&answer["status"], &answer["error"]["code"]));
        assert_eq!((&seen["count"], &seen["path"]), (&was["count"], &was["path"]));
    }
    assert_eq!(player.left(), Vec::<String>::new());
}

#[tokio::test]
async fn another_request_is_refused_with_what_was_expected() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tape");
    let recording = recorded(&path, simulated().await);
    for count in 1..=2 {
        ask(&recording, "1", json!({ "path": "/x", "method": "POST", "body": json!({ "n": count }).to_string() }))
            .await;
    }
    let (player, replaying) = replayed(&path);
    let second = json!({ "path": "/x", "method": "POST", "body": "{\"n\":2}" });
    let answer = ask(&replaying, "1", second.clone()).await;
    assert_eq!(answer["error"]["code"], code::TAPE_MISMATCH.id(), "the order of a step is kept: {answer}");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("POST /x {\"n\":1}") && message.contains("POST /x {\"n\":2}"), "{message}");
    assert_eq!(player.left().len(), 2);
    ask(&replaying, "1", json!({ "path": "/x", "method": "POST", "body": "{\"n\":1}" })).await;
    assert_eq!(ask(&replaying, "1", second.clone()).await["status"], 200);
    let answer = ask(&replaying, "1", second).await;
    assert!(answer["error"]["message"].as_str().unwrap().contains("nothing more was expected"), "{answer}");
}

#[tokio::test]
async fn steps_take_turns_as_it_happens() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tape");
    let recording = recorded(&path, simulated().await);
    let get = || json!({ "path": "/svm" });
    let post =
        |name: &str| json!({ "path": "/volumes", "method": "POST", "body": json!({ "name": name }).to_string() });
    for (step, request) in
        [("1", get()), ("1", post("a")), ("2", get()), ("2", post("b")), ("3", get()), ("3", post("c"))]
    {
        ask(&recording, step, request).await;
    }
    let (player, replaying) = replayed(&path);
    for (step, request) in
        [("3", get()), ("3", post("c")), ("2", get()), ("1", get()), ("1", post("a")), ("2", post("b"))]
    {
        let answer = ask(&replaying, step, request).await;
        assert_eq!(answer["status"], 200, "{answer}");
    }
    assert_eq!(player.left(), Vec::<String>::new());
}

#[tokio::test]
async fn a_cassette_that_was_cut_off_is_read_to_its_last_whole_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tape");
    let recording = recorded(&path, simulated().await);
    for _ in 0..2 {
        ask(&recording, "1", json!({ "path": "/" })).await;
    }
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 20]).unwrap();
    let (player, replaying) = replayed(&path);
    assert!(player.is_cut());
    assert_eq!(ask(&replaying, "1", json!({ "path": "/" })).await["status"], 200);
    let answer = ask(&replaying, "1", json!({ "path": "/" })).await;
    assert!(answer["error"]["message"].as_str().unwrap().contains("whose end is missing"), "{answer}");
    let broken = String::from_utf8(whole).unwrap().replacen("\"request\"", "\"requ", 1);
    std::fs::write(&path, broken).unwrap();
    assert!(Player::open(&path).unwrap_err().message.contains("broken in line 2"));
    std::fs::write(&path, "[]\n").unwrap();
    assert_eq!(Player::open(&path).unwrap_err().code, code::TAPE_UNREADABLE.id());
}

#[tokio::test]
async fn no_secret_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tape");
    let canary = "c4n4ry-p4ss/phr4se+1";
    let recording = recorded(&path, simulated().await);
    recording.connections.traffic().unwrap().mask().learn("kn0wn-s3cret");
    let body =
        json!({ "name": "peer", "authentication": { "passphrase": canary }, "note": "kn0wn-s3cret" }).to_string();
    let request = json!({
        "path": "/peers", "method": "POST", "body": body, "query": [["api_key", "qu3ry-s3cret"], ["q", canary]],
        "headers": [["x-auth-token", "h34der-s3cret"]],
    });
    // The simulator answers with what it was sent, as a text within JSON: there the forms are others.
    ask(&recording, "1", request.clone()).await;
    let text = std::fs::read_to_string(&path).unwrap();
    for secret in [canary, "kn0wn-s3cret", "qu3ry-s3cret", "h34der-s3cret"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let (_, replaying) = replayed(&path);
    assert_eq!(ask(&replaying, "1", request).await["status"], 200, "what is masked on both sides is the same");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
