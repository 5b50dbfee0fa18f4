//! Packs change while the daemon runs.

use std::fs;

use serde_json::json;

use super::kit::{Daemon, until};
use crate::kit::Place;

/// A workflow that waits for an event between two steps that say which version they are of.
fn workflow(version: &str) -> String {
    format!(
        "name: slow\ntasks:\n  first:\n    action: core.echo\n    input: {{message: {version}}}\n    next:\n      - do: wait\n  \
         wait:\n    action: core.wait_for\n    input: {{key: go}}\n    next:\n      - do: last\n  last:\n    action: live.say\n\
         output:\n  - first: <% task(\"first\").result.message %>\n  - last: <% task(\"last\").result.message %>\n"
    )
}

fn write(place: &Place, version: &str) {
    place.write("packs/live/pack.yaml", &format!("ref: live\nversion: {version}\n"));
    let say = format!("name: say\ntasks:\n  say:\n    action: core.echo\n    input: {{message: {version}}}\n");
    place.write(
        "packs/live/workflows/say.yaml",
        &format!("{say}output:\n  - message: <% task(\"say\").result.message %>\n"),
    );
    place.write("packs/live/workflows/slow.yaml", &workflow(version));
}

async fn version(daemon: &Daemon) -> Option<String> {
    let response = daemon.client.get(daemon.at("/api/v1/packs/live")).send().await.unwrap();
    let pack: serde_json::Value = response.json().await.ok()?;
    pack["version"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_comes_changes_breaks_and_goes_and_what_runs_ends_on_what_it_began_with() {
    let place = Place::new();
    fs::create_dir(place.path("packs")).unwrap();
    let daemon = Daemon::start(&place, &[]);
    assert_eq!(version(&daemon).await, None);

    write(&place, "1.0.0");
    until("the new pack", async || version(&daemon).await.filter(|version| version == "1.0.0")).await;
    let said = daemon.run("live.say", json!({})).await;
    assert_eq!(said["result"]["message"], "1.0.0", "{said}");

    let (status, begun) = daemon.post("/api/v1/executions", &json!({ "action": "live.slow" })).await;
    assert_eq!(status, 201, "{begun}");
    let id = begun["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/executions/{id}");
    until("the wait", async || (daemon.get(&path).await["status"] == "pending").then_some(())).await;

    write(&place, "2.0.0");
    until("the changed pack", async || version(&daemon).await.filter(|version| version == "2.0.0")).await;
    assert_eq!(daemon.run("live.say", json!({})).await["result"]["message"], "2.0.0");

    place.write("packs/live/workflows/say.yaml", "name: say\ntasks: 7\n");
    let broken = until("the broken pack", async || {
        let pack = daemon.get("/api/v1/packs/live").await;
        pack.to_string().contains("E-PACK").then_some(pack)
    });
    assert_eq!(broken.await["version"], "2.0.0", "the good version stays");
    assert_eq!(daemon.run("live.say", json!({})).await["result"]["message"], "2.0.0");
    let list = place.run(&["pack", "list"]);
    assert!(list.seen().contains("live"), "{}", list.seen());

    // Across a restart too, for new executions and for those that are under way.
    daemon.signal("KILL");
    daemon.ended();
    let daemon = Daemon::start(&place, &[]);
    assert_eq!(version(&daemon).await.as_deref(), Some("2.0.0"), "the good version is brought back");
    assert_eq!(daemon.run("live.say", json!({})).await["result"]["message"], "2.0.0");
    assert!(daemon.get("/api/v1/packs/live").await.to_string().contains("E-PACK"));
    daemon.signal("KILL");
    daemon.ended();
    fs::remove_dir_all(place.path("packs/live")).unwrap();
    let daemon = Daemon::start(&place, &[]);
    assert_eq!(version(&daemon).await, None, "it is gone");
    let (status, _) = daemon.post("/api/v1/executions", &json!({ "action": "live.say" })).await;
    assert!((400..500).contains(&status), "{status}");
    let (status, sent) = daemon.post("/api/v1/events", &json!({ "key": "go", "payload": {} })).await;
    assert!(status < 300, "{status} {sent}");
    let ended = until("the end", async || {
        let execution = daemon.get(&path).await;
        (execution["status"] == "succeeded").then_some(execution)
    });
    assert_eq!(ended.await["result"], json!({ "first": "1.0.0", "last": "1.0.0" }));
    assert_eq!(daemon.stop().code(), Some(0));
}
