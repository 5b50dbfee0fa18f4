//! Every verb does the same in one process, with the daemon of the data directory, and with a daemon elsewhere: it writes the
//! same, and ends with the same status.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use regex::Regex;

use super::kit::{Daemon, SOON};
use crate::kit::{Place, Run};

const QUICK: &str = r#"
description: Counts. Nothing else.
parameters:
  count: {type: integer, required: true, position: 0, description: how far}
  key: {type: string, secret: true}
tasks:
  one: {action: core.noop, next: [{do: each}]}
  each:
    action: core.echo
    with: {items: "<% range(ctx(\"count\")) %>", concurrency: 1}
    input: {message: "<% item().to_string() %>"}
output: [{n: <% ctx("count") %>}]
"#;

const NESTED: &str = r#"
tasks:
  sub: {action: t.quick, input: {count: 2}, next: [{do: after}]}
  after: {action: t.quick, input: {count: 1}}
"#;

const BAD: &str = r#"
tasks:
  one: {action: core.noop, next: [{do: two}]}
  two: {action: core.fail, input: {message: no more space}}
"#;

const APPROVE: &str = r#"
tasks:
  ask:
    action: core.ask
    input: {prompt: May it grow?, schema: {size: {type: integer, required: true}}}
    next: [{do: after, publish: [{size: <% result().response.size %>}]}]
  after: {action: core.noop}
output: [{size: <% ctx("size") %>}]
"#;

const EVENT: &str = "\ntasks:\n  wait: {action: core.wait_for, input: {key: volume-7}}\n";

/// Where a verb is tried.
struct World {
    name: &'static str,
    place: Place,
    daemon: Option<Daemon>,
    /// Whether the daemon is named, and nothing is here.
    is_far: bool,
}

impl World {
    fn all() -> [Self; 3] {
        [("in one process", false, false), ("with its daemon", true, false), ("with --url", true, true)].map(
            |(name, has_daemon, is_far)| {
                let place = Place::new();
                place.write("packs/t/pack.yaml", "ref: t\nversion: 0.1.0\ndescription: For tests\n");
                let workflows =
                    [("quick", QUICK), ("nested", NESTED), ("bad", BAD), ("approve", APPROVE), ("event", EVENT)];
                for (workflow, text) in workflows {
                    place.write(&format!("packs/t/workflows/{workflow}.yaml"), &format!("name: {workflow}{text}"));
                }
                place.write("packs/broken/pack.yaml", "ref: broken\nversion: none\n");
                let daemon = has_daemon.then(|| Daemon::start(&place, &[]));
                Self { name, place, daemon, is_far }
            },
        )
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let Some(daemon) = self.daemon.as_ref().filter(|_| self.is_far) else { return self.place.command(arguments) };
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        // There is nothing here, and nothing comes here.
        std::fs::create_dir_all(self.place.path("elsewhere")).unwrap();
        command.current_dir(self.place.path("elsewhere")).env_clear().stdin(Stdio::null());
        command.args(arguments).args(["--url", &daemon.url]);
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().unwrap();
        self.place.ended(arguments, output)
    }

