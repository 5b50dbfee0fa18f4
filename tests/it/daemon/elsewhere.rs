//! Executions that another process of the data directory drives, asked for at the daemon: it is as if they were its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use runner_model::limits::LEASE_RENEWAL;
use serde_json::{Value, json};

use super::kit::{Daemon, until};
use crate::kit::Place;

const APPROVE: &str = "name: approve\ntasks:\n  ask: {action: core.ask, input: {prompt: May it grow?}}\n";
const EVENT: &str = "name: event\ntasks:\n  wait: {action: core.wait_for, input: {key: volume-7}}\n";
const TWO: &str = "name: two\ntasks:\n  a: {action: t.approve}\n  b: {action: t.approve}\n";
const POLICY: &str = "description: one at a time\nresource_ref: t.approve\npolicy_type: action.concurrency\n\
                      parameters: {action: delay, threshold: 1}\n";

/// A process that ends with the test.
struct Running(Child);

impl Running {
    fn ended(&mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A daemon, and what runs beside it.
struct Beside {
    place: Place,
    daemon: Daemon,
}

impl Beside {
    fn new() -> Self {
        let place = Place::new();
        place.write("packs/t/pack.yaml", "ref: t\nversion: 0.1.0\n");
        for (name, text) in [("approve", APPROVE), ("event", EVENT), ("two", TWO)] {
            place.write(&format!("packs/t/workflows/{name}.yaml"), text);
        }
        place.write("packs/t/policies/one.yaml", POLICY);
        let daemon = Daemon::start(&place, &[]);
        Self { place, daemon }
    }

    /// Runs an action in a process of its own, until something waits; gives its id too.
    fn run(&self, action: &str) -> (Running, String) {
        let mut command = self.place.command(&["exec", action, "--embedded"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let id = lines.next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
        lines.find(|line| line.trim_start().starts_with("waits")).expect("it waits");
        // Whoever writes there later must find somebody.
        std::thread::spawn(move || lines.count());
        (Running(child), id)
    }

    async fn ask(&self, id: &str, verb: &str, body: Value) -> (u16, Value) {
        self.daemon.post(&format!("/api/v1/executions/{id}/{verb}"), &body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_an_execution_of_another_process_is_done_there() {
    let beside = Beside::new();
    let (mut child, id) = beside.run("t.approve");
    let events = beside.daemon.client.get(beside.daemon.at(&format!("/api/v1/executions/{id}/events"))).send();
    let events = tokio::spawn(events.await.unwrap().text());
    for (verb, body, status) in [
        ("pause", json!({}), "paused"),
        ("resume", json!({}), "pending"),
        ("respond", json!({ "answer": { "approved": true } }), "succeeded"),
    ] {
        let (code, stands) = beside.ask(&id, verb, body).await;
        assert_eq!((code, &stands["status"]), (200, &json!(status)), "{verb}: {stands}");
    }
    assert_eq!(child.ended(), Some(0));
    let events = events.await.unwrap().unwrap();
    assert!(events.ends_with("event: end\ndata: {}\n\n"), "who follows it hears of its end: {events}");
    let (code, ended) = beside.ask(&id, "pause", json!({})).await;
    assert_eq!((code, &ended["code"]), (409, &json!("E-EXEC-0009")), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_cancelling_and_events_come_through_too() {
    let beside = Beside::new();
    let (mut child, id) = beside.run("t.approve");
    let (code, refused) = beside.ask(&id, "respond", json!({ "task": "none", "answer": { "approved": true } })).await;
    assert_eq!((code, refused["hint"].as_str()), (409, Some("it waits for the answer to `ask`")), "{refused}");
    assert_eq!(beside.ask(&id, "cancel", json!({})).await.0, 200);
    assert_eq!(child.ended(), Some(130));
    assert_eq!(beside.ask(&id, "cancel", json!({})).await.1["status"], "canceled", "again changes nothing");
    let (mut child, id) = beside.run("t.event");
    let (code, sent) = beside.daemon.post("/api/v1/events", &json!({ "key": "volume-7" })).await;
    assert_eq!((code, &sent["took"][0]["id"]), (202, &json!(id)), "{sent}");
    assert_eq!(child.ended(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_does_itself_what_a_killed_process_cannot_do_any_more() {
    let beside = Beside::new();
    let (mut child, id) = beside.run("t.approve");
    child.0.kill().unwrap();
    child.ended();
    let (code, stands) = beside.ask(&id, "respond", json!({ "answer": { "approved": true } })).await;
    assert_eq!((code, &stands["status"]), (200, &json!("succeeded")), "{stands}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_process_that_does_not_answer_is_a_conflict() {
    let beside = Beside::new();
    let (mut child, id) = beside.run("t.approve");
    let signal = |name: &str| Command::new("kill").args([name, &child.0.id().to_string()]).status().unwrap();
    // Not while it writes: the database would be locked for everybody, and its lease over when it is asked.
    loop {
        let stopped_at = Instant::now();
        assert!(signal("-STOP").success());
        let (written, _) = beside.daemon.post("/api/v1/executions", &json!({ "action": "core.noop" })).await;
        if written != 503 && stopped_at.elapsed() < LEASE_RENEWAL {
            break;
        }
        assert!(signal("-CONT").success());
        tokio::time::sleep(LEASE_RENEWAL).await;
    }
    let (code, refused) = beside.ask(&id, "cancel", json!({})).await;
    assert_eq!((code, &refused["code"]), (409, &json!("E-EXEC-0008")), "{refused}");
    assert!(refused["hint"].as_str().unwrap().contains("does not answer"), "{refused}");
    assert!(signal("-CONT").success());
    assert_eq!(beside.ask(&id, "cancel", json!({})).await.0, 200);
    assert_eq!(child.ended(), Some(130));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_turn_says_so_wherever_it_is_driven_and_asked() {
    let beside = Beside::new();
    let (_, begun) = beside.daemon.post("/api/v1/executions", &json!({ "action": "t.two" })).await;
    let here = begun["id"].as_str().unwrap().to_owned();
    let (mut child, there) = beside.run("t.two");
    for parent in [&here, &there] {
        let path = format!("/api/v1/executions/{parent}/children");
        let (delayed, by_api) = until("the one in line", async || {
            for child in beside.daemon.get(&path).await["items"].as_array().unwrap() {
                let id = child["id"].as_str().unwrap();
                let shown = beside.daemon.get(&format!("/api/v1/executions/{id}")).await;
                if shown.get("delayed").is_some() {
                    return Some((id.to_owned(), shown));
                }
            }
            None
        })
        .await;
        assert_eq!(by_api["delayed"], json!([{ "policy": "t.one", "ahead": 0 }]));
        for url in [&[][..], &["--url", &beside.daemon.url]] {
            let shown = beside.place.run(&[&["execution", "get", &delayed], url].concat());
            assert!(
                shown.stdout.contains("waits for its turn by the policy `t.one`, and is the next"),
                "{}",
                shown.seen()
            );
            let shown = beside.place.run(&[&["execution", "get", &delayed, "--json"], url].concat()).json();
            assert_eq!(shown["delayed"], by_api["delayed"]);
        }
    }
    assert_eq!(beside.ask(&there, "cancel", json!({})).await.0, 200);
    assert_eq!(child.ended(), Some(130));
}
