//! Waiting, retrying, asking, undoing: what goes beyond one pass through the graph.

use runner_model::{Fact, OnExpiry, Outcome, Status, Timestamp, Wait, WaitKind};
use serde_json::{Value, json};

use super::run::{Begun, Ended, Run, failed, ok, plan, run};
use super::*;

/// Runs with an answer that may depend on the attempt and on what was tried before.
fn play(workflow: &Value, answer: &dyn Fn(&Begun) -> Outcome) -> Ended {
    Run::start(plan(workflow), json!({"names": ["x", "y", "z"]})).run_to_end(answer)
}

#[test]
fn a_failed_step_is_tried_again_with_longer_and_longer_waits() {
    let workflow = json!({"tasks": {"a": {"action": "p.a",
        "retry": {"count": 3, "delay": 10, "backoff": 2.0, "max_delay": 30}, "next": [{"do": "b"}]}, "b": {}}});
    let ended = play(&workflow, &|begun| {
        if begun.task == "a" && begun.attempt.0 < 4 { failed("not yet") } else { ok(Value::Null) }
    });
    assert_eq!((ended.status, ended.order.as_str()), (Status::Succeeded, "a b"));
    assert_eq!(ended.at, 10_000 + 20_000 + 30_000);
    let ended = play(&workflow, &|_| failed("never"));
    assert_eq!(
        (ended.status, ended.errors),
        (Status::Failed, vec!["E-HOST-0001 never".to_owned(); 2]),
        "of a and of b"
    );
}

#[test]
fn a_retry_stops_at_codes_at_its_deadline_and_where_its_condition_fails() {
    let tries = |retry: Value| {
        let tries = std::cell::Cell::new(0);
        let workflow = json!({"tasks": {"a": {"action": "p.a", "retry": retry}}});
        play(&workflow, &|_| {
            tries.set(tries.get() + 1);
            failed("x")
        });
        tries.get()
    };
    assert_eq!(tries(json!({"count": 5})), 6);
    assert_eq!(tries(json!({"count": 5, "unless": ["e-host-0001"]})), 1);
    assert_eq!(tries(json!({"delay": 10, "until": 35})), 4);
    assert_eq!(tries(json!({"count": 5, "when": "<% result().message == \"y\" %>"})), 1);
    assert_eq!(tries(json!({"count": "<% 1 + 1 %>", "when": "<% failed() %>"})), 3);
}

#[test]
fn jitter_shortens_a_delay_and_is_the_same_at_every_replay() {
    let workflow = json!({"tasks": {"a": {"action": "p.a", "retry": {"count": 1, "delay": 100, "jitter": 0.5}}}});
    let ended = play(&workflow, &|_| failed("x"));
    assert!((50_000..100_000).contains(&ended.at), "{}", ended.at);
    assert_eq!(play(&workflow, &|_| failed("x")).at, ended.at);
}

#[test]
fn the_command_retry_tries_three_times_more() {
    let workflow = json!({"tasks": {"a": {"action": "p.a", "next": [
        {"when": "<% failed() %>", "do": "retry"}, {"when": "<% succeeded() %>", "do": "b"}]}, "b": {}}});
    let ended =
        play(&workflow, &|begun| if begun.attempt.0 < 4 && begun.task == "a" { failed("x") } else { ok(json!(1)) });
    assert_eq!((ended.status, ended.order.as_str()), (Status::Succeeded, "a b"));
    assert_eq!(play(&workflow, &|_| failed("x")).status, Status::Failed);
}

#[test]
fn a_poll_repeats_until_its_condition_holds_fails_or_is_late() {
    let workflow = json!({"output": [{"s": "<% task(\"a\").result %>"}], "tasks": {"a": {"action": "p.a", "poll": {
        "until": "<% result() == \"done\" %>", "fail_when": "<% result() == \"broken\" %>",
        "interval": 10, "backoff": 2, "max_interval": 25, "timeout": 100}}}});
    let until = |states: &'static [&'static str]| {
        play(&workflow, &move |begun| {
            let at = usize::try_from(begun.attempt.0).unwrap() - 1;
            ok(json!(states.get(at).unwrap_or(&"busy")))
        })
    };
    let done = until(&["busy", "busy", "busy", "done"]);
    assert_eq!((done.status, done.at, done.output), (Status::Succeeded, 55_000, json!({"s": "done"})));
    assert_eq!(until(&["busy", "broken"]).errors, ["E-FLOW-0015 the poll's `fail_when` holds"]);
    let late = until(&[]);
    assert_eq!((late.status, late.at), (Status::Failed, 100_000));
}

