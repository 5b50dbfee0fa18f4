//! Running parts of an ended execution again.

use std::collections::BTreeMap;

use runner_model::{AttemptNumber, Purpose, RerunTask, RouteId, Status, TaskName};

use super::Stop;
use super::state::{Held, Source, State};
use super::step::{Step, UnitState, Work, step_id};
use crate::plan::{Plan, TransitionId};

/// Why an execution cannot be run again from there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RerunError {
    /// It has not ended.
    #[error("the execution is {status}: only one that has ended can be run again")]
    NotEnded {
        /// Where it stands.
        status: Status,
    },
    /// What it did was undone.
    #[error("what the execution did was undone when it failed: there is nothing to go on from")]
    Undone,
    /// A task that is asked for has not run.
    #[error("the task `{task}` has not run in this execution")]
    NotRun {
        /// The task.
        task: TaskName,
    },
    /// No task is asked for and none has failed.
    #[error("no task of the execution has failed: name those to run again")]
    NothingFailed,
}

/// A step to run again.
#[derive(Clone, Copy)]
struct Candidate {
    step: usize,
    resets: bool,
}

/// What runs again: some steps, and whatever follows from them.
struct Again {
    /// For each step that runs again: its task, its route, and which tasks follow from it.
    from: Vec<(Source, Vec<bool>)>,
}

impl Again {
    fn of(state: &State, plan: &Plan, candidates: &[Candidate]) -> Self {
        let steps = candidates.iter().filter_map(|candidate| state.steps.get(candidate.step));
        let from = |step: &Step| {
            let at = Source { task: step.task, route: step.route };
            (at, plan.reachable(plan.successors(step.task)))
        };
        Self { from: steps.map(from).collect() }
    }

    /// Whether a task on a route is one that runs again, or follows from one.
    fn covers(&self, state: &State, at: Source) -> bool {
        self.from.iter().any(|(from, _)| *from == at) || self.follows(state, at)
    }

    /// Whether a task on a route follows from one that runs again: it can be reached, on a route that began there.
    fn follows(&self, state: &State, at: Source) -> bool {
        let route = |route: RouteId| usize::try_from(route.0).ok().and_then(|route| state.routes.get(route));
        self.from.iter().any(|(from, reached)| {
            let reaches = reached.get(at.task).copied().unwrap_or(false);
            reaches && route(at.route).zip(route(from.route)).is_some_and(|(at, from)| at.starts_with(from))
        })
    }
}

impl State {
    /// Whether the execution can be run again from these tasks; from those that failed, if none is named.
    ///
    /// # Errors
    /// Why not.
    pub fn check_rerun(&self, plan: &Plan, tasks: &[RerunTask]) -> Result<(), RerunError> {
        if !self.status.is_terminal() {
            return Err(RerunError::NotEnded { status: self.status });
        }
        if self.has_undone() {
            return Err(RerunError::Undone);
        }
        let candidates = self.candidates(plan, tasks)?;
        if candidates.is_empty() && self.held.is_empty() { Err(RerunError::NothingFailed) } else { Ok(()) }
    }

    pub(super) fn rerun(&mut self, plan: &Plan, tasks: &[RerunTask]) -> Result<(), Stop> {
        self.check_rerun(plan, tasks).map_err(|error| Stop::mismatch(error.to_string()))?;
        let candidates = self.candidates(plan, tasks).map_err(|error| Stop::mismatch(error.to_string()))?;
        self.become_status(Status::Running)?;
        let again = Again::of(self, plan, &candidates);
        self.forget_the_end(plan, &again);
        self.set_deadline();
        for candidate in candidates {
            self.run_again(plan, candidate)?;
        }
        // What was held because something failed goes on, but for what comes again by itself.
        for held in std::mem::take(&mut self.held) {
            if !held.from.is_some_and(|from| again.covers(self, from)) {
                self.begin_step(plan, held)?;
            }
        }
        self.settle(plan)
    }

    /// Takes back how it ended, and what runs again has left.
    fn forget_the_end(&mut self, plan: &Plan, again: &Again) {
        self.failing = false;
        self.is_late = false;
        self.verdict = None;
        self.unwinding = None;
        self.interrupted.clear();
        self.interrupts.clear();
        let unreachable = runner_model::code::FLOW_UNREACHABLE_JOIN.id();
        let mut errors = std::mem::take(&mut self.errors);
        errors.retain(|error| {
            let task = error.task.as_ref().and_then(|name| plan.tasks.get_index_of(name));
            let route = error.route.unwrap_or_default();
            // One of the whole workflow, such as of its output, comes again if it still holds.
            task.is_some_and(|task| !again.covers(self, Source { task, route })) && error.code != unreachable
        });
        self.errors = errors;
        let mut arrivals = std::mem::take(&mut self.arrivals);
        for ((task, route), arrived) in &mut arrivals {
            if again.follows(self, Source { task: *task, route: *route }) {
                let comes_again =
                    |transition: &TransitionId| again.covers(self, Source { task: transition.task, route: *route });
                arrived.contexts.retain(|(transition, _)| !comes_again(transition));
                arrived.met = false;
            }
        }
        self.arrivals = arrivals;
        let mut ends = std::mem::take(&mut self.ends);
        ends.retain(|end| !again.covers(self, end.at));
        self.ends = ends;
        let mut passages = std::mem::take(&mut self.passages);
        for passed in &mut passages {
            let led_on = passed.step.and_then(|step| self.steps.get(step)).is_some_and(|step| step.led_on);
            passed.terminal &= !led_on && !again.covers(self, passed.behind);
        }
        self.passages = passages;
    }

