//! What a sender is answered.

use serde_json::json;

use crate::kit::{Answer, Place, eventually, github_rule};

fn rule(path: &str, action: &str, reply: &str) -> String {
    format!(
        "trigger:\n  type: core.webhook\n  parameters: {{path: {path}, auth: none, reply: {reply}}}\n\
         action: {{ref: {action}}}\n"
    )
}

async fn posted(process: &crate::kit::Process, path: &str, body: &'static str) -> Answer {
    let request = process.request("POST", &format!("/webhooks/{path}")).header("content-type", "application/json");
    Answer::of(request.body(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_gets_the_result_and_its_status() {
    let rules = [
        ("good", rule("good", "h.good", "{wait: 30}")),
        ("bad", rule("bad", "h.bad", "{wait: 30}")),
        ("late", rule("late", "h.asks", "{wait: 0.2}")),
        ("never", rule("never", "h.good, parameters: {text: <% event().body.missing.at.all %>}", "{wait: 30}")),
    ];
    let rules: Vec<_> = rules.iter().map(|(name, rule)| (*name, rule.as_str())).collect();
    let process = Place::with(&rules).start().await;
    let good = posted(&process, "good", "{}").await;
    assert_eq!((good.status, &good.json()["status"]), (200, &json!("succeeded")), "{}", good.text());
    assert_eq!(good.json()["result"], json!({"said": "hi"}));
    let bad = posted(&process, "bad", "{}").await;
    assert_eq!((bad.status, &bad.json()["status"]), (422, &json!("failed")), "{}", bad.text());
    assert!(!bad.json()["errors"].as_array().unwrap().is_empty());
    let never = posted(&process, "never", "{}").await;
    assert_eq!((never.status, &never.json()["status"]), (422, &json!("failed")), "{}", never.text());
    assert_eq!(never.json().get("execution"), None, "none was made");
    let late = posted(&process, "late", "{}").await;
    assert_eq!(late.executions().len(), 1, "it goes on, and can be looked for");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_answers_in_its_own_words_and_nobody_changes_them() {
    let teapot = "{status: 418, headers: {X-Kind: tea, Content-Type: text/tea}, body: 'for <% event().body.who %>'}";
    let rules = [
        ("tea", rule("tea", "core.noop", teapot)),
        ("json", rule("json", "core.noop", "{body: {text: <% event().body.who %>, n: [1, <% event().body.n %>]}}")),
        ("none", rule("none", "core.noop", "{status: 204}")),
        ("wrong", rule("wrong", "core.noop", "{body: <% event().body.missing.at.all %>}")),
    ];
    let rules: Vec<_> = rules.iter().map(|(name, rule)| (*name, rule.as_str())).collect();
    let process = Place::with(&rules).start().await;
    let tea = posted(&process, "tea", r#"{"who": "<me>"}"#).await;
    assert_eq!((tea.status, tea.text().as_str()), (418, "for <me>"));
    assert_eq!((tea.header("x-kind"), tea.header("content-type")), ("tea", "text/tea"));
    let value = posted(&process, "json", r#"{"who": "me", "n": {"a": null}}"#).await;
    assert_eq!(value.json(), json!({"text": "me", "n": [1, {"a": null}]}));
    assert_eq!((value.status, value.header("content-type")), (200, "application/json"));
    let none = posted(&process, "none", "{}").await;
    assert_eq!((none.status, none.body.len()), (204, 0));
    let wrong = posted(&process, "wrong", "{}").await;
    assert_eq!(wrong.executions().len(), 1, "it is recorded, and the sender is told so");
    eventually("all of them ran", async || {
        let page = process.get("/executions?status=succeeded").await.json();
        (page["items"].as_array().unwrap().len() == 4).then_some(())
    })
    .await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_replay_gets_the_result_of_the_first() {
    let rule = github_rule("x", "h.good", "").replace("main}", "main}\n    reply: {wait: 30}");
    let place = Place::with(&[("one", &rule)]);
    let process = place.start().await;
    let (first, again) = (process.github("x", "1", "{}").await, process.github("x", "1", "{}").await);
    assert_eq!((first.status, first.json()), (200, again.json()));
    process.stop().await;
}
