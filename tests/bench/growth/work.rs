//! One execution that becomes longer: items of a step, tasks, steps of a loop.

use std::time::Duration;

use serde_json::json;

use crate::asked;
use crate::curve::Curve;
use crate::place::{Daemon, Place};
use crate::report::Report;

const LINEAR: &str = "about 1";
/// Runs of each size, of which the shortest counts: the others were disturbed.
const RUNS: usize = 3;

pub(crate) fn items(report: &mut Report) {
    report.title("items of a step, 100 at a time");
    let place = Place::new(&[]);
    let (mut daemon, _) = place.start();
    for (workflow, what) in [("items", "items, WASM guests"), ("items_noop", "items, core.noop")] {
        let name = |_| workflow.to_owned();
        curve(report, &mut daemon, what, ["us an item", "CPU us an item"], sizes([100, 1_000, 10_000]), name);
    }
}

pub(crate) fn tasks(report: &mut Report) {
    report.title("tasks of a workflow, one after the other");
    let sizes = if asked::is_quick() { [10, 30, 100] } else { [10, 100, 1_000] };
    let place = Place::new(&sizes);
    let (mut daemon, _) = place.start();
    let name = |size| format!("steps_{size}");
    curve(report, &mut daemon, "tasks", ["us a task", "CPU us a task"], sizes, name);
}

pub(crate) fn journal(report: &mut Report) {
    report.title("steps of a loop: the journal becomes longer");
    let place = Place::new(&[]);
    let (mut daemon, _) = place.start();
    let name = |_| "loop".to_owned();
    // An execution has 10,000 steps at the most.
    let sizes = sizes([100, 1_000, 9_990]);
    curve(report, &mut daemon, "steps in the journal", ["us a step", "CPU us a step"], sizes, name);
}

fn sizes(full: [usize; 3]) -> [usize; 3] {
    if asked::is_quick() { full.map(|size| size / 10) } else { full }
}

/// The time of one piece, and what of it is the processors': other processes change that less.
fn curve(
    report: &mut Report,
    daemon: &mut Daemon,
    what: &'static str,
    [time, cpu]: [&'static str; 2],
    sizes: [usize; 3],
    workflow: impl Fn(usize) -> String,
) {
    let (mut times, mut cpus) = (Curve::new(what, time, LINEAR), Curve::new(what, cpu, LINEAR));
    daemon.run(&workflow(sizes[0]), &json!({ "n": sizes[0] }));
    for size in sizes {
        let run = |_| {
            let before = daemon.cpu();
            let took = daemon.run(&workflow(size), &json!({ "n": size }));
            (took, daemon.cpu() - before)
        };
        let runs: Vec<_> = (0..RUNS).map(run).collect();
        let each = |time: Option<Duration>| time.unwrap().as_secs_f64() * 1e6 / size as f64;
        times.point(report, size, each(runs.iter().map(|(took, _)| *took).min()));
        cpus.point(report, size, each(runs.iter().map(|(_, cpu)| *cpu).min()));
    }
}
