//! The conductor without a store, a host or a clock: workflows as JSON, outcomes as said, replay compared with the live
//! state at every entry.

mod durable;
mod random;
mod run;

use std::sync::Arc;

use runner_model::{
    ActionRef, AttemptNumber, Entry, Fact, Failure, Outcome, Purpose, RerunTask, RouteId, Status, StepId, TaskName,
    Timestamp, code,
};
use serde_json::{Value, json};

use super::*;
use crate::plan::Plan;
use run::{Run, failed, ok, plan, run};

#[test]
fn tasks_follow_one_another_and_publish_what_they_learn() {
    let workflow = json!({
        "vars": [{"size": "<% ctx(\"gb\") * 1024 %>"}, {"label": "size <% ctx().size %>"}],
        "output": [{"label": "<% ctx().label %>"}, {"last": "<% ctx().seen %>"}, {"again": "<% ctx().last + \"!\" %>"}],
        "tasks": {
            "a": {"action": "p.a", "input": {"size": "<% ctx().size %>"}, "next": [{"when": "<% succeeded() %>",
                "publish": [{"seen": "<% result() %>"}, {"seen": "<% ctx().seen + \"+\" + task(\"a\").status %>"}], "do": "b"}]},
            "b": {"action": "p.<% ctx().name %>", "input": {"from": "<% ctx().seen %>"}},
        }
    });
    let mut run = Run::start(plan(&workflow), json!({"gb": 2, "name": "b"}));
    let first = run.record_starts();
    assert_eq!((first[0].action.as_str(), &first[0].input), ("p.a", &json!({"size": 2048})));
    run.finish_step(StepId(0), ok(json!("one")));
    let second = run.record_starts();
    assert_eq!((second[0].action.as_str(), &second[0].input), ("p.b", &json!({"from": "one+succeeded"})));
    run.finish_step(StepId(1), ok(Value::Null));
    run.finish();
    let ended = run.into_ended();
    assert_eq!(ended.status, Status::Succeeded);
    assert_eq!(ended.output, json!({"label": "size 2048", "last": "one+succeeded", "again": "one+succeeded!"}));
}

#[test]
fn start_tasks_begin_in_alphabetical_order_at_once() {
    let workflow = json!({"tasks": {"c": {}, "a": {}, "b": {"next": [{"do": "d"}]}, "d": {}}});
    assert_eq!(run(&workflow, json!({}), &[]).order, "a b c d");
}

#[test]
fn every_matching_transition_fires_in_order() {
    let workflow = json!({"tasks": {
        "a": {"next": [{"do": "b"}, {"when": "<% failed() %>", "do": "never"}, {"when": "<% result() == \"a\" %>", "do": "c, d"}]},
        "b": {}, "c": {}, "d": {}, "never": {},
    }});
    assert_eq!(run(&workflow, json!({}), &[]).order, "a b c d");
}

#[test]
fn a_failure_that_nothing_deals_with_ends_the_execution() {
    let workflow = json!({"output": [{"x": "<% ctx().x %>"}], "vars": [{"x": 1}],
        "tasks": {"a": {"next": [{"when": "<% succeeded() %>", "do": "b"}]}, "b": {}}});
    let ended = run(&workflow, json!({}), &["a"]);
    assert_eq!((ended.order.as_str(), ended.status), ("a", Status::Failed));
    assert_eq!(ended.output, json!({"x": 1}), "output is rendered on failure");
    assert_eq!(ended.errors, ["E-HOST-0001 a"]);
}

#[test]
fn a_failure_can_be_dealt_with_by_a_task_or_noop_but_not_by_continue() {
    let by = |target: &str| {
        let workflow =
            json!({"tasks": {"a": {"next": [{"when": "<% failed() %>", "do": target}]}, "b": {"join": "all"}}});
        run(&workflow, json!({}), &["a"])
    };
    assert_eq!((by("b").status, by("b").order.as_str()), (Status::Succeeded, "a b"));
    assert_eq!(by("noop").status, Status::Succeeded);
    assert_eq!(by("continue").status, Status::Failed);
    assert_eq!(by("fail").status, Status::Failed);
}

#[test]
fn siblings_of_fail_still_run_but_what_follows_them_does_not() {
    let workflow =
        json!({"tasks": {"a": {"next": [{"do": "log, fail"}]}, "log": {"next": [{"do": "more"}]}, "more": {}}});
    let ended = run(&workflow, json!({}), &[]);
    assert_eq!((ended.order.as_str(), ended.status), ("a log", Status::Failed));
    assert_eq!(ended.errors, ["E-FLOW-0012 the task `a` led to `fail`"]);
}

