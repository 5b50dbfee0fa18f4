//! Which edges a run took, as far as its steps show.
//!
//! A step of a task follows from a step that ended before it. If only one transition can have led there, or fewer than
//! there are steps to explain, it was taken; a condition that only asks how its step ended is decided by that step.

use std::collections::HashSet;

use runner_model::{ExecutionView, Status, StepId, StepView};

use super::{Taken, ended_at};
use crate::graph::{Edge, End, Graph};
use crate::label::{self, Tone};

/// A step that ended, seen as the cause of what follows over an edge.
struct Crossing {
    edge: usize,
    step: StepId,
    certain: bool,
    /// When the step ended, in milliseconds.
    at: i64,
}

/// For each edge whether it was taken.
pub(super) fn edges(graph: &Graph, view: &ExecutionView) -> Vec<Taken> {
    let mut taken = vec![Taken::No; graph.edges.len()];
    // After a failure that nothing dealt with, transitions of what still ran are not followed.
    let running_on = !view.record.status.is_failure();
    for (index, node) in graph.nodes.iter().enumerate() {
        let joins = node.marks.iter().any(|mark| mark.key == "join");
        let leads = |edge: &Edge| edge.to == End::Task(index);
        let crossings = crossings(graph, view, leads);
        let steps: Vec<_> = view.steps.iter().filter(|step| step.purpose.is_task() && step.task == node.name).collect();
        if joins {
            joined(&crossings, &steps, running_on, &mut taken);
        } else {
            split(&crossings, &steps, &mut taken);
        }
    }
    let running_on = running_on || dealt_with(graph, view, &taken);
    for crossing in crossings(graph, view, |edge| !matches!(edge.to, End::Task(_))) {
        mark(&mut taken, crossing.edge, if crossing.certain && running_on { Taken::Yes } else { Taken::Unknown });
    }
    taken
}

/// Whether every task that failed led on to another: then a command ended the run, not a failure.
fn dealt_with(graph: &Graph, view: &ExecutionView, taken: &[Taken]) -> bool {
    let went_on = |step: &StepView| {
        let of_step = |edge: &Edge| graph.nodes.get(edge.from).is_some_and(|node| node.name == step.task);
        graph.edges.iter().zip(taken).any(|(edge, taken)| *taken == Taken::Yes && of_step(edge))
    };
    view.steps.iter().filter(|step| step.status.is_failure() && step.purpose.is_task()).all(went_on)
}

/// What can have led over the edges: every step that ended in a way that the edge's condition may allow.
fn crossings(graph: &Graph, view: &ExecutionView, leads: impl Fn(&Edge) -> bool) -> Vec<Crossing> {
    let mut crossings = Vec::new();
    for (index, edge) in graph.edges.iter().enumerate().filter(|(_, edge)| leads(edge)) {
        let Some(source) = graph.nodes.get(edge.from) else { continue };
        for step in &view.steps {
            if step.task != source.name || !step.purpose.is_task() || !step.status.is_terminal() {
                continue;
            }
            if let Some(certain) = allows(edge, step.status) {
                let at = ended_at(step).unwrap_or(step.scheduled_at).as_millis();
                crossings.push(Crossing { edge: index, step: step.step, certain, at });
            }
        }
    }
    crossings
}

/// Whether a step that ended like this certainly meets the edge's condition; none if it certainly does not.
fn allows(edge: &Edge, status: Status) -> Option<bool> {
    match edge.label.as_ref().map(|label| label.tone) {
        None | Some(Tone::Completion) => Some(true),
        Some(Tone::Success) if status == Status::Skipped => Some(false),
        Some(Tone::Success) => (status == Status::Succeeded).then_some(true),
        Some(Tone::Failure) if edge.label.as_ref().is_some_and(|label| label.text == label::TIMED_OUT) => {
            (status == Status::Timeout).then_some(true)
        }
        Some(Tone::Failure) => status.is_failure().then_some(true),
        Some(Tone::Other) => Some(false),
    }
}

/// A task that joins: all that certainly arrived before its last step were part of it; without a step they wait.
fn joined(crossings: &[Crossing], steps: &[&StepView], running_on: bool, taken: &mut [Taken]) {
    let last = steps.last().map(|step| step.step);
    for crossing in crossings {
        let before = last.map_or(running_on, |last| crossing.step < last);
        mark(taken, crossing.edge, if crossing.certain && before { Taken::Yes } else { Taken::Unknown });
    }
}

/// A task of which each step has one cause: the one that ended last before it, if it has not caused another.
fn split(crossings: &[Crossing], steps: &[&StepView], taken: &mut [Taken]) {
    let mut used = HashSet::new();
    for step in steps {
        let fits = |crossing: &&Crossing| {
            crossing.step < step.step
                && crossing.at <= step.scheduled_at.as_millis()
                && !used.contains(&(crossing.edge, crossing.step))
        };
        let candidates: Vec<_> = crossings.iter().filter(fits).collect();
        let Some(latest) = candidates.iter().map(|crossing| crossing.at).max() else { continue };
        let mut causes: Vec<_> = candidates.iter().filter(|crossing| crossing.at == latest).collect();
        if causes.iter().any(|crossing| crossing.certain) {
            causes.retain(|crossing| crossing.certain);
        }
        match causes.as_slice() {
            [cause] => {
                used.insert((cause.edge, cause.step));
                mark(taken, cause.edge, Taken::Yes);
            }
            several => several.iter().for_each(|cause| mark(taken, cause.edge, Taken::Unknown)),
        }
    }
}

/// Notes what is known of an edge; what is certain stays.
fn mark(taken: &mut [Taken], edge: usize, now: Taken) {
    if let Some(slot) = taken.get_mut(edge)
        && *slot != Taken::Yes
    {
        *slot = now;
    }
}
