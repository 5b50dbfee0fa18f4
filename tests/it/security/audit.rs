//! The audit log, from outside (S28): who changed what, and that nobody changes the log unseen.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::daemon::kit::Daemon;
use crate::kit::Place;

fn list(place: &Place, more: &[&str]) -> Vec<Value> {
    let run = place.run(&[&["--json", "audit", "list"], more].concat());
    assert_eq!(run.code, Some(0), "{}", run.seen());
    run.json().as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_changed_or_ordered_is_logged_with_who_did_it_and_from_where() {
    let place = Place::new();
    place.write("packs/t/pack.yaml", "ref: t\nversion: 1.0.0\n");
    place.write("packs/t/workflows/asks.yaml", "tasks: {one: {action: core.ask, input: {prompt: Well?}}}\n");
    place.write(
        "packs/t/rules/noon.yaml",
        "trigger: {type: core.cron, parameters: {cron: '0 12 * * *'}}\naction: {ref: core.noop}\n",
    );
    let daemon = Daemon::start(&place, &[]);
    let run = |arguments: &[&str]| {
        let run = place.command(arguments).env("USER", "carol").output().unwrap();
        assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    };
    run(&["rule", "disable", "t.noon"]);
    let (status, asked) = daemon.post("/api/v1/executions", &json!({ "action": "t.asks" })).await;
    assert_eq!(status, 201, "{asked}");
    let id = asked["id"].as_str().unwrap();
    let (status, _) = daemon.post(&format!("/api/v1/executions/{id}/cancel"), &json!({})).await;
    assert_eq!(status, 200);
    let (status, sent) = daemon.post("/api/v1/events", &json!({ "trigger": "core.webhook", "payload": {} })).await;
    assert!((200..500).contains(&status), "{sent}");
    let secret = run(&["key", "create", "ci", "--role", "admin"]);
    let by_key = daemon.client.post(daemon.at("/api/v1/rules/t.noon/enable")).bearer_auth(secret.trim());
    assert!(by_key.send().await.unwrap().status().is_success());
    run(&["key", "revoke", "ci"]);

    let log = list(&place, &[]);
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or("-").to_owned();
    let told: Vec<[String; 4]> =
        log.iter().map(|entry| ["action", "actor", "origin", "address"].map(|key| text(entry, key))).collect();
    let has = |wanted: [&str; 4]| assert!(told.iter().any(|entry| *entry == wanted), "{wanted:?} in {told:#?}");
    has(["rule.switch", "carol", "api", "-"]);
    has(["execution.cancel", "the API", "api", "127.0.0.1"]);
    has(["key.create", "carol", "api", "-"]);
    has(["rule.switch", "the key `ci`", "api", "127.0.0.1"]);
    has(["key.revoke", "carol", "api", "-"]);
    assert!(!log.iter().any(|entry| entry.to_string().contains(secret.trim())));
    assert_eq!(list(&place, &["--action", "key"]).len(), 2);
    assert_eq!(list(&place, &["--actor", "carol", "--action", "rule.switch"]).len(), 1);
    assert!(list(&place, &["--since", "2099-01-01T00:00:00Z"]).is_empty());
}

#[test]
fn a_change_of_the_log_is_found_and_named() {
    let place = Place::new();
    for value in ["one", "two", "three"] {
        let run = place.run_with_input(&["secret", "set", "a", "-"], value);
        assert_eq!(run.code, Some(0), "{}", run.seen());
    }
    let head = place.run(&["audit", "head"]).stdout.trim().to_owned();
    let verify = |more: &[&str]| place.run(&[&["audit", "verify"], more].concat());
    assert_eq!(verify(&[]).stdout, "3 entries, as they were written\n");
    let run = place.run_with_input(&["secret", "set", "a", "-"], "four");
    assert_eq!(run.code, Some(0), "{}", run.seen());
    assert_eq!(verify(&["--head", &head]).code, Some(0), "an earlier head is still in it");
    let other = verify(&["--head", &"0a".repeat(32)]);
    assert!(other.code == Some(1) && other.stderr.contains("E-AUDIT-0001"), "{}", other.seen());
    assert_eq!(verify(&["--head", "x"]).code, Some(2));

    let db = Connection::open(place.path("data/runner.db")).unwrap();
    db.execute_batch("DROP TRIGGER audit_is_not_changed; UPDATE audit SET actor = 'nobody' WHERE sequence = 2")
        .unwrap();
    let broken = verify(&[]);
    assert_eq!(broken.code, Some(1), "{}", broken.seen());
    assert!(broken.stderr.contains("broken at entry 2: it was changed"), "{}", broken.seen());
    let broken = place.run(&["--json", "audit", "verify"]);
    assert_eq!((broken.code, &broken.json()["sequence"]), (Some(1), &json!(2)));
}

#[test]
fn what_cannot_be_logged_is_not_done() {
    let place = Place::new();
    let run = place.run_with_input(&["secret", "set", "a", "-"], "one");
    assert_eq!(run.code, Some(0), "{}", run.seen());
    let db = Connection::open(place.path("data/runner.db")).unwrap();
    db.execute_batch("CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END").unwrap();
    for arguments in [&["secret", "rotate", "a", "-"][..], &["secret", "delete", "a"], &["key", "create", "k"]] {
        let refused = place.run_with_input(arguments, "two");
        assert!(refused.code != Some(0) && refused.stderr.contains("E-STORE-0009"), "{}", refused.seen());
    }
    let listed = place.run(&["--json", "secret", "list"]).json();
    assert_eq!(listed[0]["version"], 1, "{listed}");
    assert_eq!(place.run(&["--json", "key", "list"]).json(), json!([]));
}
