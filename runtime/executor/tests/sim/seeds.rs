//! Which seeds are run.
//!
//! `RUNNER_SIM_SEEDS` says how many, `RUNNER_SIM_FIRST` the first; `RUNNER_SIM_SEED` runs a single one and prints its trace.

use parking_lot::Mutex;

use super::packs::{PacksBySeed, SEEDS_OF_A_PACK};
use super::run::{Report, run};

/// Seeds that a test run takes.
const SEEDS: u64 = 1_000;

#[allow(clippy::disallowed_methods, reason = "how many seeds is said from outside")]
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
    let sums = Mutex::new(Sums { next: first, ..Sums::default() });
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| run_some(&sums, first + count));
        }
    });
    let sums = sums.into_inner();
    println!("{count} seeds: {} executions in {} processes", sums.executions, sums.processes);
    assert!(sums.wrong.is_empty(), "seeds that went wrong: {:?}", sums.wrong);
}

#[derive(Default)]
struct Sums {
    next: u64,
    executions: usize,
    processes: usize,
    wrong: Vec<u64>,
}

/// Each simulation is one thread; several of them are several.
fn run_some(sums: &Mutex<Sums>, end: u64) {
    let mut packs = PacksBySeed::default();
    loop {
        let (first, last) = {
            let mut sums = sums.lock();
            let first = sums.next;
            sums.next = (first - first % SEEDS_OF_A_PACK + SEEDS_OF_A_PACK).min(end);
            (first, sums.next)
        };
        if first >= end {
            return;
        }
        for seed in first..last {
            let report = run(seed, packs.of(seed));
            let mut sums = sums.lock();
            sums.executions += report.executions;
            sums.processes += report.processes;
            if !report.wrong.is_empty() {
                say(&report);
                sums.wrong.push(seed);
            }
        }
    }
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
