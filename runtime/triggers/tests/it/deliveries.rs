//! Deliveries to webhooks, and what rules make of them.

use runner_model::{MatchState, Status};
use runner_store::Catalogue;
use runner_triggers::{Emitted, TriggerError};
use serde_json::json;

use super::kit::{World, by, delivered};

const HOOK: &str = "trigger: {type: core.webhook, parameters: {path: hook}}\n\
                    action: {ref: t.quick, parameters: {n: <% event().body.n %>}}";

#[test]
fn a_delivery_is_recorded_with_its_matches_and_becomes_an_execution() {
    let world = World::new(&[("hook", HOOK)]);
    let process = world.start();
    let delivered = process.deliver("hook", Some("d1"), json!({"n": 7})).unwrap();
    assert!(delivered.fresh);
    let one = &delivered.event.matches[0];
    assert_eq!((one.rule.as_str(), one.parameters["n"].clone()), ("t.hook", json!(7)));
    assert_eq!(one.execution, delivered.event.id.execution(&one.rule));
    process.settles();
    assert_eq!(process.state(&delivered.event, "t.hook"), MatchState::Started);
    let executions = process.executions("t.hook");
    assert_eq!(executions.iter().map(|record| record.id).collect::<Vec<_>>(), [one.execution]);
    process.until("the execution has ended", || async {
        Catalogue::get(&*world.store, one.execution).await.unwrap().status == Status::Succeeded
    });
    assert_eq!(process.triggers.backlog(), 0);
    let counts = process.triggers.rule("t.hook").unwrap().counts;
    assert_eq!((counts.examined, counts.matched, counts.failed), (1, 1, 0));
}

#[test]
fn a_thousand_concurrent_deliveries_of_one_key_are_one_event_and_one_execution_also_after_a_restart() {
    let world = World::on_disk(&[("hook", HOOK), ("other", HOOK)]);
    let process = world.start();
    let all = process.run(async {
        let one = |_| delivered(&process.triggers, "hook", Some("same"), json!({"n": 1}));
        futures::future::join_all((0..1000).map(one)).await
    });
    let all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
    assert_eq!(all.iter().filter(|delivered| delivered.fresh).count(), 1);
    assert!(all.iter().all(|delivered| delivered.event.id == all[0].event.id));
    process.settles();
    process.dies();
    world.clock.advance_ms(60_000);

    let process = world.start();
    let again = process.deliver("hook", Some("same"), json!({"n": 1})).unwrap();
    assert!(!again.fresh);
    assert_eq!(again.event.id, all[0].event.id);
    process.settles();
    for rule in ["t.hook", "t.other"] {
        let executions = process.executions(rule);
        assert_eq!(executions.len(), 1, "{rule}");
        let of_event = again.event.matches.iter().find(|one| one.rule.as_str() == rule).unwrap();
        assert_eq!(executions[0].id, of_event.execution);
    }
    assert_eq!(process.events("core.webhook").len(), 1);
}

#[test]
fn deliveries_without_a_key_are_each_their_own() {
    let world = World::new(&[("hook", HOOK)]);
    let process = world.start();
    for n in 0..3 {
        assert!(process.deliver("hook", None, json!({"n": n})).unwrap().fresh);
    }
    process.settles();
    assert_eq!(process.executions("t.hook").len(), 3);
}

#[test]
fn a_delivery_that_no_rule_matches_is_recorded_all_the_same_so_that_it_is_known_again() {
    let rule = format!("{HOOK}\ncriteria: {{trigger.body.n: {{type: gt, pattern: 10}}}}");
    let world = World::new(&[("hook", &rule)]);
    let process = world.start();
    let first = process.deliver("hook", Some("d"), json!({"n": 1})).unwrap();
    assert!(first.fresh && first.event.matches.is_empty());
    assert!(!process.deliver("hook", Some("d"), json!({"n": 1})).unwrap().fresh);
    let counts = process.triggers.rule("t.hook").unwrap().counts;
    assert_eq!((counts.examined, counts.matched), (2, 0));
    assert!(process.executions("t.hook").is_empty());
}

