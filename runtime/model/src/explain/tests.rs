//! A sentence for each status, from journals.

use serde_json::{Value, json};

use super::*;
use crate::{AttemptNumber, Code, Entry, Fact, OnExpiry, Origin, Outcome, Requested, RouteId, StepId, code};

const DAY: i64 = 86_400_000;
/// 2026-11-21T14:00:00Z.
const NOW: i64 = 1_795_269_600_000;

fn id() -> ExecutionId {
    ExecutionId::from_bytes([0; 16])
}

fn requested() -> Fact {
    Fact::Requested(Box::new(Requested {
        action: "storage.provision".parse().unwrap(),
        pack_version: "0.1.0".into(),
        pack_digest: String::new(),
        parameters: json!({}),
        secret: vec![],
        secret_output: vec![],
        sealed: false,
        origin: Origin::Cli,
        depth: 0,
        simulate: false,
        trace_parent: None,
    }))
}

fn scheduled(step: u32, task: &str) -> Fact {
    Fact::StepScheduled {
        step: StepId(step),
        task: TaskName::new(task).unwrap(),
        route: RouteId(0),
        purpose: Purpose::Task,
        action: "storage.call".parse().unwrap(),
        input: json!({}),
        secret: vec![],
        items: None,
        keeps: None,
        until: None,
    }
}

fn begun(step: u32, attempt: u32) -> Fact {
    Fact::AttemptStarted { step: StepId(step), item: None, attempt: AttemptNumber(attempt) }
}

fn ended(step: u32, attempt: u32, outcome: Outcome) -> Fact {
    Fact::AttemptFinished { step: StepId(step), item: None, attempt: AttemptNumber(attempt), outcome }
}

fn failed(code: Code, message: &str) -> Outcome {
    Outcome::Failed { failure: Failure::new(code, message) }
}

fn waits(step: u32, kind: WaitKind, minutes: Option<i64>) -> Fact {
    let expires_at = minutes.map(|minutes| Timestamp::from_millis(NOW + minutes * 60_000));
    Fact::WaitOpened {
        step: StepId(step),
        item: None,
        wait: Box::new(Wait { kind, expires_at, on_expiry: OnExpiry::Timeout }),
    }
}

fn inquiry() -> WaitKind {
    WaitKind::Inquiry {
        prompt: "May the volume grow?".into(),
        schema: json!({"type": "object", "required": ["approved"], "properties": {
            "approved": {"type": "boolean"}, "note": {"type": "string"},
        }}),
        roles: vec![],
        users: vec![],
        route: String::new(),
    }
}

fn finished(status: Status, errors: Vec<ErrorRecord>) -> Fact {
    Fact::Finished { status, result: Value::Null, errors }
}

fn error(task: Option<&str>, transition: Option<usize>, code: Code, message: &str) -> ErrorRecord {
    ErrorRecord {
        task: task.map(|task| TaskName::new(task).unwrap()),
        route: None,
        transition,
        code: code.id().to_owned(),
        message: message.to_owned(),
        hint: None,
        details: None,
    }
}

fn by() -> String {
    "me".to_owned()
}

/// The sentence of a journal whose entries are a second apart, the last one a minute ago.
fn sentence(facts: Vec<Fact>) -> String {
    let first = NOW - 60_000 - 1_000 * (i64::try_from(facts.len()).unwrap() - 1);
    let at = |n: usize| Timestamp::from_millis(first + 1_000 * i64::try_from(n).unwrap());
    let entries: Vec<_> = facts.into_iter().enumerate().map(|(n, fact)| Entry::new(at(n), fact)).collect();
    ExecutionView::fold(id(), &entries).expect("a journal").explain(Timestamp::from_millis(NOW))
}

#[test]
fn what_has_not_begun_says_when_it_was_asked_for() {
    let text = sentence(vec![requested()]);
    assert_eq!(text, "it was asked for at 13:59:00 UTC (60 s ago), and nothing of it has begun");
}

#[test]
fn what_runs_says_what_and_for_how_long() {
    let mut facts = vec![requested(), Fact::Started, scheduled(0, "a"), scheduled(1, "b"), begun(0, 1)];
    assert_eq!(sentence(facts.clone()), "it runs `a`, for 60 s");
    facts.extend([begun(1, 1), ended(0, 1, failed(code::NET_DNS, "no such host")), begun(0, 2)]);
    assert_eq!(sentence(facts.clone()), "it runs `a` and `b`, for 62 s");
    facts.push(Fact::AttemptProgressed {
        step: StepId(0),
        item: None,
        attempt: AttemptNumber(2),
        progress: "40 %".into(),
    });
    facts.push(ended(1, 1, Outcome::Succeeded { result: Value::Null }));
    assert_eq!(sentence(facts), "it runs `a` (attempt 2), for 62 s, and is at 40 %");
}

