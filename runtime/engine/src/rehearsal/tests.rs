//! Order, time and reruns of what is played.

use std::sync::Arc;

use runner_model::{
    AttemptNumber, ExecutionId, Failure, OnExpiry, Origin, Outcome, Requested, RerunTask, Status, Timestamp, Wait,
    WaitKind, code,
};
use serde_json::{Value, json};

use super::*;
use crate::written::plan;

fn play(workflow: &Value) -> Play {
    let requested = Requested {
        action: "test.workflow".parse().unwrap(),
        pack_version: "1.0.0".into(),
        pack_digest: String::new(),
        parameters: json!({}),
        secret: vec![],
        secret_output: Vec::new(),
        sealed: false,
        origin: Origin::Cli,
        depth: 0,
        simulate: false,
        trace_parent: None,
    };
    let start = Timestamp::from_millis(0);
    Play::new(Arc::new(plan(workflow)), ExecutionId::from_bytes([7; 16]), requested, Arc::default(), start).unwrap()
}

fn failed() -> Outcome {
    Outcome::Failed { failure: Failure::new(code::HOST_TRAP, "no") }
}

fn ok() -> Outcome {
    Outcome::Succeeded { result: Value::Null }
}

/// Plays until something other than a call happens; the calls of the tasks that are listed fail.
fn go_on(play: &mut Play, failing: &[&str]) -> Next {
    loop {
        match play.next().unwrap() {
            Next::Call(call) => {
                let outcome = if failing.contains(&call.name.as_str()) { failed() } else { ok() };
                play.finish(&call, outcome).unwrap();
            }
            other => return other,
        }
    }
}

fn sequence(play: &Play) -> String {
    let label = |passage: Passage| match passage.route.0 {
        0 => passage.name,
        route => format!("{}__r{route}", passage.name),
    };
    play.sequence().into_iter().map(label).collect::<Vec<_>>().join(" ")
}

fn inquiry(expires_at: Option<i64>) -> Wait {
    let kind = WaitKind::Event { key: "k".into() };
    Wait { kind, expires_at: expires_at.map(Timestamp::from_millis), on_expiry: OnExpiry::Timeout }
}

#[test]
fn a_batch_begins_as_a_whole_before_the_first_of_it_ends() {
    let workflow = json!({"tasks": {
        "z": {"next": [{"do": "b, a"}]},
        "a": {"next": [{"when": "<% failed() %>", "do": "noop"}]},
        "b": {"next": [{"do": "c"}]}, "c": {}}});
    let mut play = play(&workflow);
    assert_eq!(go_on(&mut play, &["a"]), Next::Ended);
    assert_eq!(sequence(&play), "z a b noop c", "the command stands where it was reached: after b had begun");
    assert_eq!(play.status(), Status::Succeeded);
    let names: Vec<_> = play.taken().into_iter().map(|(task, index)| format!("{task}.{index}")).collect();
    assert_eq!(names, ["a.0", "b.0", "z.0"]);
}

#[test]
fn time_moves_only_when_nothing_else_can_happen() {
    let workflow = json!({"tasks": {"a": {"delay": 2_592_000, "next": [{"do": "b"}]}, "b": {}}});
    let mut play = play(&workflow);
    let month = Timestamp::from_millis(2_592_000_000);
    let tomorrow = Timestamp::from_millis(86_400_000);
    assert_eq!(play.next_until(Some(tomorrow)).unwrap(), Next::Idle { until: Some(month) });
    assert_eq!(play.now(), tomorrow);
    assert_eq!(go_on(&mut play, &[]), Next::Ended);
    assert_eq!((play.now(), sequence(&play).as_str()), (month, "a b"));
}

#[test]
fn what_waits_is_answered_or_expires() {
    let workflow = json!({"tasks": {"a": {"next": [{"when": "<% succeeded() %>", "do": "b"}]}, "b": {}}});
    for (expires_at, answered, status) in
        [(Some(5000), true, Status::Succeeded), (Some(5000), false, Status::Failed), (None, true, Status::Succeeded)]
    {
        let mut play = play(&workflow);
        let Next::Call(call) = play.next().unwrap() else { panic!("a begins") };
        play.wait(&call, inquiry(expires_at)).unwrap();
        let until = expires_at.map(Timestamp::from_millis);
        assert_eq!(play.next_until(Some(Timestamp::from_millis(3000))).unwrap(), Next::Idle { until });
        assert_eq!(play.status(), Status::Pending);
        if answered {
            play.answer(call.unit, "me", json!(1)).unwrap();
        }
        assert_eq!(go_on(&mut play, &[]), Next::Ended);
        assert_eq!(play.status(), status);
        assert_eq!(play.now().as_millis(), if answered { 3000 } else { 5000 });
    }
}

#[test]
fn a_rerun_goes_on_with_the_sequence() {
    let workflow = json!({"tasks": {"a": {"next": [{"when": "<% succeeded() %>", "do": "b"}]}, "b": {}}});
    let mut play = play(&workflow);
    assert_eq!(go_on(&mut play, &["b"]), Next::Ended);
    assert_eq!((play.status(), play.errors().len()), (Status::Failed, 1));
    let unknown = RerunTask { task: "c".parse().unwrap(), route: None, reset_items: false };
    assert!(matches!(play.rerun("me", vec![unknown]), Err(PlayError::Rerun(RerunError::NotRun { .. }))));
    play.rerun("me", vec![]).unwrap();
    let Next::Call(call) = play.next().unwrap() else { panic!("b begins again") };
    assert_eq!((call.seq, call.iteration, call.attempt), (2, 1, AttemptNumber::FIRST));
    play.finish(&call, ok()).unwrap();
    assert_eq!(go_on(&mut play, &[]), Next::Ended);
    assert_eq!(sequence(&play), "a b b");
}

#[test]
fn what_is_cancelled_ends_at_once_and_what_is_paused_begins_nothing() {
    let workflow = json!({"tasks": {"a": {"next": [{"do": "b"}]}, "b": {}}});
    let mut paused = play(&workflow);
    let Next::Call(call) = paused.next().unwrap() else { panic!("a begins") };
    paused.pause("me").unwrap();
    paused.finish(&call, ok()).unwrap();
    assert_eq!(paused.next().unwrap(), Next::Idle { until: None });
    assert_eq!(paused.status(), Status::Paused);
    paused.resume("me").unwrap();
    let Next::Call(call) = paused.next().unwrap() else { panic!("b begins") };
    paused.cancel("me").unwrap();
    assert_eq!(paused.next().unwrap(), Next::Ended);
    paused.finish(&call, ok()).unwrap();
    assert_eq!(paused.status(), Status::Canceled);
}

#[test]
fn a_value_that_a_decision_reads_is_recorded() {
    let workflow = json!({"output": [{"x": "<% kv(\"x\") %>"}], "tasks": {"a": {}}});
    let mut play = play(&workflow);
    play.provide("x", json!(7));
    assert_eq!(go_on(&mut play, &[]), Next::Ended);
    assert_eq!(play.output(), Some(&json!({"x": 7})));
    assert!(play.entries().iter().any(|entry| matches!(entry.fact, Fact::ValuesRead { .. })));
}
