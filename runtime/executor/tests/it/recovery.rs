//! What a process left when it ended is taken up by another, where the journal ends.

use std::sync::Arc;

use runner_executor::ExecutorError;
use runner_model::limits::LEASE;
use runner_model::{
    AttemptNumber, Clock, Entry, ExecutionId, Fact, ManualClock, NodeId, Origin, Outcome, Requested, Status, StepId,
    SystemClock, code,
};
use runner_store::{Journal, NewExecution};
use serde_json::{Value, json};

use super::kit::Setup;

const TWO: &str = "tasks: {a: {action: t.ACTION, next: [{when: '<% succeeded() %>', do: b}]}, b: {action: t.echo, input: {message: after}}}\n\
                   output: [{b: '<% task(\"b\").result.message %>'}]";

/// The journal of an execution whose process ended after these facts.
async fn left_behind(setup: &Setup, action: &str, facts: Vec<Fact>) -> ExecutionId {
    let now = SystemClock.now();
    let requested = Fact::Requested(Box::new(Requested {
        action: action.parse().unwrap(),
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
    }));
    let entries = std::iter::once(requested).chain(facts).map(|fact| Entry::new(now, fact)).collect();
    let id = ExecutionId::from_bytes([9; 16]);
    let owner = NodeId("lost".to_owned());
    let new = NewExecution { id, entries, owner, lease_until: now.plus_ms(LEASE.as_millis() as i64) };
    Journal::create(&*setup.store, new).await.unwrap();
    id
}

fn scheduled(action: &str) -> Fact {
    Fact::StepScheduled {
        step: StepId(0),
        task: "a".parse().unwrap(),
        route: Default::default(),
        purpose: Default::default(),
        action: action.parse().unwrap(),
        input: json!({}),
        secret: vec![],
        items: None,
        keeps: None,
        until: None,
    }
}

const BEGUN: Fact = Fact::AttemptStarted { step: StepId(0), item: None, attempt: AttemptNumber::FIRST };

/// A clock that shows a time after the lost process' lease.
fn later() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(SystemClock.now().plus_ms(LEASE.as_millis() as i64 + 1000)))
}

async fn recovered(action: &str, facts: Vec<Fact>) -> runner_model::ExecutionView {
    let two = TWO.replace("ACTION", action);
    let setup = Setup::in_memory(&[("two", &two)]);
    let id = left_behind(&setup, "t.two", facts).await;
    let executor = setup.executor_with_clock("other", later());
    executor.recover(id).await.unwrap().finished().await.unwrap()
}

#[tokio::test]
async fn an_execution_goes_on_from_each_point_of_its_journal() {
    let ended = Fact::AttemptFinished {
        step: StepId(0),
        item: None,
        attempt: AttemptNumber::FIRST,
        outcome: Outcome::Succeeded { result: Value::Null },
    };
    let whole = [Fact::Started, scheduled("t.echo"), BEGUN, ended];
    for length in [0, 1, 2, 4] {
        let view = recovered("echo", whole[..length].to_vec()).await;
        assert_eq!((view.record.status, view.result), (Status::Succeeded, Some(json!({"b": "after"}))), "{length}");
        assert_eq!(view.steps.len(), 2);
        assert!(view.steps.iter().all(|step| step.attempts.len() == 1));
    }
}

#[tokio::test]
async fn an_attempt_whose_end_is_unknown_is_given_up_unless_the_action_may_run_twice() {
    let view = recovered("echo", vec![Fact::Started, scheduled("t.echo"), BEGUN]).await;
    assert_eq!((view.record.status, view.steps[0].status), (Status::Failed, Status::Abandoned));
    assert_eq!(view.errors[0].code, code::EXEC_UNKNOWN_OUTCOME.id());

    let view = recovered("again", vec![Fact::Started, scheduled("t.again"), BEGUN]).await;
    assert_eq!(view.record.status, Status::Succeeded);
    assert_eq!(view.steps[0].attempts.len(), 2, "it ran a second time");
}

#[tokio::test]
async fn whether_an_action_may_run_twice_can_depend_on_what_it_is_given() {
    for (input, attempts) in [(json!({}), 2), (json!({"method": "HEAD"}), 2), (json!({"method": "POST"}), 1)] {
        let mut begins = scheduled("t.ask");
        if let Fact::StepScheduled { input: of_step, .. } = &mut begins {
            *of_step = input.clone();
        }
        let view = recovered(&format!("ask, input: {input}"), vec![Fact::Started, begins, BEGUN]).await;
        assert_eq!(view.steps[0].attempts.len(), attempts, "{input}");
        assert_eq!(view.steps[0].status == Status::Abandoned, attempts == 1, "{input}");
    }
}

#[tokio::test]
async fn an_execution_that_somebody_works_on_is_left_alone() {
    let setup = Setup::in_memory(&[("two", &TWO.replace("ACTION", "echo"))]);
    let id = left_behind(&setup, "t.two", vec![]).await;
    let refused = setup.executor("other").recover(id).await.err().unwrap();
    assert!(matches!(refused, ExecutorError::Owned { .. }), "{refused}");
}

#[tokio::test]
async fn a_journal_of_another_version_of_the_workflow_is_refused() {
    let setup = Setup::in_memory(&[("two", &TWO.replace("ACTION", "echo"))]);
    let id = left_behind(&setup, "t.two", vec![Fact::Started, scheduled("t.fail")]).await;
    let refused = setup.executor_with_clock("other", later()).recover(id).await.err().unwrap();
    assert_eq!(refused.code(), code::EXEC_JOURNAL);
}

#[tokio::test]
async fn the_execution_that_a_step_began_is_found_again() {
    let outer = "tasks: {a: {action: t.two}}\noutput: [{b: '<% task(\"a\").result.b %>'}]";
    let setup = Setup::in_memory(&[("two", &TWO.replace("ACTION", "echo")), ("outer", outer)]);
    let id = left_behind(&setup, "t.outer", vec![Fact::Started, scheduled("t.two"), BEGUN]).await;
    // The child has begun too, and its first step's end is recorded.
    let child = id.child(StepId(0), None, AttemptNumber::FIRST);
    let now = SystemClock.now();
    let facts = [
        Fact::Requested(Box::new(Requested {
            action: "t.two".parse().unwrap(),
            pack_version: "1.0.0".into(),
            pack_digest: String::new(),
            parameters: json!({}),
            secret: vec![],
            secret_output: Vec::new(),
            sealed: false,
            origin: Origin::Step { execution: id, step: StepId(0) },
            depth: 1,
            simulate: false,
            trace_parent: None,
        })),
        Fact::Started,
        scheduled("t.echo"),
        BEGUN,
        Fact::AttemptFinished {
            step: StepId(0),
            item: None,
            attempt: AttemptNumber::FIRST,
            outcome: Outcome::Succeeded { result: Value::Null },
        },
    ];
    let entries = facts.into_iter().map(|fact| Entry::new(now, fact)).collect();
    let new = NewExecution { id: child, entries, owner: NodeId("lost".into()), lease_until: now };
    Journal::create(&*setup.store, new).await.unwrap();

    let view = setup.executor_with_clock("other", later()).recover(id).await.unwrap().finished().await.unwrap();
    assert_eq!((view.record.status, view.result), (Status::Succeeded, Some(json!({"b": "after"}))));
    assert_eq!(view.steps[0].attempts.len(), 1, "the attempt goes on");
}
