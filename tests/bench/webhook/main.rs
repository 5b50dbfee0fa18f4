//! From a signed webhook to its durable acknowledgement, under load: the daemon beside a bare axum handler that flushes
//! one SQLite row by group commit. Each is a process of its own, asked in turns by the same load; what counts is the ratio.
//! `cargo bench -p runner --bench webhook` runs it.

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
mod load;
mod served;

use load::Measured;
use served::Served;

/// Rounds, each of which measures every part in turn. The first warms everything up.
const ROUNDS: usize = 4;

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    if let [_, what, database] = arguments.as_slice()
        && what == bare::ARGUMENT
    {
        return bare::serve(database);
    }
    let directory = tempfile::tempdir().unwrap();
    let parts = [
        ("bare axum handler, one row by group commit", Served::bare(directory.path())),
        ("webhook that no rule matches", Served::daemon(directory.path(), "quiet")),
        ("webhook, rule, execution of core.noop", Served::daemon(directory.path(), "busy")),
    ];
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!("| in flight | what | requests/s | p50 ms | p99 ms | ratio |");
    println!("|---|---|---|---|---|---|");
    for connections in [1, 16, 64] {
        let mut rounds: Vec<Vec<Measured>> = vec![Vec::new(); parts.len()];
        for round in 0..=ROUNDS {
            for (part, measured) in parts.iter().zip(&mut rounds) {
                let one = runtime.block_on(load::measure(&part.1, connections));
                if round > 0 {
                    measured.push(one);
                }
            }
        }
        let middle: Vec<_> = rounds.into_iter().map(Measured::middle).collect();
        for ((name, _), measured) in parts.iter().zip(&middle) {
            let ratio = measured.rate / middle[0].rate;
            let (rate, p50, p99) = (measured.rate, measured.p50_ms, measured.p99_ms);
            println!("| {connections} | {name} | {rate:.0} | {p50:.2} | {p99:.2} | {ratio:.2} |");
        }
    }
}
