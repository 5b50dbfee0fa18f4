//! One execution that becomes longer: items of a step, tasks, steps of a loop.

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
    daemon.run("items", json!({ "n": 100 }));
    for (workflow, what) in [("items", "items, WASM guests"), ("items_noop", "items, core.noop")] {
        let mut curve = Curve::new(what, "us an item", LINEAR);
        for size in sizes([100, 1_000, 10_000]) {
            curve.point(report, size, each(&mut daemon, size, |daemon| daemon.run(workflow, json!({ "n": size }))));
        }
    }
}

pub(crate) fn tasks(report: &mut Report) {
    report.title("tasks of a workflow, one after the other");
    let sizes = if asked::is_quick() { [10, 30, 100] } else { [10, 100, 1_000] };
    let place = Place::new(&sizes);
    let (mut daemon, _) = place.start();
    daemon.run("steps_10", json!({}));
    let mut curve = Curve::new("tasks", "us a task", LINEAR);
    for size in sizes {
        let workflow = format!("steps_{size}");
        curve.point(report, size, each(&mut daemon, size, |daemon| daemon.run(&workflow, json!({}))));
    }
}

pub(crate) fn journal(report: &mut Report) {
    report.title("steps of a loop: the journal becomes longer");
    let place = Place::new(&[]);
    let (mut daemon, _) = place.start();
    daemon.run("loop", json!({ "n": 100 }));
    let mut curve = Curve::new("steps in the journal", "us a step", LINEAR);
    for size in sizes([100, 1_000, 10_000]) {
        curve.point(report, size, each(&mut daemon, size, |daemon| daemon.run("loop", json!({ "n": size }))));
    }
}

fn sizes(full: [usize; 3]) -> [usize; 3] {
    if asked::is_quick() { full.map(|size| size / 10) } else { full }
}

/// Microseconds for one piece.
fn each(daemon: &mut Daemon, size: usize, run: impl Fn(&mut Daemon) -> std::time::Duration) -> f64 {
    let shortest = (0..RUNS).map(|_| run(daemon)).min().unwrap();
    shortest.as_secs_f64() * 1e6 / size as f64
}
