//! S5: components are compiled by a child that limits itself. What cannot be compiled within the limits fails with a
//! code, and other executions go on meanwhile.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use runner_host::{Attempt, Compiling, Component, Connections, Deaf, Host, HostOptions, NoKv, PackContext, World};
use runner_model::limits::CompileLimits;
use runner_model::{
    AttemptNumber, ExecutionId, Failure, Limits, Outcome, PackRef, Permissions, StepId, SystemClock, code,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::bombs;
use crate::kit::root;

const RUNNER: &str = env!("CARGO_BIN_EXE_runner");

fn itself() -> Compiling {
    Compiling::Child { program: RUNNER.into(), arguments: vec!["compile-component".into()], environment: allocator() }
}

/// What runner gives its own child.
fn allocator() -> Vec<(OsString, OsString)> {
    vec![("MIMALLOC_ARENA_EAGER_COMMIT".into(), "0".into())]
}

/// A shell as the compiler.
fn script(text: &str) -> Compiling {
    let arguments = vec!["-c".into(), text.into(), "sh".into()];
    Compiling::Child { program: "/bin/sh".into(), arguments, environment: allocator() }
}

/// One that writes down that it began, and then does its work.
fn counted(log: &Path) -> Compiling {
    script(&format!("echo + >> {}; exec {RUNNER} compile-component \"$@\"", log.display()))
}

/// One that writes down when it began and when it ended.
fn timed(log: &Path) -> Compiling {
    let log = log.display();
    script(&format!("echo + >> {log}; {RUNNER} compile-component \"$@\"; ended=$?; echo - >> {log}; exit $ended"))
}

fn host(compiling: Compiling, cache_dir: Option<PathBuf>, change: impl FnOnce(&mut CompileLimits)) -> Host {
    let mut limits = Limits::default();
    limits.guest.concurrency_max = 8;
    change(&mut limits.compile);
    Host::new(HostOptions { cache_dir, compiling, limits, clock: Arc::new(SystemClock) }).unwrap()
}

fn guest(name: &str) -> Arc<[u8]> {
    std::fs::read(root().join("tests/guests/components").join(name)).unwrap().into()
}

/// The smallest components that differ.
fn small(number: usize) -> Arc<[u8]> {
    wat::parse_str(format!("(component (core module (func (result i32) i32.const {number})))")).unwrap().into()
}

fn attempt() -> Attempt {
    let limits = Limits::default();
    Attempt {
        execution: ExecutionId::from_bytes([7; 16]),
        step: StepId(1),
        action: "demo.echo".parse().unwrap(),
        function: "echo".to_owned(),
        number: AttemptNumber::FIRST,
        idempotency_key: "key".to_owned(),
        span_key: None,
        input: json!({}),
        timeout: Duration::from_secs(60),
        last_heartbeat: None,
        trace: None,
        cancel: CancellationToken::new(),
        pack: Arc::new(PackContext {
            pack: PackRef::new("demo").unwrap(),
            version: "1.0.0".to_owned(),
            permissions: Permissions::default(),
            grant: Permissions::default(),
            current: None,
            config: "{}".to_owned(),
            kv: Arc::new(NoKv),
            connections: Connections::none(&limits),
        }),
        observer: Arc::new(Deaf),
    }
}

async fn refused(host: &Host, component: impl Into<Arc<[u8]>>) -> Failure {
    host.load(component.into(), World::Action).await.unwrap_err()
}

/// Whether it was compiled, and only then found to be no action.
fn was_compiled(failure: &Failure) -> bool {
    failure.code == code::HOST_BAD_COMPONENT.id() && failure.message.contains("does not fit the world")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_child_compiled_runs_and_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let cache = Some(directory.path().join("cache"));
    for _ in 0..2 {
        let host = host(counted(&log), cache.clone(), |_| ());
        let component = host.load(guest("host-guest.wasm"), World::Action).await.unwrap();
        assert_eq!(host.run(&component, attempt()).await, Outcome::Succeeded { result: json!({}) });
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "+\n", "it was compiled once");
    }
    // Without a cache, too.
    let component = host(itself(), None, |_| ()).load(guest("host-sensor.wasm"), World::Sensor).await;
    assert!(component.is_ok());
}