#[test]
fn what_is_tried_again_says_when_and_after_what() {
    let delayed = |reason| Fact::StepDelayed {
        step: StepId(0),
        item: None,
        attempt: AttemptNumber(3),
        until: Timestamp::from_millis(NOW + 180_000),
        reason,
    };
    let two = [
        requested(),
        Fact::Started,
        scheduled(0, "create_svm"),
        begun(0, 1),
        ended(0, 1, failed(code::NET_DNS, "no such host")),
        begun(0, 2),
        ended(0, 2, failed(code::NET_CONNECT, "connection refused")),
    ];
    assert_eq!(
        sentence([&two[..], &[delayed(DelayReason::Retry)]].concat()),
        format!(
            "it waits until 14:03:00 UTC (in 3 min) to try `create_svm` again: attempt 3, after {} connection refused",
            code::NET_CONNECT
        )
    );
    assert_eq!(
        sentence([&two[..], &[delayed(DelayReason::Poll)]].concat()),
        "it waits until 14:03:00 UTC (in 3 min) to look again at `create_svm`: attempt 3"
    );
    let Fact::StepScheduled { step, task, route, purpose, action, input, secret, items, .. } = scheduled(0, "a") else {
        panic!("it is scheduled")
    };
    let until = Some(Timestamp::from_millis(NOW + 3 * DAY));
    let later = Fact::StepScheduled { step, task, route, purpose, action, input, secret, items, until, keeps: None };
    assert_eq!(
        sentence(vec![requested(), Fact::Started, later]),
        "it waits until 2026-11-24 14:00:00 UTC (in 3 days) to begin `a`"
    );
}

#[test]
fn what_waits_says_for_what_until_when_and_how_it_is_given() {
    let begin = [requested(), Fact::Started, scheduled(0, "approve"), begun(0, 1)];
    let rested = Fact::Rested { status: Status::Pending };
    let asked = [&begin[..], &[waits(0, inquiry(), Some(120)), rested.clone()]].concat();
    assert_eq!(
        sentence(asked.clone()),
        format!(
            "it waits for an answer to `approve` (“May the volume grow?”), since 13:58:59 UTC (61 s ago), until \
             16:00:00 UTC (in 2 h): `runner execution respond {} --task approve approved=true|false`",
            id()
        )
    );
    let event = waits(0, WaitKind::Event { key: "volume 7".into() }, None);
    assert_eq!(
        sentence([&begin[..], &[event, rested.clone()]].concat()),
        "it waits in `approve` for the event `volume 7`, since 13:58:59 UTC (61 s ago): `runner event send 'volume 7'`"
    );
    let failure = Failure::new(code::EXEC_UNKNOWN_OUTCOME, "unknown");
    let outcome = waits(0, WaitKind::Outcome { attempt: AttemptNumber(1), failure }, None);
    assert!(sentence([&begin[..], &[outcome, rested]].concat()).contains("outcome=succeeded|failed|retry"));
    let more = [
        &asked[..5],
        &[scheduled(1, "other"), begun(1, 1), waits(1, inquiry(), None), scheduled(2, "work"), begun(2, 1)],
    ]
    .concat();
    let text = sentence(more);
    assert!(text.contains(", and 1 more like it; meanwhile it runs `work`, for 60 s"), "{text}");
}

#[test]
fn a_pause_says_what_it_waits_for_and_how_it_ends() {
    let mut facts = vec![requested(), Fact::Started, scheduled(0, "a"), begun(0, 1), Fact::PauseRequested { by: by() }];
    assert_eq!(sentence(facts.clone()), "it pauses as soon as what runs has ended: it runs `a`, for 61 s");
    facts.extend([ended(0, 1, Outcome::Succeeded { result: Value::Null }), Fact::Rested { status: Status::Paused }]);
    assert_eq!(
        sentence(facts),
        format!("it is paused, until somebody lets it go on: `runner execution resume {}`", id())
    );
}

#[test]
fn a_workflow_that_waits_for_a_paused_one_says_so() {
    let paused = Fact::ChildPaused { step: StepId(0), item: None, paused: true };
    let text = sentence(vec![requested(), Fact::Started, scheduled(0, "sub"), begun(0, 1), paused]);
    assert_eq!(text, "it waits for the workflow that `sub` runs, which is paused");
}

#[test]
fn a_cancellation_says_what_is_still_done() {
    let mut facts =
        vec![requested(), Fact::Started, scheduled(0, "a"), begun(0, 1), Fact::CancelRequested { by: by() }];
    assert_eq!(sentence(facts.clone()), "it was cancelled and cleans up: it runs `a`, for 61 s");
    facts.push(ended(0, 1, Outcome::Canceled));
    assert_eq!(sentence(facts.clone()), "it was cancelled, and what runs is being stopped");
    facts.push(finished(Status::Canceled, vec![]));
    assert_eq!(sentence(facts), "it was cancelled at 13:59:00 UTC (60 s ago)");
}

