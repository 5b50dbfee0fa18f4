//! Policies: never more at once than they allow, first come first served, whatever crashes, pauses or goes away.

use runner_executor::{Executor, Load};
use runner_model::{ExecutionId, Status};
use serde_json::json;

use super::stage::{Stage, cancel, parked, pause, respond, resume, submit, submit_with, until};

const TWO: (&str, &str, &str) = ("p.again", "action.concurrency", "{threshold: 2, action: delay}");
const ONE: (&str, &str, &str) = ("p.again", "action.concurrency", "{threshold: 1, action: delay}");

async fn ask(executor: &Executor, action: &str, tag: &str, takes: f64) -> ExecutionId {
    let parameters = if action == "p.w" { json!({}) } else { json!({"tag": tag, "takes": takes}) };
    let id = submit_with(executor, action, parameters).await.id;
    // The next one is asked for later.
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    id
}

#[tokio::test(start_paused = true)]
async fn never_more_run_than_allowed_and_who_came_first_goes_first() {
    let stage = Stage::with_policies(&[], &[TWO]);
    let executor = stage.executor("one");
    let mut ids = Vec::new();
    for tag in ["a", "b", "c", "d", "e", "f"] {
        ids.push(ask(&executor, "p.again", tag, 1.0).await);
    }
    until(|| executor.load() == Load { at_work: 2, parked: 0, delayed: 4, attempts_running: 2 }).await;
    let last = executor.delayed(ids[5]);
    assert_eq!((last[0].policy.as_str(), last[0].ahead, last.len()), ("p.policy0", 3, 1));
    assert_eq!(stage.view(ids[5]).await.steps[0].status, Status::Scheduled);
    for id in &ids {
        assert_eq!(stage.ended(*id).await.record.status, Status::Succeeded);
    }
    assert_eq!(stage.order(), ["a", "b", "c", "d", "e", "f"]);
    assert_eq!((stage.peak("p.again"), stage.seconds()), (2, 3));
    until(|| executor.load() == Load::default()).await;
}

