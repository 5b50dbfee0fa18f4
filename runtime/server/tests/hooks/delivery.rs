//! Deliveries that are taken: each makes one execution a rule, however often it comes.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use runner_model::{Clock as _, SystemClock};
use runner_store::{Catalogue, EventFilter};
use serde_json::json;

use crate::kit::{Answer, Place, Process, SECRET, STANDARD_SECRET, eventually, github_rule, mac};

async fn counts(process: &Process) -> (usize, usize) {
    let events = process.store.events(&EventFilter::default(), None, 1_000).await.unwrap();
    let executions = Catalogue::list(&*process.store, &Default::default(), None, 1_000).await.unwrap();
    (events.len(), executions.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_delivery_runs_what_its_rules_say_with_what_it_brought() {
    let rule = "trigger:\n  type: core.webhook\n  parameters: {path: a/b, signature: {scheme: github, secret: main}}\n\
                criteria:\n  trigger.headers_lower['x-github-event']: {type: equals, pattern: push}\n\
                when: <% event().body.ref == \"main\" %>\n\
                action: {ref: h.good, parameters: {text: <% event().body.text %>}}\n";
    let place = Place::with(&[("push", rule)]);
    let process = place.start().await;
    let body = r#"{"ref": "main", "text": "ünïcode"}"#;
    let answer = Answer::of(process.github_request("a/b", "1", body).header("x-github-event", "push")).await;
    let executions = answer.executions();
    assert_eq!(answer.json()["duplicate"], false);
    assert_eq!(process.ended(&executions["h.push"]).await, "succeeded");
    let execution = process.get(&format!("/executions/{}", executions["h.push"])).await.json();
    assert_eq!(execution["result"], json!({"said": "ünïcode"}));
    assert_eq!(execution["origin"]["rule"], "h.push");
    assert_eq!(execution["origin"]["event"], answer.json()["event"]);

    let other = Answer::of(process.github_request("a/b", "2", body).header("x-github-event", "ping")).await;
    assert!(other.executions().is_empty(), "no rule matches, and the delivery is recorded all the same");
    assert_eq!(counts(&process).await, (2, 1));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_comes_again_makes_nothing_also_after_a_restart() {
    let place = Place::with(&[("one", &github_rule("x", "core.noop", "")), ("two", &github_rule("x", "h.good", ""))]);
    let process = place.start().await;
    let first = process.github("x", "1", "{}").await;
    assert_eq!(first.executions().len(), 2);
    let again = process.github("x", "1", "{}").await;
    assert_eq!((again.executions(), &again.json()["duplicate"]), (first.executions(), &json!(true)));
    let other = process.github("x", "2", "{}").await;
    assert_eq!(other.json()["duplicate"], false);
    process.stop().await;

    let process = place.start().await;
    let later = process.github("x", "1", "{}").await;
    assert_eq!((later.executions(), &later.json()["duplicate"]), (first.executions(), &json!(true)));
    for id in first.executions().values() {
        assert_eq!(process.ended(id).await, "succeeded");
    }
    assert_eq!(counts(&process).await.0, 2);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_replays_at_once_make_one_execution() {
    let place = Place::with(&[("one", &github_rule("x", "core.noop", ""))]);
    let process = place.start().await;
    let requests = (0..1_000).map(|_| process.github("x", "1", "{}"));
    let answers = futures::future::join_all(requests).await;
    let executions: BTreeSet<_> = answers.iter().map(|answer| answer.executions()["h.one"].clone()).collect();
    assert_eq!(executions.len(), 1);
    let fresh = answers.iter().filter(|answer| answer.json()["duplicate"] == false).count();
    assert_eq!(fresh, 1);
    for id in &executions {
        assert_eq!(process.ended(id).await, "succeeded");
    }
    assert_eq!(counts(&process).await, (1, 1));
    process.stop().await;
}

/// A rule for each of the other schemes.
fn other_schemes() -> Vec<(&'static str, String)> {
    let rule = |path: &str, signature: &str| {
        format!(
            "trigger:\n  type: core.webhook\n  parameters:\n    path: {path}\n    signature: {signature}\n\
             action: {{ref: core.noop}}\n"
        )
    };
    vec![
        ("stripe", rule("stripe", "{scheme: stripe, secret: main}")),
        ("standard", rule("standard", "{scheme: standard_webhooks, secret: standard}")),
        ("slack", rule("slack", "{scheme: slack, secret: main}")),
        ("plain", rule("plain", "{scheme: plain, secret: main, header: X-Mac, prefix: 'v9 ', encoding: base64}")),
    ]
}

fn places(rules: &[(&'static str, String)]) -> Place {
    let rules: Vec<_> = rules.iter().map(|(name, rule)| (*name, rule.as_str())).collect();
    Place::with(&rules)
}

fn headers(scheme: &str, body: &str) -> Vec<(&'static str, String)> {
    let time = SystemClock.now().as_millis() / 1_000;
    let hex = |text: String| hex::encode(mac(SECRET.as_bytes(), text.as_bytes()));
    match scheme {
        "stripe" => vec![("stripe-signature", format!("t={time},v1={}", hex(format!("{time}.{body}"))))],
        "slack" => vec![
            ("x-slack-signature", format!("v0={}", hex(format!("v0:{time}:{body}")))),
            ("x-slack-request-timestamp", time.to_string()),
        ],
        "standard" => {
            let key = BASE64_STANDARD.decode(&STANDARD_SECRET["whsec_".len()..]).unwrap();
            let signature = BASE64_STANDARD.encode(mac(&key, format!("msg_1.{time}.{body}").as_bytes()));
            vec![
                ("webhook-id", "msg_1".to_owned()),
                ("webhook-timestamp", time.to_string()),
                ("webhook-signature", format!("v1,{signature}")),
            ]
        }
        _ => vec![("x-mac", format!("v9 {}", BASE64_STANDARD.encode(mac(SECRET.as_bytes(), body.as_bytes()))))],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scheme_comes_in_and_a_replay_is_told_where_something_signed_tells_it() {
    let rules = other_schemes();
    let process = places(&rules).start().await;
    let body = r#"{"id": "evt_1", "event_id": "Ev1"}"#;
    for (scheme, _) in &rules {
        let headers = headers(scheme, body);
        let send = || {
            let request = process.request("POST", &format!("/webhooks/{scheme}")).body(body);
            Answer::of(headers.iter().fold(request, |request, (name, value)| request.header(*name, value)))
        };
        let (first, again) = (send().await, send().await);
        assert_eq!(first.executions().len(), 1, "{scheme}");
        assert_eq!(again.json()["duplicate"], *scheme != "plain", "{scheme}");
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slacks_question_is_answered_and_is_no_event() {
    let process = places(&other_schemes()).start().await;
    let body = r#"{"type": "url_verification", "challenge": "3eZbrw1a", "token": "t"}"#;
    let request = process.request("POST", "/webhooks/slack").body(body);
    let request = headers("slack", body).iter().fold(request, |request, (name, value)| request.header(*name, value));
    let answer = Answer::of(request).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "3eZbrw1a"));
    let unsigned = Answer::of(process.request("POST", "/webhooks/slack").body(body)).await;
    assert_eq!(unsigned.refusal(), (401, "E-HOOK-0002".to_owned()));
    assert_eq!(counts(&process).await, (0, 0));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_proves_the_sender_is_not_kept_and_the_rest_is() {
    let place = Place::with(&[("one", &github_rule("x", "core.noop", ""))]);
    let process = place.start().await;
    let request = process.github_request("x?a=1&b=x%20y&st2-api-key=nothing", "1", r#"{"n": 7}"#);
    let request = request.header("cookie", "c=1").header("authorization", "Basic x").header("x-mark", "here");
    let answer = Answer::of(request).await;
    let event = process.get(&format!("/events/{}", answer.json()["event"].as_str().unwrap())).await.json();
    let payload = &event["payload"];
    assert_eq!(payload["body"], json!({"n": 7}));
    assert_eq!(payload["query"], json!({"a": "1", "b": "x y"}));
    assert_eq!((&payload["method"], &payload["path"]), (&json!("POST"), &json!("x")));
    assert_eq!((&payload["headers"]["X-Mark"], &payload["headers_lower"]["x-mark"]), (&json!("here"), &json!("here")));
    for secret in ["cookie", "authorization", "x-hub-signature-256"] {
        assert_eq!(payload["headers_lower"].get(secret), None);
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_of_the_rule_tells_deliveries_apart_where_nothing_is_signed() {
    let rule = "trigger:\n  type: core.webhook\n  parameters: {path: x, auth: none, methods: [PUT, GET], delivery_header: X-Id}\n\
                action: {ref: core.noop}\n";
    let process = Place::with(&[("one", rule)]).start().await;
    let send =
        |method: &'static str, id: &'static str| Answer::of(process.request(method, "/webhooks/x").header("x-id", id));
    let (first, again, other) = (send("PUT", "1").await, send("GET", "1").await, send("GET", "2").await);
    assert_eq!(first.executions(), again.executions());
    assert_ne!(first.executions(), other.executions());
    let without = Answer::of(process.request("PUT", "/webhooks/x")).await;
    assert_eq!(without.json()["duplicate"], false, "what has no id is the same as nothing");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_is_switched_off_is_gone_from_outside_and_comes_back() {
    let place = Place::with(&[("one", &github_rule("x", "core.noop", ""))]);
    let process = place.start().await;
    let switched = process.post("/rules/h.one/disable", &json!({})).await.json();
    assert_eq!((&switched["enabled"], &switched["switched"]), (&json!(false), &json!(false)));
    eventually("the webhook goes", async || (process.github("x", "1", "{}").await.status == 404).then_some(())).await;
    process.post("/rules/h.one/reset", &json!({})).await;
    eventually("the webhook comes", async || (process.github("x", "1", "{}").await.status == 202).then_some(())).await;
    process.stop().await;
}
