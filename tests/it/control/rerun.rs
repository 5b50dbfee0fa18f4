//! Executions run again.

use serde_json::{Value, json};

use super::kit::{place, view, with_code};
use crate::kit::Place;

/// Fails until the key `repaired` is there; its items fail where the key does not name them.
const FLAKY: &str = r#"
name: flaky
tasks:
  first: {action: core.echo, input: {message: once}, next: [{do: each}]}
  each:
    with: {items: <% [1, 2, 3] %>}
    action: t.one
    input: {n: <% item() %>}
    next: [{when: <% succeeded() %>, do: last}]
  last: {action: core.noop}
"#;
const ONE: &str = r#"
name: one
parameters: {n: {type: integer, required: true}}
tasks:
  look:
    action: core.kv_get
    input: {key: repaired}
    next:
      - when: <% ctx("n") == 2 && result().value == () %>
        do: fail
"#;

fn flaky() -> Place {
    let place = place();
    place.write("packs/t/workflows/flaky.yaml", &FLAKY.replace("<% [1, 2, 3] %>", "\"<% [1, 2, 3] %>\""));
    place.write("packs/t/workflows/one.yaml", ONE);
    with_code(place.run(&["pack", "check", "t"]), 0);
    place
}

fn repair(place: &Place) {
    with_code(place.run(&["exec", "core.kv_set", "repaired", "true"]), 0);
}

fn attempts(view: &Value, task: &str) -> Vec<usize> {
    let of_task = |step: &&Value| step["task"] == task;
    let count = |list: &Value| list.as_array().map_or(0, Vec::len);
    let steps = view["steps"].as_array().unwrap().iter().filter(of_task);
    let items =
        |step: &Value| step["items"].as_array().map_or(0, |items| items.iter().map(|i| count(&i["attempts"])).sum());
    steps.map(|step| count(&step["attempts"]) + items(step)).collect()
}

#[test]
fn an_execution_is_run_anew_with_the_same_parameters() {
    let place = place();
    let first = with_code(place.run(&["exec", "core.echo", "hello", "--json"]), 0).json();
    let again = with_code(place.run(&["execution", "rerun", "last", "--json"]), 0).json();
    assert_ne!(first["id"], again["id"]);
    assert_eq!((&again["parameters"], &again["result"]), (&first["parameters"], &first["result"]));
    let recorded = with_code(place.run(&["execution", "rerun", "last", "--detach", "--json"]), 0).json();
    assert_eq!(view(&place, recorded["id"].as_str().unwrap())["status"], "requested");
}

#[test]
fn an_execution_goes_on_from_what_failed_without_doing_the_rest_again() {
    let place = flaky();
    let failed = with_code(place.run(&["exec", "t.flaky", "--json"]), 1).json();
    let id = failed["id"].as_str().unwrap();
    with_code(place.run(&["execution", "rerun", id, "--failed"]), 1);
    repair(&place);
    let again = with_code(place.run(&["execution", "rerun", id, "--failed", "--json"]), 0).json();
    assert_eq!((&again["id"], &again["status"]), (&json!(id), &json!("succeeded")));
    assert_eq!(attempts(&again, "first"), [1], "what succeeded is not run again: {again}");
    let nothing = with_code(place.run(&["execution", "rerun", id, "--failed"]), 2);
    assert!(nothing.stderr.contains("E-EXEC-0013"), "{}", nothing.seen());
}

#[test]
fn tasks_are_run_again_with_all_their_items_or_only_those_that_failed() {
    for (more, expected) in [(&[][..], 3), (&["--no-reset", "each"], 1)] {
        let place = flaky();
        let failed = with_code(place.run(&["exec", "t.flaky", "--json"]), 1).json();
        let id = failed["id"].as_str().unwrap().to_owned();
        repair(&place);
        let rerun = [&["execution", "rerun", &id, "--json", "--tasks", "each"][..], more].concat();
        let again = with_code(place.run(&rerun), 0).json();
        // Items that are kept are shown with the attempts that they had.
        let ended = failed["finished_at"].as_str().unwrap();
        let steps = again["steps"].as_array().unwrap().iter().filter(|step| step["task"] == "each");
        let attempts = steps
            .flat_map(|step| step["items"].as_array().unwrap())
            .flat_map(|item| item["attempts"].as_array().unwrap());
        let new = attempts.filter(|attempt| attempt["started_at"].as_str().unwrap() > ended).count();
        assert_eq!(new, expected, "{again}");
    }
}

#[test]
fn what_cannot_be_run_again_says_so() {
    let place = flaky();
    let failed = with_code(place.run(&["exec", "t.flaky", "--json"]), 1).json();
    let id = failed["id"].as_str().unwrap();
    let unknown = with_code(place.run(&["execution", "rerun", id, "--tasks", "nowhere"]), 2);
    assert!(unknown.stderr.contains("E-EXEC-0013"), "{}", unknown.seen());
    let stray = with_code(place.run(&["execution", "rerun", id, "--tasks", "each", "--no-reset", "last"]), 2);
    assert!(stray.stderr.contains("--tasks last"), "{}", stray.seen());
    let detached = with_code(place.run(&["execution", "rerun", id, "--failed", "--detach"]), 0);
    assert!(detached.stdout.contains("running"), "{}", detached.seen());
    repair(&place);
    with_code(place.run(&["execution", "resume", id]), 0);
}
