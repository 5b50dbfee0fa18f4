//! What a killed process left is taken up at once.

use std::fs;
use std::time::{Duration, Instant};

use runner_model::limits::LEASE;
use serde_json::json;

use super::kit::{Running, place, view, with_code};

/// Much less than a lease lasts, much more than a process takes to start.
const AT_ONCE: Duration = Duration::from_secs(10);

#[test]
fn an_execution_of_a_killed_process_is_answered_at_once_and_goes_on_where_it_was() {
    assert!(AT_ONCE < LEASE);
    let place = place();
    let mut running = Running::begin(&place, &["exec", "t.approve"]);
    let id = running.id.clone();
    running.until_waiting(&place);
    running.kill();
    let left = fs::read_dir(place.path("data/nodes")).unwrap().count();
    assert_eq!(left, 2, "a dead process leaves its lock and its socket");
    let since = Instant::now();
    let explained = with_code(place.run(&["execution", "explain", &id]), 0).stdout;
    assert!(explained.starts_with("it waits for an answer"), "{explained}");
    let answered = with_code(place.run(&["execution", "respond", &id, "size=5", "--json"]), 0);
    assert!(since.elapsed() < AT_ONCE, "it waited for the lease: {:?}", since.elapsed());
    assert_eq!(answered.json()["result"], json!({ "size": 5 }), "{}", answered.seen());
    assert_eq!(fs::read_dir(place.path("data/nodes")).unwrap().count(), 0, "the dead one is buried");
}

#[test]
fn a_killed_process_is_named_as_the_reason_and_the_execution_resumed_at_once() {
    let place = place();
    let mut running = Running::begin(&place, &["exec", "t.loop"]);
    let id = running.id.clone();
    running.until("started   stuck");
    running.kill();
    let since = Instant::now();
    let explained = with_code(place.run(&["execution", "explain", &id]), 0).stdout;
    assert!(explained.contains("the process that ran it is gone: `runner "), "{explained}");
    let resumed = with_code(place.run(&["execution", "resume", &id]), 1);
    assert!(since.elapsed() < AT_ONCE, "it waited for the lease: {:?}", since.elapsed());
    assert!(resumed.stderr.contains("E-EXEC-0003"), "what the loop did is unknown: {}", resumed.seen());
    let explained = with_code(place.run(&["execution", "explain", &id]), 0).stdout;
    assert!(explained.contains("because the step `stuck` was given up: E-EXEC-0003"), "{explained}");
}

#[test]
fn all_that_killed_processes_left_is_resumed_until_only_questions_remain() {
    let place = place();
    let mut ids = Vec::new();
    for (action, line) in [("t.loop", "started   stuck"), ("t.approve", "waits"), ("t.nested", "waits")] {
        let mut running = Running::begin(&place, &["exec", action]);
        ids.push(running.id.clone());
        match line {
            "waits" => running.until_waiting(&place),
            line => running.until(line),
        };
        running.kill();
    }
    let run = with_code(place.run(&["execution", "resume", "--all", "--json"]), 1);
    let rows = run.json();
    let status = |id: &str| {
        let row = rows.as_array().unwrap().iter().find(|row| row["id"] == id);
        row.map(|row| row["status"].as_str().unwrap().to_owned())
    };
    assert_eq!(status(&ids[0]).as_deref(), Some("failed"), "{rows}");
    assert_eq!(status(&ids[1]).as_deref(), Some("pending"), "{rows}");
    assert_eq!(status(&ids[2]).as_deref(), Some("running"), "it waits for its sub-workflow: {rows}");
    let left = with_code(place.run(&["execution", "resume", "--all"]), 6);
    assert!(left.stderr.contains("not ended"), "{}", left.seen());
    with_code(place.run(&["execution", "cancel", &ids[1], &ids[2]]), 0);
    assert_eq!(view(&place, &ids[2])["status"], "canceled");
    let nothing = with_code(place.run(&["execution", "resume", "--all", "--json"]), 0);
    assert_eq!(nothing.json(), json!([]));
}

#[test]
fn the_answer_to_a_part_brings_the_whole_to_its_end() {
    let place = place();
    let mut running = Running::begin(&place, &["exec", "t.nested"]);
    let id = running.id.clone();
    running.until_waiting(&place);
    running.kill();
    let child = with_code(place.run(&["inquiry", "list", "--json"]), 0).json()[0]["execution"].clone();
    with_code(place.run(&["execution", "respond", child.as_str().unwrap(), "size=1"]), 0);
    assert_eq!(view(&place, &id)["status"], "succeeded");
}

#[test]
fn what_was_simulated_stays_so_when_everything_is_resumed() {
    let place = place();
    let record = |more: &[&str]| {
        let run = place.run(&[&["exec", "t.nested", "--detach", "--json"], more].concat());
        with_code(run, 0).json()["id"].as_str().unwrap().to_owned()
    };
    let ids = [record(&[]), record(&["--simulate"])];
    with_code(place.run(&["execution", "resume", "--all"]), 6);
    let all = with_code(place.run(&["execution", "list", "--all", "--json"]), 0).json();
    for (id, simulated) in ids.iter().zip([false, true]) {
        let child = all.as_array().unwrap().iter().find(|record| record["origin"]["execution"] == **id).unwrap();
        let journal =
            with_code(place.run(&["execution", "journal", child["id"].as_str().unwrap(), "--json"]), 0).json();
        assert_eq!(journal[0].get("simulate").is_some_and(|it| it == true), simulated, "{}", journal[0]);
    }
}

#[test]
fn what_cannot_be_run_any_more_is_told_and_keeps_nothing_from_the_rest() {
    let place = place();
    place.write("packs/gone/pack.yaml", "ref: gone\nversion: 0.1.0\n");
    place.write("packs/gone/workflows/flow.yaml", "name: flow\ntasks: {a: {action: core.noop}}\n");
    let lost = with_code(place.run(&["exec", "gone.flow", "--detach"]), 0).stdout;
    let kept = with_code(place.run(&["exec", "t.approve", "--detach"]), 0).stdout;
    fs::remove_dir_all(place.path("packs/gone")).unwrap();
    let run = with_code(place.run(&["execution", "resume", "--all"]), 6);
    assert!(run.stderr.contains("E-EXEC-0001") && run.stderr.contains(lost.trim()), "{}", run.seen());
    assert_eq!(view(&place, kept.trim())["status"], "pending", "{}", run.seen());
    let alone = with_code(place.run(&["execution", "resume", lost.trim()]), 3);
    assert!(alone.stderr.contains("E-EXEC-0001"), "{}", alone.seen());
    with_code(place.run(&["execution", "cancel", lost.trim(), "--detach"]), 0);
    assert_eq!(view(&place, lost.trim())["status"], "canceling");
}
