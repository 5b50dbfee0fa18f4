//! `/events` over the wire.

use runner_model::Role;
use runner_server::AccessMode;
use serde_json::json;

use crate::kit::{Answer, Place, Process, Settings, eventually, github_rule};

fn ids(page: &serde_json::Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

async fn delivered(process: &Process, path: &str, delivery: &str) -> String {
    let answer = process.github(path, delivery, "{}").await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()["event"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_newest_first_by_page_and_by_what_is_asked_for() {
    let place =
        Place::with(&[("one", &github_rule("x", "core.noop", "")), ("two", &github_rule("y", "core.noop", ""))]);
    let process = place.start().await;
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(delivered(&process, if number == 2 { "y" } else { "x" }, &number.to_string()).await);
    }
    made.reverse();
    let all = process.get("/events").await.json();
    assert_eq!((ids(&all), &all["next"]), (made.clone(), &json!(null)));
    let first = process.get("/events?limit=2").await.json();
    let rest = process.get(&format!("/events?limit=3&cursor={}", first["next"].as_str().unwrap())).await.json();
    assert_eq!([ids(&first), ids(&rest)].concat(), made);
    assert_eq!(rest["next"], json!(null));

    let of_rule = process.get("/events?rule=h.two").await.json();
    assert_eq!(ids(&of_rule), [made[2].as_str()]);
    assert_eq!(of_rule["items"][0]["matches"][0]["action"], "core.noop");
    assert_eq!(ids(&process.get("/events?trigger=core.webhook").await.json()).len(), 5);
    assert_eq!(ids(&process.get("/events?trigger=core.cron").await.json()).len(), 0);
    let received = all["items"][1]["received_at"].as_str().unwrap();
    let newer = ids(&process.get(&format!("/events?after={received}")).await.json());
    assert!(newer.len() >= 2 && newer.contains(&made[1]));
    eventually("everything is done", async || {
        (ids(&process.get("/events?open=true").await.json()).is_empty()).then_some(())
    })
    .await;
    assert_eq!(ids(&process.get("/events?open=false").await.json()).len(), 5);
    let got = process.get(&format!("/events/{}", made[0])).await.json();
    assert_eq!((&got["id"], &got["matches"][0]["state"]), (&json!(made[0]), &json!("started")));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_large_events_is_a_short_one() {
    const SENT: usize = 20;
    let process = Place::with(&[("one", &github_rule("x", "core.noop", ""))]).start().await;
    let large = format!("\"{}\"", "volume ".repeat(140_000));
    for number in 0..SENT {
        let answer = process.github("x", &number.to_string(), &large).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    let (mut found, mut pages, mut query) = (Vec::new(), 0, "limit=100".to_owned());
    loop {
        let page = process.get(&format!("/events?{query}")).await.json();
        found.extend(ids(&page));
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        query = format!("limit=100&cursor={next}");
    }
    assert!(pages > 1, "all came at once");
    assert!(found.len() == SENT && found.is_sorted_by(|one, next| one > next), "{found:?}");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_understood_is_refused() {
    let process = Place::with(&[]).start().await;
    for query in
        ["limit=0", "limit=1001", "limit=x", "cursor=x", "rule=x", "after=yesterday", "unknown=1", "open=maybe"]
    {
        assert_eq!(process.get(&format!("/events?{query}")).await.refusal(), (400, "E-API-0001".to_owned()), "{query}");
    }
    let missing = "01900000-0000-7000-8000-000000000000";
    for id in ["x", missing] {
        assert_eq!(process.get(&format!("/events/{id}")).await.refusal(), (404, "E-STORE-0015".to_owned()));
        let resent = process.post(&format!("/events/{id}/resend"), &json!({})).await;
        assert_eq!(resent.refusal(), (404, "E-STORE-0015".to_owned()));
    }
    let sent = |body: serde_json::Value| {
        let process = &process;
        async move { process.post("/events", &body).await.refusal() }
    };
    assert_eq!(sent(json!({})).await, (422, "E-API-0001".to_owned()));
    assert_eq!(sent(json!({"trigger": "x"})).await, (422, "E-API-0001".to_owned()));
    assert_eq!(sent(json!({"trigger": "h.nothing"})).await, (422, "E-RULE-0001".to_owned()));
    assert_eq!(sent(json!({"trigger": "core.webhook"})).await, (422, "E-RULE-0001".to_owned()));
    assert_eq!(sent(json!({"key": "nobody"})).await, (404, "E-EXEC-0010".to_owned()));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_with_a_key_goes_to_the_execution_that_waits_for_it() {
    let process = Place::with(&[]).start().await;
    let started = process.post("/executions", &json!({"action": "h.waits"})).await;
    assert_eq!(started.status, 201, "{}", started.text());
    let id = started.json()["id"].as_str().unwrap().to_owned();
    let sent = eventually("somebody waits", async || {
        let answer = process.post("/events", &json!({"key": "ready-1", "payload": {"n": 7}})).await;
        (answer.status == 202).then(|| answer.json())
    })
    .await;
    assert_eq!((&sent["event"], &sent["took"][0]["id"]), (&json!(null), &json!(id)));
    assert_eq!(process.ended(&id).await, "succeeded");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_is_a_new_event_and_runs_again() {
    let place = Place::with(&[("one", &github_rule("x", "core.noop", ""))]);
    let process = place.start().await;
    let first = process.github("x", "1", r#"{"n": 7}"#).await;
    let event = first.json()["event"].as_str().unwrap().to_owned();
    let again = process.post(&format!("/events/{event}/resend"), &json!({})).await;
    assert_ne!(again.executions(), first.executions());
    assert_eq!(process.ended(&again.executions()["h.one"]).await, "succeeded");
    let resent = process.get(&format!("/events/{}", again.json()["event"].as_str().unwrap())).await.json();
    assert_eq!(resent["payload"]["body"], json!({"n": 7}));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_sees_the_events_and_the_matches_of_its_packs() {
    let place = Place::with(&[("one", &github_rule("x", "core.noop", ""))]);
    place.pack("g", &[("two", &github_rule("x", "core.noop", "")), ("three", &github_rule("y", "core.noop", ""))]);
    let process = place.start_with(Settings { access: AccessMode::Keys, ..Settings::default() }).await;
    let (of_h, of_none) =
        (process.key(Role::Viewer, Some(&["h"])).await, process.key(Role::Viewer, Some(&["i"])).await);
    let shared = delivered(&process, "x", "1").await;
    let foreign = delivered(&process, "y", "1").await;
    let get = |key: &str, path: &str| Answer::of(process.request("GET", path).header("x-api-key", key));
    let page = get(&of_h, "/events").await.json();
    assert_eq!(ids(&page), [shared.as_str()]);
    let rules: Vec<_> = page["items"][0]["matches"].as_array().unwrap().iter().map(|one| &one["rule"]).collect();
    assert_eq!(rules, ["h.one"]);
    assert_eq!(get(&of_h, &format!("/events/{foreign}")).await.status, 404);
    assert_eq!(get(&of_none, &format!("/events/{shared}")).await.status, 404);
    assert_eq!(ids(&get(&of_none, "/events").await.json()).len(), 0);
    let enforced = get(&of_h, "/ruleenforcements").await.json();
    assert_eq!(enforced["items"].as_array().unwrap().len(), 1);
    process.stop().await;
}
