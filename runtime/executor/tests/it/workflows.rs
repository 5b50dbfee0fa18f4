//! Workflows from their files to their journals.

use std::sync::Arc;

use runner_engine::{Plan, State};
use runner_executor::Progress;
use runner_model::{Fact, Status, Version, code, limits};
use runner_store::{Journal, KeyValue};
use serde_json::json;

use super::kit::{Setup, heard, submit};

const DECIDES: &str = r#"
parameters: {limit: {type: integer, default: 3}}
vars: [{said: ""}]
tasks:
  first:
    action: t.echo
    input: {message: "<% ctx().limit.to_string() %>"}
    next:
      - when: <% succeeded() && result().message == "3" %>
        publish: [{said: <% "three " + task("first").status %>}]
        do: second
      - when: <% succeeded() && result().message != "3" %>
        do: fail
  second:
    action: t.echo
    input: {message: <% ctx().said %>}
    next:
      - publish: [{said: <% result().message + "!" %>}]
output: [{said: <% ctx().said %>}]
"#;

#[tokio::test]
async fn a_workflow_decides_publishes_and_gives_its_output() {
    for setup in [Setup::in_memory(&[("decides", DECIDES)]), Setup::on_disk(&[("decides", DECIDES)]).await] {
        let view = setup.run("t.decides", json!({})).await;
        assert_eq!((view.record.status, view.result), (Status::Succeeded, Some(json!({"said": "three succeeded!"}))));
        assert_eq!(view.steps.iter().map(|step| step.task.as_str()).collect::<Vec<_>>(), ["first", "second"]);

        let failed = setup.run("t.decides", json!({"limit": 4})).await;
        assert_eq!(failed.record.status, Status::Failed);
        assert_eq!(failed.errors[0].code, code::FLOW_FAILED_BY_COMMAND.id());
    }
}

#[tokio::test]
async fn the_journal_replays_to_the_same_end_and_a_step_costs_one_append() {
    let setup = Setup::in_memory(&[("decides", DECIDES)]);
    let executor = setup.executor("one");
    let view = submit(&executor, "t.decides", json!({})).await.finished().await.unwrap();
    let entries = Journal::read(&*setup.store, view.record.id, Version(0)).await.unwrap();
    let (library, _) = runner_pack::Library::load(&[], None);
    assert_eq!(library.packs().count(), 0);
    let kinds: Vec<_> = entries
        .iter()
        .map(|entry| match &entry.fact {
            Fact::Requested(_) => "requested",
            Fact::Started => "started",
            Fact::StepScheduled { .. } => "scheduled",
            Fact::AttemptStarted { .. } => "attempt",
            Fact::AttemptFinished { .. } => "ended",
            Fact::Finished { .. } => "finished",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        ["requested", "started", "scheduled", "attempt", "ended", "scheduled", "attempt", "ended", "finished"]
    );
    // A plan that differs does not replay it.
    let other = Plan::single("t.echo");
    assert!(State::replay(&other, view.record.id, &entries, Arc::default()).is_err());
}

#[tokio::test]
async fn steps_without_an_order_run_at_the_same_time() {
    let both = "tasks: {a: {action: t.hang}, b: {action: t.hang}}";
    let setup = Setup::in_memory(&[("both", both)]);
    let mut execution = submit(&setup.executor("one"), "t.both", json!({})).await;
    let mut progress = execution.take_progress();
    let mut started = 0;
    while started < 2 {
        started += usize::from(matches!(heard(&mut progress).await, Progress::StepStarted { .. }));
    }
    execution.cancel("a test");
    let view = execution.finished().await.unwrap();
    assert_eq!(view.record.status, Status::Canceled);
    assert!(view.steps.iter().all(|step| step.status == Status::Canceled));
}

#[tokio::test]
async fn a_workflow_can_call_a_workflow_and_sees_its_output() {
    let outer = "tasks: {inner: {action: t.decides, input: {limit: 3}}}\n\
                 output: [{from_inner: '<% task(\"inner\").result.said %>'}]";
    let setup = Setup::in_memory(&[("decides", DECIDES), ("outer", outer)]);
    let view = setup.run("t.outer", json!({})).await;
    assert_eq!(view.result, Some(json!({"from_inner": "three succeeded!"})), "{view:?}");
    let child = view.record.id.child(runner_model::StepId(0), None, runner_model::AttemptNumber::FIRST);
    let entries = Journal::read(&*setup.store, child, Version(0)).await.unwrap();
    let Fact::Requested(requested) = &entries[0].fact else { panic!() };
    assert_eq!(requested.depth, 1);
}

#[tokio::test]
async fn a_workflow_that_calls_itself_is_stopped() {
    let endless = "tasks: {again: {action: t.endless}}";
    let setup = Setup::in_memory(&[("endless", endless)]);
    let view = setup.run("t.endless", json!({})).await;
    assert_eq!((view.record.status, view.errors[0].code.as_str()), (Status::Failed, code::EXEC_DEPTH.id()));
    assert!(view.errors[0].message.contains(&limits::WORKFLOW_DEPTH_MAX.to_string()));
}

#[tokio::test]
async fn a_decision_reads_key_value_data_once_and_records_what_it_read() {
    let reads = "tasks: {a: {action: t.noop, next: [{when: '<% kv(\"go\") == 1 %>', do: b}]}, b: {action: t.noop}}";
    let setup = Setup::in_memory(&[("reads", reads)]);
    let pack = runner_model::PackRef::new("t").unwrap();
    KeyValue::set(&*setup.store, &pack, "go", json!(1), None).await.unwrap();
    let view = setup.run("t.reads", json!({})).await;
    assert_eq!(view.steps.len(), 2);
    let entries = Journal::read(&*setup.store, view.record.id, Version(0)).await.unwrap();
    let read = entries.iter().find_map(|entry| match &entry.fact {
        Fact::ValuesRead { kv } => Some(kv.clone()),
        _ => None,
    });
    assert_eq!(read.unwrap()["go"], json!(1));
}

#[tokio::test]
async fn a_guest_keeps_values_from_one_execution_to_the_next() {
    let setup = Setup::on_disk(&[]).await;
    let set = setup.run("t.kv", json!({"op": "set", "key": "k", "value": "{\"n\": 1}"})).await;
    assert_eq!(set.record.status, Status::Succeeded, "{set:?}");
    let get = setup.run("t.kv", json!({"op": "get", "key": "k"})).await;
    assert!(get.result.as_ref().unwrap().to_string().contains('1'), "{get:?}");
}