    /// The steps to run again, in the order of task and route.
    fn candidates(&self, plan: &Plan, tasks: &[RerunTask]) -> Result<Vec<Candidate>, RerunError> {
        let last = self.last_steps();
        let mut chosen: Vec<Candidate> = Vec::new();
        for wanted in tasks {
            let task = plan.tasks.get_index_of(&wanted.task);
            let fits = |(of, route): &(usize, RouteId)| {
                Some(*of) == task && wanted.route.is_none_or(|wanted| wanted == *route)
            };
            let before = chosen.len();
            let found = last.iter().filter(|(key, _)| fits(key));
            chosen.extend(found.map(|(_, step)| Candidate { step: *step, resets: wanted.reset_items }));
            if chosen.len() == before {
                return Err(RerunError::NotRun { task: wanted.task.clone() });
            }
        }
        if tasks.is_empty() {
            let failed = |step: &usize| {
                let step = self.steps.get(*step)?;
                let ended_there = self.passages.get(step.passage).is_some_and(|passed| passed.terminal);
                let badly = step.status.is_failure() || step.status == Status::Canceled;
                Some(ended_there && badly).filter(|failed| *failed)
            };
            let steps = last.values().filter(|step| failed(step).is_some());
            chosen.extend(steps.map(|step| Candidate { step: *step, resets: false }));
        } else {
            self.collapse(plan, &mut chosen);
        }
        let place = |candidate: &Candidate| {
            let step = self.steps.get(candidate.step)?;
            Some((plan.tasks.get_index(step.task)?.0.clone(), step.route))
        };
        chosen.sort_by_key(|candidate| place(candidate));
        chosen.dedup_by_key(|candidate| candidate.step);
        Ok(chosen)
    }

    /// The last recorded step of each task on each route.
    fn last_steps(&self) -> BTreeMap<(usize, RouteId), usize> {
        let ran = |step: &Step| step.purpose == Purpose::Task && step.passage != usize::MAX;
        let ran = self.steps.iter().enumerate().filter(|(_, step)| ran(step));
        ran.map(|(number, step)| ((step.task, step.route), number)).collect()
    }

    /// Leaves out what runs again anyway, because it follows from another that runs again.
    fn collapse(&self, plan: &Plan, chosen: &mut Vec<Candidate>) {
        let task_of = |candidate: &Candidate| self.steps.get(candidate.step).map(|step| step.task);
        let all: Vec<(usize, Vec<bool>)> = chosen
            .iter()
            .filter_map(|candidate| Some((candidate.step, plan.reachable(plan.successors(task_of(candidate)?)))))
            .collect();
        chosen.retain(|candidate| {
            let task = task_of(candidate).unwrap_or(usize::MAX);
            // In a cycle each follows from the other: the one that ran first stays.
            !all.iter().any(|(other, reach)| *other < candidate.step && reach.get(task).copied().unwrap_or(false))
        });
    }

    fn run_again(&mut self, plan: &Plan, candidate: Candidate) -> Result<(), Stop> {
        let Some(step) = self.steps.get(candidate.step).cloned() else { return Ok(()) };
        let held = Held { task: step.task, from: step.from, route: step.route, context: step.context.clone() };
        let first = self.steps.len();
        match step.work {
            Work::Many(mut items) => {
                items.reset(!candidate.resets);
                let number = self.add_step(held, Purpose::Task, Work::Many(items), None);
                if let Some(again) = self.steps.get_mut(number).filter(|_| !candidate.resets) {
                    again.keeps = Some(step_id(candidate.step));
                }
                self.fill_items(plan, number)?;
            }
            Work::One(mut unit) => {
                unit.state = UnitState::Decided;
                unit.attempt = AttemptNumber::FIRST;
                (unit.started, unit.began, unit.polls, unit.progress) = (None, None, 0, None);
                self.add_step(held, Purpose::Task, Work::One(unit), None);
            }
            Work::Skip => self.begin_step(plan, held)?,
        }
        self.steps.iter_mut().skip(first).for_each(|step| step.reruns = true);
        Ok(())
    }
}
