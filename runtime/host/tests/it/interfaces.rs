//! The interfaces of the contract beside `http`.

use std::sync::Arc;

use runner_host::{LogLevel, LogLine};
use runner_model::limits::{KV_KEY_BYTES_MAX, KV_VALUE_BYTES_MAX};
use runner_model::{KvAccess, Outcome};
use serde_json::{Value, json};

use super::kit::{
    Ears, MemoryKv, actions, attempt, attempt_in, code_of, host, kv_pack, no_connections, pack, run, sensors, value,
};

#[tokio::test]
async fn an_attempt_knows_itself() {
    let mut own = attempt("context", json!({}));
    own.last_heartbeat = Some("half way".to_owned());
    let context = value(own).await;
    assert_eq!(context["execution"], "07070707-0707-0707-0707-070707070707");
    assert_eq!((&context["action"], &context["number"]), (&json!("demo.context"), &json!(2)));
    assert_eq!((&context["idempotency_key"], &context["last_heartbeat"]), (&json!("key-1"), &json!("half way")));
    let parent = context["trace_parent"].as_str().unwrap();
    let parts: Vec<_> = parent.split('-').collect();
    assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [2, 32, 16, 2], "{parent}");
    let now = value(attempt("clock", json!({}))).await.as_i64().unwrap();
    let deadline = context["deadline_ms"].as_i64().unwrap();
    assert!((0..30_001).contains(&(deadline - now)), "{deadline} {now}");
}

#[tokio::test]
async fn log_lines_cannot_move_the_cursor_and_are_cut() {
    let ears = Arc::new(Ears::default());
    let mut talking = attempt("log", json!({ "message": "a\nb\u{1b}[2J", "fields": [["k\r", "v"]] }));
    talking.observer = Arc::clone(&ears) as _;
    value(talking).await;
    let fields = vec![("k\\r".to_owned(), "v".to_owned())];
    let line = LogLine { level: LogLevel::Warn, message: "a\\nb\\u{1b}[2J".to_owned(), fields };
    assert_eq!(*ears.lines.lock(), [line]);

    let mut long = attempt("log", json!({ "message": "ä".repeat(100_000) }));
    long.observer = Arc::clone(&ears) as _;
    value(long).await;
    let lines = ears.lines.lock();
    assert!(lines[1].message.len() < 8 * 1024 + 4 && lines[1].message.ends_with('…'));
}

#[tokio::test]
async fn config_and_random_numbers_are_given() {
    assert_eq!(value(attempt("config", json!({}))).await, json!({ "greeting": "hello" }));
    let random = value(attempt("random", json!({ "length": 1_000_000 }))).await;
    assert_eq!(random, json!({ "length": 65_536, "differ": true }));
}

#[tokio::test]
async fn key_value_data_outlives_the_attempt() {
    let kv = Arc::new(MemoryKv::default());
    let ask = async |input: Value| {
        let mut pack = pack(no_connections());
        pack.kv = Arc::clone(&kv) as _;
        value(attempt_in(pack, "kv", input)).await
    };
    assert_eq!(ask(json!({ "op": "get", "key": "a" })).await, json!({ "ok": null }));
    ask(json!({ "op": "set", "key": "a", "value": "{\"n\":1}", "ttl": 60 })).await;
    assert_eq!(ask(json!({ "op": "get", "key": "a" })).await, json!({ "ok": "{\"n\":1}" }));
    assert_eq!(*kv.lifetimes.lock(), [Some(std::time::Duration::from_secs(60))]);
    let swap = |expected: &str| json!({ "op": "swap", "key": "a", "expected": expected, "value": "2" });
    assert_eq!(ask(swap("{ \"n\": 9 }")).await, json!({ "ok": false }));
    assert_eq!(ask(swap("{ \"n\": 1 }")).await, json!({ "ok": true }), "compared as values, not as text");
    ask(json!({ "op": "set", "key": "ab", "value": "true" })).await;
    assert_eq!(ask(json!({ "op": "keys", "key": "a" })).await, json!({ "ok": ["a", "ab"] }));
    assert_eq!(ask(json!({ "op": "keys", "key": "a", "limit": 1 })).await, json!({ "ok": ["a"] }));
    assert_eq!(ask(json!({ "op": "delete", "key": "a" })).await, json!({ "ok": true }));
    assert_eq!(ask(json!({ "op": "delete", "key": "a" })).await, json!({ "ok": false }));
}

