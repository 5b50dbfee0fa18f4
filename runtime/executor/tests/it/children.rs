//! Workflows that call workflows: what is asked of one reaches the others, and either may outlive a process.

use std::time::Duration;

use runner_executor::Executor;
use runner_model::{ExecutionId, NodeId, Status, code};
use runner_store::Leases as _;

use super::stage::{Stage, cancel, parked, pause, resume, submit};

const INNER: &str = "tasks:
  x: {action: p.again, input: {tag: x, takes: 2}, next: [{when: '<% succeeded() %>', do: y}]}
  y: {action: p.again, input: {tag: y, takes: 2}}
";
const OUTER: &str = "tasks: {a: {action: p.inner, next: [{do: b}]}, b: {action: p.again, input: {tag: b}}}";
const SLEEPS: &str = "tasks: {x: {action: p.once, input: {tag: x}, delay: 1000}}";

async fn begun(stage: &Stage, executor: &Executor, action: &str) -> (ExecutionId, ExecutionId) {
    let id = submit(executor, action).await.id;
    while stage.children(id).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    (id, stage.children(id).await[0])
}

#[tokio::test(start_paused = true)]
async fn a_pause_reaches_the_parts_and_so_does_going_on() {
    let stage = Stage::with(&[("inner", INNER), ("outer", OUTER)]);
    let executor = stage.executor("one");
    let (id, child) = begun(&stage, &executor, "p.outer").await;
    assert_eq!(pause(&executor, id).await.unwrap(), Status::Pausing);
    stage.becomes(child, Status::Paused).await;
    stage.becomes(id, Status::Paused).await;
    parked(&executor, 2).await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(stage.asked("y").len(), 0);
    resume(&executor, id).await.unwrap();
    assert_eq!(stage.ended(id).await.record.status, Status::Succeeded);
    assert_eq!((stage.asked("x").len(), stage.asked("y").len(), stage.asked("b").len()), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_part_that_is_paused_by_itself_pauses_the_whole_and_takes_it_along() {
    let stage = Stage::with(&[("inner", INNER), ("outer", OUTER)]);
    let executor = stage.executor("one");
    let (id, child) = begun(&stage, &executor, "p.outer").await;
    pause(&executor, child).await.unwrap();
    stage.becomes(id, Status::Paused).await;
    resume(&executor, child).await.unwrap();
    assert_eq!(stage.ended(id).await.record.status, Status::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_reaches_the_parts_also_when_all_are_parked() {
    for inner in [INNER, SLEEPS] {
        let stage = Stage::with(&[("inner", inner), ("outer", OUTER)]);
        let executor = stage.executor("one");
        let (id, child) = begun(&stage, &executor, "p.outer").await;
        if inner == SLEEPS {
            parked(&executor, 2).await;
        }
        cancel(&executor, id).await.unwrap();
        assert_eq!(stage.ended(id).await.record.status, Status::Canceled);
        assert_eq!(stage.status(child).await, Status::Canceled);
        assert!(stage.seconds() < 5, "nobody waited for it");
    }
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_takes_too_long_for_its_task_is_cancelled_and_the_step_timed_out() {
    let outer = "tasks: {a: {action: p.inner, timeout: 30}}";
    let stage = Stage::with(&[("inner", SLEEPS), ("outer", outer)]);
    let executor = stage.executor("one");
    let (id, child) = begun(&stage, &executor, "p.outer").await;
    let view = stage.ended(id).await;
    assert_eq!((view.record.status, view.steps[0].status), (Status::Failed, Status::Timeout));
    assert_eq!(view.steps[0].failure.as_ref().unwrap().code, code::HOST_TIMEOUT.id());
    assert_eq!((stage.status(child).await, stage.seconds()), (Status::Canceled, 30));
}

#[tokio::test(start_paused = true)]
async fn parent_and_part_are_found_again_after_a_crash_while_the_part_works_or_waits() {
    for inner in [INNER, SLEEPS] {
        let stage = Stage::with(&[("inner", inner), ("outer", OUTER)]);
        let one = stage.executor("one");
        let (id, child) = begun(&stage, &one, "p.outer").await;
        if inner == SLEEPS {
            parked(&one, 2).await;
        }
        one.shutdown().await;
        let two = stage.after("one", "two").await;
        assert_eq!(stage.ended(id).await.record.status, Status::Succeeded);
        assert_eq!(stage.children(id).await, [child], "it was not begun a second time");
        two.shutdown().await;
        assert_eq!(two.count(), (0, 0));
    }
}

/// The part is taken up alone, and ends while nobody has the parent.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_part_is_found_by_a_parent_that_was_gone() {
    let stage = Stage::with(&[("inner", SLEEPS), ("outer", OUTER)]);
    let one = stage.executor("one");
    let (id, child) = begun(&stage, &one, "p.outer").await;
    parked(&one, 2).await;
    one.shutdown().await;
    stage.store.expire(&NodeId("one".into())).await.unwrap();
    let two = stage.executor("two");
    assert_eq!(two.recover(child).await.unwrap().finished().await.unwrap().record.status, Status::Succeeded);
    assert_eq!(stage.status(id).await, Status::Running);
    two.shutdown().await;
    let _three = stage.after("two", "three").await;
    assert_eq!(stage.ended(id).await.record.status, Status::Succeeded);
    assert_eq!(stage.asked("x").len(), 1);
}

/// A cancellation is recorded, and the process ends before the part hears of it.
#[tokio::test(start_paused = true)]
async fn a_part_is_cancelled_after_a_crash_though_only_its_parent_is_taken_up() {
    use runner_model::{Entry, Fact, Timestamp, Version};
    use runner_store::{Append, Journal as _};
    let stage = Stage::with(&[("inner", SLEEPS), ("outer", OUTER)]);
    let one = stage.executor("one");
    let (id, child) = begun(&stage, &one, "p.outer").await;
    parked(&one, 2).await;
    one.shutdown().await;
    let (node, now) = (NodeId("one".into()), Timestamp::from_millis(1_800_000_000_000));
    let lease = stage.store.claim(id, &node, now, now.plus_ms(1)).await.unwrap().unwrap();
    let asked = Entry::new(now.plus_ms(60_000), Fact::CancelRequested { by: "a test".into() });
    let append = Append {
        id,
        token: lease.token,
        expected: Version(lease.version.0),
        entries: vec![asked],
        sealed: false,
        announce: false,
    };
    stage.store.append(append).await.unwrap();
    stage.store.expire(&node).await.unwrap();
    let two = stage.executor("two");
    let view = two.recover(id).await.unwrap().finished().await.unwrap();
    assert_eq!(view.record.status, Status::Canceled);
    assert_eq!(stage.status(child).await, Status::Canceled, "it is not left behind");
}
