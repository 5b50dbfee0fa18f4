//! From a signed webhook to its durable acknowledgement, under load: the daemon beside a bare axum handler that flushes
//! one SQLite row by group commit. Each is a process of its own, asked in turns by the same load; what counts is the ratio,
//! on this machine's disk and on one that flushes more slowly. `cargo xtask bench webhook` runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a measurement for people"
)]

#[path = "../asked.rs"]
mod asked;
#[path = "../bare_server.rs"]
mod bare_server;
mod disk;
mod hook;
#[path = "../load.rs"]
mod load;
#[path = "../report.rs"]
mod report;
#[path = "../served.rs"]
mod served;

use std::time::{Duration, Instant};

use disk::Disk;
use load::{Measured, Target};
use report::{Line, Report};
use served::Served;

/// Rounds, each of which measures every part in turn. The first warms everything up.
const ROUNDS: usize = 4;

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    if let [_, what, database] = arguments.as_slice()
        && what == bare_server::ARGUMENT
    {
        return bare_server::serve(database);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut report = Report::default();
    for disk in Disk::all() {
        report.title(&format!("a webhook, to its acknowledgement{}", disk.described()));
        measure(&runtime, &disk, &mut report);
    }
    report.end();
}

/// Measures what keeps what it acknowledges on this disk.
fn measure(runtime: &tokio::runtime::Runtime, disk: &Disk, report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let served = [
        Served::bare(&directory.path().join("bare.db")),
        hook::daemon(directory.path(), "quiet"),
        hook::daemon(directory.path(), "busy"),
    ]
    .map(|command| disk.serve(command));
    let hook = |at: usize, path| hook::deliveries(&served[at], path);
    let parts = [
        ("bare axum handler, one row by group commit", hook(0, "/hook")),
        ("webhook that no rule matches", hook(1, "/api/v1/webhooks/hook")),
        ("webhook, rule, execution of core.noop", hook(2, "/api/v1/webhooks/hook")),
    ];
    for connections in [1, 16, 64] {
        let mut rounds: Vec<Vec<Measured>> = vec![Vec::new(); parts.len()];
        for round in 0..=if asked::is_quick() { 1 } else { ROUNDS } {
            for (part, measured) in parts.iter().zip(&mut rounds) {
                let one = runtime.block_on(load::measure(&part.1, connections));
                rest(&part.1);
                if round > 0 {
                    measured.push(one);
                }
            }
        }
        let middle: Vec<_> = rounds.into_iter().map(Measured::middle).collect();
        for ((name, _), measured) in parts.iter().zip(&middle) {
            let ratio = measured.rate / middle[0].rate;
            let Measured { rate, p50_ms, p99_ms, cpu_us } = &measured;
            assert!(*p50_ms >= disk.least_ms(), "{name} acknowledged what it had not flushed: {p50_ms} ms");
            let disk = disk.described();
            let what = format!(
                "{name}{disk}, {connections} in flight, p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms, CPU {cpu_us:.0} us"
            );
            report.add(Line::new(what, *rate, "/s").beside(ratio, "the bare handler"));
        }
    }
}

/// Waits until a process has done what it was asked for, executions that are left to run among it: whoever is measured next
/// has the processors.
fn rest(target: &Target) {
    const LOOK: Duration = Duration::from_millis(200);
    let (began, mut taken) = (Instant::now(), target.cpu.taken());
    loop {
        std::thread::sleep(LOOK);
        let now = target.cpu.taken();
        if now.saturating_sub(taken) < LOOK / 10 {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "the process does not come to rest");
        taken = now;
    }
}
