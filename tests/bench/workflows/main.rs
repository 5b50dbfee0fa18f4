//! Workflows over HTTP, from the request to the recorded end: 1, 3 and 10 WASM steps, with 1, 50 and 200 in flight; ten
//! also in a relaxed workflow, where steps do not wait for the disk.
//!
//! The daemon is a process of its own, with its journal on disk (`synchronous=FULL`). The bare parts are measured in the
//! same rounds: a guest that is instantiated and called, a commit of one row, a flush, and an axum handler that commits one row
//! by group commit. `cargo bench -p runner --bench workflows` runs it; after `--`, `--json FILE` writes the figures, too, and
//! `--steps 10 --in-flight 50` measures only that, for whoever looks at it with a profiler.

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
#[path = "../bare.rs"]
mod bare;
#[path = "../bare_server.rs"]
mod bare_server;
mod flow;
#[path = "../load.rs"]
mod load;
mod parts;
#[path = "../served.rs"]
mod served;
mod table;

use flow::Flow;
use load::{Measured, Target};
use parts::{Parts, Times};
use served::Served;
use table::Table;

/// Rounds, each of which measures every part in turn. The first warms everything up.
const ROUNDS: usize = 3;
/// Workflows with so many steps.
const STEPS: [usize; 3] = [1, 3, 10];
/// How many are under way at the same time.
const IN_FLIGHT: [usize; 3] = [1, 50, 200];

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    if let [_, what, database] = arguments.as_slice()
        && what == bare_server::ARGUMENT
    {
        return bare_server::serve(database);
    }
    let only = |name: &str, all: [usize; 3]| {
        asked::option(name).map_or_else(|| all.to_vec(), |one| vec![one.parse().unwrap()])
    };
    let (flows, all_in_flight) = (Flow::all(&only("--steps", STEPS)), only("--in-flight", IN_FLIGHT));
    let directory = tempfile::tempdir().unwrap();
    let bare = Served::of(Served::bare(&directory.path().join("bare.db")));
    let daemon = flow::daemon(&directory.path().join("daemon"));
    let mut targets = vec![flow::row(&bare)];
    targets.extend(flows.iter().map(|flow| flow::requests(&daemon, *flow)));
    // The load is to leave the daemon a core.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut table = Table::of(flows);
    let parts = Parts::new(directory.path());
    for connections in all_in_flight {
        let (times, middle) = runtime.block_on(rounds(&parts, &targets, connections));
        table.add(connections, &times, &middle);
    }
    table.print(&flow::sizes(&directory.path().join("daemon"), &daemon));
    if let Some(path) = asked::option("--json") {
        std::fs::write(path, table.json().to_string()).unwrap();
    }
}

async fn rounds(parts: &Parts, targets: &[Target], connections: usize) -> (Times, Vec<Measured>) {
    let mut rounds: Vec<Vec<Measured>> = vec![Vec::new(); targets.len()];
    let mut times = Vec::new();
    for round in 0..=if asked::is_quick() { 1 } else { ROUNDS } {
        let turn = parts.measure().await;
        let mut measured = Vec::new();
        for target in targets {
            measured.push(load::measure(target, connections).await);
        }
        if round > 0 {
            times.push(turn);
            rounds.iter_mut().zip(measured).for_each(|(all, one)| all.push(one));
        }
    }
    (Times::middle(&times), rounds.into_iter().map(Measured::middle).collect())
}