#[test]
fn a_delayed_task_begins_later() {
    let workflow = json!({"tasks": {"a": {"delay": 3600, "next": [{"do": "b"}]}, "b": {"delay": "<% 0.5 %>"}}});
    let ended = run(&workflow, json!({}), &[]);
    assert_eq!((ended.order.as_str(), ended.at), ("a b", 3_600_500));
    let bad = json!({"tasks": {"a": {"delay": "<% \"soon\" %>"}}});
    assert_eq!(run(&bad, json!({}), &[]).errors, ["E-FLOW-0017 `delay` is \"soon\", which is not a number"]);
}

#[test]
fn a_list_runs_as_wide_as_it_may_and_gives_its_results_in_order() {
    let workflow = json!({"output": [{"r": "<% task(\"a\").result %>"}], "tasks": {
        "a": {"action": "p.a", "input": {"n": "<% item() %>"}, "with": {"items": "<% ctx().names %>", "concurrency": 2}}}});
    let mut run = Run::start(plan(&workflow), json!({"names": ["x", "y", "z"]}));
    let first = run.record_starts();
    assert_eq!(first.iter().map(|begun| begun.input["n"].clone()).collect::<Vec<_>>(), ["x", "y"]);
    run.finish_unit(&first[1], ok(json!("Y")));
    let next = run.record_starts();
    assert_eq!(next[0].input, json!({"n": "z"}));
    run.finish_unit(&next[0], ok(json!("Z")));
    run.finish_unit(&first[0], ok(json!("X")));
    run.finish();
    assert_eq!(run.into_ended().output, json!({"r": ["X", "Y", "Z"]}));
}

#[test]
fn after_an_item_failed_no_further_one_begins() {
    let workflow = json!({"tasks": {"a": {"action": "p.a", "with": {"items": "<% range(10) %>", "concurrency": 3}}}});
    let count = std::cell::Cell::new(0);
    let ended = play(&workflow, &|begun| {
        count.set(count.get() + 1);
        if begun.unit.item == Some(runner_model::ItemIndex(1)) { failed("no") } else { ok(Value::Null) }
    });
    assert_eq!(ended.status, Status::Failed);
    assert_eq!(count.get(), 4, "three begin, the first ends and makes place for one, then one fails");
    assert_eq!(ended.errors, ["E-FLOW-0020 1 of 10 items failed, the first of them item 1: no"]);
    for (items, wrong) in [("<% 5 %>", "`with` gave 5, which is not a list"), ("<% [] %>", "")] {
        let workflow = json!({"tasks": {"a": {"action": "p.a", "with": {"items": items}}}});
        assert!(play(&workflow, &|_| ok(Value::Null)).errors.concat().contains(wrong));
    }
}

#[test]
fn a_list_is_tried_again_as_a_whole() {
    let workflow = json!({"tasks": {"a": {"action": "p.a", "retry": {"count": 1, "delay": 5}, "with": {"items": "<% [1, 2] %>"}}}});
    let attempts = std::cell::RefCell::new(Vec::new());
    let ended = play(&workflow, &|begun| {
        attempts.borrow_mut().push((begun.unit.item.unwrap().0, begun.attempt.0));
        if begun.attempt.0 == 1 && begun.unit.item.unwrap().0 == 1 { failed("x") } else { ok(Value::Null) }
    });
    assert_eq!((ended.status, ended.at), (Status::Succeeded, 5000));
    assert_eq!(*attempts.borrow(), [(0, 1), (1, 1), (0, 2), (1, 2)]);
}

#[test]
fn a_task_whose_condition_is_false_is_skipped_and_the_way_is_clear() {
    let workflow = json!({"tasks": {"a": {"if": "<% false %>", "next": [
        {"when": "<% succeeded() %>", "do": "b"}, {"when": "<% skipped() %>", "do": "c"}, {"when": "<% failed() %>", "do": "d"}]},
        "b": {"next": [{"when": "<% succeeded(\"a\") %>", "do": "d"}]}, "c": {}, "d": {}}});
    let ended = run(&workflow, json!({}), &[]);
    assert_eq!((ended.status, ended.order.as_str()), (Status::Succeeded, "a b c"));
}

