//! S27: a canary in every kind of secret, and every feature that could show one. Where the product wrote or said anything
//! is searched by the kit, here and in every other test that has a canary.

use std::fs;
use std::path::Path;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::daemon::kit::{Daemon, until};
use crate::kit::{Place, Run, root};

const OUTER: &str = r#"
parameters:
  password: {type: string, secret: true, required: true}
vars:
  - joined: <% "joined-" + ctx("password") %>
  - token: null
  - said: null
output:
  - joined: <% ctx("joined") %>
  - token: <% ctx("token") %>
  - said: <% ctx("said") %>
tasks:
  log:
    action: core.log
    input: {message: <% "using " + ctx("password") %>, fields: {word: <% ctx("password") %>}}
    next: [{do: login}]
  login:
    action: t.login
    input: {token: <% "tok-" + ctx("password") %>}
    next: [{publish: [{token: <% result().token %>}], do: child}]
  child:
    action: t.inner
    input: {word: <% "pre-" + ctx("password") %>}
    next: [{publish: [{said: <% result().said %>}], do: beat}]
  beat:
    action: t.beat
    input: {progress: <% ctx("joined") %>}
    next: [{do: each}]
  each:
    with: {items: '<% [ctx("password"), "b"] %>'}
    action: core.echo
    input: {message: <% item() %>}
    next: [{do: wait}]
  wait:
    action: core.wait_for
    input: {key: <% "key-" + ctx("password") %>, timeout: 300}
    next: [{do: quarrel}]
  quarrel:
    action: core.fail
    input: {message: '<% "no: " + ctx("password") %>', code: quarrel, details: {why: <% ctx("joined") %>}}
    next: [{when: <% failed() %>, do: ask}]
  ask:
    action: core.ask
    input: {prompt: <% "is it " + ctx("password") + "?" %>}
"#;

/// What a server does that quotes what it was sent.
async fn echo(headers: HeaderMap, body: String) -> (StatusCode, HeaderMap, String) {
    let authorization = headers.get("authorization").cloned();
    let mut answer = HeaderMap::new();
    if let Some(value) = &authorization {
        answer.insert("x-echo", value.clone());
    }
    let quoted = authorization.map(|value| value.to_str().unwrap().to_owned());
    let status = if body.is_empty() { StatusCode::UNAUTHORIZED } else { StatusCode::CREATED };
    (status, answer, json!({ "you_sent": quoted, "body": body }).to_string())
}

async fn server() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(echo);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// The pack `t`, connections and webhooks, each with a canary of its own.
fn place(url: &str) -> Place {
    let place = Place::new();
    let (basic, bearer, hook) = (place.canary("basic"), place.canary("bearer"), place.canary("hook"));
    let header = place.canary("header");
    place.write("hook", &hook);
    place.write(
        "runner.toml",
        &format!(
            "[connections.box]\nkind = \"box\"\nbase_url = \"{url}\"\n\
             auth = {{ type = \"basic\", username = \"admin\", password = '{basic}' }}\n\
             headers = {{ x-api-key = '{header}' }}\n\
             [connections.other]\nkind = \"box\"\nbase_url = \"{url}\"\nauth = {{ type = \"bearer\", token = '{bearer}' }}\n\
             [webhooks.secrets]\nhook = {{ file = \"hook\" }}\n\
             [[grants.core.http]]\nconnection = \"*\"\nmethods = [\"*\"]\n"
        ),
    );
    place.write("packs/t/pack.yaml", "ref: t\nversion: 1.0.0\n");
    let guest = "runner_type: wasm\nentry_point: ";
    place.write(
        "packs/t/actions/login.yaml",
        &format!(
            "{guest}echo\nparameters: {{token: {{type: string}}}}\n\
             output_schema: {{type: object, properties: {{token: {{type: string, secret: true}}}}}}\n"
        ),
    );
    place
        .write("packs/t/actions/beat.yaml", &format!("{guest}heartbeat\nparameters: {{progress: {{type: string}}}}\n"));
    place.write(
        "packs/t/actions/crash.yaml",
        &format!("{guest}panic\nparameters: {{password: {{type: string, secret: true}}}}\n"),
    );
    place.write("packs/t/workflows/outer.yaml", OUTER);
    place.write(
        "packs/t/workflows/inner.yaml",
        "parameters: {word: {type: string}}\noutput: [{said: <% ctx(\"word\") + \"!\" %>}]\n\
         tasks: {say: {action: core.echo, input: {message: <% ctx(\"word\") %>}}}\n",
    );
    place.write(
        "packs/t/workflows/put.yaml",
        "parameters: {password: {type: string, secret: true}}\noutput: [{answer: <% ctx(\"answer\") %>}]\nvars: [{answer: null}]\n\
         tasks:\n  put:\n    action: core.http_request\n    input:\n      connection: box\n      path: /users\n      method: POST\n\
         \x20     query: {q: <% ctx(\"password\") %>}\n      json: {password: <% ctx(\"password\") %>, note: <% \"is \" + ctx(\"password\") %>}\n\
         \x20   next: [{publish: [{answer: <% result().body %>}]}]\n",
    );
    let rule = |action: &str, more: &str| {
        format!(
            "trigger: {{type: core.webhook, parameters: {{path: t, signature: {{scheme: github, secret: hook}}}}}}\n\
             action: {{ref: {action}, parameters: {{{more}}}}}\n"
        )
    };
    place.write("packs/t/rules/start.yaml", &rule("t.outer", "password: <% event().body.password %>"));
    place.write("packs/t/rules/say.yaml", &rule("core.echo", "message: <% \"got \" + event().body.password %>"));
    fs::create_dir_all(place.path("packs/t/components")).unwrap();
    fs::copy(root().join("tests/guests/components/host-guest.wasm"), place.path("packs/t/components/t.wasm")).unwrap();
    place
}

