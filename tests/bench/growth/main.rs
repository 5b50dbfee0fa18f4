//! How cost grows, through the daemon with real guests: items of a list, tasks of a workflow, the length of a journal,
//! executions that wait, packs, history; and what many executions in flight take of memory, a step of the disk.
//!
//! A curve is some sizes with the cost of one piece at each; the ratio is to the cost at the smallest size: where cost
//! grows linearly it stays at about 1. Throughput is measured in turns with a bare handler that commits one row.
//! `cargo bench -p runner --bench growth` runs it; behind `--`, names of parts choose some, `--quick` makes everything smaller,
//! `--json FILE` writes the figures, too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    missing_docs,
    dead_code,
    reason = "a measurement for people, which shares parts with others"
)]

#[path = "../asked.rs"]
mod asked;
#[path = "../bare_server.rs"]
mod bare_server;
mod bytes;
mod client;
mod curve;
mod history;
mod in_flight;
#[path = "../load.rs"]
mod load;
mod pack;
mod packs;
mod place;
#[path = "../report.rs"]
mod report;
#[path = "../served.rs"]
mod served;
mod throughput;
mod waiting;
mod work;

use report::Report;

/// A part: its name, and what measures it.
type Part = (&'static str, fn(&mut Report));

const PARTS: [Part; 8] = [
    ("in_flight", in_flight::measure),
    ("bytes", bytes::measure),
    ("items", work::items),
    ("tasks", work::tasks),
    ("journal", work::journal),
    ("waiting", waiting::measure),
    ("packs", packs::measure),
    ("history", history::measure),
];

fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    if let [what, database] = words.as_slice()
        && what == bare_server::ARGUMENT
    {
        return bare_server::serve(database);
    }
    let chosen: Vec<_> = PARTS.iter().filter(|(name, _)| words.iter().any(|word| word == name)).collect();
    let chosen = if chosen.is_empty() { PARTS.iter().collect() } else { chosen };
    let mut report = Report::default();
    for (_, measure) in chosen {
        measure(&mut report);
    }
    report.end();
}
