//! `runner graph`: a workflow as a picture.

use crate::kit::{Place, root};

const WORKFLOW: &str = "\
name: fork
description: Two ways
tasks:
  look:
    action: core.noop
    next:
      - when: <% succeeded() %>
        do: left
      - when: <% failed() %>
        do: right
  left: {action: core.noop}
  right: {action: core.noop}
";

fn place() -> Place {
    let place = Place::new();
    place.write("packs/ways/pack.yaml", "ref: ways\ndescription: Ways\nversion: 0.1.0\n");
    place.write("packs/ways/workflows/fork.yaml", WORKFLOW);
    place
}

#[test]
fn a_workflow_is_drawn_in_three_forms() {
    let place = place();
    let svg = place.run(&["graph", "ways.fork"]);
    assert_eq!(svg.code, Some(0), "{}", svg.stderr);
    assert!(svg.stdout.starts_with("<svg") && svg.stdout.contains("id=\"task-right\""), "{}", svg.stdout);
    let mermaid = place.run(&["graph", "ways.fork", "--format", "mermaid"]);
    assert!(mermaid.stdout.contains("flowchart TD"), "{}", mermaid.stdout);
    assert_eq!(place.run(&["graph", "ways.fork", "--output", "fork.dot"]).code, Some(0));
    let dot = std::fs::read_to_string(place.path("fork.dot")).unwrap();
    assert!(dot.starts_with("digraph"), "{dot}");
}

#[test]
fn a_run_is_drawn_as_it_went() {
    let place = place();
    assert_eq!(place.run(&["exec", "ways.fork"]).code, Some(0));
    let drawn = place.run(&["graph", "--execution", "last", "--format", "svg"]);
    assert_eq!(drawn.code, Some(0), "{}", drawn.stderr);
    let status_of = |task: &str| {
        let (_, rest) = drawn.stdout.split_once(&format!("id=\"task-{task}\"")).unwrap();
        let (_, rest) = rest.split_once("data-status=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    assert_eq!(["look", "left", "right"].map(status_of), ["succeeded", "succeeded", "none"]);
}

#[test]
fn a_run_of_something_else_and_what_does_not_exist_are_refused() {
    let place = place();
    assert_eq!(place.run(&["graph", "ways.fork", "--execution", "last"]).code, Some(3), "nothing has run yet");
    assert_eq!(place.run(&["exec", "core.noop"]).code, Some(0));
    let other = place.run(&["graph", "ways.fork", "--execution", "last"]);
    assert_eq!(other.code, Some(2), "{}", other.stderr);
    assert!(other.stderr.contains("ran `core.noop`"), "{}", other.stderr);
    assert_eq!(place.run(&["graph", "ways.frok"]).code, Some(3));
}

#[test]
fn every_workflow_of_the_examples_can_be_drawn() {
    for (packs, workflow) in [
        ("examples/02-grow-volume/packs", "capacity.grow_volume"),
        ("examples/03-durable/packs", "durable.create_svm"),
        ("examples/03-durable/packs", "durable.provision_application"),
        ("examples/03-durable/packs", "durable.vm_allocation"),
    ] {
        let run = Place::new().run(&["graph", workflow, "--packs", root().join(packs).to_str().unwrap()]);
        assert_eq!(run.code, Some(0), "{workflow}: {}", run.stderr);
    }
}