#[test]
fn when_one_branch_fails_what_runs_ends_and_nothing_new_starts() {
    let workflow = json!({"tasks": {"a": {}, "b": {"next": [{"do": "c"}]}, "c": {}}});
    let mut run = Run::start(plan(&workflow), json!({}));
    run.record_starts();
    run.finish_step(StepId(0), failed("a"));
    assert!(run.state.outstanding(&run.plan).is_empty(), "b still runs");
    run.finish_step(StepId(1), ok(Value::Null));
    run.finish();
    let ended = run.into_ended();
    assert_eq!((ended.order.as_str(), ended.status), ("a b", Status::Failed));
}

#[test]
fn a_join_waits_for_all_and_merges_what_the_branches_published() {
    let workflow = json!({
    "vars": [{"x": 0}, {"m": {"start": true}}],
    "output": [{"x": "<% ctx().x %>"}, {"m": "<% ctx().m %>"}],
    "tasks": {
        "a": {"next": [{"publish": [{"x": "a"}, {"m": {"a": 1}}], "do": "j"}]},
        "b": {"next": [{"publish": [{"m": {"b": 2}}], "do": "j"}]},
        "j": {"join": "all"},
    }});
    let ended = run(&workflow, json!({}), &[]);
    assert_eq!(ended.order, "a b j");
    assert_eq!(ended.output, json!({"x": "a", "m": {"start": true, "a": 1, "b": 2}}));
}

#[test]
fn a_join_of_some_fires_once_and_late_ones_are_no_error() {
    let workflow = json!({"tasks": {
        "a": {"next": [{"do": "j"}]}, "b": {"next": [{"do": "j"}]}, "c": {"next": [{"do": "j"}]}, "j": {"join": 1},
    }});
    let ended = run(&workflow, json!({}), &[]);
    assert_eq!((ended.order.as_str(), ended.status), ("a b c j", Status::Succeeded));
}

#[test]
fn two_transitions_of_one_task_count_once_at_a_join() {
    let workflow = json!({"tasks": {
        "a": {"next": [{"do": "j"}, {"do": "j"}]}, "b": {"next": [{"do": "j"}]}, "j": {"join": "all"},
    }});
    assert_eq!(run(&workflow, json!({}), &[]).order, "a b j");
}

#[test]
fn a_join_that_can_no_longer_be_met_fails_the_execution() {
    let workflow = json!({"tasks": {
        "a": {"next": [{"do": "j"}]},
        "b": {"next": [{"when": "<% failed() %>", "do": "j"}]},
        "j": {"join": "all"},
    }});
    let ended = run(&workflow, json!({}), &[]);
    assert_eq!(ended.status, Status::Failed);
    assert_eq!(ended.errors, ["E-FLOW-0010 the join at `j` needs transitions from 2 tasks and got them from 1 (a)"]);
    // Nothing arrived: nothing is missing.
    let neither = json!({"tasks": {
        "a": {"next": [{"when": "<% failed() %>", "do": "j"}]}, "b": {"next": [{"when": "<% failed() %>", "do": "j"}]},
        "j": {"join": "all"},
    }});
    assert_eq!(run(&neither, json!({}), &[]).status, Status::Succeeded);
}

#[test]
fn a_task_reached_by_several_transitions_runs_once_for_each_on_its_own_route() {
    let workflow = json!({"tasks": {
        "a": {"next": [{"do": "s"}]}, "b": {"next": [{"do": "s"}]}, "s": {"next": [{"do": "t"}]}, "t": {},
    }});
    assert_eq!(run(&workflow, json!({}), &[]).order, "a b s__r1 s__r2 t__r1 t__r2");
}

#[test]
fn a_cycle_runs_its_tasks_again_on_the_same_route() {
    let workflow = json!({"vars": [{"n": 0}], "output": [{"n": "<% ctx().n %>"}], "tasks": {
        "prep": {"next": [{"do": "a"}]},
        "a": {"next": [{"publish": [{"n": "<% ctx().n + 1 %>"}], "do": "b"}]},
        "b": {"next": [{"when": "<% ctx().n < 3 %>", "do": "a"}]},
    }});
    let ended = run(&workflow, json!({}), &[]);
    assert_eq!((ended.order.as_str(), ended.output), ("prep a b a b a b", json!({"n": 3})));
}

fn scheduled(step: StepId, task: TaskName, route: RouteId, action: ActionRef) -> Fact {
    Fact::StepScheduled {
        step,
        task,
        route,
        purpose: Purpose::Task,
        action,
        input: json!({}),
        secret: vec![],
        items: None,
        keeps: None,
        until: None,
    }
}