/// The packs are as they are meant to be: what they say of secrets is what is looked at here.
fn check(place: &Place) {
    ran(place, &["pack", "check", "packs/t"], 0);
}

fn ran(place: &Place, arguments: &[&str], exit: i32) -> Run {
    let run = place.run(arguments);
    assert_eq!(run.code, Some(exit), "{}", run.seen());
    run
}

/// Everything that can be asked of an execution, by the API and on the command line.
async fn look_at(place: &Place, daemon: &Daemon, id: &str) {
    for path in ["", "/journal", "/result", "/explain", "/waits", "/children", "/graph.svg"] {
        daemon.text(&format!("/api/v1/executions/{id}{path}")).await;
    }
    ran(place, &["execution", "get", id], 0);
    ran(place, &["execution", "journal", id, "--json"], 0);
}

/// The stream of an execution that has ended ends too.
async fn stream(daemon: &Daemon, id: &str) -> String {
    daemon.text(&format!("/api/v1/executions/{id}/events")).await
}

async fn deliver(daemon: &Daemon, secret: &str, body: &Value) -> Value {
    let body = body.to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = daemon.client.post(daemon.at("/api/v1/webhooks/t")).header("content-type", "application/json");
    let request = request.header("x-github-event", "push").header("x-github-delivery", "1");
    let response =
        request.header("x-hub-signature-256", format!("sha256={signature}")).body(body).send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, 202, "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn status_of(daemon: &Daemon, id: &str, status: &str) -> Value {
    until(status, async || {
        // One that an event leads to is there a moment later.
        let text = daemon.text(&format!("/api/v1/executions/{id}")).await;
        let execution: Value = serde_json::from_str(&text).unwrap();
        (execution["status"] == status).then_some(execution)
    })
    .await
}

/// S27: passed on, joined to other texts, published, returned by an action that calls it secret, said in a log line and a
/// heartbeat, handed to a workflow within, waited for, quoted by an error, asked of people; with a kill -9 on the way.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_workflow_does_with_a_secret_shows_it_nowhere() {
    let place = place(&server().await);
    check(&place);
    let password = place.canary("parameter");
    let daemon = Daemon::start(&place, &[]);
    let request = json!({ "action": "t.outer", "parameters": { "password": password } });
    let (status, begun) = daemon.post("/api/v1/executions", &request).await;
    assert_eq!(status, 201, "{begun}");
    let id = begun["id"].as_str().unwrap().to_owned();
    let pending = status_of(&daemon, &id, "pending").await;
    assert!(pending["steps"].as_array().unwrap().len() > 4, "{pending}");
    look_at(&place, &daemon, &id).await;
    // Killed while it waits: what is sealed is read by the next process.
    daemon.signal("KILL");
    drop(daemon);
    place.canaries.look_below(&place.path("data"));
    let daemon = Daemon::start(&place, &[]);
    let event = json!({ "key": format!("key-{password}"), "payload": { "answer": password } });
    let (status, taken) = daemon.post("/api/v1/events", &event).await;
    assert!(status < 300, "{status} {taken}");
    let inquiry = until("the question", async || {
        let asked = daemon.get("/api/v1/inquiries").await;
        let first = asked["items"].as_array()?.first()?.clone();
        Some(first)
    })
    .await;
    assert!(inquiry.to_string().contains("is it ********?"), "{inquiry}");
    ran(&place, &["inquiry", "list"], 0);
    let (status, said) =
        daemon.post(&format!("/api/v1/executions/{id}/respond"), &json!({ "answer": { "approved": true } })).await;
    assert!(status < 300, "{status} {said}");
    let ended = status_of(&daemon, &id, "succeeded").await;
    assert_eq!(ended["result"]["joined"], "joined-********", "{ended}");
    assert_eq!(ended["result"]["token"], "********", "{ended}");
    assert_eq!(ended["result"]["said"], "pre-********!", "{ended}");
    look_at(&place, &daemon, &id).await;
    let told = stream(&daemon, &id).await;
    assert!(told.contains("no: ********"), "{told}");
    ran(&place, &["execution", "tail", &id], 0);
    ran(&place, &["execution", "list"], 0);
    daemon.text("/metrics").await;
    for child in daemon.get(&format!("/api/v1/executions/{id}/children")).await["items"].as_array().unwrap() {
        look_at(&place, &daemon, child["id"].as_str().unwrap()).await;
        // What a part was given stays secret if it is run again by itself.
        ran(&place, &["execution", "rerun", child["id"].as_str().unwrap()], 0);
    }
    // What is run again has the password itself, not its mask.
    let (status, again) = daemon.post(&format!("/api/v1/executions/{id}/rerun"), &json!({ "mode": "anew" })).await;
    assert_eq!(status, 201, "{again}");
    let again = again["id"].as_str().unwrap();
    status_of(&daemon, again, "pending").await;
    let (_, taken) = daemon.post("/api/v1/events", &event).await;
    assert!(taken.to_string().contains(again), "it waits for a key that holds the password: {taken}");
    daemon.stop();
    // Without a daemon the same is read here.
    for verb in ["get", "journal", "explain"] {
        ran(&place, &["execution", verb, &id], 0);
    }
    ran(&place, &["doctor"], 0);
    assert!(place.canaries.look_below(&place.path("data")) > 10_000);
}

