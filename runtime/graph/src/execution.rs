//! A run of the workflow, laid over its graph: the state of each task, and which edges were taken.

mod taken;

use runner_model::{ExecutionView, Purpose, RouteId, Status, StepView, Timestamp};

use crate::graph::Graph;
use crate::text::duration;

/// A run as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunState {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub status: Status,
    /// How long it took, in milliseconds; none while it lasts.
    pub duration_ms: Option<i64>,
}

/// How a task went in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskState {
    /// Where it stands: of the last step on each route, what most needs to be seen.
    pub status: Status,
    /// How many steps it had.
    pub runs: usize,
    /// How many tries these steps had in all, those of items not counted.
    pub attempts: usize,
    /// The routes on which it ran.
    pub routes: Vec<RouteId>,
    /// How long its attempts took from the first to the last of each step, in milliseconds; none if none has ended.
    pub duration_ms: Option<i64>,
    /// How many items of its last step succeeded, and how many there are.
    pub items: Option<(usize, usize)>,
    /// How the action went that undoes it or cleans up after it.
    pub undone: Option<Status>,
}

/// Whether a run took an edge. The journal records steps, not transitions, so this is read from what followed what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It did.
    Yes,
    /// It did not, or not yet.
    No,
    /// It may have: the journal does not say.
    Unknown,
}

/// Lays a run over a graph.
pub(crate) fn lay_over(graph: &mut Graph, view: &ExecutionView) {
    let record = &view.record;
    for node in &mut graph.nodes {
        let of_task: Vec<_> = view.steps.iter().filter(|step| step.task == node.name).collect();
        node.state = TaskState::of(&of_task);
    }
    let taken: Vec<_> = taken::edges(graph, view);
    for (edge, taken) in graph.edges.iter_mut().zip(taken) {
        edge.taken = Some(taken);
    }
    graph.run = Some(RunState {
        id: record.id.to_string(),
        status: record.status,
        duration_ms: record.finished_at.map(|end| end.since_ms(record.created_at)),
    });
}

impl TaskState {
    /// The state of a task with these steps; none if it has not run.
    fn of(steps: &[&StepView]) -> Option<Self> {
        let (own, others): (Vec<&StepView>, Vec<_>) = steps.iter().partition(|step| step.purpose.is_task());
        let mut routes: Vec<_> = own.iter().map(|step| step.route).collect();
        routes.sort_unstable();
        routes.dedup();
        let last = |route: &RouteId| own.iter().rev().find(|step| step.route == *route);
        let status = routes.iter().filter_map(last).map(|step| step.status).max_by_key(|status| weight(*status))?;
        let durations: Vec<_> = own.iter().filter_map(|step| duration_ms(step)).collect();
        let items = own.iter().rev().find_map(|step| step.items.as_ref());
        Some(Self {
            status,
            runs: own.len(),
            attempts: own.iter().map(|step| step.attempts.len()).sum(),
            routes,
            duration_ms: (!durations.is_empty()).then(|| durations.iter().sum()),
            items: items.map(|items| {
                let done = items.iter().filter(|item| item.status == Status::Succeeded).count();
                (done, items.len())
            }),
            undone: others.iter().rev().find(|step| step.purpose != Purpose::Task).map(|step| step.status),
        })
    }

    /// What is known besides the status, each with a dot before it.
    pub(crate) fn details(&self) -> String {
        let items = self.items.map(|(done, all)| format!("{done}/{all} items"));
        let runs = (self.runs > 1).then(|| format!("{} runs", self.runs));
        let routes = (self.routes.len() > 1).then(|| format!("{} routes", self.routes.len()));
        let retried = self.attempts.checked_sub(self.runs).filter(|more| *more > 0);
        let retried = retried.map(|more| format!("{more} more {}", if more == 1 { "try" } else { "tries" }));
        let duration = self.duration_ms.map(duration);
        let undone = self.undone.map(|status| format!("undo {}", status.as_str()));
        let parts = [items, runs, routes, retried, duration, undone];
        parts.into_iter().flatten().map(|part| format!(" · {part}")).collect()
    }

    /// The status and what else is known.
    pub(crate) fn words(&self) -> String {
        format!("{}{}", self.status.as_str(), self.details())
    }
}

/// What needs more to be seen than something else: what is under way, then what went wrong.
const fn weight(status: Status) -> u8 {
    match status {
        Status::Skipped => 0,
        Status::Succeeded => 1,
        Status::Canceled => 2,
        Status::Failed | Status::Timeout | Status::Abandoned => 3,
        Status::Requested | Status::Scheduled | Status::Delayed | Status::Retrying => 4,
        Status::Pausing | Status::Paused | Status::Resuming | Status::Canceling => 5,
        Status::Running => 6,
        Status::Pending => 7,
    }
}

/// When the last attempt of a step ended, those of its items included; none if it has none that ended.
pub(crate) fn ended_at(step: &StepView) -> Option<Timestamp> {
    let items = step.items.iter().flatten().flat_map(|item| &item.attempts);
    step.attempts.iter().chain(items).filter_map(|attempt| attempt.finished_at).max()
}

fn duration_ms(step: &StepView) -> Option<i64> {
    let items = step.items.iter().flatten().flat_map(|item| &item.attempts);
    let began = step.attempts.iter().chain(items).map(|attempt| attempt.started_at).min()?;
    ended_at(step).filter(|_| step.status.is_terminal()).map(|end| end.since_ms(began).max(0))
}