#[test]
fn a_cycle_without_an_end_is_stopped() {
    let workflow = json!({"tasks": {"s": {"next": [{"do": "a"}]}, "a": {"next": [{"do": "a"}]}}});
    let mut run = Run::start(plan(&workflow), json!({}));
    // Replaying the whole journal at each of 10,000 steps would take hours: apply without the comparison.
    for number in 0..runner_model::limits::STEPS_MAX {
        for command in run.state.outstanding(&run.plan) {
            let Command::StartStep { step, task, route, action, .. } = command else { panic!("{command:?}") };
            let at = Timestamp::from_millis(number as i64);
            let scheduled = scheduled(step, task, route, action);
            run.state.apply(&run.plan, &Entry::new(at, scheduled)).unwrap();
            let attempt = AttemptNumber::FIRST;
            let finished = Fact::AttemptFinished { step, item: None, attempt, outcome: ok(Value::Null) };
            run.state.apply(&run.plan, &Entry::new(at, finished)).unwrap();
        }
    }
    let outstanding = run.state.outstanding(&run.plan);
    let [Command::Finish { status: Status::Failed, errors, .. }] = outstanding.as_slice() else { panic!() };
    assert_eq!(errors[0].code, code::FLOW_TOO_MANY_STEPS.id());
}

#[test]
fn an_expression_that_fails_ends_the_execution_and_says_where() {
    let workflow = json!({"tasks": {"a": {"next": [{"when": "<% result().nope %>", "do": "b"}]}, "b": {}}});
    let mut run = Run::start(plan(&workflow), json!({}));
    run.record_starts();
    run.finish_step(StepId(0), ok(json!({"x": 1})));
    let outstanding = run.state.outstanding(&run.plan);
    let [Command::Finish { status: Status::Failed, errors, .. }] = outstanding.as_slice() else { panic!() };
    assert_eq!(errors[0].message, "there is no `nope` in the map, in `<% result().nope %>`");
    assert_eq!((errors[0].task.as_ref().unwrap().as_str(), errors[0].transition), ("a", Some(0)));

    for (bad, errors) in [
        (json!({"tasks": {"a": {"input": {"x": "<% ctx().nope %>"}}}}), "E-EXPR-0003"),
        (json!({"vars": [{"x": "<% ctx().nope %>"}], "tasks": {"a": {}}}), "E-EXPR-0003"),
        (json!({"output": [{"x": "<% ctx().nope %>"}], "tasks": {"a": {}}}), "E-EXPR-0003"),
        (json!({"tasks": {"a": {"action": "<% 1 + 1 %>"}}}), "E-FLOW-0005"),
        (json!({"tasks": {"a": {"next": [{"when": "<% 1 %>"}]}}}), "E-EXPR-0004"),
        (json!({"tasks": {"a": {"next": [{"publish": [{"x": "<% 1/0 %>"}]}]}}}), "E-EXPR-0003"),
    ] {
        let ended = run::run(&bad, json!({}), &[]);
        assert_eq!(ended.status, Status::Failed, "{bad}");
        assert!(ended.errors[0].starts_with(errors), "{:?}", ended.errors);
    }
}

#[test]
fn a_start_that_cannot_be_rendered_starts_nothing() {
    let workflow = json!({"tasks": {"a": {}, "b": {"input": {"x": "<% ctx().nope %>"}}, "c": {}}});
    assert_eq!(run(&workflow, json!({}), &[]).order, "");
}

#[test]
fn values_from_outside_are_asked_for_and_recorded_with_the_decision() {
    let workflow = json!({"tasks": {
        "a": {"next": [{"when": "<% kv(\"go\") == \"yes\" && kv(\"also\") > 1 %>", "publish": [{"at": "<% now() %>"}], "do": "b"}]},
        "b": {"input": {"at": "<% ctx().at %>"}},
    }});
    let mut run = Run::start(plan(&workflow), json!({}));
    run.kv = [("go".to_owned(), json!("yes")), ("also".to_owned(), json!(2))].into_iter().collect();
    run.record_starts();
    run.now = 4000;
    run.finish_step(StepId(0), ok(Value::Null));
    let reads = run.entries.iter().filter(|entry| matches!(entry.fact, Fact::ValuesRead { .. })).count();
    assert_eq!(reads, 2);
    let started = run.record_starts();
    assert_eq!(started[0].input, json!({"at": "1970-01-01T00:00:04.000Z"}), "the entry's time is the decision's");
}

