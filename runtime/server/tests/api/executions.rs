//! Executions: asked for, waited for, controlled, run again, answered.

use std::collections::BTreeSet;

use runner_model::{
    Clock as _, Entry, ExecutionId, Fact, NodeId, Origin, Requested, Role, Status, SystemClock, SystemEntropy,
};
use runner_server::AccessMode;
use runner_store::{Journal, NewExecution};
use serde_json::{Value, json};

use crate::kit::{Answer, Place, Process, Settings, eventually};
use crate::{ask, begun, request, send};

async fn post(process: &Process, path: &str, body: &Value) -> Answer {
    process.post(path, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_is_recorded_found_by_its_location_and_waited_for() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let answer = post(&process, "/executions", &json!({"action": "h.good", "parameters": {"text": "a"}})).await;
    assert_eq!(answer.status, 201);
    let location = answer.header("location").to_owned();
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(location, format!("/api/v1/executions/{id}"));
    assert_eq!(process.ended(&id).await, "succeeded");
    let found = ask(&process, "GET", &location, None).await.json();
    assert_eq!((&found["result"]["said"], &found["origin"]["from"]), (&json!("a"), &json!("api")));
    let by_prefix = process.get(&format!("/executions/{}", &id[..13])).await;
    assert_eq!(by_prefix.json()["id"], id);

    let waited = post(&process, "/executions?wait=20s", &json!({"action": "h.bad"})).await;
    assert_eq!((waited.status, &waited.json()["status"]), (200, &json!("failed")));
    let waiting = post(&process, "/executions?wait=0", &json!({"action": "h.asks"})).await;
    assert_eq!(waiting.status, 202);
    assert!(!waiting.json()["status"].as_str().unwrap().starts_with("succ"));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_in_a_request_has_its_status_and_its_code() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let refused = async |body: Value| post(&process, "/executions", &body).await.refusal();
    let code = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(refused(json!({"action": "h.goood"})).await, code(422, "E-EXEC-0001"));
    assert_eq!(refused(json!({"action": "good"})).await, code(422, "E-EXEC-0001"));
    assert_eq!(refused(json!({"action": "h.good", "parameters": {"texd": 1}})).await, code(422, "E-PARAM-0001"));
    assert_eq!(refused(json!({"action": "h.good", "parameters": []})).await, code(422, "E-API-0001"));
    assert_eq!(refused(json!({"action": "h.good", "more": 1})).await, code(422, "E-API-0001"));
    assert_eq!(refused(json!({})).await, code(422, "E-API-0001"));
    assert_eq!(
        refused(json!({"action": "h.good", "parameters": {"text": "x".repeat(2_000_000)}})).await,
        code(413, "E-API-0006")
    );

    let raw = async |kind: &str, body: &str| {
        let request = process.request("POST", "/executions").header("content-type", kind);
        Answer::of(request.body(body.to_owned())).await.refusal()
    };
    assert_eq!(raw("application/json", "{").await, code(400, "E-API-0001"));
    let deep = format!("{{\"action\": \"h.good\", \"parameters\": {{\"text\": {}", "[".repeat(100_000));
    assert_eq!(raw("application/json", &deep).await, code(400, "E-API-0001"));
    assert_eq!(raw("text/plain", "{}").await, code(415, "E-API-0007"));
    assert_eq!(raw("application/x-www-form-urlencoded", "a=1").await, code(415, "E-API-0007"));
    assert_eq!(Answer::of(process.request("POST", "/executions").body("{}")).await.refusal(), code(415, "E-API-0007"));

    for wait in ["301", "-1", "1h", "30ss", "s", "%20", "1e3"] {
        let answer = post(&process, &format!("/executions?wait={wait}"), &json!({"action": "h.good"})).await;
        assert_eq!(answer.refusal(), code(400, "E-API-0001"), "{wait}");
    }
    for path in [
        "/executions?limit=0",
        "/executions?limit=1001",
        "/executions?limit=x",
        "/executions?status=gone",
        "/executions?cursor=x",
        "/executions?nothing=1",
        "/executions?created_after=yesterday",
        "/executions?action=x",
    ] {
        assert_eq!(process.get(path).await.refusal(), code(400, "E-API-0001"), "{path}");
    }
    assert_eq!(process.get("/nothing").await.refusal(), code(404, "E-API-0004"));
    assert_eq!(ask(&process, "GET", "/", None).await.refusal(), code(404, "E-API-0004"));
    assert_eq!(ask(&process, "GET", "/api/v1/actions/%FF", None).await.status, 400);
    let method = ask(&process, "PATCH", "/api/v1/executions", None).await;
    assert_eq!(method.refusal(), code(405, "E-API-0005"));
    assert!(method.header("allow").contains("GET") && method.header("allow").contains("POST"));
    for id in ["0", "zzzz", "00000000-0000-7000-8000-000000000000", "019%2F"] {
        assert_eq!(process.get(&format!("/executions/{id}")).await.status, 404, "{id}");
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_fifty_times_at_once_makes_one_execution() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let client = crate::kit::client();
    let ask = |text: &str| {
        let url = format!("http://{}/api/v1/executions", process.address);
        let body = json!({"action": "h.good", "parameters": {"text": text}}).to_string();
        let request = client.post(url).header("content-type", "application/json").header("idempotency-key", "k-1");
        Answer::of(request.body(body))
    };
    let answers = futures::future::join_all((0..50).map(|_| ask("same"))).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 201).map(Answer::text).collect();
    assert_eq!(refused, Vec::<String>::new());
    let ids: BTreeSet<_> = answers.iter().map(|answer| answer.json()["id"].to_string()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert!(answers.iter().all(|answer| answer.status == 201));
    let first = answers.iter().filter(|answer| answer.header("idempotent-replayed").is_empty()).count();
    assert_eq!(first, 1);
    assert_eq!(ask("other").await.refusal(), (422, "E-API-0009".to_owned()));
    let all = process.get("/executions?count=true").await;
    assert_eq!(all.header("x-total-count"), "1");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_idempotency_is_its_owners_and_a_mistake_does_not_use_it_up() {
    let place = Place::with(&[]);
    let process = place.start_with(Settings { access: AccessMode::Keys, ..Settings::default() }).await;
    let (one, two) = (process.key(Role::Operator, None).await, process.key(Role::Operator, None).await);
    let ask = async |key: &str, body: Value| {
        let request = request(&process, "POST", "/api/v1/executions", Some(key)).header("idempotency-key", "same");
        Answer::of(request.header("content-type", "application/json").body(body.to_string())).await
    };
    assert_eq!(ask(&one, json!({"action": "h.good", "parameters": {"no": 1}})).await.status, 422);
    let (first, second) = (ask(&one, json!({"action": "h.good"})).await, ask(&two, json!({"action": "h.good"})).await);
    assert_eq!((first.status, second.status), (201, 201));
    assert_ne!(first.json()["id"], second.json()["id"]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_is_paused_resumed_and_cancelled() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let id = begun(&process, "h.asks", json!({})).await;
    eventually("it waits", async || {
        (process.get(&format!("/executions/{id}")).await.json()["status"] == "pending").then_some(())
    })
    .await;
    let path = format!("/executions/{id}");
    let paused = Answer::of(process.request("POST", &format!("{path}/pause"))).await;
    assert_eq!((paused.status, &paused.json()["id"]), (200, &json!(id)), "{}", paused.text());
    let resumed = Answer::of(
        process.request("PUT", &path).header("content-type", "application/json").body("{\"status\":\"resuming\"}"),
    )
    .await;
    assert_eq!(resumed.status, 200, "{}", resumed.text());
    let again = Answer::of(process.request("POST", &format!("{path}/resume"))).await;
    assert_eq!(again.status, 409, "{}", again.text());
    assert_eq!(Answer::of(process.request("DELETE", &path)).await.status, 200);
    assert_eq!(process.ended(&id).await, "canceled");
    let twice = Answer::of(process.request("POST", &format!("{path}/cancel"))).await;
    assert_eq!((twice.status, &twice.json()["status"]), (200, &json!("canceled")));
    let good = begun(&process, "h.good", json!({})).await;
    process.ended(&good).await;
    let late = Answer::of(process.request("DELETE", &format!("/executions/{good}"))).await;
    assert_eq!(late.refusal(), (409, "E-EXEC-0009".to_owned()));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_is_run_again_anew_or_gone_on_with() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let id = begun(&process, "h.bad", json!({})).await;
    process.ended(&id).await;
    let anew = Answer::of(process.request("POST", &format!("/executions/{id}/rerun"))).await;
    assert_eq!(anew.status, 201, "{}", anew.text());
    assert_ne!(anew.json()["id"], id);
    assert_eq!(process.ended(anew.json()["id"].as_str().unwrap()).await, "failed");
    let tasks = post(&process, &format!("/executions/{id}/rerun"), &json!({"tasks": ["one"]})).await;
    assert_eq!((tasks.status, &tasks.json()["id"]), (200, &json!(id)), "{}", tasks.text());
    let unknown = post(&process, &format!("/executions/{id}/rerun"), &json!({"tasks": ["no"]})).await;
    assert_eq!(unknown.status, 409, "{}", unknown.text());
    let both = post(&process, &format!("/executions/{id}/rerun"), &json!({"tasks": ["one"], "mode": "failed"})).await;
    assert_eq!(both.status, 422);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_by_whom_it_asks() {
    let place = Place::with(&[]);
    let process = place.start_with(Settings { access: AccessMode::Keys, ..Settings::default() }).await;
    let (operator, admin) = (process.key(Role::Operator, None).await, process.key(Role::Admin, None).await);
    let schema = json!({"type": "object", "required": ["approved"], "properties": {"approved": {"type": "boolean"}}});
    let body = json!({"action": "core.ask", "parameters": {"prompt": "Go on?", "schema": schema, "roles": ["admin"]}});
    let id = send(&process, "POST", "/api/v1/executions", Some(&operator), &body).await.json()["id"].clone();
    let id = id.as_str().unwrap();
    let found = eventually("the question is open", async || {
        let list = ask(&process, "GET", "/api/v1/inquiries", Some(&operator)).await.json();
        list["items"].get(0).cloned()
    });
    let found = found.await;
    assert_eq!((&found["execution"], &found["prompt"]), (&json!(id), &json!("Go on?")));
    let path = format!("/api/v1/inquiries/{}", found["id"].as_str().unwrap());
    assert_eq!(ask(&process, "GET", &path, Some(&operator)).await.json(), found);
    let waits = ask(&process, "GET", &format!("/api/v1/executions/{id}/waits"), Some(&operator)).await.json();
    assert_eq!(waits["items"][0]["wait"]["kind"], "inquiry");

    let yes = json!({"response": {"approved": true}});
    assert_eq!(send(&process, "PUT", &path, Some(&operator), &yes).await.refusal(), (403, "E-API-0003".to_owned()));
    let respond = format!("/api/v1/executions/{id}/respond");
    let answer = json!({"answer": {"approved": true}});
    assert_eq!(send(&process, "POST", &respond, Some(&operator), &answer).await.status, 403);
    let unfit = send(&process, "PUT", &path, Some(&admin), &json!({"response": {"approved": "maybe"}})).await;
    assert_eq!(unfit.refusal(), (422, "E-EXEC-0011".to_owned()));
    let taken = send(&process, "PUT", &path, Some(&admin), &yes).await;
    assert_eq!((taken.status, &taken.json()["id"]), (200, &json!(id)), "{}", taken.text());
    let ended = eventually("it ends", async || {
        let view = ask(&process, "GET", &format!("/api/v1/executions/{id}"), Some(&admin)).await.json();
        (view["status"] == "succeeded").then_some(view)
    });
    assert_eq!(ended.await["result"]["by"], "the key `test`");
    assert_eq!(ask(&process, "GET", &path, Some(&admin)).await.status, 404);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_an_execution_say_what_they_are_for() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let id = begun(&process, "h.good", json!({"text": "x"})).await;
    process.ended(&id).await;
    let part = async |name: &str| process.get(&format!("/executions/{id}/{name}")).await;
    let journal = part("journal").await.json();
    let kinds: Vec<_> = journal["entries"].as_array().unwrap().iter().map(|entry| entry["type"].clone()).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&json!("requested")), Some(&json!("finished"))));
    assert_eq!(part("result").await.json()["result"]["said"], "x");
    assert!(part("explain").await.json()["text"].as_str().unwrap().contains("succeeded"));
    assert_eq!(part("children").await.json()["items"], json!([]));
    let graph = part("graph.svg?theme=dark&direction=right").await;
    assert_eq!(graph.header("content-type"), "image/svg+xml");
    assert!(graph.text().starts_with("<svg") && graph.header("content-security-policy").contains("default-src 'none'"));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_turn_says_by_which_policy_and_who_is_before_it() {
    let place = Place::with(&[]);
    let policy = "description: x\nresource_ref: h.asks\npolicy_type: action.concurrency\nparameters:\n  action: delay\n  threshold: 1\n";
    place.file("policies/one.yaml", policy);
    let process = place.start().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(begun(&process, "h.asks", json!({})).await);
    }
    let explained = async |id: &str| process.get(&format!("/executions/{id}/explain")).await.json();
    // Which of them asks first is theirs to settle; one has the place.
    let mut said = eventually("two are in line", async || {
        let mut said = Vec::new();
        for id in &ids {
            said.push(explained(id).await);
        }
        said.retain(|one| one["delayed"] != json!([]));
        (said.len() == 2).then_some(said)
    })
    .await;
    said.sort_by_key(|one| one["delayed"][0]["ahead"].as_u64());
    let ends = ["it waits for its turn by the policy `h.one`, and is the next", "`h.one`, with 1 before it"];
    for (ahead, (one, end)) in said.iter().zip(ends).enumerate() {
        assert_eq!(one["delayed"], json!([{"policy": "h.one", "ahead": ahead}]));
        assert!(one["text"].as_str().unwrap().ends_with(end), "{one}");
    }
    process.stop().await;
}

#[tokio::test]
async fn what_was_simulated_is_not_run_again_with_real_systems() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let asked = Requested {
        action: "core.noop".parse().unwrap(),
        pack_version: "0.1.0".to_owned(),
        pack_digest: String::new(),
        parameters: json!({}),
        secret: Vec::new(),
        secret_output: Vec::new(),
        sealed: false,
        origin: Origin::Cli,
        depth: 0,
        simulate: true,
        trace_parent: None,
    };
    let (id, now) = (ExecutionId::new(&SystemClock, &SystemEntropy), SystemClock.now());
    let end = Fact::Finished { status: Status::Succeeded, result: Value::Null, errors: Vec::new() };
    let facts = [Fact::Requested(Box::new(asked)), Fact::Started, end];
    let entries = facts.into_iter().map(|fact| Entry::new(now, fact)).collect();
    let new = NewExecution { id, entries, owner: NodeId("cli".to_owned()), lease_until: now };
    Journal::create(&*process.store, new).await.unwrap();
    let again = Answer::of(process.request("POST", &format!("/executions/{id}/rerun"))).await;
    assert_eq!(again.refusal(), (409, "E-EXEC-0016".to_owned()));
    process.stop().await;
}