#[test]
fn a_join_on_a_condition_waits_until_nothing_more_can_come() {
    let workflow = |needs: &str| {
        json!({"tasks": {
            "a": {"next": [{"do": "b, c"}]},
            "b": {"next": [{"do": "d"}]}, "c": {"next": [{"do": "d"}]},
            "d": {"join": {"needs": needs}, "next": [{"do": "e"}]}, "e": {"if": "<% succeeded(\"d\") %>"},
        }})
    };
    let or = run(&workflow("<% succeeded(\"b\") || succeeded(\"c\") %>"), json!({}), &["c"]);
    assert_eq!((or.status, or.order.as_str()), (Status::Succeeded, "a b c d e"));
    let mut skipped = Run::start(plan(&workflow("<% succeeded(\"b\") && succeeded(\"c\") %>")), json!({}));
    skipped.go_on(&|begun| if begun.task == "c" { failed("c") } else { ok(Value::Null) });
    skipped.finish();
    let skips = skipped.entries.iter().filter(|entry| matches!(entry.fact, Fact::StepSkipped { .. })).count();
    assert_eq!(skips, 2, "d, and e that needs it");
    assert_eq!(skipped.into_ended().status, Status::Succeeded);
}

fn inquiry(expires_at: i64, on_expiry: OnExpiry) -> Box<Wait> {
    let kind = WaitKind::Inquiry {
        prompt: "go?".into(),
        schema: json!({}),
        roles: vec![],
        users: vec![],
        route: String::new(),
    };
    Box::new(Wait { kind, expires_at: Some(Timestamp::from_millis(expires_at)), on_expiry })
}

#[test]
fn an_execution_that_only_waits_for_an_answer_is_pending() {
    let workflow =
        json!({"output": [{"by": "<% task(\"ask\").result.by %>"}], "tasks": {"ask": {"action": "core.ask"}}});
    let mut run = Run::start(plan(&workflow), json!({}));
    let ask = run.record_starts().remove(0);
    run.record(Fact::WaitOpened { step: ask.unit.step, item: None, wait: inquiry(60_000, OnExpiry::Timeout) });
    run.record_starts();
    assert_eq!((run.state.status(), run.state.next_due()), (Status::Pending, Some(Timestamp::from_millis(60_000))));
    run.record(Fact::Answered { step: ask.unit.step, item: None, by: "me".into(), answer: json!({"ok": true}) });
    run.finish();
    assert_eq!(run.into_ended().output, json!({"by": "me"}));
}

#[test]
fn a_wait_that_nothing_ends_ends_by_its_time() {
    let after = |on_expiry: OnExpiry| {
        let workflow = json!({"tasks": {"ask": {"action": "core.ask", "next": [{"when": "<% timed_out() %>", "do": "b"}]}, "b": {}}});
        let mut run = Run::start(plan(&workflow), json!({}));
        let ask = run.record_starts().remove(0);
        run.record(Fact::WaitOpened { step: ask.unit.step, item: None, wait: inquiry(60_000, on_expiry) });
        run.go_on(&|_| ok(Value::Null));
        run.finish();
        let ended = run.into_ended();
        (ended.status, ended.order, ended.at)
    };
    assert_eq!(after(OnExpiry::Timeout), (Status::Succeeded, "ask b".into(), 60_000));
    assert_eq!(after(OnExpiry::Fail).0, Status::Failed);
    assert_eq!(after(OnExpiry::Answer(json!(1))), (Status::Succeeded, "ask".into(), 60_000));
}