#[test]
fn cancelling_interrupts_what_runs_and_starts_nothing() {
    let workflow = json!({"vars": [{"x": 1}], "output": [{"x": "<% ctx().x %>"}],
        "tasks": {"a": {"next": [{"do": "c"}]}, "b": {}, "c": {}}});
    let mut run = Run::start(plan(&workflow), json!({}));
    run.record_starts();
    run.record(Fact::CancelRequested { by: "a test".into() });
    assert_eq!(
        run.state.outstanding(&run.plan),
        [0, 1].map(|step| Command::Interrupt {
            unit: UnitId { step: StepId(step), item: None },
            attempt: AttemptNumber::FIRST
        })
    );
    run.finish_step(StepId(0), ok(Value::Null));
    run.finish_step(StepId(1), Outcome::Canceled);
    run.finish();
    let ended = run.into_ended();
    assert_eq!((ended.status, ended.output, ended.order.as_str()), (Status::Canceled, json!({"x": 1}), "a b"));

    let mut unstarted = Run::start(plan(&workflow), json!({}));
    unstarted.record(Fact::CancelRequested { by: "a test".into() });
    unstarted.finish();
    assert_eq!(unstarted.into_ended().order, "");
}

#[test]
fn a_single_action_gives_its_own_result_and_status() {
    let single = |outcome: Outcome| {
        let mut run = Run::start(Plan::single("core.echo"), json!({"message": "<% 1 %>"}));
        let started = run.record_starts();
        assert_eq!(started[0].input, json!({"message": "<% 1 %>"}), "parameters are data");
        run.finish_step(StepId(0), outcome);
        run.finish();
        run.into_ended()
    };
    assert_eq!(single(ok(json!([1]))).output, json!([1]));
    assert_eq!(single(failed("x")).status, Status::Failed);
    assert_eq!(single(failed("x")).errors, ["E-HOST-0001 x"]);
    let timeout = Outcome::Timeout { failure: Failure::new(code::HOST_TIMEOUT, "late") };
    assert_eq!(single(timeout).status, Status::Timeout);
    let abandoned = Outcome::Abandoned { failure: Failure::new(code::EXEC_UNKNOWN_OUTCOME, "crash") };
    assert_eq!(single(abandoned).status, Status::Abandoned);
}

#[test]
fn a_journal_of_another_workflow_is_refused() {
    let one = json!({"tasks": {"a": {"next": [{"do": "b"}]}, "b": {}}});
    let mut run = Run::start(plan(&one), json!({}));
    run.record_starts();
    run.finish_step(StepId(0), ok(Value::Null));
    run.record_starts();
    let other = plan(&json!({"tasks": {"a": {"next": [{"do": "c"}]}, "c": {}}}));
    let replayed = State::replay(&other, run.state.execution.id, &run.entries, Arc::default());
    assert!(matches!(replayed, Err(Stop::Mismatch(mismatch)) if mismatch.what.contains("not decided on")));
    for entries in [&run.entries[1..], &[]] {
        assert!(matches!(
            State::replay(&run.plan, run.state.execution.id, entries, Arc::default()),
            Err(Stop::Mismatch(_))
        ));
    }
    let mut state = run.state.clone();
    let twice =
        Fact::AttemptFinished { step: StepId(0), item: None, attempt: AttemptNumber::FIRST, outcome: ok(Value::Null) };
    assert!(state.apply(&run.plan, &Entry::new(Timestamp::default(), twice)).is_err());
}

#[test]
fn after_a_crash_the_state_says_what_was_under_way() {
    let workflow = json!({"tasks": {"a": {}, "b": {}, "c": {}}});
    let mut run = Run::start(plan(&workflow), json!({}));
    for command in run.state.outstanding(&run.plan).into_iter().take(2) {
        let Command::StartStep { step, task, route, action, .. } = command else { panic!() };
        run.record(scheduled(step, task, route, action));
    }
    run.record(Fact::AttemptStarted { step: StepId(0), item: None, attempt: AttemptNumber::FIRST });
    let recovered = State::replay(&run.plan, run.state.execution.id, &run.entries, run.state.config.clone()).unwrap();
    let in_flight = recovered.in_flight(&run.plan);
    assert_eq!(in_flight.iter().map(|one| one.unit.step).collect::<Vec<_>>(), [StepId(0)]);
    let outstanding = recovered.outstanding(&run.plan);
    assert!(
        matches!(
            &outstanding[..],
            [
                Command::StartStep { step: StepId(2), .. },
                Command::BeginAttempt { unit: UnitId { step: StepId(1), .. }, .. }
            ]
        ),
        "c was decided on and not recorded, b was recorded and not begun: {outstanding:?}"
    );
}
