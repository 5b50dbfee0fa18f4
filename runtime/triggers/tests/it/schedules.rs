//! Instants of schedules.

use runner_model::MatchState;
use serde_json::json;

use super::kit::{NOON, World, at, by};

const HOURLY: &str = "trigger: {type: core.cron, parameters: {expression: '0 * * * *'}}\n\
                      action: {ref: t.quick, parameters: {text: <% event().scheduled_at %>}}";

#[test]
fn an_instant_is_an_event_with_the_instant_as_its_key_and_runs_once() {
    let world = World::new(&[("hourly", HOURLY)]);
    let process = world.start();
    assert_eq!(process.triggers.rule("t.hourly").unwrap().next, Some(at("2026-11-21T13:00:00Z")));
    process.passes(3599);
    assert!(process.events("core.cron").is_empty());
    process.passes(1);
    let events = process.events("core.cron");
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!((event.source.as_str(), event.key.as_deref()), ("t.hourly", Some("2026-11-21T13:00:00.000Z")));
    let wanted = json!({
        "scheduled_at": "2026-11-21T13:00:00.000Z", "fired_at": "2026-11-21T13:00:00.000Z", "missed": false,
        "schedule": event.payload["schedule"],
    });
    assert_eq!(event.payload, wanted);
    assert_eq!(process.state(event, "t.hourly"), MatchState::Started);
    process.passes(0);
    assert_eq!(process.executions("t.hourly").len(), 1);
    process.passes(7200);
    assert_eq!(process.triggers.schedules(3)[0].last, Some(at("2026-11-21T15:00:00Z")));
    let next: Vec<_> = process.triggers.schedules(3)[0].next.iter().map(ToString::to_string).collect();
    assert_eq!(next, ["2026-11-21T16:00:00.000Z", "2026-11-21T17:00:00.000Z", "2026-11-21T18:00:00.000Z"]);
}

#[test]
fn a_clock_that_jumps_back_repeats_no_instant() {
    let world = World::new(&[("hourly", HOURLY)]);
    let process = world.start();
    process.passes(3600);
    process.sets_clock(at(NOON));
    process.passes(3600);
    process.passes(60);
    assert_eq!(process.executions("t.hourly").len(), 1);
    process.sets_clock(at("2026-11-21T14:00:00Z"));
    assert_eq!(process.executions("t.hourly").len(), 2);
    // Also across a restart.
    process.dies();
    world.clock.set(at(NOON));
    let process = world.start();
    process.passes(7200);
    assert_eq!(process.executions("t.hourly").len(), 2);
}

#[test]
fn intervals_and_dates_come_when_they_are_due_and_a_date_only_once() {
    let world = World::new(&[
        ("often", "trigger: {type: core.interval, parameters: {every: 10m}}\naction: {ref: t.quick}"),
        ("once", "trigger: {type: core.date, parameters: {date: '2026-11-21T12:30:00Z'}}\naction: {ref: t.quick}"),
        ("past", "trigger: {type: core.date, parameters: {date: '2026-11-21T11:59:50Z'}}\naction: {ref: t.quick}"),
    ]);
    let process = world.start();
    for _ in 0..10 {
        process.passes(600);
    }
    assert_eq!(process.executions("t.often").len(), 10);
    assert_eq!(process.executions("t.once").len(), 1);
    assert!(process.executions("t.past").is_empty());
    assert_eq!(process.events("core.interval").len(), 10);
    assert_eq!(process.events("core.date").len(), 1);
    process.dies();
    world.clock.advance_ms(1000);
    let process = world.start();
    process.passes(60);
    assert_eq!(process.executions("t.once").len(), 1);
}

