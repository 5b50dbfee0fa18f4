//! Whoever follows an execution of a daemon that is restarted, or killed: they wait for the next one, and hear everything
//! once.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines, Read as _};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::{Value, json};

use super::front::{Authority, Proxy};
use super::kit::{Daemon, until};
use crate::kit::Place;

/// Turns that can be stopped anywhere: nothing in them is under way for longer than a commit.
const TURNS: &str = r#"
name: turns
vars: [{n: 0}]
tasks:
  begin: {action: core.noop, next: [{do: turn}]}
  turn:
    action: core.noop
    delay: 0.02
    next:
      - {when: <% ctx("n") < 60 %>, publish: [{n: <% ctx("n") + 1 %>}], do: turn}
      - {when: <% ctx("n") >= 60 %>, do: ask}
  ask: {action: core.ask, input: {prompt: Enough?}}
output: [{n: <% ctx("n") %>}]
"#;

const OUTER: &str = "name: outer\ntasks:\n  sub: {action: t.turns}\n";

struct Followed {
    place: Place,
    proxy: Proxy,
    daemon: Option<Daemon>,
}

impl Followed {
    async fn new() -> Self {
        let place = Place::new();
        place.write("packs/t/pack.yaml", "ref: t\nversion: 0.1.0\n");
        place.write("packs/t/workflows/turns.yaml", TURNS);
        place.write("packs/t/workflows/outer.yaml", OUTER);
        let authority = Authority::new("ours");
        place.write("ca.pem", &authority.pem());
        let mut all = Self { place, proxy: Proxy::start(&authority).await, daemon: None };
        all.start();
        all
    }

    fn start(&mut self) {
        let daemon = Daemon::start(&self.place, &[]);
        self.proxy.lead(Some(&daemon.url));
        self.daemon = Some(daemon);
    }

    fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().unwrap()
    }

    fn follow(&self, arguments: &[&str]) -> Child {
        let arguments = [arguments, &["--url", &self.proxy.url]].concat();
        let mut command = self.place.command(&arguments);
        command.env("RUNNER_CACERT", "ca.pem").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Ends the daemon by a signal, and starts another one.
    fn replace(&mut self, signal: &str) {
        self.proxy.lead(None);
        let daemon = self.daemon.take().unwrap();
        daemon.signal(signal);
        daemon.ended();
        self.start();
    }

    /// Answers the question as soon as there is one.
    async fn answer(&self) {
        let question = until("the question", async || {
            let open = self.daemon().get("/api/v1/inquiries").await;
            open["items"][0]["id"].as_str().map(str::to_owned)
        });
        let path = self.daemon().at(&format!("/api/v1/inquiries/{}", question.await));
        let answer =
            self.daemon().client.put(path).json(&json!({ "response": { "approved": true } })).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }
}

/// Reads until this many lines of a kind have come.
fn read(lines: &mut Lines<BufReader<ChildStdout>>, kept: &mut Vec<Value>, kind: &str, count: usize) {
    let fits = |line: &Value| line["type"] == kind;
    while kept.iter().filter(|line| fits(line)).count() < count {
        let line = lines.next().expect("more lines").unwrap();
        kept.push(serde_json::from_str(&line).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_goes_on_with_the_next_daemon_and_loses_and_doubles_no_line() {
    let mut all = Followed::new().await;
    let (_, begun) = all.daemon().post("/api/v1/executions", &json!({ "action": "t.outer" })).await;
    let id = begun["id"].as_str().unwrap().to_owned();
    let mut tail = all.follow(&["execution", "tail", "-f", &id, "--json"]);
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut seen = Vec::new();
    for (turns, signal) in [(10, "KILL"), (25, "TERM"), (40, "KILL")] {
        read(&mut lines, &mut seen, "step_scheduled", turns);
        all.replace(signal);
    }
    all.answer().await;
    seen.extend(lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()));
    let status = tail.wait().unwrap();
    let mut errors = String::new();
    tail.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(status.code(), Some(0), "{errors}");

    let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for mut line in seen {
        let map = line.as_object_mut().unwrap();
        let execution = map.remove("execution").unwrap().as_str().unwrap().to_owned();
        let told = told.entry(execution).or_default();
        assert_eq!(map.remove("n"), Some(json!(told.len())), "in order, each once");
        told.push(line);
    }
    assert_eq!(told.len(), 2, "the execution and the one that it started");
    for (id, told) in &told {
        let journal = all.daemon().get(&format!("/api/v1/executions/{id}/journal")).await;
        assert_eq!(journal["entries"].as_array(), Some(told), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_the_end_of_an_execution_waits_for_the_next_daemon_too() {
    let mut all = Followed::new().await;
    let mut exec = all.follow(&["exec", "t.turns"]);
    let mut lines = BufReader::new(exec.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut told = Vec::new();
    for (turns, signal) in [(8, "TERM"), (20, "KILL")] {
        told.extend(lines.by_ref().take(turns));
        all.replace(signal);
    }
    all.answer().await;
    told.extend(lines);
    assert_eq!(exec.wait().unwrap().code(), Some(0), "{told:#?}");
    let waits = told.iter().filter(|line| line.starts_with("waits")).count();
    assert_eq!(waits, 1, "{told:#?}");
    let delays = told.iter().filter(|line| line.starts_with("delayed")).count();
    assert_eq!(delays, 61, "{told:#?}");
    let mut result = String::new();
    exec.stdout.take().unwrap().read_to_string(&mut result).unwrap();
    assert!(result.contains("60"), "{result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_reached_a_daemon_does_not_wait_for_it() {
    let all = Followed::new().await;
    all.proxy.lead(None);
    for arguments in [&["exec", "t.turns"][..], &["execution", "tail", "-f", "last"]] {
        let output = all.follow(arguments).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