    /// Begins an execution that waits; gives its id, and the process that runs it, if it is one of its own.
    fn begin(&self, action: &str) -> (String, Option<Child>) {
        if self.daemon.is_some() {
            let run = self.run(&["exec", action, "--detach"]);
            assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", run.seen());
            let id = run.stdout.trim().to_owned();
            self.until_waiting(&id);
            return (id, None);
        }
        let mut child = self.command(&["exec", action]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let first = BufReader::new(child.stderr.take().unwrap()).lines().next().unwrap().unwrap();
        let id = first.split_whitespace().nth(1).unwrap().to_owned();
        self.until_waiting(&id);
        (id, Some(child))
    }

    fn until_waiting(&self, id: &str) {
        let deadline = Instant::now() + SOON;
        while !self.run(&["inquiry", "list", "--all", "--json"]).stdout.contains(id) {
            assert!(Instant::now() < deadline, "{}: {id} does not wait", self.name);
        }
    }

    /// Waits for the end of an execution, and gives the status of whoever follows it.
    fn end(&self, id: &str, child: Option<Child>) -> Option<i32> {
        let followed = self.run(&["execution", "tail", "-f", id]).code;
        if let Some(mut child) = child {
            child.wait().unwrap();
        }
        followed
    }
}

/// What a run says, without what is different each time.
struct Plain(Vec<(Regex, &'static str)>);

impl Plain {
    fn new() -> Self {
        let rules = [
            (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[ID]"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
            (r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d UTC", "[TIME]"),
            (r"\b\d+(\.\d)? (ms|s|min)\b", "[TOOK]"),
            // Commands name the place that they are for.
            (r"runner( --(data|packs|url) \S+)+", "runner"),
            // Who asked is another one, and that is so.
            (r#""from": ?"(cli|api)""#, "[ORIGIN]"),
            (r"the command line|the API|command line|\bAPI\b", "[WHO]"),
            (r"[a-zA-Z0-9-]+-\d+-[0-9a-f]{8}", "[NODE]"),
            (r"[ ─]+", " "),
        ];
        Self(rules.map(|(rule, instead)| (Regex::new(rule).unwrap(), instead)).into())
    }

    fn of(&self, run: &Run) -> String {
        let mut text = run.seen();
        for (rule, instead) in &self.0 {
            text = rule.replace_all(&text, *instead).into_owned();
        }
        text
    }
}

/// Runs something in all worlds, and compares what is seen; gives what is not as it has to be.
fn same(worlds: &[World; 3], arguments: impl Fn(usize) -> Vec<String>, code: i32) -> Vec<String> {
    let plain = Plain::new();
    let mut first: Option<String> = None;
    let mut wrong = Vec::new();
    for (index, world) in worlds.iter().enumerate() {
        let arguments = arguments(index);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let run = world.run(&arguments);
        let seen = plain.of(&run);
        let first = first.get_or_insert_with(|| seen.clone());
        if run.code != Some(code) || *first != seen {
            wrong.push(format!("{} (to end with {code}):\n{seen}\ninstead of:\n{first}", world.name));
        }
    }
    wrong
}

#[test]
fn every_verb_says_the_same_wherever_it_is_done() {
    let worlds = World::all();
    let table: &[(&[&str], i32)] = &[
        (&["execution", "list"], 0),
        (&["execution", "list", "--json"], 0),
        (&["inquiry", "list"], 0),
        (&["exec", "t.quick", "2"], 0),
        (&["exec", "t.quick", "2", "--json"], 0),
        (&["exec", "t.quick", "count=2", "--key", "n"], 0),
        (&["exec", "t.quick", "2", "--key", "m"], 3),
        (&["exec", "t.quick", "2", "--no-progress"], 0),
        (&["exec", "t.nested"], 0),
        (&["exec", "core.echo", "message=hello"], 0),
        (&["exec", "t.bad"], 1),
        (&["exec", "t.bad", "--json"], 1),
        (&["exec", "t.quick"], 2),
        (&["exec", "t.quick", "count=x", "other=1"], 2),
        (&["exec", "t.quick", "count=x", "--json"], 2),
        (&["exec", "t.quik"], 3),
        (&["exec", "broken.x"], 4),
        (&["exec", "t.quick", "--help"], 0),
        (&["exec", "t.quick", "--help", "--json"], 0),
        (&["execution", "list"], 0),
        (&["execution", "list", "--json"], 0),
        (&["execution", "list", "--status", "failed", "--limit", "1"], 0),
        (&["execution", "list", "--action", "t.nested"], 0),
        (&["execution", "get", "last"], 0),
        (&["execution", "get", "last", "--json"], 0),
        (&["execution", "get", "0"], 2),
        (&["execution", "get", "00000000-0000"], 3),
        (&["execution", "journal", "last"], 0),
        (&["execution", "journal", "last", "--json"], 0),
        (&["execution", "explain", "last"], 0),
        (&["execution", "explain", "last", "--json"], 0),
        (&["execution", "tail", "last"], 1),
        (&["execution", "tail", "-f", "last"], 1),
        (&["execution", "tail", "-f", "last", "--json"], 1),
        (&["execution", "rerun", "last"], 1),
        (&["execution", "rerun", "last", "--failed"], 1),
        (&["execution", "rerun", "last", "--tasks", "none"], 2),
        (&["execution", "pause", "last"], 2),
        (&["execution", "resume", "last"], 2),
        (&["execution", "cancel", "last"], 2),
        (&["execution", "respond", "last", "x=1"], 2),
        (&["graph", "t.quick", "--execution", "last"], 2),
        (&["action", "list"], 0),
        (&["action", "list", "--json"], 0),
        (&["action", "list", "--pack", "t"], 0),
        (&["action", "list", "--pack", "tt"], 3),
        (&["action", "list", "--pack", "broken"], 4),
        (&["action", "get", "t.quick"], 0),
        (&["action", "get", "t.quick", "--json"], 0),
        (&["action", "get", "core.echo"], 0),
        (&["action", "get", "core.ech"], 3),
        (&["pack", "list"], 0),
        (&["pack", "list", "--json"], 0),
        (&["pack", "get", "tt"], 3),
        (&["event", "send", "volume-7"], 3),
    ];
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let wrong: Vec<_> = table.iter().flat_map(|(arguments, code)| same(&worlds, |_| words(arguments), *code)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    for world in &worlds {
        // How long steps took is in the picture.
        let graph = world.run(&["graph", "--execution", "last"]);
        assert!(graph.code == Some(0) && graph.stdout.starts_with("<svg"), "{}: {}", world.name, graph.seen());
        // What was granted is known only where it was.
        let mut pack = world.run(&["pack", "get", "core", "--json"]).json();
        for known_there in ["granted", "standing"] {
            pack.as_object_mut().unwrap().remove(known_there);
        }
        let near = world.place.run(&["pack", "get", "core", "--json"]).json();
        assert!(pack.as_object().unwrap().iter().all(|(key, value)| near[key] == *value), "{}: {pack}", world.name);
        let broken = world.run(&["pack", "get", "broken"]);
        assert!(broken.code == Some(4) && broken.stderr.contains("E-PACK-0015"), "{}: {}", world.name, broken.seen());
        let unknown = world.run(&["exec", "nothing.there"]);
        assert!(unknown.code == Some(3) && unknown.stderr.contains("runner action list"), "{}", unknown.seen());
    }
    assert_eq!(
        std::fs::read_dir(worlds[2].place.path("elsewhere")).unwrap().count(),
        0,
        "with --url nothing is made here"
    );
}

#[test]
fn what_waits_is_shown_answered_paused_and_cancelled_the_same_wherever_it_runs() {
    let worlds = World::all();
    let waiting =
        |action: &str| -> (Vec<String>, Vec<Option<Child>>) { worlds.iter().map(|world| world.begin(action)).unzip() };
    let of = |ids: &[String], words: &[&str], code: i32| {
        let with_id = |index: usize| words.iter().map(|word| word.replace("ID", &ids[index])).collect();
        let wrong = same(&worlds, with_id, code);
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    };
    let (ids, children) = waiting("t.approve");
    for arguments in [
        &["inquiry", "list"][..],
        &["inquiry", "list", "--json"],
        &["inquiry", "get", "ID"],
        &["inquiry", "get", "ID", "--json"],
        &["execution", "get", "ID"],
        &["execution", "explain", "ID"],
        &["execution", "tail", "ID"],
        &["execution", "pause", "ID"],
        &["execution", "resume", "ID"],
    ] {
        of(&ids, arguments, 0);
    }
    of(&ids, &["execution", "respond", "ID", "size=large"], 2);
    of(&ids, &["execution", "respond", "ID", "--task", "none", "size=1"], 2);
    of(&ids, &["inquiry", "respond", "ID", "size=3"], 0);
    for ((world, id), child) in worlds.iter().zip(&ids).zip(children) {
        assert_eq!(world.end(id, child), Some(0), "{}", world.name);
    }
    of(&ids, &["execution", "journal", "ID"], 0);

    let (ids, children) = waiting("t.approve");
    of(&ids, &["execution", "cancel", "ID", "00000000-0000", "--json"], 3);
    for ((world, id), child) in worlds.iter().zip(&ids).zip(children) {
        assert_eq!(world.end(id, child), Some(130), "{}", world.name);
    }

    let (ids, children) = waiting("t.event");
    of(&ids, &["inquiry", "list", "--all"], 0);
    of(&ids, &["event", "send", "volume-7", "size=3", "--json"], 0);
    for ((world, id), child) in worlds.iter().zip(&ids).zip(children) {
        assert_eq!(world.end(id, child), Some(0), "{}", world.name);
    }
}

#[test]
fn a_tail_of_a_daemon_shows_what_comes_also_of_nested_workflows_and_ends_with_it() {
    let [_, near, far] = World::all();
    far.place.write("packs/t/workflows/outer.yaml", "name: outer\ntasks:\n  sub: {action: t.approve}\n");
    near.place.write("packs/t/workflows/outer.yaml", "name: outer\ntasks:\n  sub: {action: t.approve}\n");
    for world in [near, far] {
        let deadline = Instant::now() + SOON;
        // The pack is read again by itself.
        let run = loop {
            let run = world.run(&["exec", "t.outer", "--detach"]);
            if run.code == Some(0) {
                break run;
            }
            assert!(Instant::now() < deadline, "{}: the new workflow does not come", world.name);
        };
        let id = run.stdout.trim();
        let mut tail = world.command(&["execution", "tail", "-f", id]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines().map(Result::unwrap);
        let waits = lines.find(|line| line.contains(" waits ")).expect("the question");
        assert!(waits.contains("   waits     ask for an answer"), "{}: it is indented: {waits}", world.name);
        let asked = world.run(&["inquiry", "list", "--json"]).json();
        let child = asked[0]["execution"].as_str().unwrap().to_owned();
        assert_eq!(world.run(&["execution", "respond", &child, "size=1"]).code, Some(0));
        let rest: Vec<_> = lines.collect();
        assert_eq!(rest.iter().filter(|line| line.contains(" answered ")).count(), 1, "{}: {rest:#?}", world.name);
        let words = |line: &String| line.split_once("Z ").map(|(_, text)| text.trim_end().to_owned());
        assert_eq!(rest.last().and_then(words).as_deref(), Some("succeeded"), "{}: {rest:#?}", world.name);
        assert_eq!(tail.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn ctrl_c_cancels_what_a_daemon_runs_and_a_killed_client_leaves_it() {
    let [_, near, far] = World::all();
    for world in [near, far] {
        let begin = || {
            let mut command = world.command(&["exec", "t.approve"]);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
            let id = lines.next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
            lines.find(|line| line.starts_with("waits")).expect("it waits");
            (child, id, lines)
        };
        let (mut child, id, _lines) = begin();
        crate::kit::interrupt(&child);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{}", world.name);
        assert_eq!(world.run(&["execution", "get", &id, "--json"]).json()["status"], "canceled", "{}", world.name);
        let (mut child, id, _lines) = begin();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(world.run(&["inquiry", "respond", &id, "size=1"]).code, Some(0), "{}", world.name);
        assert_eq!(world.end(&id, None), Some(0), "{}", world.name);
    }
}

#[test]
fn what_is_to_be_simulated_is_not_run_for_real_and_what_is_about_this_machine_asks_nobody() {
    let [_, near, far] = World::all();
    for world in [&near, &far] {
        let refused = world.run(&["exec", "t.quick", "1", "--simulate"]);
        assert_eq!(refused.code, Some(2), "{}", refused.seen());
        assert!(refused.stderr.contains("runner serve --simulate"), "{}", refused.seen());
    }
    let embedded = near.run(&["exec", "t.quick", "1", "--simulate", "--embedded"]);
    assert_eq!(embedded.code, Some(0), "{}", embedded.seen());
    for verb in
        [&["test"][..], &["doctor"], &["serve"], &["pack", "check"], &["connection", "list"], &["simulate", "x"]]
    {
        let run = far.run(verb);
        assert_eq!(run.code, Some(2), "{}", run.seen());
    }
    assert_eq!(far.run(&["exec", "t.quick", "1", "--embedded"]).code, Some(2), "it is one or the other");
}

#[test]
fn what_is_done_in_this_process_is_not_done_where_another_one_is_named() {
    let place = Place::new();
    for option in ["--plan", "--embedded", "--dev", "--record=it.jsonl", "--replay=it.jsonl"] {
        let before = place.run(&["--url", "http://127.0.0.1:9", "exec", "core.noop", option]);
        let by_environment = ["exec", "core.noop", option];
        let output = place.command(&by_environment).env("RUNNER_URL", "http://127.0.0.1:9").output().unwrap();
        let (name, _) = option.split_once('=').unwrap_or((option, ""));
        for run in [before, place.ended(&by_environment, output)] {
            assert_eq!(run.code, Some(2), "{}", run.seen());
            assert!(run.stderr.contains(&format!("`{name}`")) && run.stderr.contains("RUNNER_URL"), "{}", run.seen());
        }
        assert!(!place.path("data/runner.db").exists() && !place.path("it.jsonl").exists());
    }
}

#[test]
fn keys_and_addresses_that_do_not_open_anything_are_named() {
    let [_, near, far] = World::all();
    let made = near.run(&["key", "create", "ops", "--role", "viewer", "--json"]).json();
    near.place.write("elsewhere/key", &format!("{}\n", made["secret"].as_str().unwrap()));
    let url = near.daemon.as_ref().unwrap().url.clone();
    let ask = |more: &[&str], key: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.current_dir(near.place.path("elsewhere")).env_clear().args(more);
        command.envs(key.map(|key| ("RUNNER_KEY", key))).env("RUNNER_URL", &url);
        near.place.ended(more, command.output().unwrap())
    };
    let none = ask(&["execution", "list"], None);
    assert!(none.code == Some(2) && none.stderr.contains("RUNNER_KEY"), "{}", none.seen());
    let wrong = ask(&["execution", "list"], Some("rk_wrong"));
    assert!(wrong.code == Some(2) && !wrong.stderr.contains("rk_wrong"), "{}", wrong.seen());
    let listed = ask(&["execution", "list"], made["secret"].as_str());
    assert_eq!(listed.code, Some(0), "{}", listed.seen());
    let listed = ask(&["execution", "list", "--key-file", "key"], None);
    assert_eq!(listed.code, Some(0), "{}", listed.seen());
    let viewer = ask(&["exec", "t.quick", "1", "--key-file", "key"], None);
    assert!(viewer.code == Some(2) && viewer.stderr.contains("operator"), "{}", viewer.seen());
    // Whoever has the data directory needs no key.
    assert_eq!(near.run(&["exec", "t.quick", "1"]).code, Some(0));

    for (url, code) in [("127.0.0.1:9101", 2), ("http://me:secret@localhost", 2), ("http://127.0.0.1:1", 5)] {
        let run = far.place.run(&["execution", "list", "--url", url]);
        assert_eq!(run.code, Some(code), "{}", run.seen());
        assert!(!run.stderr.contains("secret"), "{}", run.seen());
    }
}
