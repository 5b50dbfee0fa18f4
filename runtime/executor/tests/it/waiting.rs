//! What only waits is parked, woken when its time has come or something comes for it, and found again after a crash.

use std::time::Duration;

use runner_executor::{Control, ControlError, Executor};
use runner_model::{ExecutionId, RerunTask, Status};
use serde_json::json;

use super::stage::{Stage, cancel, parked, pause, respond, resume, submit};

/// Workflows by what they wait for; after so many seconds, if nobody does anything.
const WAITS: [(&str, &str, u64); 5] = [
    ("delayed", "tasks: {a: {action: p.once, input: {tag: a}, delay: 3600}}", 3600),
    ("retried", "tasks: {a: {action: p.once, input: {tag: a, fails: 1}, retry: {count: 2, delay: 100}}}", 100),
    (
        "polled",
        "tasks: {a: {action: p.once, input: {tag: a}, poll: {until: '<% result().tries >= 3 %>', interval: 60}}}",
        120,
    ),
    (
        "asked",
        "tasks: {a: {action: p.ask, input: {prompt: x, ttl: 2, on_timeout: answer, default_answer: {approved: true}}}}",
        120,
    ),
    (
        "told",
        "tasks: {a: {action: p.wait_for, input: {key: k, timeout: 50, on_timeout: answer, default_answer: 1}}}",
        50,
    ),
];