#[test]
fn an_end_says_why() {
    let begin = [requested(), Fact::Started, scheduled(0, "b"), begun(0, 1)];
    let refused = || failed(code::NET_CONNECT, "connection refused");
    let net = code::NET_CONNECT;
    let cases = [
        (
            Outcome::Succeeded { result: Value::Null },
            finished(Status::Succeeded, vec![]),
            "it succeeded after 4 s".into(),
        ),
        (
            refused(),
            finished(Status::Succeeded, vec![]),
            "it succeeded after 4 s, though `b` failed, which the workflow deals with".into(),
        ),
        (
            refused(),
            finished(Status::Failed, vec![error(Some("b"), None, net, "connection refused")]),
            format!("it failed because the step `b` failed: {net} connection refused"),
        ),
        (
            Outcome::Succeeded { result: Value::Null },
            finished(Status::Failed, vec![error(Some("b"), None, net, "the task `b` led to `fail`")]),
            format!("it failed: {net} the task `b` led to `fail`"),
        ),
        (
            refused(),
            finished(Status::Failed, vec![error(Some("b"), Some(1), code::FLOW_WAIT_EXPIRED, "no"); 3]),
            format!(
                "it failed because the transition 1 of `b` cannot be evaluated: {} no, and 2 more errors",
                code::FLOW_WAIT_EXPIRED
            ),
        ),
        (
            Outcome::Timeout { failure: Failure::new(code::HOST_TIMEOUT, "too slow") },
            finished(Status::Timeout, vec![error(Some("b"), None, code::HOST_TIMEOUT, "too slow")]),
            format!(
                "it ran out of time after 4 s because the step `b` ran out of time: {} too slow",
                code::HOST_TIMEOUT
            ),
        ),
        (
            Outcome::Abandoned { failure: Failure::new(code::EXEC_UNKNOWN_OUTCOME, "unknown") },
            finished(Status::Abandoned, vec![error(None, None, code::EXEC_UNKNOWN_OUTCOME, "unknown")]),
            format!("it was given up, because what a step did is unknown: {} unknown", code::EXEC_UNKNOWN_OUTCOME),
        ),
    ];
    for (outcome, end, expected) in cases {
        assert_eq!(sentence([&begin[..], &[ended(0, 1, outcome), end]].concat()), expected);
    }
}

#[test]
fn an_end_says_what_was_undone() {
    let Fact::StepScheduled { task, route, action, input, secret, items, until, .. } = scheduled(0, "a") else {
        panic!("it is scheduled")
    };
    let purpose = Purpose::Compensate { of: StepId(0), item: None };
    let undo =
        Fact::StepScheduled { step: StepId(2), task, route, purpose, action, input, secret, items, until, keeps: None };
    let facts = |outcome| {
        vec![
            requested(),
            Fact::Started,
            scheduled(0, "a"),
            scheduled(1, "b"),
            begun(0, 1),
            ended(0, 1, Outcome::Succeeded { result: Value::Null }),
            begun(1, 1),
            ended(1, 1, failed(code::NET_CONNECT, "connection refused")),
            undo.clone(),
            begun(2, 1),
            ended(2, 1, outcome),
            finished(Status::Failed, vec![error(Some("b"), None, code::NET_CONNECT, "connection refused")]),
        ]
    };
    let text = sentence(facts(Outcome::Succeeded { result: Value::Null }));
    assert!(text.ends_with("connection refused; one step was undone"), "{text}");
    let text = sentence(facts(failed(code::NET_CONNECT, "connection refused")));
    assert!(text.ends_with("; undoing `a` failed too"), "{text}");
}

#[test]
fn an_item_that_waits_is_named() {
    let Fact::StepScheduled { step, task, route, purpose, action, input, secret, until, .. } = scheduled(0, "each")
    else {
        panic!("it is scheduled")
    };
    let item = Some(ItemIndex(1));
    let items = Some(vec![json!(1), json!(2)]);
    let list = Fact::StepScheduled { step, task, route, purpose, action, input, secret, items, until, keeps: None };
    let Fact::WaitOpened { wait, .. } = waits(0, inquiry(), None) else { panic!("it waits") };
    let facts = vec![
        requested(),
        Fact::Started,
        list,
        Fact::ItemScheduled {
            step: StepId(0),
            item: ItemIndex(1),
            action: "storage.call".parse().unwrap(),
            input: json!({}),
            secret: vec![],
        },
        Fact::AttemptStarted { step: StepId(0), item, attempt: AttemptNumber(1) },
        Fact::WaitOpened { step: StepId(0), item, wait },
    ];
    let text = sentence(facts);
    assert!(text.starts_with("it waits for an answer to `each` (item 1)") && text.contains("--item 1 "), "{text}");
}

#[test]
fn what_others_wrote_is_cut_and_stays_on_one_line() {
    let long = format!("a\nb {}", "c".repeat(500));
    let errors = vec![error(Some("b"), None, code::NET_CONNECT, &long)];
    let begin = vec![requested(), Fact::Started, scheduled(0, "b"), begun(0, 1)];
    let text = sentence(
        [begin, vec![ended(0, 1, failed(code::NET_CONNECT, &long)), finished(Status::Failed, errors)]].concat(),
    );
    assert!(text.contains("a b c") && !text.contains('\n') && text.chars().count() < 300, "{text}");
}
