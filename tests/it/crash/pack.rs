//! The pack whose workflows are killed: each step is one request that says for which step it is made.

use std::fs;

use crate::kit::{Place, root};

const MANIFEST: &str = "ref: crash
version: 1.0.0
connections: {counter: {description: A server that counts.}}
permissions: {http: [{connection: counter, methods: [POST], paths: ['/**']}]}
";

const ACTION: &str = "runner_type: wasm
entry_point: count
timeout: 30
parameters:
  connection: {type: string, default: counter}
  path: {type: string, required: true}
";

/// The workflow whose steps need not wait for the disk: their keys have their tasks' names in them.
pub(crate) const RELAXED: &str = "relaxed";

/// Names, and what stands below them.
const WORKFLOWS: [(&str, &str); 6] = [
    (
        "line",
        "tasks:
  a: {action: crash.once, input: {path: /once/a}, next: [{when: '<% succeeded() %>', do: b}]}
  b: {action: crash.again, input: {path: /again/b}, delay: 1, next: [{when: '<% succeeded() %>', do: c}]}
  c: {action: crash.once, input: {path: /once/c}}
",
    ),
    (
        "retried",
        "tasks:
  a:
    action: crash.once
    input: {path: /once/flaky/a}
    retry: {count: 3, delay: 0.6}
    next: [{when: '<% succeeded() %>', do: b}]
  b: {action: crash.again, input: {path: /again/flaky/b}, retry: {count: 3, delay: 0.4}}
",
    ),
    (
        "list",
        "tasks:
  a:
    with: {items: '<% range(0, 6) %>', concurrency: 2}
    action: crash.again
    input: {path: '/again/item/<% item() %>'}
    next: [{when: '<% succeeded() %>', do: b}]
  b: {action: crash.once, input: {path: /once/b}}
",
    ),
    (
        "parent",
        "tasks:
  a: {action: crash.line, next: [{when: '<% completed() %>', do: b}]}
  b: {action: crash.again, input: {path: /again/b}}
",
    ),
    (
        "joined",
        "tasks:
  a: {action: crash.again, input: {path: /again/a}, next: [{when: '<% succeeded() %>', do: 'left, right'}]}
  left: {action: crash.once, input: {path: /once/left}, next: [{when: '<% completed() %>', do: end}]}
  right: {action: crash.again, input: {path: /again/right}, delay: 1.5, next: [{when: '<% succeeded() %>', do: end}]}
  end: {join: all, action: crash.again, input: {path: /again/end}}
",
    ),
    (
        RELAXED,
        "durability: relaxed
tasks:
  a: {action: crash.again, input: {path: /again/a}, next: [{when: '<% succeeded() %>', do: b}]}
  b: {action: crash.again, input: {path: /again/b}, next: [{when: '<% succeeded() %>', do: 'left, right'}]}
  left: {action: crash.again, input: {path: /again/left}, next: [{when: '<% succeeded() %>', do: end}]}
  right: {action: crash.again, input: {path: /again/right-hand}, next: [{when: '<% succeeded() %>', do: one}]}
  one: {action: crash.once, input: {path: /once/one}, next: [{when: '<% completed() %>', do: end}]}
  end: {join: all, action: crash.again, input: {path: /again/end}}
",
    ),
];

/// Writes it, and the configuration with its connection to the server.
pub(crate) fn write(place: &Place, port: u16) {
    place.write("packs/crash/pack.yaml", MANIFEST);
    place.write("packs/crash/actions/once.yaml", &format!("name: once\n{ACTION}"));
    place.write("packs/crash/actions/again.yaml", &format!("name: again\nidempotent: true\n{ACTION}"));
    for (name, tasks) in WORKFLOWS {
        place.write(&format!("packs/crash/workflows/{name}.yaml"), &format!("name: {name}\n{tasks}"));
    }
    fs::create_dir_all(place.path("packs/crash/components")).unwrap();
    let guest = root().join("tests/guests/components/host-guest.wasm");
    fs::copy(guest, place.path("packs/crash/components/crash.wasm")).unwrap();
    let config = format!(
        "[connections.counter]\nkind = \"counter\"\nbase_url = \"http://127.0.0.1:{port}\"\n\
         [[grants.crash.http]]\nconnection = \"counter\"\nmethods = [\"POST\"]\npaths = [\"/**\"]\n"
    );
    place.write("runner.toml", &config);
}

/// Asks for an execution; gives its id, which says that it is recorded.
pub(crate) fn request(place: &Place, number: usize) -> String {
    let (name, _) = WORKFLOWS[number % WORKFLOWS.len()];
    let run = place.run(&["--json", "exec", "--detach", &format!("crash.{name}")]);
    assert_eq!(run.code, Some(0), "{}", run.seen());
    run.json()["id"].as_str().unwrap().to_owned()
}