#[tokio::test(start_paused = true)]
async fn runs_with_other_values_of_the_attributes_do_not_wait_for_one_another() {
    let attributes = ("p.again", "action.concurrency.attr", "{threshold: 1, action: delay, attributes: [tag]}");
    let stage = Stage::with_policies(&[], &[attributes]);
    let executor = stage.executor("one");
    let mut ids = Vec::new();
    for tag in ["a", "a", "b", "c"] {
        ids.push(ask(&executor, "p.again", tag, 1.0).await);
    }
    for id in ids {
        stage.ended(id).await;
    }
    assert_eq!(stage.order(), ["a", "b", "c", "a"]);
    assert_eq!((stage.peak("p.again"), stage.seconds()), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn who_is_not_to_wait_fails_with_the_name_of_the_policy() {
    let refuse = ("p.again", "action.concurrency", "{threshold: 1, action: cancel}");
    let workflow = ("w", "tasks: {a: {action: p.noop}, b: {action: p.again, input: {takes: 5}}}");
    let stage =
        Stage::with_policies(&[workflow], &[refuse, ("p.w", "action.concurrency", "{threshold: 1, action: cancel}")]);
    let executor = stage.executor("one");
    let first = ask(&executor, "p.w", "", 0.0).await;
    let refused = stage.ended(ask(&executor, "p.again", "x", 0.0).await).await;
    let error = &refused.errors[0];
    assert_eq!((refused.record.status, error.code.as_str()), (Status::Failed, "E-EXEC-0020"));
    assert!(error.message.contains("p.policy0") && error.message.contains("1 at a time"), "{}", error.message);
    let refused = stage.ended(submit(&executor, "p.w").await.id).await;
    assert_eq!((refused.record.status, refused.record.started_at), (Status::Failed, None));
    assert!(refused.errors[0].hint.as_ref().unwrap().contains("p.policy1"), "{refused:#?}");
    assert_eq!(stage.ended(first).await.record.status, Status::Succeeded);
    assert_eq!(stage.ended(submit(&executor, "p.w").await.id).await.record.status, Status::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn the_items_of_a_step_take_places_one_by_one() {
    let workflow = ("w", "tasks: {a: {action: p.again, with: {items: '<% range(0, 7) %>'}, input: {takes: 1}}}");
    let stage = Stage::with_policies(&[workflow], &[TWO]);
    let executor = stage.executor("one");
    let view = stage.ended(submit(&executor, "p.w").await.id).await;
    assert_eq!((view.record.status, stage.peak("p.again"), stage.seconds()), (Status::Succeeded, 2, 4));
}

#[tokio::test(start_paused = true)]
async fn a_retry_stands_at_the_end_of_the_line() {
    let workflow =
        ("w", "tasks: {a: {action: p.again, input: {tag: retried, fails: 1, takes: 1}, retry: {count: 1, delay: 0}}}");
    let stage = Stage::with_policies(&[workflow], &[ONE]);
    let executor = stage.executor("one");
    let first = ask(&executor, "p.w", "", 0.0).await;
    let second = ask(&executor, "p.again", "second", 1.0).await;
    stage.ended(first).await;
    stage.ended(second).await;
    assert_eq!(stage.order(), ["retried", "second", "retried"]);
    assert_eq!(stage.peak("p.again"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rate_lets_a_burst_go_and_then_one_after_the_other() {
    let rate = ("p.again", "action.rate", "{limit: 6, per: 60, burst: 2, action: delay}");
    let stage = Stage::with_policies(&[], &[rate]);
    let executor = stage.executor("one");
    let mut ids = Vec::new();
    for tag in ["a", "b", "c", "d"] {
        ids.push(ask(&executor, "p.again", tag, 0.0).await);
    }
    until(|| executor.load().delayed == 2).await;
    let mut began = Vec::new();
    for id in ids {
        let view = stage.ended(id).await;
        let after = view.steps[0].attempts[0].started_at.as_millis() - view.record.created_at.as_millis();
        began.push(after / 1_000);
    }
    // The third waits for the whole interval, the fourth for two.
    assert_eq!(began, [0, 0, 9, 19]);
}

#[tokio::test(start_paused = true)]
async fn a_workflow_waits_as_a_whole_and_can_be_cancelled_while_it_does() {
    let workflow = ("w", "on_cancel: {action: p.again}\ntasks: {a: {action: p.once, input: {takes: 5}}}");
    let stage = Stage::with_policies(&[workflow], &[("p.w", "action.concurrency", "{threshold: 1}")]);
    let executor = stage.executor("one");
    let first = ask(&executor, "p.w", "", 0.0).await;
    let second = ask(&executor, "p.w", "", 0.0).await;
    let third = ask(&executor, "p.w", "", 0.0).await;
    until(|| executor.load().delayed == 2).await;
    assert_eq!(stage.status(second).await, Status::Requested);
    assert_eq!(executor.delayed(third)[0].ahead, 1);
    cancel(&executor, second).await.unwrap();
    let canceled = stage.ended(second).await;
    assert_eq!((canceled.record.status, canceled.steps.len()), (Status::Canceled, 0), "it never began");
    assert_eq!(executor.delayed(third)[0].ahead, 0);
    stage.ended(first).await;
    assert_eq!(stage.ended(third).await.record.status, Status::Succeeded);
    assert_eq!((stage.peak("p.once"), stage.seconds()), (1, 10));
}

#[tokio::test(start_paused = true)]
async fn the_workflow_of_a_step_waits_and_not_the_step_that_calls_it() {
    let inner = ("inner", "tasks: {a: {action: p.once, input: {takes: 1}}}");
    let outer = ("outer", "tasks: {a: {action: p.inner, with: {items: '<% range(0, 3) %>'}}}");
    let stage = Stage::with_policies(&[inner, outer], &[("p.inner", "action.concurrency", "{threshold: 1}")]);
    let executor = stage.executor("one");
    let id = submit(&executor, "p.outer").await.id;
    until(|| executor.load().delayed == 2).await;
    assert_eq!(stage.children(id).await.len(), 3, "all of them are asked for");
    assert_eq!(stage.ended(id).await.record.status, Status::Succeeded);
    assert_eq!((stage.peak("p.once"), stage.seconds()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_calls_itself_does_not_wait_for_itself() {
    let workflow = (
        "w",
        "parameters: {n: {type: integer, default: 2}}\ntasks: {a: {if: '<% ctx(\"n\") > 0 %>', action: p.w, input: {n: '<% ctx(\"n\") - 1 %>'}}}",
    );
    let stage = Stage::with_policies(&[workflow], &[("p.w", "action.concurrency", "{threshold: 1}")]);
    let executor = stage.executor("one");
    assert_eq!(stage.ended(submit(&executor, "p.w").await.id).await.record.status, Status::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_the_line_stands_as_it_stood() {
    let stage = Stage::with_policies(&[], &[ONE]);
    let one = stage.executor("one");
    let mut ids = Vec::new();
    for tag in ["a", "b", "c", "d"] {
        ids.push(ask(&one, "p.again", tag, 10.0).await);
    }
    until(|| one.load().delayed == 3).await;
    one.shutdown().await;
    let two = stage.after("one", "two").await;
    // Whoever comes now stands behind them.
    ids.push(ask(&two, "p.again", "e", 0.0).await);
    for id in ids {
        assert_eq!(stage.ended(id).await.record.status, Status::Succeeded);
    }
    assert_eq!(stage.order(), ["a", "a", "b", "c", "d", "e"], "what was lost is made again, and first");
    assert_eq!(stage.peak("p.again"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_waits_for_an_answer_keeps_its_place_over_a_crash() {
    let workflow = ("w", "tasks: {a: {action: p.ask, input: {prompt: well}}}");
    let stage = Stage::with_policies(&[workflow], &[("p.w", "action.concurrency", "{threshold: 1}")]);
    let one = stage.executor("one");
    let first = ask(&one, "p.w", "", 0.0).await;
    let second = ask(&one, "p.w", "", 0.0).await;
    parked(&one, 2).await;
    one.shutdown().await;
    let two = stage.after("one", "two").await;
    parked(&two, 2).await;
    assert_eq!(stage.status(second).await, Status::Requested);
    respond(&two, first, json!({"approved": true})).await.unwrap();
    stage.ended(first).await;
    stage.becomes(second, Status::Pending).await;
    respond(&two, second, json!({"approved": true})).await.unwrap();
    assert_eq!(stage.ended(second).await.record.status, Status::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn what_is_paused_or_cancelled_leaves_the_line_to_the_others() {
    let workflow = ("w", "tasks: {a: {action: p.again, input: {tag: w}}}");
    let stage = Stage::with_policies(&[workflow], &[ONE]);
    let executor = stage.executor("one");
    let running = ask(&executor, "p.again", "a", 5.0).await;
    let paused = ask(&executor, "p.w", "", 0.0).await;
    let canceled = ask(&executor, "p.again", "canceled", 0.0).await;
    let last = ask(&executor, "p.again", "last", 0.0).await;
    until(|| executor.load().delayed == 3).await;
    pause(&executor, paused).await.unwrap();
    stage.becomes(paused, Status::Paused).await;
    cancel(&executor, canceled).await.unwrap();
    assert_eq!(stage.ended(canceled).await.record.status, Status::Canceled);
    stage.ended(running).await;
    stage.ended(last).await;
    resume(&executor, paused).await.unwrap();
    assert_eq!(stage.ended(paused).await.record.status, Status::Succeeded);
    assert_eq!(stage.order(), ["a", "last", "w"]);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_removed_lets_go_of_what_waits() {
    let stage = Stage::with_policies(&[], &[ONE]);
    let executor = stage.executor("one");
    let first = ask(&executor, "p.again", "a", 100.0).await;
    let second = ask(&executor, "p.again", "b", 1.0).await;
    until(|| executor.load().delayed == 1).await;
    stage.remove_policy(0);
    executor.packs().swap(stage.library());
    stage.ended(second).await;
    assert!(!stage.status(first).await.is_terminal());
    stage.ended(first).await;
}

#[tokio::test(start_paused = true)]
async fn a_step_that_waits_for_a_place_does_not_keep_the_workflow_from_what_the_time_says() {
    let workflow = (
        "w",
        "timeout: 30\ntasks: {a: {action: p.again, delay: 1, input: {tag: a}}, b: {action: p.once, delay: 12, input: {tag: b}}}",
    );
    let stage = Stage::with_policies(&[workflow], &[ONE]);
    let executor = stage.executor("one");
    let first = ask(&executor, "p.again", "first", 1_000.0).await;
    let late = stage.ended(submit(&executor, "p.w").await.id).await;
    assert_eq!((late.record.status, stage.seconds()), (Status::Timeout, 30));
    assert_eq!(stage.order(), ["first", "b"]);
    cancel(&executor, first).await.unwrap();
}

/// Two workflows that call one another, each once at a time.
fn each_other(threshold: &str) -> Stage {
    let body = |other: &str| {
        format!(
            "parameters: {{last: {{type: boolean, default: false}}}}\n\
             tasks:\n  work: {{action: p.again, input: {{takes: 1}}, next: [{{when: <% !ctx().last %>, do: call}}]}}\n  \
             call: {{action: p.{other}, input: {{last: true}}}}\n"
        )
    };
    let (up, down) = (body("down"), body("up"));
    let policies = [("p.up", "action.concurrency", threshold), ("p.down", "action.concurrency", threshold)];
    Stage::with_policies(&[("up", &up), ("down", &down)], &policies)
}

#[tokio::test(start_paused = true)]
async fn of_workflows_that_would_wait_for_one_another_for_ever_the_younger_is_refused() {
    let stage = each_other("{threshold: 1}");
    let executor = stage.executor("one");
    let up = submit(&executor, "p.up").await.id;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let down = submit(&executor, "p.down").await.id;
    let late = submit(&executor, "p.up").await.id;
    let refused = stage.ended(down).await;
    assert_eq!(refused.record.status, Status::Failed);
    let error = &refused.errors[0];
    assert_eq!(error.code, runner_model::code::EXEC_POLICY.id(), "{error:?}");
    assert!(error.message.contains("wait for the end of this one"), "{}", error.message);
    assert!(
        error.hint.as_ref().unwrap().contains("allow more at a time in the policy `p.policy0`"),
        "{:?}",
        error.hint
    );
    // The older goes on, and so does who only stood behind it.
    assert_eq!(stage.ended(up).await.record.status, Status::Succeeded);
    assert_eq!(stage.ended(late).await.record.status, Status::Succeeded);
    until(|| executor.load() == Load::default()).await;
}

#[tokio::test(start_paused = true)]
async fn workflows_that_call_one_another_are_not_refused_while_there_is_a_place() {
    let stage = each_other("{threshold: 2}");
    let executor = stage.executor("one");
    let up = submit(&executor, "p.up").await.id;
    let down = submit(&executor, "p.down").await.id;
    for id in [up, down] {
        assert_eq!(stage.ended(id).await.record.status, Status::Succeeded);
    }
}

#[tokio::test(start_paused = true)]
async fn a_knot_that_a_crash_left_is_untied_by_the_next_process() {
    let stage = each_other("{threshold: 1}");
    let one = stage.executor("one");
    let up = submit(&one, "p.up").await.id;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let down = submit(&one, "p.down").await.id;
    // Both work, and neither has called the other.
    until(|| one.load().attempts_running == 2).await;
    one.shutdown().await;
    let _two = stage.after("one", "two").await;
    let statuses = [stage.ended(up).await.record.status, stage.ended(down).await.record.status];
    assert_eq!(statuses, [Status::Succeeded, Status::Failed]);
}
