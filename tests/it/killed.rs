//! An execution whose process is killed goes on in another, where its journal ends.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::kit::Place;

const WORKFLOW: &str = r#"
parameters: {who: {type: string, default: Ada}}
tasks:
  before:
    action: core.echo
    input: {message: <% "hello " + ctx("who") %>}
    next:
      - publish: [{said: <% result().message %>}]
        do: stuck
  stuck:
    action: bad.loop_forever
    next:
      - when: <% failed() %>
        publish: [{how: <% status() %>}]
        do: after
  after:
    action: core.echo
    input: {message: done}
output:
  - said: <% ctx("said") %>
  - how: <% ctx("how") %>
  - after: <% task("after").status %>
"#;

#[test]
fn an_execution_that_was_killed_goes_on_where_its_journal_ends() {
    let place = Place::new();
    place.bad_pack("loop_forever", "timeout: 600\n");
    place.write("packs/bad/workflows/killed.yaml", WORKFLOW);
    let mut child = place.command(&["exec", "bad.killed"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut progress = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(progress.any(|line| line.unwrap().starts_with("started   stuck")));
    child.kill().unwrap();
    child.wait().unwrap();

    let left = place.run(&["--json", "execution", "get", "last"]).json();
    assert_eq!(left["status"], "running");
    assert_eq!(left["steps"][0]["status"], "succeeded");

    // The dead process is known to be dead: nobody waits for its lease.
    let resumed = place.run(&["--json", "execution", "resume", "last"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.seen());
    let execution = resumed.json();
    assert_eq!(execution["id"], left["id"]);
    assert_eq!(execution["result"]["how"], "abandoned", "what the loop did is unknown: {execution}");
    assert_eq!(execution["result"]["said"], "hello Ada", "what was published before is still known");
    assert_eq!(execution["result"]["after"], "succeeded");
    assert_eq!(execution["steps"].as_array().unwrap().len(), 3, "no step ran twice");

    let again = place.run(&["execution", "resume", "last"]);
    assert_eq!(again.code, Some(2), "{}", again.seen());
    assert!(again.stderr.contains("E-EXEC-0009"), "{}", again.seen());
}