fn stage() -> Stage {
    Stage::with(&WAITS.map(|(name, body, _)| (name, body)))
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_time_is_parked_and_goes_on_when_it_has_come() {
    for (name, _, seconds) in WAITS {
        let stage = stage();
        let executor = stage.executor("one");
        let execution = submit(&executor, &format!("p.{name}")).await;
        parked(&executor, 1).await;
        let view = execution.finished().await.unwrap();
        assert_eq!(view.record.status, Status::Succeeded, "{name}");
        assert_eq!(stage.seconds(), seconds, "{name}");
        assert_eq!(executor.count(), (0, 0), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_waiting_survives_the_end_of_its_process() {
    for (name, _, seconds) in WAITS {
        let stage = stage();
        let one = stage.executor("one");
        let id = submit(&one, &format!("p.{name}")).await.id;
        parked(&one, 1).await;
        one.shutdown().await;
        let two = stage.after("one", "two").await;
        assert_eq!(two.count(), (0, 1), "{name}: parked as it was, not even read");
        assert_eq!(stage.ended(id).await.record.status, Status::Succeeded, "{name}");
        assert_eq!(stage.seconds(), seconds, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_or_an_event_wakes_what_is_parked() {
    let stage = stage();
    let executor = stage.executor("one");
    let asked = submit(&executor, "p.asked").await;
    let (told, also) = (submit(&executor, "p.told").await, submit(&executor, "p.told").await);
    let mut wanted = [told.id, also.id];
    wanted.sort();
    parked(&executor, 3).await;
    let misfit = respond(&executor, asked.id, json!({"approved": "perhaps"})).await;
    assert!(matches!(misfit, Err(ControlError::Answer(_))), "{misfit:?}");
    respond(&executor, asked.id, json!({"approved": false})).await.unwrap();
    let mut took = executor.deliver("a test", "k", &json!({"size": 7})).await.unwrap();
    took.sort();
    assert_eq!(took, wanted);
    assert!(executor.deliver("a test", "other", &json!(1)).await.unwrap().is_empty());
    let view = asked.finished().await.unwrap();
    assert_eq!(view.steps[0].result.as_ref().unwrap()["response"]["approved"], false);
    assert_eq!(told.finished().await.unwrap().steps[0].result, Some(json!({"size": 7})));
    assert_eq!(stage.seconds(), 0, "nobody waited");
}

#[tokio::test(start_paused = true)]
async fn what_is_parked_can_be_paused_resumed_and_cancelled_also_after_a_crash() {
    let stage = stage();
    let one = stage.executor("one");
    let id = submit(&one, "p.delayed").await.id;
    parked(&one, 1).await;
    assert_eq!(pause(&one, id).await.unwrap(), Status::Paused);
    assert!(matches!(resume(&one, id).await, Ok(Status::Running)));
    assert_eq!(pause(&one, id).await.unwrap(), Status::Paused);
    parked(&one, 1).await;
    // The time comes while it is paused: nothing begins.
    tokio::time::sleep(Duration::from_secs(4_000)).await;
    assert_eq!((stage.status(id).await, stage.asked("a").len()), (Status::Paused, 0));
    one.shutdown().await;
    let two = stage.after("one", "two").await;
    resume(&two, id).await.unwrap();
    assert_eq!(stage.ended(id).await.record.status, Status::Succeeded);

    let other = submit(&two, "p.delayed").await;
    parked(&two, 1).await;
    cancel(&two, other.id).await.unwrap();
    assert_eq!(other.finished().await.unwrap().record.status, Status::Canceled);
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_cannot_be_asked_for_anything_but_a_rerun() {
    let stage = Stage::with(&[("fails", "tasks: {a: {action: p.once, input: {tag: a, fails: 1}}}")]);
    let executor = stage.executor("one");
    let execution = submit(&executor, "p.fails").await;
    let id = execution.id;
    assert_eq!(execution.finished().await.unwrap().record.status, Status::Failed);
    for refused in [pause(&executor, id).await, resume(&executor, id).await, cancel(&executor, id).await] {
        assert!(matches!(refused, Err(ControlError::Ended { status: Status::Failed, .. })), "{refused:?}");
    }
    assert_eq!(rerun(&executor, id, vec![]).await.unwrap(), Status::Running);
    assert_eq!(stage.ended(id).await.record.status, Status::Succeeded);
    let nothing = rerun(&executor, id, vec![]).await;
    assert!(matches!(nothing, Err(ControlError::Rerun(_))), "{nothing:?}");
    let by_name = RerunTask { task: "a".parse().unwrap(), route: None, reset_items: false };
    rerun(&executor, id, vec![by_name]).await.unwrap();
    stage.ended(id).await;
    assert_eq!(stage.asked("a").len(), 3);
}

async fn rerun(executor: &Executor, id: ExecutionId, tasks: Vec<RerunTask>) -> Result<Status, ControlError> {
    executor.control(id, Control::Rerun { by: "a test".into(), tasks }).await
}

/// Whatever is run again belongs to the process that does it, though what has ended belongs to nobody.
#[tokio::test(start_paused = true)]
async fn what_is_run_again_while_it_ends_is_not_taken_by_another_process() {
    use runner_store::{Catalogue as _, Leases as _};
    let stage = Stage::with(&[("fails", "tasks: {a: {action: p.once, input: {tag: a, fails: 9, takes: 1}}}")]);
    let (one, two) = (stage.executor("one"), stage.executor("two"));
    let id = submit(&one, "p.fails").await.id;
    for _ in 0..20 {
        stage.ended(id).await;
        let _ = rerun(&one, id, vec![]).await;
        two.recover_all().await.unwrap();
        let owner = stage.store.owner(id).await.unwrap();
        let record = stage.store.get(id).await.unwrap();
        assert!(record.status.is_terminal() || owner.is_some_and(|owner| owner.0 == "one"));
    }
}

/// The order comes while the execution is on its way to be parked, at every distance from that.
#[tokio::test]
async fn no_answer_is_lost_between_work_and_parking() {
    let stage = stage();
    let executor = stage.executor("one");
    for turn in 0..300 {
        let execution = submit(&executor, "p.asked").await;
        for _ in 0..turn % 7 {
            tokio::task::yield_now().await;
        }
        respond(&executor, execution.id, json!({"approved": true})).await.unwrap();
        assert_eq!(execution.finished().await.unwrap().record.status, Status::Succeeded, "turn {turn}");
    }
    assert_eq!(executor.count(), (0, 0));
}

/// The same with several threads, and several who ask at the same time: one answer counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_answers_exactly_one_counts() {
    let stage = stage();
    let executor = stage.executor("one");
    for _ in 0..100 {
        let execution = submit(&executor, "p.asked").await;
        let id = execution.id;
        let answers = (0..4).map(|_| {
            let executor = executor.clone();
            tokio::spawn(async move { respond(&executor, id, json!({"approved": true})).await })
        });
        let answers: Vec<_> = answers.collect();
        let mut counted = 0;
        for answer in answers {
            counted += usize::from(answer.await.unwrap().is_ok());
        }
        assert_eq!(counted, 1);
        assert_eq!(execution.finished().await.unwrap().record.status, Status::Succeeded);
    }
}