/// S27: a delivery that holds a secret for one rule is read by another as well.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_webhook_brings_for_a_secret_parameter_is_sealed_and_masked() {
    let place = place(&server().await);
    check(&place);
    let password = place.canary("delivered");
    let secret = fs::read_to_string(place.path("hook")).unwrap();
    let daemon = Daemon::start(&place, &[]);
    let answer = deliver(&daemon, &secret, &json!({ "password": password, "n": 1 })).await;
    place.canaries.look("the answer", answer.to_string().as_bytes());
    let made = answer["executions"].as_array().unwrap().clone();
    assert_eq!(made.len(), 2, "{answer}");
    for one in &made {
        let id = one["execution"].as_str().unwrap();
        let status = if one["rule"] == "t.start" { "pending" } else { "succeeded" };
        status_of(&daemon, id, status).await;
        look_at(&place, &daemon, id).await;
    }
    let event = answer["event"].as_str().unwrap();
    let shown = daemon.get(&format!("/api/v1/events/{event}")).await;
    assert_eq!(
        (&shown["payload"]["body"]["password"], &shown["payload"]["body"]["n"]),
        (&json!("********"), &json!(1))
    );
    daemon.text("/api/v1/events").await;
    ran(&place, &["event", "get", event], 0);
    ran(&place, &["event", "list", "--json"], 0);
    ran(&place, &["event", "resend", event], 0);
    daemon.stop();
}

/// S27: servers that quote the credentials they were sent, right or wrong; a cassette and a plan of requests that hold a
/// secret; a guest that gives up.
#[tokio::test(flavor = "multi_thread")]
async fn connections_cassettes_plans_and_crashes_show_no_secret() {
    let place = place(&server().await);
    check(&place);
    let password = place.canary("body");
    let with = format!("password={password}");
    for connection in ["box", "other"] {
        ran(&place, &["connection", "test", connection], 1);
        let ask = format!("connection={connection}");
        let run = ran(&place, &["exec", "core.http_request", &ask, "path=/x", "expect_status:=[401]", "--json"], 0);
        let body = &run.json()["result"]["body"];
        assert!(body.to_string().contains("********"), "{}", run.seen());
    }
    ran(&place, &["connection", "list"], 0);
    let run = ran(&place, &["exec", "t.put", &with, "--record", "tape.json", "--json"], 0);
    assert!(run.json()["result"]["answer"].to_string().contains("********"), "{}", run.seen());
    assert!(place.path("tape.json").exists());
    ran(&place, &["exec", "t.put", &with, "--replay", "tape.json"], 0);
    ran(&place, &["exec", "t.put", &with, "--plan"], 0);
    let crashed = ran(&place, &["exec", "t.crash", &with], 1);
    assert!(crashed.stderr.contains("the guest trapped"), "{}", crashed.seen());
    let login = ran(&place, &["exec", "t.login", &format!("token={password}"), "--json"], 0);
    assert_eq!(login.json()["result"], json!({ "token": "********" }), "{}", login.seen());
}

/// S27: nothing is recorded of an execution with secrets if there is no key to seal it with.
#[test]
fn without_a_key_an_execution_with_secrets_is_refused_and_others_run() {
    let place = place("http://127.0.0.1:1");
    let password = place.canary("refused");
    place.write("key", "too short");
    let config = fs::read_to_string(place.path("runner.toml")).unwrap();
    place.write("runner.toml", &format!("{config}\n[secrets]\nkey = {{ file = \"key\" }}\n"));
    let run = place.run(&["exec", "t.crash", &format!("password={password}")]);
    assert_ne!(run.code, Some(0), "{}", run.seen());
    assert!(run.stderr.contains("error[E-") && run.stderr.contains("hint"), "{}", run.seen());
    ran(&place, &["exec", "core.echo", "message=hi"], 0);
    let list = ran(&place, &["execution", "list", "--json"], 0);
    assert!(!list.stdout.contains("t.crash"), "{}", list.seen());
    assert!(Path::new(&place.path("data/runner.db")).exists());
}
