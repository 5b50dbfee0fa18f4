//! `/rules`, `/schedules`, `/sensors`, `/triggers` and `/webhooks` over the wire.

use runner_model::Role;
use runner_server::AccessMode;
use serde_json::{Value, json};

use crate::kit::{Answer, Place, Settings, eventually, github_rule};

const CRON: &str = "trigger:\n  type: core.cron\n  parameters: {expression: 30 2 * * *, timezone: Europe/Berlin, overlap: skip}\n\
                    action: {ref: core.noop}\n";
const PICKY: &str = "trigger:\n  type: core.webhook\n  parameters: {path: picky, auth: none}\n\
                     criteria:\n  trigger.body.size: {type: greaterthan, pattern: 10}\n\
                     when: <% event().body.name == \"vol1\" %>\naction: {ref: core.noop}\n";

fn names(page: &Value, key: &str) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|one| one[key].as_str().unwrap().to_owned()).collect()
}

fn place() -> Place {
    let github = github_rule("x", "core.noop", "");
    let place = Place::with(&[("cron", CRON), ("hook", &github), ("picky", PICKY)]);
    place.pack("g", &[("hook", &github)]);
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_listed_with_what_they_wait_for_and_how_they_stand() {
    let process = place().start().await;
    assert_eq!(names(&process.get("/rules").await.json(), "reference"), ["g.hook", "h.cron", "h.hook", "h.picky"]);
    let first = process.get("/rules?limit=3").await.json();
    let rest = process.get(&format!("/rules?cursor={}", first["next"].as_str().unwrap())).await.json();
    assert_eq!(names(&rest, "reference"), ["h.picky"]);
    assert_eq!(
        names(&process.get("/rules?pack=h&trigger=core.webhook").await.json(), "reference"),
        ["h.hook", "h.picky"]
    );
    let rule = process.get("/rules/h.picky").await.json();
    assert_eq!(
        rule["trigger"],
        json!({"type": "core.webhook", "parameters": {"path": "picky", "methods": ["POST"], "auth": "none"}})
    );
    assert_eq!(rule["criteria"][0]["key"], "trigger.body.size");
    assert_eq!(rule["criteria"][0]["type"], "greaterthan");
    assert_eq!(rule["when"], "<% event().body.name == \"vol1\" %>");
    assert_eq!(
        (&rule["enabled"], &rule["switched"], &rule["action"]),
        (&json!(true), &json!(null), &json!("core.noop"))
    );
    assert_eq!((&rule["pack_version"], &rule["next"]), (&json!("1.2.3"), &json!(null)));
    assert_eq!(process.get("/rules/h.nothing").await.refusal(), (404, "E-EVENT-0005".to_owned()));
    assert_eq!(process.get("/rules/nothing").await.refusal(), (404, "E-EVENT-0005".to_owned()));
    process.post("/webhooks/picky", &json!({"size": 1})).await;
    let counted = eventually("it is counted", async || {
        let rule = process.get("/rules/h.picky").await.json();
        (rule["counts"]["examined"] == 1).then(|| rule["counts"].clone())
    })
    .await;
    assert_eq!(counted, json!({"examined": 1, "matched": 0, "failed": 0}));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_tried_with_a_payload_and_says_what_does_not_hold() {
    let process = place().start().await;
    let tried = |body: Value| {
        let process = &process;
        async move { process.post("/rules/h.picky/test", &json!({"payload": {"body": body}})).await.json() }
    };
    let good = tried(json!({"size": 11, "name": "vol1"})).await;
    assert_eq!((&good["matched"], &good["when"]), (&json!(true), &json!({"passed": true, "error": null})));
    let small = tried(json!({"size": 10, "name": "vol1"})).await;
    assert_eq!((&small["matched"], &small["when"]), (&json!(false), &json!(null)));
    let criterion = &small["criteria"][0];
    assert_eq!(
        (&criterion["passed"], &criterion["found"], &criterion["pattern"]),
        (&json!(false), &json!(10), &json!(10))
    );
    let without = tried(json!({"size": 11})).await;
    assert_eq!(without["matched"], false);
    assert!(without["when"]["passed"] == false);
    assert_eq!(process.get("/events").await.json()["items"], json!([]), "nothing comes of it");
    assert_eq!(process.post("/rules/h.no/test", &json!({"payload": 1})).await.status, 404);
    assert_eq!(process.post("/rules/h.picky/test", &json!({})).await.refusal(), (422, "E-API-0001".to_owned()));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_are_listed_with_their_next_instants() {
    let process = place().start().await;
    let page = process.get("/schedules?count=3").await.json();
    let schedule = &page["items"][0];
    assert_eq!(
        (&schedule["rule"], &schedule["overlap"], &schedule["on_missed"]),
        (&json!("h.cron"), &json!("skip"), &json!("last"))
    );
    let next: Vec<_> = schedule["next"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(next.len(), 3);
    assert!(next.is_sorted());
    let rule = process.get("/rules/h.cron").await.json();
    assert_eq!(rule["next"], next[0]);
    assert_eq!(rule["trigger"]["parameters"]["timezone"], "Europe/Berlin");
    assert_eq!(process.get("/schedules").await.json()["items"][0]["next"].as_array().unwrap().len(), 10);
    assert_eq!(process.get("/schedules?count=0").await.refusal(), (400, "E-API-0001".to_owned()));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn triggers_and_webhooks_are_listed_and_no_secret_with_them() {
    let process = place().start().await;
    let triggers = process.get("/triggers").await.json();
    let built_in = ["core.cron", "core.date", "core.execution_finished", "core.interval", "core.webhook"];
    assert_eq!(names(&triggers, "reference"), built_in);
    assert_eq!(process.get("/triggers/core.webhook").await.json()["payload_schema"]["type"], "object");
    assert_eq!(process.get("/triggers/core.none").await.status, 404);
    assert_eq!(process.get("/sensors").await.json(), json!({"items": [], "next": null}));
    let webhooks = process.get("/webhooks").await.json();
    let shared = webhooks["items"].as_array().unwrap().iter().find(|one| one["path"] == "x").unwrap();
    assert_eq!(
        (&shared["auth"], &shared["secret"], &shared["secret_configured"]),
        (&json!("github"), &json!("main"), &json!(true))
    );
    assert_eq!(shared["rules"], json!(["g.hook", "h.hook"]));
    assert_eq!((&shared["url"], &shared["methods"]), (&json!("/api/v1/webhooks/x"), &json!(["POST"])));
    assert!(!webhooks.to_string().contains(crate::kit::SECRET));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_switched_stays_so_over_a_restart() {
    let place = place();
    let process = place.start().await;
    let rule = process.post("/rules/h.hook/disable", &json!({})).await.json();
    assert_eq!((&rule["enabled"], &rule["switched"]), (&json!(false), &json!(false)));
    process.stop().await;
    let process = place.start().await;
    assert_eq!(names(&process.get("/rules?enabled=false").await.json(), "reference"), ["h.hook"]);
    let rule = process.post("/rules/h.hook/reset", &json!({})).await.json();
    assert_eq!((&rule["enabled"], &rule["switched"]), (&json!(true), &json!(null)));
    let rule = process.post("/rules/h.hook/enable", &json!({})).await.json();
    assert_eq!((&rule["enabled"], &rule["switched"]), (&json!(true), &json!(true)));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_sees_the_rules_of_its_packs_and_only_admins_switch_them() {
    let process = place().start_with(Settings { access: AccessMode::Keys, ..Settings::default() }).await;
    let key = process.key(Role::Operator, Some(&["g"])).await;
    let ask = |method: &str, path: &str| Answer::of(process.request(method, path).header("x-api-key", &key));
    assert_eq!(names(&ask("GET", "/rules").await.json(), "reference"), ["g.hook"]);
    assert_eq!(ask("GET", "/rules/h.hook").await.status, 404);
    assert_eq!(ask("GET", "/schedules").await.json()["items"], json!([]));
    assert_eq!(ask("GET", "/webhooks").await.json()["items"][0]["rules"], json!(["g.hook"]));
    assert_eq!(ask("POST", "/rules/g.hook/disable").await.refusal(), (403, "E-API-0003".to_owned()));
    process.stop().await;
}