#[test]
fn a_changed_schedule_begins_anew_and_any_other_edit_changes_nothing() {
    let world = World::new(&[("hourly", HOURLY)]);
    let process = world.start();
    process.passes(1800);
    // An edit while no process runs: 13:00 still comes.
    process.dies();
    world.rule("hourly", &format!("{HOURLY}\ntags: [edited]"));
    world.clock.set(at("2026-11-21T13:00:10Z"));
    let process = world.start();
    process.passes(0);
    assert_eq!(process.executions("t.hourly").len(), 1);
    // Another schedule: what it would have brought before does not come.
    process.dies();
    world.rule("hourly", &HOURLY.replace("'0 * * * *'", "'*/10 * * * *', on_missed: all"));
    world.clock.set(at("2026-11-21T13:59:00Z"));
    let process = world.start();
    process.passes(30);
    assert_eq!(process.executions("t.hourly").len(), 1);
    process.passes(30);
    assert_eq!(process.executions("t.hourly").len(), 2);
}

#[test]
fn a_rule_that_was_switched_off_does_not_catch_up() {
    let world = World::new(&[("hourly", &HOURLY.replace("'0 * * * *'", "'0 * * * *', on_missed: all, window: 12h"))]);
    let rule = "t.hourly".parse().unwrap();
    let process = world.start();
    process.run(process.triggers.switch(&rule, Some(false), by())).unwrap();
    process.turns(50);
    assert!(!process.triggers.schedules(1)[0].enabled && process.triggers.schedules(1)[0].next.is_empty());
    process.passes(7200);
    process.dies();
    world.clock.advance_ms(3_600_000);
    let process = world.start();
    process.passes(0);
    process.run(process.triggers.switch(&rule, Some(true), by())).unwrap();
    process.turns(50);
    process.passes(60);
    assert!(process.executions("t.hourly").is_empty());
    process.passes(3600);
    assert_eq!(process.executions("t.hourly").len(), 1);
}

#[test]
fn a_rule_that_was_removed_while_no_process_ran_does_not_catch_up_when_it_is_back() {
    let text = HOURLY.replace("'0 * * * *'", "'0 * * * *', on_missed: all, window: 12h");
    let world = World::new(&[("hourly", &text)]);
    world.start().dies();
    world.remove("rules/hourly.yaml");
    world.start().dies();
    world.clock.advance_ms(3 * 3_600_000);
    world.rule("hourly", &text);
    let process = world.start();
    process.passes(1);
    assert!(process.executions("t.hourly").is_empty());
}

#[test]
fn jitter_puts_a_rule_off_by_the_same_time_always() {
    let text = HOURLY.replace("'0 * * * *'", "'0 * * * *', jitter: 30m");
    let world = World::new(&[("one", &text), ("two", &text), ("three", &text)]);
    let process = world.start();
    let offsets = || {
        let hour = at("2026-11-21T13:00:00Z");
        process.triggers.schedules(1).iter().map(|one| one.next[0].since_ms(hour)).collect::<Vec<_>>()
    };
    let first = offsets();
    assert!(first.iter().all(|offset| (0..1_800_000).contains(offset)), "{first:?}");
    assert!(first.iter().any(|offset| *offset != first[0]), "{first:?}");
    process.sets_clock(at("2026-11-21T13:00:00Z").plus_ms(first[0] - 1));
    assert!(process.executions("t.one").is_empty());
    process.sets_clock(at("2026-11-21T13:00:00Z").plus_ms(first[0]));
    assert_eq!(process.executions("t.one").len(), 1);
    assert_eq!(process.events("core.cron").last().unwrap().occurred_at, at("2026-11-21T13:00:00Z"));
}

#[test]
fn an_instant_that_the_rules_own_condition_leaves_out_is_passed_over() {
    let text = format!("{HOURLY}\nwhen: <% event().scheduled_at.contains(\"T14\") %>");
    let world = World::new(&[("hourly", &text)]);
    let process = world.start();
    for _ in 0..3 {
        process.passes(3600);
    }
    assert_eq!(process.executions("t.hourly").len(), 1);
    assert_eq!(process.events("core.cron").len(), 1);
    assert_eq!(process.triggers.rule("t.hourly").unwrap().counts.examined, 3);
}
