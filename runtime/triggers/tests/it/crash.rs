//! Processes that die at any moment: every event has exactly one execution for each rule that matched it.

use std::collections::BTreeSet;

use runner_model::{Event, MatchState};
use runner_store::{Catalogue, EventFilter, ExecutionFilter};
use serde_json::json;

use super::kit::{Process, World, delivered};

const HOOK: &str = "trigger: {type: core.webhook, parameters: {path: hook}}\n\
                    action: {ref: t.quick, parameters: {n: <% event().body.n %>}}";

/// Everything that was recorded has come to what it had to come to.
fn all_is_done(process: &Process, world: &World) -> Vec<Event> {
    process.until("nothing is left to do", || async {
        // An end may become an event while the others are looked at: what comes of it shows at the second look.
        quiet(process, world).await && quiet(process, world).await
    });
    let events = process.run(world.store.events(&EventFilter::default(), None, 100_000)).unwrap();
    for event in &events {
        let wanted: BTreeSet<_> = event.matches.iter().map(|one| one.execution).collect();
        let filter = ExecutionFilter { event: Some(event.id), ..ExecutionFilter::default() };
        let made = process.run(Catalogue::list(&*world.store, &filter, None, 1000)).unwrap();
        let made: Vec<_> = made.iter().map(|record| record.id).collect();
        assert_eq!(made.len(), wanted.len(), "{event:?}");
        assert_eq!(made.iter().copied().collect::<BTreeSet<_>>(), wanted, "{event:?}");
        assert!(event.matches.iter().all(|one| one.state == MatchState::Started), "{event:?}");
    }
    events
}

async fn quiet(process: &Process, world: &World) -> bool {
    world.store.ended(1).await.unwrap().is_empty()
        && process.triggers.backlog() == 0
        && world.store.open_events(None, 1).await.unwrap().is_empty()
        && process.executor.count() == (0, 0)
}

#[test]
fn what_was_acknowledged_just_before_a_crash_is_run_by_the_next_process() {
    let world = World::on_disk(&[("one", HOOK), ("two", HOOK)]);
    let process = world.start_with(0);
    let event = process.deliver("hook", Some("d"), json!({"n": 1})).unwrap().event;
    assert!(process.executions("t.one").is_empty());
    process.dies();
    let process = world.start();
    let events = all_is_done(&process, &world);
    assert_eq!(events.iter().map(|event| event.id).collect::<Vec<_>>(), [event.id]);
    assert_eq!(process.executions("t.one").len(), 1);
}

#[test]
fn an_execution_that_was_made_just_before_a_crash_is_not_made_again() {
    let world = World::new(&[("one", HOOK)]);
    let process = world.start_with(0);
    let event = process.deliver("hook", Some("d"), json!({"n": 1})).unwrap().event;
    process.dies();
    // Made, and not noted: as if the process had died between the two.
    let process = world.start();
    process.until("it is made", || async { Catalogue::get(&*world.store, event.matches[0].execution).await.is_ok() });
    process.dies();
    world.clock.advance_ms(60_000);
    let process = world.start();
    all_is_done(&process, &world);
    assert_eq!(process.executions("t.one").len(), 1);
}

/// A number that follows from the one before: SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

/// Several rules, deliveries that come more than once, schedules, ends; processes that die after some turns.
fn random(seed: u64, world: &World) {
    let mut chance = Chance(seed);
    let mut acknowledged = BTreeSet::new();
    for _ in 0..12 {
        let process = world.start();
        for _ in 0..chance.below(6) {
            match chance.below(4) {
                0 => {
                    world.clock.advance_ms(i64::try_from(chance.below(3_000_000)).unwrap());
                    process.triggers.look_at_clock();
                }
                1 => process.turns(usize::try_from(chance.below(40)).unwrap()),
                _ => {
                    let key = format!("d{}", chance.below(20));
                    // Whether it is answered before the process dies is left to chance.
                    let turns = chance.below(30);
                    let answered = process.run(async {
                        let give_up = async {
                            for _ in 0..turns {
                                tokio::task::yield_now().await;
                            }
                        };
                        tokio::select! {
                            biased;
                            answered = delivered(&process.triggers, "hook", Some(&key), json!({"n": turns})) => {
                                Some(answered.unwrap().event.id)
                            }
                            () = give_up => None,
                        }
                    });
                    acknowledged.extend(answered);
                }
            }
        }
        process.dies();
        world.clock.advance_ms(20_000);
    }
    let process = world.start();
    process.passes(0);
    let events = all_is_done(&process, world);
    let recorded: BTreeSet<_> = events.iter().map(|event| event.id).collect();
    assert!(acknowledged.is_subset(&recorded), "seed {seed}: an acknowledged event is lost");
    let keys: BTreeSet<_> = events.iter().map(|event| (&event.trigger, &event.source, &event.key)).collect();
    assert_eq!(keys.len(), events.len(), "seed {seed}: an event stands twice");
    let on_webhook = events.iter().filter(|event| event.trigger.as_str() == "core.webhook");
    assert!(on_webhook.clone().all(|event| event.matches.len() == 2), "seed {seed}");
    let heard = process.events("core.execution_finished").len();
    assert_eq!(heard, on_webhook.count(), "seed {seed}: an end is lost, or was heard twice");
    assert_eq!(process.executions("t.end").len(), heard, "seed {seed}");
}

fn rules() -> [(&'static str, &'static str); 5] {
    [
        ("one", HOOK),
        ("two", HOOK),
        (
            "hourly",
            "trigger: {type: core.cron, parameters: {expression: '*/20 * * * *', on_missed: all, window: 1d}}\n\
             action: {ref: t.quick}",
        ),
        (
            "queued",
            "trigger: {type: core.cron, parameters: {expression: '*/30 * * * *', overlap: queue, on_missed: all, window: 1d}}\n\
             action: {ref: t.quick}",
        ),
        (
            "end",
            "trigger: {type: core.execution_finished, parameters: {action: t.quick}}\naction: {ref: t.strict}\n\
             when: <% event().origin.rule == \"t.one\" %>",
        ),
    ]
}

#[test]
fn whatever_dies_when_every_event_has_exactly_one_execution_for_each_of_its_rules() {
    let seeds = std::env::var_os("RUNNER_SEEDS").and_then(|text| text.to_str()?.parse().ok()).unwrap_or(15);
    for seed in 0..seeds {
        random(seed, &World::new(&rules()));
    }
    for seed in 0..seeds.div_ceil(5) {
        random(1000 + seed, &World::on_disk(&rules()));
    }
}
