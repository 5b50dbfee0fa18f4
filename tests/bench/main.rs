//! What runner costs over its bare parts, measured in one run: a guest's call, a recorded execution.
//!
//! Each part and its bare counterpart are measured in turns, so that a busy machine slows both down; figures are
//! medians, and the ratios are what counts. `cargo bench -p runner --bench overhead` runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a measurement for people"
)]

mod asked;
mod bare;
mod exec;
mod figures;
mod host;
mod report;

use std::path::PathBuf;
use std::sync::Arc;

use figures::Figures;
use report::Report;

/// Rounds, each of which measures every part in turn.
const ROUNDS: usize = 20;
/// Calls of a part in one round.
const CALLS: usize = 100;

fn main() {
    let guest = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/components/host-guest.wasm");
    let wasm: Arc<[u8]> = std::fs::read(guest).unwrap().into();
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(calls(&wasm, directory.path())).end();
}

async fn calls(wasm: &Arc<[u8]>, directory: &std::path::Path) -> Report {
    let bare = bare::Wasm::new(wasm);
    let sqlite = bare::Sqlite::new(&directory.join("bare.db"));
    let file = bare::File::new(&directory.join("flushed"));
    let host = host::Call::new(wasm, directory).await;
    let exec = exec::Exec::new(directory).await;
    let mut times: [Vec<_>; 7] = Default::default();
    // The first round warms everything up.
    for round in 0..=if asked::is_quick() { 1 } else { ROUNDS } {
        let mut turn: [Vec<_>; 7] = Default::default();
        for _ in 0..CALLS {
            turn[0].push(bare.call().await);
        }
        for _ in 0..CALLS {
            turn[1].push(host.call().await);
        }
        for _ in 0..CALLS {
            turn[2].push(file.flush());
        }
        for _ in 0..CALLS {
            turn[3].push(sqlite.commit());
        }
        for _ in 0..CALLS {
            turn[4].push(exec.commit().await);
        }
        for _ in 0..CALLS {
            turn[5].push(exec.run("core.noop").await);
        }
        for _ in 0..CALLS {
            turn[6].push(exec.run("bench.echo").await);
        }
        if round > 0 {
            for (all, turn) in times.iter_mut().zip(turn) {
                all.extend(turn);
            }
        }
    }
    let [bare, host, flush, commit, group, noop, echo] = times.map(Figures::of);
    let commits = |figures: &Figures, over: f64| (figures.median - over) / group.median;
    let mut report = Report::default();
    report.title("in one process");
    report.add(bare.line("bare wasmtime: instantiate and call `echo`"));
    report.add(host.beside("Host::run of `echo`", &bare, "the bare call").aim("at most 1.5"));
    report.add(flush.line("one flush of a file (4 KiB, fdatasync)"));
    report.add(commit.line("one single-row commit, SQLite, FULL"));
    report.add(group.beside("one write through the store: a group commit of one", &commit, "the bare commit"));
    report.add(noop.line("core.noop, recorded").beside(commits(&noop, 0.0), "a group commit"));
    let of = "a group commit, the host call taken off";
    report.add(echo.line("a WASM action, recorded (intent, then outcome)").beside(commits(&echo, host.median), of));
    report
}
