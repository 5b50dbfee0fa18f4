//! S2, S12: a thousand poisoned calls in a row leave the daemon as it was: each fails with its own code, the health
//! endpoint answers all along, and neither memory nor files are lost.
//!
//! `RUNNER_POISON=1000` makes it the full number; the bench `security` always does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::StreamExt as _;
use serde_json::{Value, json};

use super::guests::{self, Bad};
use crate::daemon::kit::Daemon;
use crate::kit::{Place, root};

/// Calls in a quick run.
const CALLS: usize = 192;
/// Calls on their way at the same time: a caller who waits for one would leave the daemon idle.
const AT_ONCE: usize = 4;

fn asked_for() -> Option<usize> {
    std::env::var_os("RUNNER_POISON").map(|calls| calls.to_str().unwrap().parse().unwrap())
}

fn calls() -> usize {
    asked_for().unwrap_or(CALLS)
}

/// Asks the daemon for its health until it is told to stop; counts the answers, and those that were not good.
async fn ask_health(url: String, stop: Arc<AtomicBool>) -> (usize, usize) {
    let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(60)).build().unwrap();
    let (mut good, mut bad) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        match client.get(&url).send().await {
            Ok(response) if response.status() == 200 => good += 1,
            _ => bad += 1,
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    (good, bad)
}

/// Calls so many bad actions in turn; each has to fail with its code.
async fn poison(daemon: &Daemon, bad: &[Bad], count: usize) -> usize {
    let failed = AtomicUsize::new(0);
    let call = async |number: usize| {
        let bad = &bad[number % bad.len()];
        let execution = daemon.run(&format!("bad.{}", bad.name), json!({})).await;
        let code = code_of(&execution);
        assert!(bad.expected.iter().any(|expected| expected.id() == code), "{}: {execution}", bad.name);
        failed.fetch_add(1, Ordering::Relaxed);
    };
    futures::stream::iter(0..count).for_each_concurrent(AT_ONCE, call).await;
    failed.into_inner()
}

fn code_of(execution: &Value) -> String {
    let text = execution.to_string();
    let start = text.find("E-HOST-").unwrap_or_else(|| panic!("no code: {text}"));
    text[start..start + "E-HOST-0000".len()].to_owned()
}

/// Resident memory in KiB, and open files.
#[cfg(target_os = "linux")]
fn use_of(pid: u32) -> (u64, usize) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let resident = line.trim().trim_end_matches(" kB").parse().unwrap();
    (resident, std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count())
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn poisoned_calls_leave_the_daemon_as_it_was_and_its_health_answering() {
    let place = Place::new();
    let mut bad = guests::write_pack(&place.path("packs"), &root().join("tests/guests/components"));
    // It takes the compiler's 20 s, once: a test of its own has one.
    bad.retain(|bad| asked_for().is_some() || bad.name != "compile_bomb");
    let daemon = Daemon::start(&place, &[]);
    // A round of the same kind, until everything that is made once is there.
    poison(&daemon, &bad, calls()).await;
    let (resident_before, files_before) = use_of(daemon.pid());

    let stop = Arc::new(AtomicBool::new(false));
    let health = tokio::spawn(ask_health(daemon.at("/healthz"), Arc::clone(&stop)));
    let failed = poison(&daemon, &bad, calls()).await;
    stop.store(true, Ordering::Relaxed);
    let (good, unhealthy) = health.await.unwrap();

    assert_eq!(failed, calls(), "each failed, with its own code");
    assert_eq!(unhealthy, 0, "of {good} answers");
    assert!(good >= calls() / 10, "only {good} answers of its health");
    let (resident, files) = use_of(daemon.pid());
    eprintln!("{resident_before} KiB before, {resident} KiB after; {files_before} and {files} files; {good} answers");
    assert!(resident <= resident_before + resident_before / 10, "{resident_before} KiB grew to {resident} KiB");
    // Its own clients may keep a connection or two.
    assert!(files <= files_before + AT_ONCE, "{files_before} files became {files}");
    let echo = daemon.run("core.echo", json!({ "message": "still here" })).await;
    assert_eq!(echo["status"], "succeeded", "{echo}");
}

/// The names of a process's threads.
#[cfg(target_os = "linux")]
fn threads(pid: u32) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().map(|task| task.unwrap().path().join("comm"));
    // One may end meanwhile.
    tasks.filter_map(|name| Some(std::fs::read_to_string(name).ok()?.trim().to_owned())).collect()
}

/// S1: with twice as many loops as cores, whoever asks gets an answer, since a thread of its own makes them give way.
#[tokio::test(flavor = "multi_thread")]
async fn loops_on_every_core_leave_the_daemon_answering() {
    let place = Place::new();
    place.bad_pack("loop_forever", "timeout: 3\n");
    let daemon = Daemon::start(&place, &[]);
    let stop = Arc::new(AtomicBool::new(false));
    let loops = 2 * std::thread::available_parallelism().unwrap().get();
    let health = tokio::spawn(ask_health(daemon.at("/healthz"), Arc::clone(&stop)));
    let ended = futures::future::join_all((0..loops).map(|_| daemon.run("bad.loop_forever", json!({})))).await;
    stop.store(true, Ordering::Relaxed);
    let (good, bad) = health.await.unwrap();
    for execution in ended {
        assert_eq!(code_of(&execution), runner_model::code::HOST_TIMEOUT.id(), "{execution}");
    }
    #[cfg(target_os = "linux")]
    assert_eq!(threads(daemon.pid()).iter().filter(|name| *name == "runner-epoch").count(), 1);
    // At 250 ms for each answer there would be twelve.
    assert!(good >= 12 && bad == 0, "{good} answers, {bad} failures");
}

/// S5: a bomb that is being compiled delays neither other actions nor those of packs that are compiled after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_compile_bomb_in_a_pack_delays_no_other_action() {
    let place = Place::new();
    guests::write_pack(&place.path("packs"), &root().join("tests/guests/components"));
    std::fs::write(place.path("packs/bad/components/bomb.wasm"), super::bombs::of_time(6_000)).unwrap();
    let daemon = Daemon::start(&place, &[]);
    daemon.run("core.echo", json!({ "message": "compiled" })).await;
    let body = json!({ "action": "bad.compile_bomb", "parameters": {} });
    // As many as there are places for guests: they wait for one compiler, and hold no place.
    for _ in 0..260 {
        assert!((200..300).contains(&daemon.post("/api/v1/executions", &body).await.0));
    }
    for number in 0..10 {
        let echo = daemon.run("core.echo", json!({ "message": "hello" })).await;
        assert_eq!(echo["status"], "succeeded", "{number}: {echo}");
    }
    let panicked = daemon.run("bad.panic", json!({})).await;
    assert_eq!(code_of(&panicked), runner_model::code::HOST_TRAP.id(), "another component was compiled meanwhile");
}
