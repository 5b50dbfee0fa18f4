//! Sending events to rules and to those who wait, and sending them once more.

use serde_json::json;

use super::{place, seen};
use crate::daemon::kit::Daemon;

#[tokio::test]
async fn an_event_is_sent_to_rules_through_a_daemon_and_once_for_each_key() {
    let place = place();
    let send = ["event", "send", "--trigger", "demo.seen", "--key", "k1", "name=vol1", "--json"];
    let nobody = seen(&place, &send, 2);
    assert_eq!(nobody.error_json()["error"]["code"], "E-CLI-0008", "{}", nobody.seen());
    let daemon = Daemon::start(&place, &[]);
    let first = seen(&place, &[&send[..], &["--url", &daemon.url]].concat(), 0).json();
    assert_eq!((&first["duplicate"], &first["executions"][0]["rule"]), (&false.into(), &"demo.seen".into()), "{first}");
    let again = seen(&place, &send, 0).json();
    assert_eq!((&again["duplicate"], &again["event"]), (&true.into(), &first["event"]), "{again}");
    let id = first["event"].as_str().unwrap();
    let event = seen(&place, &["event", "get", id, "--json"], 0).json();
    assert_eq!(event["payload"], json!({ "name": "vol1" }), "{event}");
    assert_eq!(event["matches"][0]["parameters"], json!({ "text": "vol1" }), "{event}");
    let unknown = seen(&place, &["event", "send", "--trigger", "demo.sen", "{}"], 2);
    assert!(unknown.stderr.contains("`demo.seen`?"), "{}", unknown.seen());
    let plain = seen(&place, &["event", "send", "--trigger", "demo.seen", "{\"name\": \"vol2\"}"], 0);
    assert!(plain.stdout.contains("  demo.seen ") && plain.stderr.contains("1 rule matched"), "{}", plain.seen());
}

#[tokio::test]
async fn an_event_is_sent_again_through_a_daemon_and_nothing_is_done_without_one() {
    let place = place();
    let daemon = Daemon::start(&place, &[]);
    seen(&place, &["event", "send", "--trigger", "demo.seen", "name=vol1"], 0);
    let first = seen(&place, &["event", "get", "last", "--json"], 0).json()["id"].clone();
    let mut events = vec![first.clone()];
    for more in [&[][..], &["--url", &daemon.url]] {
        let id = first.as_str().unwrap();
        let resent = seen(&place, &[&["event", "resend", id, "--json"], more].concat(), 0).json();
        assert_eq!(resent["executions"][0]["rule"], "demo.seen", "{resent}");
        assert!(!events.contains(&resent["event"]), "{resent}");
        events.push(resent["event"].clone());
        seen(&place, &[&["event", "resend", "00000000-0000-7000-8000-000000000000"], more].concat(), 3);
    }
    assert_eq!(daemon.stop().code(), Some(0));
    let alone = seen(&place, &["event", "resend", first.as_str().unwrap()], 2);
    assert!(alone.stderr.contains("E-CLI-0008") && alone.stderr.contains("runner serve"), "{}", alone.seen());
    let kept = seen(&place, &["event", "list", "--json", "--trigger", "demo.seen"], 0).json();
    assert_eq!(kept.as_array().unwrap().len(), events.len(), "{kept}");
}

#[tokio::test]
async fn an_event_with_a_key_wakes_who_waits_for_it_however_it_is_sent() {
    let place = place();
    let daemon = Daemon::start(&place, &[]);
    for (key, more) in [("one", &[][..]), ("two", &["--url", &daemon.url])] {
        let body = json!({ "action": "core.wait_for", "parameters": { "key": key } });
        let (status, execution) = daemon.post("/api/v1/executions", &body).await;
        assert_eq!(status, 201, "{execution}");
        let id = execution["id"].as_str().unwrap();
        crate::daemon::kit::until("the wait", async || {
            let waits = daemon.get(&format!("/api/v1/executions/{id}/waits")).await;
            waits["items"].as_array().is_some_and(|items| !items.is_empty()).then_some(())
        })
        .await;
        let took = seen(&place, &[&["event", "send", key, "ready=true", "--json"], more].concat(), 0).json();
        assert_eq!(took[0]["id"], id, "{took}");
        let ended = crate::daemon::kit::until("the end", async || {
            let view = daemon.get(&format!("/api/v1/executions/{id}")).await;
            (view["status"] == "succeeded").then_some(view)
        });
        assert_eq!(ended.await["result"], json!({ "ready": true }));
    }
}
