//! Single actions: each way to end is recorded, and nothing harms the next.

use runner_executor::{Progress, RequestError};
use runner_model::{Status, code};
use runner_store::{Catalogue, ExecutionFilter, Journal};
use serde_json::json;

use super::kit::{Setup, heard, request, submit};

#[tokio::test]
async fn an_action_runs_and_its_result_is_found_again() {
    for setup in [Setup::in_memory(&[]), Setup::on_disk(&[]).await] {
        let view = setup.run("t.echo", json!({"message": "hello"})).await;
        assert_eq!((view.record.status, view.result), (Status::Succeeded, Some(json!({"message": "hello"}))));
        let entries = Journal::read(&*setup.store, view.record.id, runner_model::Version(0)).await.unwrap();
        let again = runner_model::ExecutionView::fold(view.record.id, &entries).unwrap();
        assert_eq!(again.steps.len(), 1);
        assert_eq!(again.record, Catalogue::get(&*setup.store, view.record.id).await.unwrap());
    }
}

#[tokio::test]
async fn every_bad_end_is_a_failed_execution_with_its_own_code_and_the_next_one_runs() {
    let setup = Setup::in_memory(&[]);
    let executor = setup.executor("one");
    for (action, status, code) in [
        ("t.panic", Status::Failed, code::HOST_TRAP.id()),
        ("t.loop", Status::Timeout, code::HOST_TIMEOUT.id()),
        ("t.memory", Status::Failed, code::HOST_MEMORY.id()),
        ("t.recurse", Status::Failed, code::HOST_STACK.id()),
        ("t.fail", Status::Failed, "my-code"),
    ] {
        let parameters = if action == "t.fail" { json!({"code": "my-code", "message": "no"}) } else { json!({}) };
        let view = submit(&executor, action, parameters).await.finished().await.unwrap();
        assert_eq!((view.record.status, view.errors[0].code.as_str()), (status, code), "{action}");
        assert_eq!(view.steps[0].status, status);
    }
    // 100 MB do not fit the guest's memory; what does fit it is stopped at the limit for results.
    for (bytes, code) in [(100_000_000, code::HOST_MEMORY), (2_000_000, code::HOST_RESULT_TOO_LARGE)] {
        let view = submit(&executor, "t.big", json!({"bytes": bytes})).await.finished().await.unwrap();
        assert_eq!(view.errors[0].code, code.id());
    }
    let view = submit(&executor, "t.noop", json!({})).await.finished().await.unwrap();
    assert_eq!((view.record.status, view.result), (Status::Succeeded, Some(json!(null))));
}

#[tokio::test]
async fn a_request_that_is_wrong_is_refused_and_leaves_nothing_behind() {
    let setup = Setup::in_memory(&[]);
    let executor = setup.executor("one");
    let refused = |action: &str, parameters: serde_json::Value| {
        let request = request(action, parameters.as_object().unwrap().clone());
        let executor = executor.clone();
        async move { executor.submit(request).await.err().unwrap() }
    };
    let unknown = refused("t.ecko", json!({})).await;
    assert_eq!(unknown.code(), code::EXEC_UNKNOWN_ACTION);
    assert!(unknown.hint().unwrap().contains("t.echo"));
    let RequestError::Parameters { mistakes, .. } = refused("t.number", json!({"m": 1})).await else { panic!() };
    let codes: Vec<_> = mistakes.iter().map(|mistake| mistake.code).collect();
    assert_eq!(codes, [code::PARAM_UNKNOWN, code::PARAM_MISSING]);
    assert_eq!(refused("t.number", json!({"n": "x"})).await.code(), code::PARAM_INVALID);
    assert!(Catalogue::list(&*setup.store, &ExecutionFilter::default(), None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn cancelling_interrupts_a_loop_at_once_and_is_recorded() {
    let setup = Setup::in_memory(&[]);
    let executor = setup.executor("one");
    let mut execution = submit(&executor, "t.hang", json!({})).await;
    let mut progress = execution.take_progress();
    while !matches!(heard(&mut progress).await, Progress::StepStarted { .. }) {}
    execution.cancel("a test");
    let view = execution.finished().await.unwrap();
    assert_eq!((view.record.status, view.steps[0].status), (Status::Canceled, Status::Canceled));
}

#[tokio::test]
async fn secret_parameters_are_masked_in_what_is_shown() {
    let setup = Setup::in_memory(&[]);
    let view = setup.run("t.echo", json!({"secret": "swordfish"})).await;
    assert_eq!(view.parameters["secret"], "********");
    assert_eq!(view.steps[0].input["secret"], "********");
    let entries = Journal::read(&*setup.store, view.record.id, runner_model::Version(0)).await.unwrap();
    let shown: Vec<_> =
        runner_model::mask::masked(&entries).iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
    // The guest echoed it into its result, which is its own doing and stays.
    let without_result: Vec<_> = shown.iter().filter(|entry| !entry.contains("result")).collect();
    assert_eq!(without_result.len(), 4);
    assert!(without_result.iter().all(|entry| !entry.contains("swordfish")), "{without_result:?}");
}