/// Runs an action again and again until it is told to stop; counts how often.
async fn going_on(host: Host, component: Component, count: Arc<AtomicUsize>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        assert_eq!(host.run(&component, attempt()).await, Outcome::Succeeded { result: json!({}) });
        count.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_compile_bomb_is_compiled_within_limits_or_fails_with_a_code_and_executions_go_on() {
    let host = host(itself(), None, |limits| {
        limits.cpu = Duration::from_secs(1);
        limits.memory_bytes_max = 192 * 1024 * 1024;
    });
    let component = host.load(guest("host-guest.wasm"), World::Action).await.unwrap();
    for bomb in bombs::all() {
        let (count, stop) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
        let going = tokio::spawn(going_on(host.clone(), component.clone(), count.clone(), stop.clone()));
        let failure = refused(&host, bomb.component).await;
        stop.cancel();
        going.await.unwrap();
        let expected = [code::HOST_COMPILE_CPU, code::HOST_COMPILE_MEMORY, code::HOST_COMPONENT_TOO_LARGE];
        let is_expected = was_compiled(&failure) || expected.iter().any(|code| code.id() == failure.code);
        assert!(is_expected, "{}: {failure}", bomb.name);
        let count = count.load(Ordering::Relaxed);
        assert!(count > 10, "{}: only {count} executions ended meanwhile", bomb.name);
        eprintln!("{}: {count} executions meanwhile; {failure}", bomb.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processor_time_and_memory_have_codes_of_their_own_and_are_not_used_up_twice() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    // Each limit by itself: which of two is met first would depend on the machine.
    let hasty = host(counted(&log), None, |limits| limits.cpu = Duration::from_secs(1));
    let tight = host(counted(&log), None, |limits| limits.memory_bytes_max = 128 * 1024 * 1024);
    let (of_time, of_memory): (Arc<[u8]>, Arc<[u8]>) = (bombs::of_time(3_000).into(), bombs::of_memory().into());
    assert!(of_time.len() < 10 * 1024 * 1024);
    for _ in 0..3 {
        let failure = refused(&hasty, of_time.clone()).await;
        assert_eq!(failure.code, code::HOST_COMPILE_CPU.id(), "{failure}");
        assert!(failure.hint.is_some() && !failure.retryable);
        let failure = refused(&tight, of_memory.clone()).await;
        assert_eq!(failure.code, code::HOST_COMPILE_MEMORY.id(), "{failure}");
    }
    assert_eq!(std::fs::read_to_string(&log).unwrap().matches('+').count(), 2, "each was tried once");
    // Something else is compiled all the same.
    assert!(tight.load(guest("host-sensor.wasm"), World::Sensor).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_compile_at_once_than_are_allowed_and_each_component_only_once() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let host = host(timed(&log), None, |limits| limits.at_once_max = 2);
    let loads: Vec<_> = (0..36)
        .map(|number| {
            let host = host.clone();
            tokio::spawn(async move { refused(&host, small(number % 6)).await })
        })
        .collect();
    for load in loads {
        let failure = load.await.unwrap();
        assert!(was_compiled(&failure), "{failure}");
    }
    let log = std::fs::read_to_string(&log).unwrap();
    let (mut at_once, mut most) = (0_i32, 0);
    for line in log.lines() {
        at_once += if line == "+" { 1 } else { -1 };
        most = most.max(at_once);
    }
    assert_eq!(log.matches('+').count(), 6);
    assert!(most <= 2, "{most} at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compiler_that_hangs_or_floods_or_crashes_is_ended_and_said_so() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    let hang = script(&format!("echo $$ > {}; exec sleep 1000", pid.display()));
    let hanging = host(hang, None, |limits| limits.time = Duration::from_millis(300));
    let failure = refused(&hanging, small(1)).await;
    assert_eq!(failure.code, code::HOST_COMPILE_LATE.id(), "{failure}");
    assert!(failure.retryable);
    let is_there = |pid: &str| Path::new("/proc").join(pid.trim()).exists();
    assert!(!is_there(&std::fs::read_to_string(&pid).unwrap()), "the child was not reaped");

    let flooding = host(script("exec yes"), None, |limits| limits.code_bytes_max = 1024 * 1024);
    assert_eq!(refused(&flooding, small(1)).await.code, code::HOST_COMPONENT_TOO_LARGE.id());

    for (broken, said) in [
        ("kill -SEGV $$", "signal: 11"),
        ("echo so what >&2; exit 7", "so what"),
        ("exit 0", "exit status: 0"),
        ("echo nonsense", "exit status: 0"),
    ] {
        let failure = refused(&host(script(broken), None, |_| ()), small(1)).await;
        assert_eq!(failure.code, code::HOST_COMPILE_CRASH.id(), "{failure}");
        assert!(failure.message.contains(said), "{failure}");
    }
    // What looks like machine code and is none is refused by the engine.
    let failure = refused(&host(script("printf +nonsense"), None, |_| ()), small(1)).await;
    assert_eq!(failure.code, code::HOST_BAD_COMPONENT.id(), "{failure}");
    let (program, arguments, environment) = ("/nowhere/runner".into(), Vec::new(), Vec::new());
    let missing = Compiling::Child { program, arguments, environment };
    assert_eq!(refused(&host(missing, None, |_| ()), small(1)).await.code, code::HOST_COMPILE_CRASH.id());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_no_longer_waits_ends_the_compiler() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    let host = host(script(&format!("echo $$ > {}; exec sleep 1000", pid.display())), None, |_| ());
    let loading = tokio::spawn(async move { host.load(small(1), World::Action).await.is_ok() });
    let number = crate::daemon::kit::until("the compiler", async || {
        std::fs::read_to_string(&pid).ok().filter(|text| text.ends_with('\n'))
    });
    let place = Path::new("/proc").join(number.await.trim());
    loading.abort();
    crate::daemon::kit::until("its end", async || (!place.exists()).then_some(())).await;
}

/// How far a process stands back.
#[cfg(target_os = "linux")]
fn nice(proc: &Path) -> i32 {
    let stat = std::fs::read_to_string(proc.join("stat")).unwrap();
    stat.rsplit(')').next().unwrap().split_whitespace().nth(16).unwrap().parse().unwrap()
}

/// The child limits itself before it has read a byte, and has nothing of its parent.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_child_limits_itself_before_it_reads() {
    let mut child = Command::new(RUNNER)
        .args(["compile-component", "20", "1073741824"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let proc = PathBuf::from(format!("/proc/{}", child.id()));
    // Its standard input stays open: it cannot have read anything when it waits.
    let limits = crate::daemon::kit::until("its limits", async || {
        let text = std::fs::read_to_string(proc.join("limits")).unwrap();
        let limits = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let limits: Vec<String> = limits.collect();
        // `nice` is the last thing it does.
        (nice(&proc) == nice(Path::new("/proc/self")) + 10).then_some(limits)
    });
    let limits = limits.await;
    for expected in [
        "Max cpu time 20 21 seconds",
        "Max file size 0 0 bytes",
        "Max data size 1073741824 1073741824 bytes",
        "Max core file size 0 0 bytes",
        "Max open files 3 3 files",
    ] {
        assert!(limits.iter().any(|line| line == expected), "{expected}: {limits:#?}");
    }
    assert_eq!(std::fs::read_dir(proc.join("task")).unwrap().count(), 1, "it has one thread");
    drop(child.stdin.take());
    assert!(!child.wait().unwrap().success(), "it was given nothing to compile");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_child_gets_no_environment_no_directory_and_no_file_of_its_parent() {
    let directory = tempfile::tempdir().unwrap();
    let seen = directory.path().join("seen");
    // Something that is open here.
    let open = directory.path().join("open");
    let _open = std::fs::File::create(&open).unwrap();
    let variables = "env | grep -v '^\\(PWD\\|OLDPWD\\|SHLVL\\|_\\)='";
    let look = format!("({variables}; pwd; ls -l /proc/$$/fd) > {}", seen.display());
    refused(&host(script(&look), None, |_| ()), small(1)).await;
    let seen = std::fs::read_to_string(seen).unwrap();
    // What it is given, and nothing else.
    let lines: Vec<_> = seen.lines().take(2).collect();
    assert_eq!(lines, ["MIMALLOC_ARENA_EAGER_COMMIT=0", "/"], "{seen}");
    assert!(seen.contains(" 2 -> pipe:") && !seen.contains(&open.display().to_string()), "{seen}");
}

/// The file on disk is another one as soon as a new version is installed: the daemon that runs still compiles.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_whose_file_was_replaced_compiles_with_what_it_is() {
    let place = crate::kit::Place::new();
    // Nothing is compiled there.
    std::fs::remove_file(place.path("data/cache")).unwrap();
    let program = place.path("runner");
    std::fs::copy(RUNNER, &program).unwrap();
    let like = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut command = Command::new(&program);
    command.args(like.get_args()).current_dir(like.get_current_dir().unwrap());
    let daemon = crate::daemon::kit::Daemon::of(command, &place);
    std::fs::remove_file(&program).unwrap();
    std::fs::write(&program, "another version").unwrap();
    let echo = daemon.run("core.echo", json!({ "message": "compiled" })).await;
    assert_eq!(echo["status"], "succeeded", "{echo}");
    let compiled = std::fs::read_dir(place.path("data/cache")).unwrap().count();
    assert_eq!(compiled, 2, "the key, and what was compiled");
}
