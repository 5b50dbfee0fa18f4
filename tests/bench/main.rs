//! What runner costs over its bare parts, measured in one run: a guest's call, a recorded execution, a whole process.
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

mod bare;
mod exec;
mod figures;
mod host;
mod process;

use std::path::PathBuf;
use std::sync::Arc;

use figures::{Figures, Row};

/// Rounds, each of which measures every part in turn.
const ROUNDS: usize = 20;
/// Calls of a part in one round.
const CALLS: usize = 100;

fn main() {
    let guest = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/components/host-guest.wasm");
    let wasm: Arc<[u8]> = std::fs::read(guest).unwrap().into();
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let rows = runtime.block_on(calls(&wasm, directory.path()));
    figures::print("in one process", &rows);
    figures::print("process start to exit, warm cache", &process::measure(directory.path()));
}

async fn calls(wasm: &Arc<[u8]>, directory: &std::path::Path) -> Vec<Row> {
    let bare = bare::Wasm::new(wasm);
    let sqlite = bare::Sqlite::new(&directory.join("bare.db"));
    let file = bare::File::new(&directory.join("flushed"));
    let host = host::Call::new(wasm, directory).await;
    let exec = exec::Exec::new(directory).await;
    let mut times: [Vec<_>; 7] = Default::default();
    // The first round warms everything up.
    for round in 0..=ROUNDS {
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
    vec![
        Row::bare("bare wasmtime: instantiate and call `echo`", &bare),
        Row::beside("Host::run of `echo` (aim: at most 1.5)", &host, &bare, "of the bare call"),
        Row::bare("one flush of a file (4 KiB, fdatasync)", &flush),
        Row::bare("one single-row commit, SQLite, FULL", &commit),
        Row::beside("one write through the store: a group commit of one", &group, &commit, "of the bare commit"),
        Row::with("core.noop, recorded", &noop, format!("{:.2} group commits", commits(&noop, 0.0))),
        Row::with(
            "a WASM action, recorded (intent, then outcome)",
            &echo,
            format!("{:.2} group commits and a host call", commits(&echo, host.median)),
        ),
    ]
}
