//! Stopping: what runs may end, what has not begun does not, and the next process takes everything up at once.

use std::time::Duration;

use runner_executor::{ControlError, Drained, ExecutionRequest, ExecutorError, RequestError};
use runner_model::{Origin, Status};
use serde_json::json;

use super::stage::{Stage, cancel, parked, submit, submit_with, until};

const STEPS: (&str, &str) = (
    "w",
    "tasks: {a: {action: p.once, input: {tag: a, takes: 3}, next: [{do: b}]}, b: {action: p.once, input: {tag: b}}}",
);

#[tokio::test(start_paused = true)]
async fn what_ends_in_time_is_recorded_and_the_next_process_goes_on_there() {
    let stage = Stage::with(&[STEPS]);
    let one = stage.executor("one");
    let execution = submit(&one, "p.w").await;
    let id = execution.id;
    until(|| one.load().attempts_running == 1).await;
    assert_eq!(one.drain(Duration::from_secs(30)).await, Drained { finished: 1, interrupted: 0 });
    assert_eq!(stage.seconds(), 3, "nobody waits longer than necessary");
    assert_eq!(stage.view(id).await.steps[0].status, Status::Succeeded);
    assert!(matches!(execution.finished().await, Err(ExecutorError::Draining { .. })));
    let two = stage.executor("two");
    assert_eq!(two.recover_all().await.unwrap(), 1, "no lease has to run out");
    assert_eq!(stage.ended(id).await.record.status, Status::Succeeded);
    assert_eq!(stage.order(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_in_time_is_interrupted_and_its_outcome_is_unknown() {
    let stage = Stage::with(&[]);
    let one = stage.executor("one");
    let once = submit_with(&one, "p.once", json!({"takes": 100})).await.id;
    let again = submit_with(&one, "p.again", json!({"takes": 100})).await.id;
    until(|| one.load().attempts_running == 2).await;
    assert_eq!(one.drain(Duration::from_secs(5)).await, Drained { finished: 0, interrupted: 2 });
    assert_eq!(stage.seconds(), 5);
    let two = stage.executor("two");
    two.recover_all().await.unwrap();
    let (once, again) = (stage.ended(once).await, stage.ended(again).await);
    assert_eq!((once.record.status, again.record.status), (Status::Abandoned, Status::Succeeded));
    assert_eq!(again.steps[0].attempts.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_new_begins_and_what_is_asked_is_refused_by_name() {
    let stage = Stage::with(&[("w", "tasks: {a: {action: p.ask, input: {prompt: well}}}")]);
    let one = stage.executor("one");
    let waiting = submit(&one, "p.w").await.id;
    let running = submit_with(&one, "p.once", json!({"takes": 10})).await.id;
    until(|| one.count() == (1, 1)).await;
    let (drained, ()) = tokio::join!(one.drain(Duration::from_secs(60)), async {
        tokio::task::yield_now().await;
        let request = ExecutionRequest::new("p.noop".parse().unwrap(), Default::default(), Origin::Api);
        assert!(matches!(one.submit(request).await, Err(RequestError::Draining)));
        // What needs no attempt is still done.
        cancel(&one, waiting).await.unwrap();
        assert_eq!(stage.ended(waiting).await.record.status, Status::Canceled);
    });
    assert_eq!(drained, Drained { finished: 1, interrupted: 0 });
    assert_eq!(stage.status(running).await, Status::Succeeded);
    let late = cancel(&one, running).await;
    assert!(matches!(late, Err(ControlError::Executor(ExecutorError::Draining { .. }))), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn workflows_within_workflows_and_what_is_parked_are_found_again() {
    let outer = ("outer", "tasks: {a: {action: p.w}}");
    let asks = (
        "asks",
        "tasks: {a: {action: p.ask, input: {prompt: well, ttl: 20, on_timeout: answer, default_answer: {approved: true}}}}",
    );
    let stage = Stage::with(&[STEPS, outer, asks]);
    let one = stage.executor("one");
    let nested = submit(&one, "p.outer").await.id;
    let asked = submit(&one, "p.asks").await.id;
    until(|| one.load().attempts_running == 1).await;
    parked_within(&one).await;
    one.drain(Duration::from_secs(60)).await;
    let two = stage.executor("two");
    assert_eq!(two.recover_all().await.unwrap(), 3);
    assert_eq!(stage.ended(nested).await.record.status, Status::Succeeded);
    assert_eq!(stage.ended(asked).await.record.status, Status::Succeeded);
    parked(&two, 0).await;
    assert_eq!(stage.order(), ["a", "b"]);
}

async fn parked_within(executor: &runner_executor::Executor) {
    until(|| executor.load().parked == 1).await;
}
