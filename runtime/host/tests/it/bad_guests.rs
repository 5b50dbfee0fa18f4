//! Every way a guest can misbehave ends as an outcome with its own code, and the process goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use runner_model::{Outcome, Status, code};
use serde_json::{Value, json};

use super::kit::{Ears, actions, attempt, code_of, host, host_with, limits, run, value, wasm};

async fn the_process_goes_on() {
    assert_eq!(value(attempt("echo", json!({ "still": "here" }))).await, json!({ "still": "here" }));
}

async fn fails_with(function: &str, input: Value, expected: runner_model::Code) -> String {
    let outcome = run(attempt(function, input)).await;
    assert_eq!((outcome.status(), code_of(&outcome)), (Status::Failed, expected.id()), "{outcome:?}");
    the_process_goes_on().await;
    outcome.failure().unwrap().message.clone()
}

#[tokio::test]
async fn a_loop_ends_at_its_timeout() {
    let mut looping = attempt("loop_forever", json!({}));
    looping.timeout = Duration::from_millis(300);
    let start = Instant::now();
    let outcome = run(looping).await;
    assert_eq!((outcome.status(), code_of(&outcome)), (Status::Timeout, code::HOST_TIMEOUT.id()), "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    the_process_goes_on().await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_loop_leaves_its_thread_to_others_between_ticks() {
    actions().await;
    let mut looping = attempt("loop_forever", json!({}));
    looping.timeout = Duration::from_secs(2);
    let cancel = looping.cancel.clone();
    let looping = tokio::spawn(run(looping));
    // There is one thread: these run only because the loop yields.
    for n in 0..5 {
        assert_eq!(value(attempt("echo", json!({ "n": n }))).await, json!({ "n": n }));
    }
    assert!(!looping.is_finished());
    cancel.cancel();
    assert_eq!(looping.await.unwrap(), Outcome::Canceled);
}

#[tokio::test]
async fn allocating_without_end_ends_at_the_memory_limit() {
    let message = fails_with("allocate_forever", json!({}), code::HOST_MEMORY).await;
    assert!(message.contains(&limits().guest.memory_bytes_max.to_string()), "{message}");
}

#[tokio::test]
async fn recursing_without_end_overflows_the_guests_stack_only() {
    fails_with("recurse", json!({}), code::HOST_STACK).await;
    assert_eq!(value(attempt("recurse", json!({ "depth": 20 }))).await, json!(20));
}

#[tokio::test]
async fn a_panic_is_a_trap() {
    let message = fails_with("panic", json!({}), code::HOST_TRAP).await;
    assert!(message.contains("unreachable"), "{message}");
}

#[tokio::test]
async fn a_result_over_the_limit_is_refused_whether_it_can_be_copied_or_not() {
    let limit = limits().guest.result_bytes_max;
    for bytes in [limit + 1, limits().guest.host_call_bytes_max + 1, 48 * 1024 * 1024] {
        fails_with("big_result", json!({ "bytes": bytes }), code::HOST_RESULT_TOO_LARGE).await;
    }
    let result = value(attempt("big_result", json!({ "bytes": limit }))).await;
    assert_eq!(result.as_str().unwrap().len(), limit - 2);
}

#[tokio::test]
async fn a_result_of_100_mb_is_refused_where_the_memory_for_it_is_allowed() {
    let mut roomy = limits();
    roomy.guest.memory_bytes_max = 256 * 1024 * 1024;
    roomy.guest.concurrency_max = 2;
    let host = host_with(roomy);
    let component = host.load(wasm("host-guest.wasm"), runner_host::World::Action).await.unwrap();
    let outcome = host.run(&component, attempt("big_result", json!({ "bytes": 100_000_000 }))).await;
    assert_eq!(code_of(&outcome), code::HOST_RESULT_TOO_LARGE.id(), "{outcome:?}");
    let outcome = run(attempt("big_result", json!({ "bytes": 100_000_000 }))).await;
    assert_eq!(code_of(&outcome), code::HOST_MEMORY.id(), "{outcome:?}");
}

#[tokio::test]
async fn a_result_that_is_not_json_is_refused() {
    fails_with("bad_json", json!({}), code::HOST_BAD_RESULT).await;
}

#[tokio::test]
async fn calling_the_host_without_end_ends_at_the_limit_of_calls() {
    fails_with("call_host_forever", json!({}), code::HOST_CALLS).await;
}

#[tokio::test]
async fn passing_too_much_in_one_call_is_refused() {
    let limit = limits().guest.host_call_bytes_max;
    fails_with("pass_much", json!({ "bytes": limit + 1 }), code::HOST_CALLS).await;
    assert_eq!(value(attempt("pass_much", json!({ "bytes": limit - 1 }))).await, Value::Null);
}

#[tokio::test]
async fn a_flood_of_log_lines_is_counted_and_not_kept() {
    let ears = Arc::new(Ears::default());
    let mut flood = attempt("log", json!({ "message": "drip", "lines": 1_000 }));
    flood.observer = Arc::clone(&ears) as _;
    assert_eq!(value(flood).await, Value::Null);
    let lines = ears.lines.lock();
    assert_eq!(lines.len(), 51, "the first ones, a notice, the last ones");
    assert!(lines[25].message.starts_with("950 lines were not kept"), "{:?}", lines[25]);
}

#[tokio::test]
async fn an_action_that_does_not_exist_is_the_guests_own_failure() {
    let outcome = run(attempt("nothing", json!({}))).await;
    assert_eq!(code_of(&outcome), "unknown-action", "{outcome:?}");
}

#[tokio::test]
async fn when_all_places_are_taken_an_attempt_waits_within_its_timeout() {
    let mut small = limits();
    small.guest.concurrency_max = 1;
    let host_of_one = host_with(small);
    let component = host_of_one.load(wasm("host-guest.wasm"), runner_host::World::Action).await.unwrap();
    let looping = attempt("loop_forever", json!({}));
    let cancel = looping.cancel.clone();
    let running = {
        let (host, component) = (host_of_one.clone(), component.clone());
        tokio::spawn(async move { host.run(&component, looping).await })
    };
    let mut impatient = attempt("echo", json!({}));
    impatient.timeout = Duration::from_millis(200);
    while !running.is_finished() {
        // The loop may not have begun yet; once it has, there is no place.
        match host_of_one.run(&component, attempt_again(&impatient)).await {
            Outcome::Succeeded { .. } => tokio::task::yield_now().await,
            outcome => {
                assert_eq!(code_of(&outcome), code::HOST_BUSY.id(), "{outcome:?}");
                assert!(outcome.failure().unwrap().retryable);
                break;
            }
        }
    }
    let waiting = host_of_one.run(&component, attempt("echo", json!({ "after": "all" })));
    let (waited, ()) = tokio::join!(waiting, async { cancel.cancel() });
    assert_eq!(waited, Outcome::Succeeded { result: json!({ "after": "all" }) });
    assert_eq!(running.await.unwrap(), Outcome::Canceled);
}

fn attempt_again(of: &runner_host::Attempt) -> runner_host::Attempt {
    let mut again = attempt(&of.function, of.input.clone());
    again.timeout = of.timeout;
    again
}

#[tokio::test]
async fn a_hundred_bad_guests_at_once_leave_every_place_free() {
    let bad = ["panic", "allocate_forever", "recurse", "bad_json", "call_host_forever", "loop_forever"];
    let runs: Vec<_> = (0..96)
        .map(|i| {
            let mut attempt = attempt(bad[i % bad.len()], json!({}));
            attempt.timeout = Duration::from_secs(20);
            if bad[i % bad.len()] == "loop_forever" {
                attempt.timeout = Duration::from_millis(500);
            }
            tokio::spawn(run(attempt))
        })
        .collect();
    for run in runs {
        assert!(!matches!(run.await.unwrap(), Outcome::Succeeded { .. }));
    }
    let _ = host();
    the_process_goes_on().await;
}