#[tokio::test]
async fn key_value_data_needs_the_packs_wish_and_the_operators_grant() {
    let cases = [
        (KvAccess::None, KvAccess::ReadWrite, "get", Some("add `kv: read` to `permissions` in its pack.yaml")),
        (KvAccess::ReadWrite, KvAccess::None, "get", Some("write `kv = \"read\"` under `[grants.demo]`")),
        (KvAccess::Read, KvAccess::ReadWrite, "set", Some("add `kv: read_write` to `permissions` in its pack.yaml")),
        (KvAccess::ReadWrite, KvAccess::Read, "delete", Some("write `kv = \"read_write\"` under `[grants.demo]`")),
        (KvAccess::Read, KvAccess::Read, "keys", None),
    ];
    for (wish, grant, op, denied) in cases {
        let input = json!({ "op": op, "key": "a", "value": "1" });
        let answer = value(attempt_in(kv_pack(wish, grant), "kv", input)).await;
        match denied {
            Some(line) => assert!(answer["denied"].as_str().unwrap_or("").contains(line), "{answer}"),
            None => assert_eq!(answer, json!({ "ok": [] })),
        }
    }
}

#[tokio::test]
async fn key_value_data_has_limits_and_says_what_is_wrong() {
    let cases = [
        (json!({ "op": "get", "key": "k".repeat(KV_KEY_BYTES_MAX + 1) }), "too_large"),
        (json!({ "op": "set", "key": "a", "value": "1".repeat(KV_VALUE_BYTES_MAX + 1) }), "too_large"),
        (json!({ "op": "set", "key": "a", "value": "{" }), "not_json"),
        (json!({ "op": "set", "key": "broken", "value": "1" }), "store"),
    ];
    for (input, kind) in cases {
        let answer = value(attempt("kv", input)).await;
        assert!(answer[kind].is_string(), "{kind}: {answer}");
    }
}

#[tokio::test]
async fn a_failure_reaches_the_outcome_as_the_action_made_it() {
    let input = json!({ "code": "not-found", "message": "no\nsuch svm", "details": r#"{"svm":"x","hint":"list them"}"#, "retryable": true });
    let outcome = run(attempt("fail", input)).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!((failure.code.as_str(), failure.message.as_str()), ("not-found", "no\\nsuch svm"));
    assert_eq!((failure.details, failure.retryable), (Some(json!({ "svm": "x" })), true));
    assert_eq!(failure.hint.as_deref(), Some("list them"));
}

#[tokio::test]
async fn a_component_describes_itself() {
    let described = host().describe(actions().await).await.unwrap();
    assert_eq!(described["echo"]["description"], "Returns its input");
}

#[tokio::test]
async fn a_sensor_goes_on_from_its_cursor() {
    let poll = async |name: &str, cursor: Option<&str>| {
        host().poll(sensors().await, attempt(name, json!({})), cursor.map(str::to_owned)).await
    };
    let first = poll("counter", None).await.unwrap();
    assert_eq!((first.events[0].payload.clone(), first.cursor.as_deref()), (json!({ "number": 1 }), Some("1")));
    assert_eq!(first.events[0].deduplication_key.as_deref(), Some("n1"));
    let second = poll("counter", Some("1")).await.unwrap();
    assert_eq!(second.events[0].payload, json!({ "number": 2 }));
    assert_eq!(code_of(&poll("bad_json", None).await.unwrap_err()), runner_model::code::HOST_BAD_RESULT.id());
    assert_eq!(code_of(&poll("nothing", None).await.unwrap_err()), "unknown-sensor");
}
