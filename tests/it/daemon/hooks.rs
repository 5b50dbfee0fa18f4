//! Signed webhooks, from outside: exactly one execution a delivery, whatever happens.

use std::collections::BTreeSet;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use super::kit::{Daemon, until};
use crate::kit::Place;

const SECRET: &str = "It's a Secret to Everybody";

fn place() -> Place {
    let place = Place::new();
    place.write("runner.toml", &format!("[webhooks.secrets]\ngithub = {{ env = \"HOOK\" }}\nunused = \"{SECRET}\"\n"));
    place.write("secret", SECRET);
    place.canaries.take(SECRET);
    place.write("runner.toml", "[webhooks.secrets]\ngithub = { file = \"secret\" }\n");
    place.write("packs/hooks/pack.yaml", "ref: hooks\nversion: 1.0.0\n");
    place.write(
        "packs/hooks/rules/push.yaml",
        "trigger:\n  type: core.webhook\n  parameters: {path: github, signature: {scheme: github, secret: github}}\n\
         when: <% event().body.ref == \"refs/heads/main\" %>\n\
         action:\n  ref: core.echo\n  parameters: {message: <% event().body.after %>}\n",
    );
    place
}

/// Delivers a push as GitHub does.
async fn deliver(daemon: &Daemon, id: &str, body: &str, secret: &str) -> (u16, serde_json::Value) {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = daemon.client.post(daemon.at("/api/v1/webhooks/github")).header("content-type", "application/json");
    let request = request.header("x-github-event", "push").header("x-github-delivery", id);
    let response = request.header("x-hub-signature-256", format!("sha256={signature}")).body(body.to_owned()).send();
    let response = response.await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

fn push(branch: &str) -> String {
    json!({ "ref": format!("refs/heads/{branch}"), "after": "4f2a" }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_comes_a_thousand_times_at_once_and_after_a_restart_makes_one_execution() {
    let place = place();
    let daemon = Daemon::start(&place, &[]);
    let (status, _) = deliver(&daemon, "0", &push("main"), "another secret").await;
    assert_eq!(status, 401);
    let (status, other) = deliver(&daemon, "1", &push("feature"), SECRET).await;
    assert_eq!((status, &other["executions"]), (202, &json!([])), "{other}");

    let body = push("main");
    let mut made = BTreeSet::new();
    for _ in 0..20 {
        let together = (0..50).map(|_| deliver(&daemon, "2", &body, SECRET));
        for (status, answer) in futures::future::join_all(together).await {
            assert_eq!(status, 202, "{answer}");
            made.insert(answer["executions"][0]["execution"].as_str().unwrap().to_owned());
        }
    }
    daemon.signal("KILL");
    daemon.ended();
    let daemon = Daemon::start(&place, &[]);
    let (_, again) = deliver(&daemon, "2", &body, SECRET).await;
    made.insert(again["executions"][0]["execution"].as_str().unwrap().to_owned());
    assert_eq!(made.len(), 1, "{made:?}");
    let ended = until("the end", async || {
        let list = daemon.get("/api/v1/executions?rule=hooks.push").await;
        let items = list["items"].as_array().unwrap().clone();
        items.iter().all(|item| item["status"] == "succeeded").then_some(items).filter(|items| !items.is_empty())
    });
    assert_eq!(ended.await.len(), 1);
    assert_eq!(daemon.stop().code(), Some(0));
}
