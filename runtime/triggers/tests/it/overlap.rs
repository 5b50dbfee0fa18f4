//! Instants of a rule whose earlier execution has not ended.

use runner_model::{ExecutionId, MatchState, Status};

use super::kit::{Process, World, at, by};

fn rule(overlap: &str) -> String {
    format!(
        "trigger: {{type: core.cron, parameters: {{expression: '0 * * * *', overlap: {overlap}, on_missed: all, window: 7d}}}}\n\
         action: {{ref: t.wait}}"
    )
}

fn states(process: &Process) -> Vec<&'static str> {
    process.events("core.cron").iter().flat_map(|event| &event.matches).map(|one| one.state.as_str()).collect()
}

fn runs(world: &World, process: &Process, wanted: usize) -> Vec<ExecutionId> {
    process.until(&format!("{wanted} run"), || async { world.guests.running().len() == wanted });
    world.guests.running()
}

fn hours(process: &Process, hours: usize) {
    for _ in 0..hours {
        process.passes(3600);
    }
}

#[test]
fn allow_runs_them_beside_one_another() {
    let world = World::new(&[("hourly", &rule("allow"))]);
    let process = world.start();
    hours(&process, 3);
    runs(&world, &process, 3);
    assert_eq!(states(&process), ["started"; 3]);
}

#[test]
fn skip_leaves_out_what_comes_meanwhile_and_says_why() {
    let world = World::new(&[("hourly", &rule("skip"))]);
    let process = world.start();
    hours(&process, 1);
    let first = runs(&world, &process, 1)[0];
    hours(&process, 2);
    assert_eq!(states(&process), ["started", "skipped", "skipped"]);
    let event = process.events("core.cron").pop().unwrap();
    let MatchState::Skipped { reason } = &event.matches[0].state else { panic!("it is skipped") };
    assert_eq!(reason, "an earlier execution of the rule has not ended");
    assert_eq!(world.guests.release_first(), Some(first));
    runs(&world, &process, 0);
    process.until("it has ended", || async { process.executor.count().0 == 0 });
    hours(&process, 1);
    assert_eq!(states(&process), ["started", "skipped", "skipped", "started"]);
}

#[test]
fn skip_knows_after_a_restart_what_still_runs() {
    let world = World::new(&[("hourly", &rule("skip"))]);
    let process = world.start();
    hours(&process, 1);
    runs(&world, &process, 1);
    process.ends();
    let process = world.start();
    // The lease of the process that ended has not run out: nobody has the execution, but it has not ended.
    process.passes(3600);
    assert_eq!(states(&process), ["started", "skipped"]);
}

#[test]
fn queue_runs_them_one_after_the_other_in_their_order() {
    let world = World::new(&[("hourly", &rule("queue"))]);
    let process = world.start();
    hours(&process, 3);
    runs(&world, &process, 1);
    assert_eq!(states(&process), ["started", "queued", "queued"]);
    assert_eq!(process.triggers.backlog(), 2);
    let wanted: Vec<_> = process.events("core.cron").iter().map(|event| event.matches[0].execution).collect();
    for id in &wanted {
        process.until("it is its turn", || async { world.guests.running() == [*id] });
        world.guests.release_first();
    }
    process.until("nothing waits", || async { process.triggers.backlog() == 0 });
    assert_eq!(states(&process), ["started"; 3]);
    process.until("all have ended", || async { process.executor.count() == (0, 0) });
    assert!(process.executions("t.hourly").iter().all(|record| record.status == Status::Succeeded));
}

#[test]
fn a_queue_survives_a_crash_in_its_order() {
    let world = World::on_disk(&[("hourly", &rule("queue"))]);
    let process = world.start();
    hours(&process, 4);
    runs(&world, &process, 1);
    let wanted: Vec<_> = process.events("core.cron").iter().map(|event| event.matches[0].execution).collect();
    process.dies();
    world.clock.advance_ms(60_000);
    let process = world.start();
    // What ran is not idempotent: its outcome is unknown, and it has ended with that. Those that wait follow.
    for id in wanted.iter().skip(1) {
        process.until("it is its turn", || async { world.guests.running() == [*id] });
        world.guests.release_first();
    }
    process.until("nothing waits", || async { process.triggers.backlog() == 0 });
    let made: Vec<_> = process.executions("t.hourly").iter().map(|record| record.id).collect();
    assert_eq!(made, wanted);
}

#[test]
fn what_was_queued_runs_though_the_rule_is_switched_off_or_gone() {
    let world = World::new(&[("hourly", &rule("queue"))]);
    let process = world.start();
    hours(&process, 2);
    runs(&world, &process, 1);
    process.run(process.triggers.switch(&"t.hourly".parse().unwrap(), Some(false), by())).unwrap();
    world.remove("rules/hourly.yaml");
    process.swaps(&world);
    world.guests.release_first();
    process.until("it is released", || async { process.triggers.backlog() == 0 });
    assert_eq!(process.executions("t.hourly").len(), 2);
}

#[test]
fn a_queue_that_may_run_beside_itself_from_now_on_does() {
    let world = World::new(&[("hourly", &rule("queue"))]);
    let process = world.start();
    hours(&process, 3);
    runs(&world, &process, 1);
    world.rule("hourly", &rule("allow"));
    process.swaps(&world);
    runs(&world, &process, 3);
}

#[test]
fn cancel_previous_cancels_what_runs_and_starts_the_new_one() {
    let world = World::new(&[("hourly", &rule("cancel_previous"))]);
    let process = world.start();
    for _ in 0..3 {
        process.passes(3600);
        process.until("the latest runs", || async {
            let latest = process.executor.store().events(&runner_store::EventFilter::default(), None, 1).await.unwrap();
            world.guests.running() == [latest[0].matches[0].execution]
        });
    }
    process.until("the earlier ones have ended", || async { process.executor.count().0 == 1 });
    let statuses: Vec<_> = process.executions("t.hourly").iter().map(|record| record.status).collect();
    assert_eq!(statuses, [Status::Canceled, Status::Canceled, Status::Running]);
}

#[test]
fn instants_of_one_commit_overlap_too() {
    for (overlap, wanted) in [("skip", 1), ("queue", 3), ("allow", 3)] {
        let world = World::new(&[("hourly", &rule(overlap))]);
        world.start().dies();
        world.clock.set(at("2026-11-21T15:30:00Z"));
        let process = world.start();
        process.passes(0);
        let open = states(&process).into_iter().filter(|state| *state != "skipped").count();
        assert_eq!(open, wanted, "{overlap}");
    }
}
