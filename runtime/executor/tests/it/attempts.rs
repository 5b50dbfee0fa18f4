//! Attempts that fall silent, say how far they are, or are under way when their process ends.

use std::time::Duration;

use runner_model::{Status, code};

use super::stage::{Stage, submit};

#[tokio::test(start_paused = true)]
async fn an_attempt_that_falls_silent_is_stopped_and_the_next_goes_on_where_it_was() {
    let silent = "tasks: {a: {action: p.once, input: {tag: a, beats: 3, takes: 100}, heartbeat_timeout: 5, \
                  retry: {count: 1}}}";
    let stage = Stage::with(&[("silent", silent)]);
    let view = submit(&stage.executor("one"), "p.silent").await.finished().await.unwrap();
    assert_eq!(view.steps[0].failure.as_ref().unwrap().code, code::FLOW_HEARTBEAT.id());
    assert_eq!(view.steps[0].attempts.iter().map(|one| one.status).collect::<Vec<_>>(), [Status::Timeout; 2]);
    assert_eq!(stage.asked("a"), [None, Some("{\"beat\":2}".to_owned())]);
    assert!(stage.seconds() < 30, "nobody waited for its end");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_gives_signs_of_life_may_take_its_time() {
    let lively = "tasks: {a: {action: p.once, input: {tag: a, beats: 30, takes: 1}, heartbeat_timeout: 3}}";
    let stage = Stage::with(&[("lively", lively)]);
    let view = submit(&stage.executor("one"), "p.lively").await.finished().await.unwrap();
    assert_eq!((view.record.status, stage.seconds()), (Status::Succeeded, 34), "{view:#?}");
}

#[tokio::test(start_paused = true)]
async fn progress_is_handed_on_over_a_crash() {
    let long = "tasks: {a: {action: p.again, input: {tag: a, beats: 4, takes: 60}}}";
    let stage = Stage::with(&[("long", long)]);
    let one = stage.executor("one");
    let id = submit(&one, "p.long").await.id;
    tokio::time::sleep(Duration::from_secs(10)).await;
    one.shutdown().await;
    let _two = stage.after("one", "two").await;
    assert_eq!(stage.ended(id).await.record.status, Status::Succeeded);
    assert_eq!(stage.asked("a"), [None, Some("{\"beat\":3}".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_what_runs_and_leaves_it_to_the_next() {
    let two = "tasks: {a: {action: p.once, input: {tag: a, takes: 1000}}, b: {action: p.again, input: {tag: b, takes: 1000}}}";
    let stage = Stage::with(&[("two", two)]);
    let one = stage.executor("one");
    let id = submit(&one, "p.two").await.id;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = stage.view(id).await;
    one.shutdown().await;
    assert_eq!((stage.seconds(), stage.view(id).await), (1, before), "the journal stays as it was");
    let _other = stage.after("one", "other").await;
    let view = stage.ended(id).await;
    let statuses: Vec<_> = view.steps.iter().map(|step| step.status).collect();
    assert_eq!(statuses, [Status::Abandoned, Status::Succeeded]);
    assert_eq!((stage.asked("a").len(), stage.asked("b").len()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_not_tried_again_by_retry_but_by_on_unknown() {
    for (more, status, calls) in [("retry: {count: 3}", Status::Failed, 1), ("on_unknown: retry", Status::Succeeded, 2)]
    {
        let body = format!("tasks: {{a: {{action: p.once, input: {{tag: a, takes: 20}}, {more}}}}}");
        let stage = Stage::with(&[("unsure", &body)]);
        let one = stage.executor("one");
        let id = submit(&one, "p.unsure").await.id;
        tokio::time::sleep(Duration::from_secs(1)).await;
        one.shutdown().await;
        let _two = stage.after("one", "two").await;
        assert_eq!(stage.ended(id).await.record.status, status, "{more}");
        assert_eq!(stage.asked("a").len(), calls, "{more}");
    }
}
