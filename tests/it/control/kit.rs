//! A pack with workflows that wait, and a run of the binary that goes on meanwhile.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::Value;

use crate::kit::{Place, Run};

/// Two questions, one after the other.
const APPROVE: &str = r#"
tasks:
  before:
    action: core.noop
    next: [{do: ask}]
  ask:
    action: core.ask
    input:
      prompt: May the volume grow?
      schema: {size: {type: integer, required: true}, note: {type: string}}
    next:
      - when: <% succeeded() %>
        publish: [{size: <% result().response.size %>}]
        do: after
  after: {action: core.noop}
output: [{size: <% ctx("size") %>}]
"#;

const BOTH: &str = r#"
tasks:
  left: {action: core.ask, input: {prompt: left?}}
  right: {action: core.ask, input: {prompt: right?}}
"#;

const EVENT: &str = r#"
parameters: {key: {type: string, required: true}}
tasks:
  wait:
    action: core.wait_for
    input: {key: <% ctx("key") %>}
    next: [{publish: [{got: <% result() %>}]}]
output: [{got: <% ctx("got") %>}]
"#;

const LOOP: &str = r#"
tasks:
  before: {action: core.noop, next: [{do: stuck}]}
  stuck: {action: bad.loop_forever}
"#;

/// Its approval is given up after a second.
const BRIEF: &str = r#"
tasks:
  ask:
    action: core.ask
    input: {prompt: Quick!, ttl: 0.0167}
    next:
      - when: <% timed_out() %>
        publish: [{how: <% status() %>}]
        do: after
  after: {action: core.noop}
output: [{how: <% ctx("how") %>}]
"#;

const NESTED: &str = "\ntasks:\n  sub: {action: t.approve}\n  beside: {action: core.noop}\n";

/// A place with these workflows in the pack `t`.
pub(super) fn place() -> Place {
    let place = Place::new();
    place.bad_pack("loop_forever", "timeout: 600\n");
    place.write("packs/t/pack.yaml", "ref: t\nversion: 0.1.0\n");
    let workflows =
        [("approve", APPROVE), ("both", BOTH), ("event", EVENT), ("loop", LOOP), ("brief", BRIEF), ("nested", NESTED)];
    for (name, text) in workflows {
        place.write(&format!("packs/t/workflows/{name}.yaml"), &format!("name: {name}{text}"));
    }
    place
}

/// A run that goes on until it is waited for.
pub(super) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    /// The execution, as its first line says.
    pub(super) id: String,
}

impl Running {
    /// Begins one; its execution is recorded when this returns.
    pub(super) fn begin(place: &Place, arguments: &[&str]) -> Self {
        Self::of(place.command(arguments))
    }

    /// The same with a command of one's own.
    pub(super) fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let id = first.split_whitespace().nth(1).unwrap_or_else(|| panic!("{first}")).to_owned();
        Self { child, lines, id }
    }

    /// Waits until it says something that begins so.
    pub(super) fn until(&mut self, start: &str) -> String {
        let found = self.lines.find(|line| line.as_ref().unwrap().trim_start().starts_with(start));
        found.unwrap_or_else(|| panic!("it ended before it said `{start}`")).unwrap()
    }

    /// Waits until it has said that it waits, and until what it waits for is recorded.
    pub(super) fn until_waiting(&mut self, place: &Place) -> String {
        let line = self.until("waits");
        let waits = || place.run(&["inquiry", "list", "--all", "--json"]).stdout.contains(&self.id[..13]);
        while !waits() {}
        line
    }

    /// As a crash of the machine would.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end; gives how it ended and what it wrote.
    pub(super) fn finish(mut self) -> (i32, String, String) {
        let rest: Vec<_> = self.lines.by_ref().map(Result::unwrap).collect();
        let output = self.child.wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap(), rest.join("\n"))
    }
}

/// The run, which must have ended so.
pub(super) fn with_code(run: Run, code: i32) -> Run {
    assert_eq!(run.code, Some(code), "{}", run.seen());
    run
}

/// An execution as `get --json` shows it.
pub(super) fn view(place: &Place, id: &str) -> Value {
    with_code(place.run(&["execution", "get", id, "--json"]), 0).json()
}

/// The kinds of the entries of a journal.
pub(super) fn kinds(place: &Place, id: &str) -> Vec<String> {
    let journal = with_code(place.run(&["execution", "journal", id, "--json"]), 0).json();
    journal.as_array().unwrap().iter().map(|entry| entry["type"].as_str().unwrap().to_owned()).collect()
}
