//! Packs that are swapped while a process runs.

use serde_json::json;

use super::kit::World;

const HOOK: &str = "trigger: {type: core.webhook, parameters: {path: hook}}\naction: {ref: t.quick}";
const HOURLY: &str = "trigger: {type: core.cron, parameters: {expression: '0 * * * *'}}\naction: {ref: t.quick}";

#[test]
fn rules_come_and_go_with_their_packs() {
    let world = World::new(&[]);
    let process = world.start();
    assert!(process.triggers.endpoints("hook").is_empty());
    world.rule("hook", HOOK);
    process.swaps(&world);
    process.deliver("hook", None, json!({})).unwrap();
    process.settles();
    assert_eq!(process.executions("t.hook").len(), 1);
    world.remove("rules/hook.yaml");
    process.swaps(&world);
    assert!(process.triggers.endpoints("hook").is_empty() && process.triggers.rule("t.hook").is_none());
}

#[test]
fn what_is_counted_of_a_rule_outlives_a_swap() {
    let world = World::new(&[("hook", HOOK)]);
    let process = world.start();
    process.deliver("hook", None, json!({})).unwrap();
    process.swaps(&world);
    process.deliver("hook", None, json!({})).unwrap();
    assert_eq!(process.triggers.rule("t.hook").unwrap().counts.matched, 2);
}

#[test]
fn no_instant_is_lost_or_doubled_however_often_packs_are_swapped() {
    let world = World::new(&[("hourly", HOURLY), ("other", HOURLY)]);
    let process = world.start();
    for turn in 0..48 {
        world.rule("other", &format!("{HOURLY}\ntags: [t{turn}]"));
        // Sometimes the swap comes before the instant is seen, sometimes after it.
        world.clock.advance_ms(1_800_000);
        if turn % 3 == 0 {
            process.packs.swap(world.library());
            process.passes(0);
        } else {
            process.passes(0);
            process.swaps(&world);
        }
    }
    process.settles();
    for rule in ["t.hourly", "t.other"] {
        assert_eq!(process.executions(rule).len(), 24, "{rule}");
    }
}

#[test]
fn a_schedule_that_is_new_in_a_swap_begins_then() {
    let world = World::new(&[]);
    let process = world.start();
    process.passes(3_500);
    world.rule("hourly", HOURLY);
    process.swaps(&world);
    process.passes(99);
    assert!(process.executions("t.hourly").is_empty());
    process.passes(1);
    assert_eq!(process.executions("t.hourly").len(), 1);
}
