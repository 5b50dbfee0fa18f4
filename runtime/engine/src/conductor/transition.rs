//! What follows from a step that completed.

use std::sync::Arc;

use runner_model::{ErrorRecord, Outcome, RouteId, Status, StepId, TaskName, code};

use super::context::{Context, Variables};
use super::state::{State, visible_result};
use super::{Mismatch, Stop};
use crate::expression::TaskResult;
use crate::plan::{Plan, Target, Transition, TransitionId};

/// What the transitions of one step did.
#[derive(Default)]
struct Taken {
    /// Whether one led to a task or a command other than `continue`.
    remedied: bool,
    /// Whether one led to a task.
    continued: bool,
    /// The context in which the branch ended, where one ended it.
    ends: Vec<Context>,
}

impl State {
    pub(super) fn completed(&mut self, plan: &Plan, step: StepId, outcome: &Outcome) -> Result<(), Stop> {
        let done = usize::try_from(step.0).ok().and_then(|step| self.steps.get(step)).cloned();
        let named = done.as_ref().and_then(|done| Some((done, plan.tasks.get_index(done.task)?)));
        let Some((done, (name, task))) = named else {
            return Err(Mismatch { what: format!("there is no step {step}") }.into());
        };
        let current = TaskResult { status: outcome.status(), result: Arc::new(visible_result(outcome)) };
        Arc::make_mut(&mut self.tasks).insert(name.clone(), current.clone());

        // Once something has failed for good or the execution is being cancelled, what still ran only ends.
        if self.failing || self.status == Status::Canceling {
            if outcome.status().is_failure() {
                self.errors.push(error_record(name, done.route, outcome));
            }
            self.ends.push(done.context.clone());
            return self.settle(plan);
        }
        let mut taken = Taken::default();
        for (index, transition) in task.next.iter().enumerate() {
            let id = TransitionId { task: done.task, index };
            if self.matches(name, &done.context, done.route, (index, transition), &current)? {
                self.follow(plan, (name, done.route, &done.context), (id, transition), &current, &mut taken)?;
            }
        }
        if outcome.status().is_failure() && !taken.remedied && !self.failing {
            self.failing = true;
            self.errors.push(error_record(name, done.route, outcome));
        }
        if !taken.continued && taken.ends.is_empty() {
            taken.ends.push(done.context.clone());
        }
        self.ends.append(&mut taken.ends);
        self.settle(plan)
    }

    /// Whether a transition is to be taken; a condition that fails is an error of the execution.
    fn matches(
        &mut self,
        name: &TaskName,
        context: &Context,
        route: RouteId,
        (index, transition): (usize, &Transition),
        current: &TaskResult,
    ) -> Result<bool, Stop> {
        let Some(when) = &transition.when else { return Ok(true) };
        match when.holds(&self.frame(context.variables(), Some(current.clone()))) {
            Ok(holds) => Ok(holds),
            Err(error) => {
                self.note(Some((name, route)), Some(index), &error)?;
                Ok(false)
            }
        }
    }

    /// Takes a transition: publishes, then leads on.
    fn follow(
        &mut self,
        plan: &Plan,
        (name, route, context): (&TaskName, RouteId, &Context),
        (id, transition): (TransitionId, &Transition),
        current: &TaskResult,
        taken: &mut Taken,
    ) -> Result<(), Stop> {
        let Some(published) = self.publish((name, route, context), (id.index, transition), current)? else {
            return Ok(());
        };
        let context = self.deltas.extend(context, published);
        // Siblings of a `fail` still run, so the failure is noted after they are on their way.
        let mut fails = false;
        for target in &transition.targets {
            match target {
                Target::Task(to) => {
                    taken.remedied = true;
                    taken.continued = true;
                    let Some(to) = plan.tasks.get_index_of(to) else {
                        return Err(Mismatch { what: format!("there is no task `{to}`") }.into());
                    };
                    self.arrive(plan, id, to, route, context.clone())?;
                }
                Target::Noop => {
                    taken.remedied = true;
                    taken.ends.push(context.clone());
                }
                Target::Retry => {}
                Target::Continue => taken.ends.push(context.clone()),
                Target::Fail => {
                    fails = true;
                    taken.ends.push(context.clone());
                }
            }
        }
        if transition.targets.is_empty() {
            taken.ends.push(context);
        }
        if fails {
            taken.remedied = true;
            self.spares_siblings = true;
            let message = format!("the task `{name}` led to `fail`");
            self.fail(code::FLOW_FAILED_BY_COMMAND, Some((name, route)), message, "");
        }
        Ok(())
    }

    /// What a transition publishes; none if an expression failed.
    fn publish(
        &mut self,
        (name, route, context): (&TaskName, RouteId, &Context),
        (index, transition): (usize, &Transition),
        current: &TaskResult,
    ) -> Result<Option<Variables>, Stop> {
        let mut published = Variables::new();
        let mut rolling = context.variables().clone();
        for binding in &transition.publish {
            match binding.value.render(&self.frame(&rolling, Some(current.clone()))) {
                Ok(value) => {
                    Arc::make_mut(&mut rolling).insert(binding.name.clone(), value.clone());
                    published.insert(binding.name.clone(), value);
                }
                Err(error) => {
                    self.note(Some((name, route)), Some(index), &error)?;
                    return Ok(None);
                }
            }
        }
        Ok(Some(published))
    }
}

fn error_record(task: &TaskName, route: RouteId, outcome: &Outcome) -> ErrorRecord {
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
