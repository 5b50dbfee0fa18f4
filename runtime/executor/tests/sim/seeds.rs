//! Which seeds are run.
//!
//! `RUNNER_SIM_SEEDS` says how many, `RUNNER_SIM_FIRST` the first; `RUNNER_SIM_SEED` runs a single one and prints its trace.

use super::packs::PacksBySeed;
use super::run::{Report, run};

/// Seeds that a test run takes.
const SEEDS: u64 = 1_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|number| number.parse().ok())
}

fn say(report: &Report) {
    eprintln!("seed {} went wrong: {:#?}", report.seed, report.wrong);
}

#[test]
fn whatever_fails_nothing_is_lost_and_nothing_happens_twice() {
    let mut packs = PacksBySeed::default();
    if let Some(seed) = number("RUNNER_SIM_SEED") {
        let report = run(seed, packs.of(seed));
        print!("{}", report.trace);
        say(&report);
        assert!(report.wrong.is_empty());
        return;
    }
    let (first, count) = (number("RUNNER_SIM_FIRST").unwrap_or(0), number("RUNNER_SIM_SEEDS").unwrap_or(SEEDS));
    let (mut wrong, mut executions, mut processes) = (Vec::new(), 0, 0);
    for seed in first..first + count {
        let report = run(seed, packs.of(seed));
        executions += report.executions;
        processes += report.processes;
        if !report.wrong.is_empty() {
            say(&report);
            wrong.push(seed);
        }
    }
    println!("{count} seeds: {executions} executions in {processes} processes");
    assert!(wrong.is_empty(), "seeds that went wrong: {wrong:?}");
}

#[test]
fn the_same_seed_twice_gives_the_same_trace_byte_for_byte() {
    let mut packs = PacksBySeed::default();
    for seed in [1, 7, 42, 99, 123, 1_000_003] {
        let (once, again) = (run(seed, packs.of(seed)), run(seed, packs.of(seed)));
        assert!(once.trace.len() > 1_000, "{}", once.trace);
        assert_eq!(once.trace, again.trace, "seed {seed}");
    }
}
