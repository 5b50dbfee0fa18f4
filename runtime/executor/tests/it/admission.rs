//! What is let in: not too much at a time, nothing twice; and what is told of it.

use runner_executor::{ExecutionRequest, RequestError};
use runner_model::{ExecutionId, Origin, Status};
use runner_store::Events;
use serde_json::{Value, json};

use super::stage::{Stage, cancel, submit, submit_with, until};

fn request(action: &str, parameters: Value) -> ExecutionRequest {
    let Value::Object(parameters) = parameters else { panic!("parameters are a map") };
    ExecutionRequest::new(action.parse().unwrap(), parameters, Origin::Api)
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_and_says_when_to_ask_again() {
    let stage = Stage::with(&[
        ("outer", "tasks: {a: {action: p.inner}}"),
        ("inner", "tasks: {a: {action: p.once, input: {takes: 1000000}}}"),
        ("asks", "tasks: {a: {action: p.ask, input: {prompt: well}}}"),
    ]);
    let executor = stage.executor_with("one", 3);
    let asks = submit(&executor, "p.asks").await.id;
    stage.becomes(asks, Status::Pending).await;
    until(|| executor.load().parked == 1).await;
    let endless = submit_with(&executor, "p.once", json!({"takes": 1000000})).await.id;
    let outer = submit(&executor, "p.outer").await.id;
    until(|| executor.load().at_work == 3).await;
    assert!(executor.is_full());
    match executor.submit(request("p.noop", json!({}))).await.err() {
        Some(RequestError::Full { retry_after }) => assert!(!retry_after.is_zero()),
        other => panic!("{other:?}"),
    }
    cancel(&executor, endless).await.unwrap();
    stage.ended(endless).await;
    until(|| !executor.is_full()).await;
    let after = submit(&executor, "p.noop").await;
    assert_eq!(after.finished().await.unwrap().record.status, Status::Succeeded);
    cancel(&executor, outer).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_with_an_id_that_is_there_begins_nothing() {
    let stage = Stage::with(&[]);
    let executor = stage.executor("one");
    let id = ExecutionId::from_bytes([9; 16]);
    let wanted = |tag: &str| ExecutionRequest { id: Some(id), ..request("p.once", json!({"tag": tag, "takes": 1})) };
    let (one, other) = tokio::join!(executor.submit(wanted("same")), executor.submit(wanted("same")));
    let both = [one.is_ok(), other.is_ok()];
    assert_eq!(both.iter().filter(|begun| **begun).count(), 1, "one of them begins it");
    let first = one.or(other).unwrap();
    assert!(matches!(executor.submit(wanted("later")).await, Err(RequestError::Exists { id: same }) if same == id));
    assert_eq!(first.id, id);
    assert_eq!(first.finished().await.unwrap().record.status, Status::Succeeded, "it is told its end all the same");
    assert!(matches!(executor.submit(wanted("after")).await, Err(RequestError::Exists { .. })));
    let elsewhere = stage.executor("other");
    assert!(matches!(elsewhere.submit(wanted("elsewhere")).await, Err(RequestError::Exists { .. })));
    assert_eq!(stage.order(), ["same"]);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_what_somebody_wants_to_hear_of_is_announced() {
    let stage = Stage::with(&[("w", "tasks: {a: {action: p.noop}}")]);
    let executor = stage.executor("one");
    let unheard = submit(&executor, "p.noop").await;
    unheard.finished().await.unwrap();
    executor.announce(Some(std::sync::Arc::new(|action| action.as_str() != "p.again")));
    let mut wanted = Vec::new();
    for action in ["p.noop", "p.w", "p.once", "p.again"] {
        let execution = submit(&executor, action).await;
        wanted.push(execution.id);
        assert_eq!(execution.finished().await.unwrap().record.status, Status::Succeeded);
    }
    wanted.pop();
    assert_eq!(stage.store.ended(10).await.unwrap(), wanted);
}

#[tokio::test(start_paused = true)]
async fn a_trace_goes_on_through_workflows_and_what_is_none_is_dropped() {
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let stage = Stage::with(&[("outer", "tasks: {a: {action: p.inner}}"), ("inner", "tasks: {a: {action: p.once}}")]);
    let executor = stage.executor("one");
    for trace in [given, "00-nonsense"] {
        let traced = ExecutionRequest { trace_parent: Some(trace.to_owned()), ..request("p.outer", json!({})) };
        executor.submit(traced).await.unwrap().finished().await.unwrap();
    }
    let alone = submit(&executor, "p.once").await;
    alone.finished().await.unwrap();
    let traces = stage.traces();
    assert!(traces[0].starts_with(&given[..36]) && traces[0] != given, "{traces:?}");
    // The outermost execution is a trace of its own.
    assert!(traces[1].len() == given.len() && !traces[1].starts_with(&given[..36]), "{traces:?}");
    assert_eq!(traces[2], "", "the host makes the execution the trace");
}
