//! `durability`: what it can be, and what is said of steps that wait all the same.

use runner_model::code;
use runner_pack::{Body, Severity, check};

use crate::kit::{Demo, library};

const RELAXED: &str = "name: w
durability: relaxed
tasks:
  a: {action: demo.again, next: [{do: 'b, c, d'}]}
  b: {action: demo.once}
  c: {action: demo.inner}
  d: {action: core.noop}
";

#[test]
fn a_relaxed_workflow_is_told_which_of_its_steps_wait_for_the_disk() {
    let demo = Demo::new();
    demo.file("actions/again.yaml", "name: again\ndescription: x\nrunner_type: wasm\nidempotent: true\n");
    demo.file("actions/once.yaml", "name: once\ndescription: x\nrunner_type: wasm\n");
    demo.file("workflows/inner.yaml", "name: inner\ndescription: x\ntasks: {a: {action: demo.once}}\n");
    demo.file("workflows/w.yaml", RELAXED);
    let (pack, report) = check(&demo.path(), &library());
    let said: Vec<_> =
        report.diagnostics.iter().map(|one| (one.code, one.severity, one.line, one.message.as_str())).collect();
    let message = |why| format!("this step waits for the disk although the workflow is relaxed: {why}");
    let (once, inner) = (message("`demo.once` is not idempotent"), message("`demo.inner` is a workflow"));
    let (held, warning) = (code::FLOW_HELD, Severity::Warning);
    assert_eq!(said, [(held, warning, 5, once.as_str()), (held, warning, 6, inner.as_str())]);
    let pack = pack.unwrap();
    let relaxed = |name: &str| match &pack.actions[name].body {
        Body::Workflow(plan) => plan.is_relaxed(),
        _ => panic!("it is a workflow"),
    };
    assert!(relaxed("w") && !relaxed("inner"));

    demo.file("workflows/w.yaml", RELAXED.replace("durability: relaxed", "durability: strict"));
    assert!(demo.report().diagnostics.is_empty());
}

#[test]
fn a_durability_that_there_is_not_is_refused_with_those_that_there_are() {
    let demo = Demo::new();
    demo.file("workflows/w.yaml", "name: w\ndescription: x\ndurability: relaxt\ntasks: {d: {action: core.noop}}\n");
    let report = demo.report();
    let said: Vec<_> = report.diagnostics.iter().map(|one| (one.code, one.line, one.hint.as_deref())).collect();
    assert_eq!(said, [(code::PACK_BAD_VALUE, 3, Some("did you mean `relaxed`?"))]);
}
