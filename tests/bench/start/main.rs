//! A whole process, from its start to its exit, and how much of that is what: `runner exec`, cold and warm.
//!
//! Cold is the first start in an empty data directory, where a component still has to be compiled; warm is every later one.
//! Each is measured in turns with a process that does nothing. `cargo bench -p runner --bench start` runs it; `-- --json FILE` writes the figures, too, `--quick`
//! takes fewer turns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a measurement for people"
)]

#[path = "../asked.rs"]
mod asked;
mod phases;
#[path = "../report.rs"]
mod report;
mod turn;

use report::{Line, Report};
use turn::{Place, Times};

/// Turns, of which the median counts.
const TURNS: usize = 60;
const TURNS_COLD: usize = 10;

fn main() {
    let quick = asked::is_quick();
    let (turns, turns_cold) = if quick { (5, 1) } else { (TURNS, TURNS_COLD) };
    let directory = tempfile::tempdir().unwrap();
    let place = Place::new(directory.path());
    let mut report = Report::default();
    report.title("process start to exit");
    cold(&mut report, &place, turns_cold);
    warm(&mut report, &place, turns);
    phases::measure(&mut report, &place, turns, "core.noop");
    phases::measure(&mut report, &place, turns, "bench.echo");
    report.end();
}

fn cold(report: &mut Report, place: &Place, turns: usize) {
    let (mut nothing, mut noop, mut echo) = (Times::default(), Times::default(), Times::default());
    for _ in 0..turns {
        nothing.add(turn::nothing());
        place.forget();
        noop.add(place.exec("core.noop"));
        place.forget();
        echo.add(place.exec("bench.echo"));
    }
    let of = "a process that does nothing";
    let base = nothing.median_ms();
    report.add(Line::new("runner exec core.noop, cold", noop.median_ms(), "ms").beside(noop.median_ms() / base, of));
    report.add(
        Line::new("runner exec of a WASM action, cold", echo.median_ms(), "ms").beside(echo.median_ms() / base, of),
    );
}

fn warm(report: &mut Report, place: &Place, turns: usize) {
    let (mut nothing, mut noop, mut echo) = (Times::default(), Times::default(), Times::default());
    place.exec("core.noop");
    place.exec("bench.echo");
    for _ in 0..turns {
        nothing.add(turn::nothing());
        noop.add(place.exec("core.noop"));
        echo.add(place.exec("bench.echo"));
    }
    let (of, base) = ("a process that does nothing", nothing.median_ms());
    report.add(Line::new("a process that does nothing (`true`)", base, "ms"));
    for (what, times) in [("runner exec core.noop, warm", &noop), ("runner exec of a WASM action, warm", &echo)] {
        let line = Line::new(what, times.median_ms(), "ms").beside(times.median_ms() / base, of);
        report.add(line.aim("under 40 ms"));
    }
}
