//! What follows from a step that completed.

use std::sync::Arc;

use runner_model::{ErrorRecord, Outcome, RouteId, Status, TaskName, code};

use super::Stop;
use super::context::{Context, Variables};
use super::state::{End, Passed, Source, State};
use crate::expression::TaskResult;
use crate::plan::{Plan, Target, Transition, TransitionId};

/// A step that completed.
struct Done<'a> {
    task: usize,
    name: &'a TaskName,
    route: RouteId,
    context: Context,
    current: &'a TaskResult,
}

impl Done<'_> {
    fn end(&self) -> End {
        End { at: Source { task: self.task, route: self.route }, context: self.context.clone() }
    }
}

/// A transition that is taken, to one of its targets.
struct Edge<'a> {
    transition: TransitionId,
    target: &'a Target,
    context: Context,
}

/// What the transition without a `do` leads to.
const DEFAULT_TARGET: [Target; 1] = [Target::Continue];

impl State {
    /// Takes what follows from a step that completed; `outcome` is none if it was skipped.
    pub(super) fn completed(
        &mut self,
        plan: &Plan,
        number: usize,
        current: &TaskResult,
        outcome: Option<&Outcome>,
    ) -> Result<(), Stop> {
        let named = self.steps.get(number).and_then(|step| Some((step, plan.tasks.get_index(step.task)?)));
        let Some((step, (name, task))) = named else {
            return Err(Stop::mismatch(format!("there is no step {number}")));
        };
        let (passage, last) = (step.passage, step.last.clone());
        let done = Done { task: step.task, name, route: step.route, context: step.context.clone(), current };
        Arc::make_mut(&mut self.tasks).insert(name.clone(), current.clone());

        // What was given up while it waited to be tried again failed as it did the last time.
        let failed = match outcome {
            Some(Outcome::Canceled) => last.as_ref(),
            other => other,
        };
        let failed = failed.filter(|outcome| outcome.status().is_failure());
        // Once the execution is cancelled or late, what still ran only ends.
        if self.status == Status::Canceling || self.is_late || outcome == Some(&Outcome::Canceled) {
            self.errors.extend(failed.map(|outcome| error_record(done.name, done.route, outcome)));
            self.ends.push(done.end());
        } else {
            let (remedied, led_on) = self.follow(plan, &done, &task.next)?;
            if let Some(step) = self.steps.get_mut(number) {
                step.led_on = led_on;
            }
            if let Some(outcome) = failed {
                // One that was dealt with is told of as well, should the execution fail after all.
                self.failing |= !remedied;
                self.errors.push(error_record(done.name, done.route, outcome));
            }
        }
        self.settle(plan)?;
        let is_last = task.next.is_empty() || self.failing || self.verdict.is_some();
        if let Some(passed) = self.passages.get_mut(passage) {
            passed.terminal = is_last;
        }
        Ok(())
    }

    /// Takes every matching transition. Says whether one led to a task or a command other than `continue`, and whether
    /// one was taken at all.
    fn follow(&mut self, plan: &Plan, done: &Done<'_>, next: &[Transition]) -> Result<(bool, bool), Stop> {
        let mut edges = Vec::new();
        for (index, transition) in next.iter().enumerate() {
            let id = TransitionId { task: done.task, index };
            if !self.matches(done, (index, transition))? {
                continue;
            }
            let Some(published) = self.publish(done, (index, transition))? else { continue };
            self.taken.insert(id);
            let context = self.deltas.extend(&done.context, published);
            let targets = match transition.targets.as_slice() {
                [] => &DEFAULT_TARGET[..],
                targets => targets,
            };
            let taken = targets.iter().filter(|target| **target != Target::Retry);
            edges.extend(taken.map(|target| Edge { transition: id, target, context: context.clone() }));
        }
        // Orquesta takes them in the order of the names of what they lead to.
        edges.sort_by(|a, b| a.target.name().cmp(b.target.name()));
        let remedied = edges.iter().any(|edge| !matches!(edge.target, Target::Continue));
        let continued = edges.iter().any(|edge| matches!(edge.target, Target::Task(_)));
        let (taken, ended) = (!edges.is_empty(), edges.iter().any(|edge| !matches!(edge.target, Target::Task(_))));
        // What stands beside a `fail` still runs, so the failure is noted after it is on its way.
        let fails = edges.iter().any(|edge| matches!(edge.target, Target::Fail));
        self.sparing = fails;
        for edge in edges {
            match edge.target {
                Target::Task(_) => self.arrive(plan, edge.transition, edge.target, done.route, edge.context)?,
                command => self.pass_command(plan, edge.transition, command, done, edge.context),
            }
        }
        self.sparing = false;
        if fails {
            let message = format!("the task `{}` led to `fail`", done.name);
            self.fail(code::FLOW_FAILED_BY_COMMAND, Some((done.name, done.route)), message, "");
        }
        if !continued && !ended {
            self.ends.push(done.end());
        }
        Ok((remedied, taken))
    }

    fn pass_command(
        &mut self,
        plan: &Plan,
        transition: TransitionId,
        command: &Target,
        done: &Done<'_>,
        context: Context,
    ) {
        let behind = Source { task: done.task, route: done.route };
        let route = self.route_into(plan, transition, command, done.route);
        let command = match command {
            Target::Fail => "fail",
            Target::Noop => "noop",
            _ => "continue",
        };
        self.passages.push(Passed { step: None, behind, command, route, terminal: true });
        self.ends.push(End { at: behind, context });
    }

    /// Whether a transition is to be taken; a condition that fails is an error of the execution.
    fn matches(&mut self, done: &Done<'_>, (index, transition): (usize, &Transition)) -> Result<bool, Stop> {
        let Some(when) = &transition.when else { return Ok(true) };
        match when.holds(&self.frame(done.context.variables(), Some(done.current.clone()))) {
            Ok(holds) => Ok(holds),
            Err(error) => {
                self.note(Some((done.name, done.route)), Some(index), &error)?;
                Ok(false)
            }
        }
    }

    /// What a transition publishes; none if an expression failed.
    fn publish(
        &mut self,
        done: &Done<'_>,
        (index, transition): (usize, &Transition),
    ) -> Result<Option<Variables>, Stop> {
        let mut published = Variables::new();
        let mut rolling = done.context.variables().clone();
        for binding in &transition.publish {
            match binding.value.render(&self.frame(&rolling, Some(done.current.clone()))) {
                Ok(value) => {
                    Arc::make_mut(&mut rolling).insert(binding.name.clone(), value.clone());
                    published.insert(binding.name.clone(), value);
                }
                Err(error) => {
                    self.note(Some((done.name, done.route)), Some(index), &error)?;
                    return Ok(None);
                }
            }
        }
        Ok(Some(published))
    }
}

pub(super) fn error_record(task: &TaskName, route: RouteId, outcome: &Outcome) -> ErrorRecord {
    let failure = outcome.failure();
    ErrorRecord {
        task: Some(task.clone()),
        route: Some(route).filter(|route| route.0 > 0),
        transition: None,
        code: failure.map_or_else(|| code::EXEC_CANCELED.id().to_owned(), |failure| failure.code.clone()),
        message: failure.map_or_else(|| "the step was cancelled".to_owned(), |failure| failure.message.clone()),
        hint: failure.and_then(|failure| failure.hint.clone()),
        details: failure.and_then(|failure| failure.details.clone()),
    }
}
