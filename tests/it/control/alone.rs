//! What is asked of an execution that no process runs.

use serde_json::json;

use super::kit::{Running, kinds, place, view, with_code};

#[test]
fn an_execution_is_only_recorded_and_run_by_whoever_takes_it_up() {
    let place = place();
    let run = with_code(place.run(&["exec", "t.approve", "--async"]), 0);
    let id = run.stdout.trim().to_owned();
    assert!(run.stderr.contains(&format!("execution resume {id}")), "{}", run.seen());
    assert_eq!(kinds(&place, &id), ["requested"]);
    let explained = with_code(place.run(&["execution", "explain", &id]), 0).stdout;
    assert!(explained.contains("nothing of it has begun; but no process runs it"), "{explained}");
    let early = with_code(place.run(&["execution", "pause", &id, "--detach"]), 2);
    assert!(early.stderr.contains("E-EXEC-0010"), "{}", early.seen());

    with_code(place.run(&["execution", "resume", "--all"]), 6);
    assert_eq!(view(&place, &id)["status"], "pending");
    let recorded = place.run(&["execution", "respond", &id, "size=9", "--detach"]);
    assert!(with_code(recorded, 0).stderr.contains("no process runs it"));
    assert_eq!(kinds(&place, &id).last().unwrap(), "answered", "nothing follows until somebody takes it up");
    let resumed = with_code(place.run(&["execution", "resume", &id, "--json"]), 0).json();
    assert_eq!(resumed["result"], json!({ "size": 9 }));
}

#[test]
fn what_is_asked_is_recorded_for_the_next_process() {
    let place = place();
    let id = with_code(place.run(&["exec", "t.event", "key=k", "--detach", "--json"]), 0).json()["id"].clone();
    let id = id.as_str().unwrap();
    with_code(place.run(&["execution", "resume", "--all"]), 6);
    with_code(place.run(&["execution", "pause", id, "--detach"]), 0);
    assert_eq!(view(&place, id)["status"], "pausing");
    with_code(place.run(&["execution", "resume", id, "--detach"]), 0);
    with_code(place.run(&["event", "send", "k", "{\"n\": 1}", "--detach"]), 0);
    with_code(place.run(&["execution", "resume", id]), 0);
    assert_eq!(view(&place, id)["result"]["got"], json!({ "n": 1 }));
}

#[test]
fn a_pause_without_an_owner_is_done_here() {
    let place = place();
    let mut running = Running::begin(&place, &["exec", "t.approve"]);
    let id = running.id.clone();
    running.until_waiting(&place);
    running.kill();
    let paused = with_code(place.run(&["execution", "pause", &id, "--json"]), 0).json();
    assert_eq!(paused, json!({ "id": id, "status": "paused" }));
    let still = with_code(place.run(&["execution", "resume", "--all"]), 6);
    assert!(still.stdout.contains("paused"), "what is paused stays so: {}", still.seen());
    let resumed = with_code(place.run(&["execution", "resume", &id]), 6);
    assert!(resumed.stderr.contains("it waits for an answer to `ask`"), "{}", resumed.seen());
}

#[test]
fn what_cannot_be_asked_says_so() {
    let place = place();
    let unknown = [
        &["execution", "pause", "last"][..],
        &["execution", "resume", "last"],
        &["execution", "cancel", "last"],
        &["execution", "rerun", "last"],
        &["execution", "respond", "last", "x=1"],
        &["execution", "tail", "last"],
        &["execution", "explain", "last"],
        &["inquiry", "get", "last"],
    ];
    for command in unknown {
        let run = with_code(place.run(command), 3);
        assert!(run.stderr.contains("E-STORE-0006"), "{}", run.seen());
    }
    assert!(!place.path("data/runner.db").exists(), "looking makes nothing");
    let id = with_code(place.run(&["exec", "core.noop", "--json"]), 0).json()["id"].clone();
    let id = id.as_str().unwrap();
    for command in ["pause", "cancel"] {
        let error = with_code(place.run(&["execution", command, id, "--json"]), 2).error_json();
        assert_eq!(error["error"]["code"], "E-EXEC-0009", "{error}");
        assert!(error["error"]["hint"].is_string(), "{error}");
    }
    with_code(place.run(&["execution", "tail", id]), 0);
    let failed = place.run(&["exec", "core.fail", "no"]);
    with_code(failed, 1);
    with_code(place.run(&["execution", "tail", "last"]), 1);
}