#[test]
fn a_backstop_matches_only_what_no_other_rule_matched() {
    let world = World::new(&[
        ("big", &format!("{HOOK}\nwhen: <% event().body.n > 10 %>")),
        ("rest", &format!("{HOOK}\ntype: backstop")),
        ("never", &format!("{HOOK}\ntype: backstop\nwhen: <% event().body.n > 100 %>")),
    ]);
    let process = world.start();
    let rules = |n: i64| {
        let event = process.deliver("hook", None, json!({"n": n})).unwrap().event;
        event.matches.iter().map(|one| one.rule.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(rules(11), ["t.big"]);
    assert_eq!(rules(1), ["t.rest"]);
    assert_eq!(rules(1000), ["t.big"]);
}

#[test]
fn a_rule_that_is_switched_off_hears_of_nothing_and_stays_so_after_a_restart() {
    let world = World::new(&[("hook", HOOK), ("other", HOOK)]);
    let process = world.start();
    let rule = "t.hook".parse().unwrap();
    let state = process.run(process.triggers.switch(&rule, Some(false), by())).unwrap();
    assert_eq!((state.enabled, state.switched), (false, Some(false)));
    assert_eq!(process.deliver("hook", None, json!({"n": 1})).unwrap().event.matches.len(), 1);
    process.ends();
    let process = world.start();
    assert_eq!(process.triggers.endpoints("hook")[0].rules, ["t.other".parse().unwrap()]);
    let state = process.run(process.triggers.switch(&rule, None, by())).unwrap();
    assert_eq!((state.enabled, state.switched), (true, None));
    assert_eq!(process.deliver("hook", None, json!({"n": 1})).unwrap().event.matches.len(), 2);
    let unknown = process.run(process.triggers.switch(&"t.hoook".parse().unwrap(), None, by())).unwrap_err();
    assert_eq!(unknown.hint().unwrap(), "did you mean `t.hook`?");
}

#[test]
fn rules_with_the_same_settings_share_an_endpoint_and_others_do_not() {
    let world = World::new(&[
        ("one", HOOK),
        ("two", HOOK),
        ("else", "trigger: {type: core.webhook, parameters: {path: else, auth: none}}\naction: {ref: t.quick}"),
        ("off", "enabled: false\ntrigger: {type: core.webhook, parameters: {path: off}}\naction: {ref: t.quick}"),
    ]);
    let process = world.start();
    let endpoints = process.triggers.endpoints("/hook/");
    assert_eq!(endpoints.len(), 1);
    assert_eq!(endpoints[0].rules.iter().map(ToString::to_string).collect::<Vec<_>>(), ["t.one", "t.two"]);
    assert!(process.triggers.endpoints("off").is_empty());
    let paths: Vec<_> = process.triggers.webhook_paths().iter().map(|one| one.webhook.path.clone()).collect();
    assert_eq!(paths, ["else", "hook"]);
    let source = endpoints[0].source.clone();
    process.ends();
    assert_eq!(world.start().triggers.endpoints("hook")[0].source, source);
}

#[test]
fn a_match_whose_parameters_cannot_be_rendered_or_do_not_fit_the_action_has_failed_and_says_why() {
    let world = World::new(&[
        (
            "render",
            "trigger: {type: core.webhook, parameters: {path: a}}\n\
                    action: {ref: t.quick, parameters: {n: <% event().body.x.y.z %>}}",
        ),
        (
            "strict",
            "trigger: {type: core.webhook, parameters: {path: b}}\n\
                    action: {ref: t.strict, parameters: {n: <% event().body.n %>}}",
        ),
    ]);
    let process = world.start();
    let event = process.deliver("a", None, json!({"n": 1})).unwrap().event;
    assert!(matches!(&event.matches[0].state, MatchState::Failed { .. }), "{event:?}");
    assert_eq!(process.triggers.rule("t.render").unwrap().counts.failed, 1);
    let event = process.deliver("b", None, json!({"n": "text"})).unwrap().event;
    process.settles();
    let MatchState::Failed { failure } = process.state(&event, "t.strict") else { panic!("it has not failed") };
    assert!(failure.code.starts_with("E-PARAM"), "{failure}");
    assert_eq!(process.triggers.backlog(), 0);
    assert!(process.executions("t.strict").is_empty());
}

#[test]
fn a_rule_with_a_key_of_its_own_runs_once_for_it_within_its_window() {
    let rule = format!("{HOOK}\ndeduplicate: {{key: <% event().body.n %>, window: 3600}}");
    let world = World::new(&[("hook", &rule)]);
    let process = world.start();
    let first = process.deliver("hook", None, json!({"n": 1})).unwrap();
    let second = process.deliver("hook", None, json!({"n": 1})).unwrap();
    assert!(matches!(&second.event.matches[0].state, MatchState::Skipped { .. }), "{second:?}");
    process.deliver("hook", None, json!({"n": 2})).unwrap();
    process.settles();
    assert_eq!(process.executions("t.hook").len(), 2);
    world.clock.advance_ms(3_600_001);
    process.deliver("hook", None, json!({"n": 1})).unwrap();
    process.settles();
    assert_eq!(process.executions("t.hook").len(), 3);
    assert!(first.fresh);
}

#[test]
fn an_event_that_is_sent_again_is_a_new_one_for_the_rules_as_they_are_now() {
    let world = World::new(&[("hook", &format!("{HOOK}\nwhen: <% false %>"))]);
    let process = world.start();
    let first = process.deliver("hook", Some("d"), json!({"n": 5})).unwrap().event;
    assert!(first.matches.is_empty());
    world.rule("hook", HOOK);
    process.swaps(&world);
    let again = process.run(process.triggers.resend(first.id)).unwrap();
    assert!(again.fresh && again.event.id != first.id && again.event.key.is_none());
    assert_eq!((again.event.payload, again.event.source), (first.payload, first.source));
    process.settles();
    assert_eq!(process.executions("t.hook").len(), 1);
    let nobody = process.run(process.triggers.resend(runner_model::EventId::from_bytes([1; 16]))).unwrap_err();
    assert!(matches!(nobody, TriggerError::UnknownEvent { .. }));
}

#[test]
fn what_a_rule_says_of_a_payload_can_be_asked_and_nothing_comes_of_it() {
    let rule = format!("enabled: false\n{HOOK}\ncriteria: {{trigger.body.n: {{type: gt, pattern: 10}}}}");
    let world = World::new(&[("hook", &rule)]);
    let process = world.start();
    let trial = |n: i64| process.triggers.examine(&"t.hook".parse().unwrap(), &json!({"body": {"n": n}})).unwrap();
    assert!(trial(11).verdict.matched && trial(11).rendered.is_some_and(|rendered| rendered.is_ok()));
    assert!(!trial(9).verdict.matched && !trial(9).verdict.criteria[0].passed);
    assert_eq!(trial(9).rendered, None);
    assert!(process.events("core.webhook").is_empty());
    assert!(process.triggers.examine(&"t.none".parse().unwrap(), &json!({})).is_none());
}

const SENSOR: &str = "description: x\ncomponent: t\ntrigger_types:\n  - name: full\n    description: x\n    \
                      payload_schema: {type: object, properties: {name: {type: string}}, required: [name]}\n";

#[test]
fn an_event_of_a_sensors_trigger_can_come_from_elsewhere_if_it_fits() {
    let world = World::new(&[(
        "full",
        "trigger: {type: t.full}\naction: {ref: t.quick, parameters: {text: <% event().name %>}}",
    )]);
    world.write("sensors/volumes.yaml", &format!("enabled: false\n{SENSOR}"));
    let process = world.start();
    let emit = |trigger: &str, payload: serde_json::Value, key: Option<String>, chain: u32| {
        process.run(process.triggers.emit(Emitted {
            trigger: trigger.parse().unwrap(),
            source: "api".to_owned(),
            key,
            payload,
            occurred_at: None,
            trace_parent: None,
            chain,
        }))
    };
    let good = emit("t.full", json!({"name": "vol1"}), Some("k".to_owned()), 0).unwrap();
    assert_eq!(good.event.matches.len(), 1);
    assert!(!emit("t.full", json!({"name": "vol1"}), Some("k".to_owned()), 0).unwrap().fresh);
    assert!(matches!(emit("t.full", json!({"name": 1}), None, 0).unwrap_err(), TriggerError::Payload { .. }));
    let unknown = emit("t.ful", json!({}), None, 0).unwrap_err();
    assert_eq!(unknown.hint().unwrap(), "did you mean `t.full`?");
    assert!(matches!(emit("core.webhook", json!({}), None, 0).unwrap_err(), TriggerError::UnknownTrigger { .. }));
    let long = Some("k".repeat(513));
    assert!(matches!(emit("t.full", json!({"name": "v"}), long, 0).unwrap_err(), TriggerError::Key { bytes: 513 }));
    assert!(matches!(emit("t.full", json!({"name": "v"}), None, 17).unwrap_err(), TriggerError::Chain { .. }));
    process.settles();
    assert_eq!(process.executions("t.full").len(), 1);
}

#[test]
fn a_full_executor_makes_matches_wait_and_none_is_lost() {
    let wait = "trigger: {type: core.webhook, parameters: {path: hook}}\naction: {ref: t.wait}";
    let world = World::new(&[("hook", wait)]);
    let process = world.start_with(2);
    for n in 0..5 {
        process.deliver("hook", Some(&n.to_string()), json!({})).unwrap();
        process.until("it runs, or waits", || async { world.guests.running().len() == (n + 1).min(2) });
    }
    process.until("two run", || async { world.guests.running().len() == 2 });
    assert_eq!(process.triggers.backlog(), 3);
    process.until("all have run", || async {
        world.guests.release_first();
        process.triggers.backlog() == 0 && world.guests.running().is_empty()
    });
    assert_eq!(process.executions("t.hook").len(), 5);
}

#[test]
fn what_is_recorded_is_begun_though_whoever_sent_it_goes_away_meanwhile() {
    let world = World::on_disk(&[("hook", HOOK)]);
    let process = world.start();
    process.run(async {
        for n in 0..20 {
            let delivery = delivered(&process.triggers, "hook", Some("same"), json!({"n": n}));
            tokio::select! {
                biased;
                _ = delivery => {}
                () = tokio::task::yield_now() => {}
            }
        }
    });
    process.until("all were looked at", || async { process.triggers.rule("t.hook").unwrap().counts.matched == 20 });
    process.until("it is recorded", || async {
        !world.store.events(&runner_store::EventFilter::default(), None, 1).await.unwrap().is_empty()
    });
    process.settles();
    assert_eq!(process.executions("t.hook").len(), 1);
}

#[test]
fn a_process_that_ends_takes_no_more_events() {
    let world = World::new(&[("hook", HOOK)]);
    let process = world.start();
    process.run(process.triggers.shutdown());
    assert_eq!(process.deliver("hook", None, json!({"n": 1})).unwrap_err(), TriggerError::Stopped);
    process.ends();
}

#[test]
fn more_matches_than_fit_into_memory_are_read_from_the_store_when_there_is_room() {
    let world = World::new(&[("hook", HOOK)]);
    let process = world.start_with(0);
    let many = runner_model::limits::DISPATCH_WAITING_MAX + 700;
    process.run(async {
        for n in 0..many {
            delivered(&process.triggers, "hook", None, json!({"n": n})).await.unwrap();
        }
    });
    assert_eq!(process.triggers.backlog(), many);
    process.dies();
    let process = world.start();
    process.until("all are dispatched", || async { process.triggers.backlog() == 0 });
    process.settles();
    assert_eq!(process.executions("t.hook").len(), many);
}
