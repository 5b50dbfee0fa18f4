//! What becomes of instants at which no process ran.

use runner_model::Event;

use super::kit::{Process, World, at};

fn rule(settings: &str) -> String {
    format!(
        "trigger: {{type: core.cron, parameters: {{expression: '0 * * * *', {settings}}}}}\naction: {{ref: t.quick}}"
    )
}

/// Runs since Saturday noon, is down from 12:30 for three days, and is back at 12:30 on Tuesday.
fn three_days_down(settings: &str) -> Vec<Event> {
    let world = World::new(&[("hourly", &rule(settings))]);
    let process = world.start();
    process.passes(1800);
    process.dies();
    world.clock.set(at("2026-11-24T12:30:00Z"));
    let process = world.start();
    process.passes(0);
    let events = process.events("core.cron");
    assert_eq!(process.executions("t.hourly").len(), events.len());
    // Whatever was made up for, it goes on as before, and nothing comes twice.
    process.dies();
    world.clock.advance_ms(60_000);
    let process = world.start();
    process.sets_clock(at("2026-11-24T13:00:00Z"));
    let after = process.events("core.cron");
    assert_eq!(after.len(), events.len() + 1);
    assert_eq!(after.last().unwrap().key.as_deref(), Some("2026-11-24T13:00:00.000Z"));
    assert_eq!(after.last().unwrap().payload["missed"], false);
    events
}

fn keys(events: &[Event]) -> Vec<&str> {
    events.iter().filter_map(|event| event.key.as_deref()).collect()
}

#[test]
fn after_three_days_the_last_instant_is_made_up_for_if_the_rule_says_so() {
    let events = three_days_down("on_missed: last");
    assert_eq!(keys(&events), ["2026-11-24T12:00:00.000Z"]);
    assert_eq!(events[0].payload["missed"], true);
    assert_eq!(events[0].payload["fired_at"], "2026-11-24T12:30:00.000Z");
}

#[test]
fn after_three_days_nothing_is_made_up_for_if_the_rule_says_so() {
    assert!(three_days_down("on_missed: skip").is_empty());
}

#[test]
fn after_three_days_every_instant_is_made_up_for_if_the_rule_says_so_and_its_window_reaches_so_far() {
    let events = three_days_down("on_missed: all, window: 7d");
    assert_eq!(events.len(), 72);
    assert_eq!(keys(&events)[0], "2026-11-21T13:00:00.000Z");
    assert!(events.windows(2).all(|pair| pair[0].key < pair[1].key));
    assert!(events.iter().all(|event| event.payload["missed"] == true));
}

#[test]
fn what_lies_back_further_than_the_window_is_not_made_up_for() {
    assert_eq!(
        keys(&three_days_down("on_missed: all, window: 2h")),
        ["2026-11-24T11:00:00.000Z", "2026-11-24T12:00:00.000Z"]
    );
    assert!(three_days_down("on_missed: last, window: 10m").is_empty());
}

#[test]
fn a_short_stop_is_no_downtime() {
    let world = World::new(&[("hourly", &rule("on_missed: skip"))]);
    world.start().dies();
    world.clock.set(at("2026-11-21T13:00:59Z"));
    let process = world.start();
    process.passes(0);
    let events = process.events("core.cron");
    assert_eq!((events.len(), &events[0].payload["missed"]), (1, &serde_json::Value::Bool(false)));
}

#[test]
fn a_machine_that_slept_makes_up_for_what_it_missed_without_a_restart() {
    let world = World::new(&[("hourly", &rule("on_missed: last")), ("none", &rule("on_missed: skip"))]);
    let process = world.start();
    process.sets_clock(at("2026-11-22T09:30:00Z"));
    assert_eq!(keys(&process.events("core.cron")), ["2026-11-22T09:00:00.000Z"]);
    let next = |process: &Process, rule: &str| process.triggers.rule(rule).unwrap().next;
    assert_eq!(next(&process, "t.none"), Some(at("2026-11-22T10:00:00Z")));
    assert_eq!(next(&process, "t.hourly"), Some(at("2026-11-22T10:00:00Z")));
}

#[test]
fn a_schedule_that_comes_every_second_is_made_up_for_in_parts_and_nothing_is_left_out() {
    let text = "trigger: {type: core.interval, parameters: {every: 1, on_missed: all}}\naction: {ref: t.quick}";
    let world = World::new(&[("often", text)]);
    world.start().dies();
    world.clock.advance_ms(1_000_000);
    let process = world.start();
    process.until("all are there", || async { process.triggers.rule("t.often").unwrap().counts.matched == 1000 });
    process.settles();
    assert_eq!(process.executions("t.often").len(), 1000);
}
