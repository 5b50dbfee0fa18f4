//! How much of a process' time is what, as it says itself.

use crate::report::{Line, Report};
use crate::turn::Place;

/// Phases in their order, each with the times it took, in microseconds.
type Phases = Vec<(String, Vec<u64>)>;

pub(crate) fn measure(report: &mut Report, place: &Place, turns: usize, action: &str) {
    let mut phases = Phases::new();
    let mut whole = Vec::new();
    place.exec(action);
    for _ in 0..turns {
        let (begun, said, ended) = place.traced(action);
        whole.push(ended - begun);
        let mut last = begun;
        for (phase, at) in said.lines().filter_map(parse).chain([("exit".to_owned(), ended)]) {
            add(&mut phases, phase, at.saturating_sub(last));
            last = at;
        }
    }
    assert!(phases.len() > 5, "the process says what it has reached");
    let all = median(whole);
    report.title(&format!("of which, warm `runner exec {action}`"));
    report.add(Line::new("all of it", all / 1e3, "ms"));
    for (phase, times) in phases {
        let time = median(times);
        report.add(Line::new(format!("{action}: {phase}"), time / 1e3, "ms").beside(time / all, "all of it"));
    }
}

fn add(phases: &mut Phases, phase: String, time: u64) {
    match phases.iter_mut().find(|(name, _)| *name == phase) {
        Some((_, times)) => times.push(time),
        None => phases.push((phase, vec![time])),
    }
}

/// `TRACE packs read at_us=1795…`
fn parse(line: &str) -> Option<(String, u64)> {
    let (before, at) = line.split_once("at_us=")?;
    let phase = before.split_once("TRACE")?.1.trim();
    Some((phase.to_owned(), at.trim().parse().ok()?))
}

fn median(mut times: Vec<u64>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2] as f64
}
