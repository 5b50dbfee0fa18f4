//! What a daemon says of itself, what it refuses to be, and how it ends.

use serde_json::json;

use super::kit::Daemon;
use crate::kit::Place;

#[tokio::test]
async fn a_daemon_serves_is_ready_and_ends_with_the_first_signal() {
    let place = Place::new();
    let daemon = Daemon::start(&place, &[]);
    assert_eq!(daemon.client.get(daemon.at("/healthz")).send().await.unwrap().status(), 200);
    assert_eq!(daemon.client.get(daemon.at("/readyz")).send().await.unwrap().status(), 200);
    let execution = daemon.run("core.echo", json!({ "message": "hello" })).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
    let metrics = daemon.client.get(daemon.at("/metrics")).send().await.unwrap().text().await.unwrap();
    for name in
        ["runner_executions_total", "runner_attempts_total", "runner_store_commits_total", "runner_guest_memory_bytes"]
    {
        assert!(metrics.contains(name), "{name} is missing in:\n{metrics}");
    }
    assert_eq!(daemon.stop().code(), Some(0));
}

#[tokio::test]
async fn a_data_directory_has_one_daemon_and_the_second_says_so() {
    let place = Place::new();
    let daemon = Daemon::start(&place, &[]);
    let second = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, Some(2), "{}", second.seen());
    assert!(second.stderr.contains("E-CLI-0006"), "{}", second.seen());
    daemon.signal("KILL");
    daemon.ended();
    // What a killed one held is free at once.
    assert_eq!(Daemon::start(&place, &[]).stop().code(), Some(0));
}

#[test]
fn who_can_be_reached_from_elsewhere_needs_a_key() {
    let place = Place::new();
    let refused = place.run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.code, Some(2), "{}", refused.seen());
    assert!(refused.stderr.contains("key create NAME"), "{}", refused.seen());
}

#[tokio::test]
async fn with_a_key_nobody_gets_in_without_one() {
    let place = Place::new();
    let made = place.run(&["--json", "key", "create", "ci", "--role", "viewer"]).json();
    let secret = made["secret"].as_str().unwrap();
    let daemon = Daemon::start(&place, &[]);
    let list = daemon.at("/api/v1/executions");
    assert_eq!(daemon.client.get(&list).send().await.unwrap().status(), 401);
    assert_eq!(daemon.client.get(&list).bearer_auth(secret).send().await.unwrap().status(), 200);
    let body = json!({ "action": "core.noop" });
    let run = daemon.client.post(&list).bearer_auth(secret).json(&body).send().await.unwrap();
    assert_eq!(run.status(), 403, "a viewer runs nothing");
    let id = made["key"]["id"].as_str().unwrap();
    assert_eq!(place.run(&["key", "revoke", id]).code, Some(0));
    let refused = super::kit::until("the revocation", async || {
        let answer = daemon.client.get(&list).bearer_auth(secret).send().await.unwrap();
        (answer.status() != 200).then_some(answer.status())
    });
    assert_eq!(refused.await, 401);
    // Nobody has a key that holds any more; nobody gets in without one all the same, but by the local socket.
    assert_eq!(daemon.client.get(&list).send().await.unwrap().status(), 401);
    assert_eq!(place.run(&["key", "create", "again", "--role", "viewer"]).code, Some(0));
}

#[test]
fn the_configuration_that_holds_can_be_seen_and_read_back() {
    let place = Place::new();
    place.write("runner.toml", "[server]\ngrace = 5\n[retention]\nexecutions_days = 3\n");
    let dumped = place.run(&["serve", "--dump-config", "--listen", "127.0.0.1:1234"]);
    assert_eq!(dumped.code, Some(0), "{}", dumped.seen());
    for line in ["listen = \"127.0.0.1:1234\"", "grace = 5.0", "executions_days = 3", "queue_max = 10000"] {
        assert!(dumped.stdout.contains(line), "{line}: {}", dumped.seen());
    }
    place.write("again.toml", &dumped.stdout);
    let again = place.run(&["serve", "--dump-config", "--config", "again.toml"]);
    assert_eq!(again.stdout, dumped.stdout, "{}", again.seen());
}
