//! `runner test`: rehearsals from the command line.

use crate::assert_seen;
use crate::kit::{Place, root};

const WORKFLOW: &str = "\
name: greet
description: Greets, politely if it is early
parameters:
  hour: {type: integer, required: true}
vars:
  - words: null
output:
  - words: <% ctx(\"words\") %>
tasks:
  look:
    action: core.echo
    input: {message: <% ctx(\"hour\") %>}
    next:
      - when: <% succeeded() && ctx(\"hour\") < 12 %>
        publish: [{words: good morning}]
        do: bow
      - when: <% succeeded() && ctx(\"hour\") >= 12 %>
        publish: [{words: hello}]
      - when: <% failed() %>
        do: fail
  bow:
    action: core.noop
";

const PASSING: &str = "\
name: early in the morning
workflow: greet
inputs: {hour: 8}
expected_task_sequence: [look, bow]
expected_output: {words: good morning}
";

const FAILING: &str = "\
- name: at noon
  workflow: greet
  inputs: {hour: 12}
  expected_task_sequence: [look, bow]
  expected_output: {words: good morning}
- name: nothing to look at
  workflow: greet
  inputs: {hour: 12}
  mock_action_executions:
    - {task_id: look, status: failed, result: dark}
  expected_workflow_status: failed
  expected_errors: [{task_id: look, result: bright}]
- name: a slip
  workflow: greet
  inputs: {hour: 12}
  mock_action_executions:
    - {task_id: loook}
";

fn place() -> Place {
    let place = Place::new();
    place.write("packs/polite/pack.yaml", "ref: polite\ndescription: Manners\nversion: 0.1.0\n");
    place.write("packs/polite/workflows/greet.yaml", WORKFLOW);
    place
}

#[test]
fn a_rehearsal_that_passes_is_counted_and_what_it_leaves_out_is_listed() {
    let place = place();
    place.write("packs/polite/tests/early.yaml", PASSING);
    assert_seen!("test_passed", place.run(&["test", "polite"]), place.run(&["test", "./packs/polite", "-v"]));
    let report = place.run(&["test", "packs/polite/tests/early.yaml", "--json"]).json();
    assert_eq!(report["rehearsals"][0]["name"], "early in the morning");
    assert_eq!(report["rehearsals"][0]["passed"], true);
    assert_eq!(report["coverage"][0]["never_taken"].as_array().unwrap().len(), 2);
}

#[test]
fn what_differs_is_shown_line_by_line() {
    let place = place();
    place.write("packs/polite/tests/late.yaml", FAILING);
    assert_seen!("test_failed", place.run(&["test", "polite", "--junit", "junit.xml"]));
    let report = place.run(&["test", "polite", "--json"]).json();
    assert_eq!((&report["passed"], &report["failed"]), (&0.into(), &3.into()));
    assert_eq!(report["rehearsals"][0]["differences"][0]["field"], "expected_task_sequence");
    let junit = std::fs::read_to_string(place.path("junit.xml")).unwrap();
    assert!(junit.contains("<testsuites name=\"runner\" tests=\"3\" failures=\"3\">"), "{junit}");
}

#[test]
fn a_part_of_the_rehearsals_can_be_chosen() {
    let place = place();
    place.write("packs/polite/tests/early.yaml", PASSING);
    place.write("packs/polite/tests/late.yaml", FAILING);
    let run = place.run(&["test", "polite", "-k", "morning", "--json"]);
    assert_eq!((run.code, run.json()["rehearsals"].as_array().unwrap().len()), (Some(0), 1));
    assert_eq!(place.run(&["test", "packs", "--only", "noon"]).code, Some(1));
    assert_seen!(
        "test_not_found",
        place.run(&["test", "polite", "-k", "midnight"]),
        place.run(&["test", "polit"]),
        place.run(&["test", "./nowhere"]),
    );
}

#[test]
fn a_file_with_a_mistake_is_a_failure() {
    let place = place();
    place.write("packs/polite/tests/early.yaml", &format!("{PASSING}expected_outptu: {{}}\n"));
    assert_seen!("test_mistake", place.run(&["test", "polite", "--junit", "junit.xml"]));
    assert!(std::fs::read_to_string(place.path("junit.xml")).unwrap().contains("failures=\"1\""));
}

#[test]
fn the_example_passes_with_mocks_and_against_its_simulator() {
    let run =
        Place::new().run(&["test", root().join("examples/02-grow-volume/packs/capacity").to_str().unwrap(), "-v"]);
    assert_eq!(run.code, Some(0), "{}", run.seen());
    assert_eq!(run.stdout.matches('✔').count(), 2 + 7, "{}", run.seen());
}