#[test]
fn what_succeeded_is_undone_in_reverse_order_when_the_rest_fails() {
    let undo = |name: &str| json!({"action": format!("p.un_{name}"), "input": {"id": "<% result() %>"}});
    let workflow = json!({"tasks": {
        "a": {"action": "p.a", "compensate": undo("a"), "next": [{"do": "b"}]},
        "b": {"action": "p.b", "compensate": undo("b"), "next": [{"do": "c"}]},
        "c": {"action": "p.c", "compensate": undo("c")},
    }});
    let calls = std::cell::RefCell::new(Vec::new());
    let ended = play(&workflow, &|begun| {
        calls.borrow_mut().push(format!("{} {}", begun.action, begun.input));
        if begun.action.name() == "c" || begun.action.name() == "un_b" { failed("c") } else { ok(json!(begun.task)) }
    });
    assert_eq!(ended.status, Status::Failed);
    assert_eq!(ended.order, "a b c b__compensate a__compensate");
    assert_eq!(calls.borrow()[3..], [r#"p.un_b {"id":"b"}"#, r#"p.un_a {"id":"a"}"#]);
    assert_eq!(ended.errors.len(), 2, "what could not be undone is said: {:?}", ended.errors);
    let ended = play(&workflow, &|begun| ok(json!(begun.task)));
    assert_eq!((ended.status, ended.order.as_str()), (Status::Succeeded, "a b c"));
}

#[test]
fn items_that_succeeded_are_undone_one_by_one() {
    let workflow = json!({"tasks": {"a": {"action": "p.a", "with": {"items": "<% ctx().names %>"},
        "compensate": {"action": "p.undo", "input": {"of": "<% item() %>", "was": "<% result() %>"}}}}});
    let undone = std::cell::RefCell::new(Vec::new());
    play(&workflow, &|begun| match begun.action.name() {
        "undo" => {
            undone.borrow_mut().push(begun.input.clone());
            ok(Value::Null)
        }
        _ if begun.unit.item.unwrap().0 == 1 => failed("x"),
        _ => ok(json!(begun.unit.item.unwrap().0)),
    });
    assert_eq!(*undone.borrow(), [json!({"of": "z", "was": 2}), json!({"of": "x", "was": 0})]);
}

#[test]
fn a_cancelled_execution_cleans_up_before_it_ends() {
    let workflow = json!({
        "on_cancel": {"action": "p.bye"},
        "tasks": {
            "a": {"action": "p.a", "compensate": {"action": "p.undo"}, "next": [{"do": "b"}]},
            "b": {"action": "p.b", "on_cancel": {"action": "p.abort", "input": {"task": "b"}}, "next": [{"do": "c"}]}, "c": {},
        },
    });
    let mut run = Run::start(plan(&workflow), json!({}));
    let a = run.record_starts().remove(0);
    run.finish_unit(&a, ok(Value::Null));
    let b = run.record_starts().remove(0);
    run.record(Fact::CancelRequested { by: "me".into() });
    assert_eq!(run.record_starts(), []);
    run.finish_unit(&b, Outcome::Canceled);
    run.go_on(&|_| ok(Value::Null));
    run.finish();
    let ended = run.into_ended();
    assert_eq!((ended.status, ended.order.as_str()), (Status::Canceled, "a b b__on_cancel a__compensate on_cancel"));
}

#[test]
fn a_workflow_that_takes_too_long_is_interrupted_and_undone() {
    let workflow = json!({"timeout": 60, "tasks": {
        "a": {"action": "p.a", "compensate": {"action": "p.undo"}, "next": [{"do": "b"}]}, "b": {"delay": 3600}}});
    let ended = run(&workflow, json!({}), &[]);
    assert_eq!((ended.status, ended.order.as_str(), ended.at), (Status::Timeout, "a b a__compensate", 60_000));
    assert_eq!(ended.errors, ["E-FLOW-0018 the workflow did not end within its timeout of 60 s"]);
}

#[test]
fn in_a_pause_what_runs_ends_and_nothing_begins() {
    let workflow = json!({"tasks": {"a": {"next": [{"do": "b"}]}, "b": {"delay": 10, "next": [{"do": "c"}]}, "c": {}}});
    let mut run = Run::start(plan(&workflow), json!({}));
    let a = run.record_starts().remove(0);
    run.record(Fact::PauseRequested { by: "me".into() });
    run.record_starts();
    assert_eq!(run.state.status(), Status::Pausing);
    run.finish_unit(&a, ok(Value::Null));
    assert_eq!(run.record_starts(), []);
    assert_eq!((run.state.status(), run.state.next_due()), (Status::Paused, None));
    run.record(Fact::ResumeRequested { by: "me".into() });
    run.go_on(&|_| ok(Value::Null));
    run.finish();
    assert_eq!(run.into_ended().order, "a b c");
}

#[test]
fn when_one_branch_fails_nothing_waits_any_more() {
    let workflow = json!({"tasks": {"a": {}, "b": {"delay": 3600}, "c": {"action": "core.ask"},
        "d": {"action": "p.d", "retry": {"count": 3, "delay": 60}}}});
    let mut run = Run::start(plan(&workflow), json!({}));
    let begun = run.record_starts();
    let of = |task: &str| begun.iter().find(|begun| begun.task == task).unwrap().clone();
    run.record(Fact::WaitOpened { step: of("c").unit.step, item: None, wait: inquiry(1_000_000, OnExpiry::Fail) });
    run.finish_unit(&of("d"), failed("d"));
    run.record_starts();
    run.finish_unit(&of("a"), failed("a"));
    run.finish();
    let ended = run.into_ended();
    assert_eq!((ended.status, ended.at), (Status::Failed, 0));
    assert_eq!(ended.errors, ["E-HOST-0001 a", "E-HOST-0001 d"]);
}

#[test]
fn what_a_crash_left_unknown_is_given_up_made_again_or_asked_about() {
    let abandoned = || Outcome::Abandoned { failure: Failure::new(code::EXEC_UNKNOWN_OUTCOME, "crash") };
    let with = |on_unknown: &str| json!({"tasks": {"a": {"action": "p.a", "on_unknown": on_unknown}}});
    let first = |begun: &Begun| if begun.attempt.0 == 1 { abandoned() } else { ok(Value::Null) };
    assert_eq!(play(&with("fail"), &first).status, Status::Failed);
    assert_eq!(play(&with("retry"), &first).status, Status::Succeeded);
    for (answer, end) in [("retry", Status::Succeeded), ("failed", Status::Failed), ("succeeded", Status::Succeeded)] {
        let mut run = Run::start(plan(&with("ask")), json!({}));
        let a = run.record_starts().remove(0);
        run.finish_unit(&a, abandoned());
        run.record_starts();
        assert_eq!(run.state.status(), Status::Pending);
        run.record(Fact::Answered {
            step: a.unit.step,
            item: None,
            by: "me".into(),
            answer: json!({"outcome": answer}),
        });
        run.go_on(&|_| ok(Value::Null));
        run.finish();
        assert_eq!(run.into_ended().status, end, "{answer}");
    }
}

fn rerun(tasks: &[&str]) -> Fact {
    let task = |name: &&str| RerunTask { task: TaskName::new(name).unwrap(), route: None, reset_items: false };
    Fact::RerunRequested { by: "me".into(), tasks: tasks.iter().map(task).collect() }
}

#[test]
fn an_ended_execution_goes_on_from_what_failed() {
    let workflow = json!({"output": [{"r": "<% task(\"j\").result %>"}], "tasks": {
        "a": {"next": [{"when": "<% succeeded() %>", "do": "j"}]},
        "b": {"next": [{"when": "<% succeeded() %>", "do": "j"}]},
        "j": {"join": "all", "next": [{"do": "k"}]}, "k": {},
    }});
    let mut run = Run::start(plan(&workflow), json!({}));
    run.go_on(&|begun| if begun.task == "b" { failed("b") } else { ok(json!(begun.task)) });
    assert!(matches!(run.state.check_rerun(&run.plan, &[]), Err(RerunError::NotEnded { .. })));
    run.finish();
    assert_eq!(run.state.status(), Status::Failed);
    run.record(rerun(&[]));
    run.go_on(&|begun| ok(json!(begun.task)));
    run.finish();
    let ended = run.into_ended();
    assert_eq!((ended.status, ended.order.as_str(), ended.output), (Status::Succeeded, "a b b j k", json!({"r": "j"})));
    assert_eq!(ended.errors, [""; 0]);
}

#[test]
fn a_rerun_keeps_the_items_that_succeeded() {
    let workflow = json!({"output": [{"r": "<% task(\"a\").result %>"}],
        "tasks": {"a": {"action": "p.a", "with": {"items": "<% ctx().names %>"}}}});
    let mut run = Run::start(plan(&workflow), json!({"names": ["x", "y", "z"]}));
    run.go_on(&|begun| if begun.unit.item.unwrap().0 == 1 { failed("y") } else { ok(json!("first")) });
    run.finish();
    run.record(rerun(&["a"]));
    run.go_on(&|_| ok(json!("second")));
    run.finish();
    assert_eq!(run.into_ended().output, json!({"r": ["first", "second", "first"]}));
}

#[test]
fn commands_split_like_tasks_and_stand_where_they_were_passed() {
    let workflow = json!({"tasks": {
        "a": {"next": [{"when": "<% succeeded() %>", "do": "b"}, {"when": "<% failed() %>", "do": "continue"}]},
        "b": {"next": [{"publish": [{"x": 1}]}]},
    }});
    let mut run = Run::start(plan(&workflow), json!({}));
    run.go_on(&|_| ok(Value::Null));
    let passed: Vec<_> = run.state.passages(&run.plan).iter().map(|p| format!("{}__r{}", p.name, p.route)).collect();
    assert_eq!(passed, ["a__r0", "b__r0", "continue__r1"]);
    assert_eq!(run.state.routes(&run.plan), [vec![], vec!["b__t0".to_owned()]]);
}

#[test]
fn a_part_that_was_cancelled_by_itself_cancels_the_whole() {
    let workflow = json!({"tasks": {"a": {"next": [{"do": "b"}]}, "b": {}}});
    let mut run = Run::start(plan(&workflow), json!({}));
    let a = run.record_starts().remove(0);
    run.finish_unit(&a, Outcome::Canceled);
    assert_eq!(run.state.status(), Status::Canceling);
    run.finish();
    assert_eq!(run.into_ended().status, Status::Canceled);
}
