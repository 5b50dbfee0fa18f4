//! Undoing and cleaning up before an execution ends that did not succeed.
//!
//! First what was interrupted is cleaned up (`on_cancel` of its task), then what succeeded is undone (`compensate`), the
//! last first, then the workflow's own `on_cancel` is called. One after the other, each a step of its own; one that
//! fails is an error of the execution and does not keep the others from being tried.

use std::collections::VecDeque;
use std::sync::Arc;

use runner_model::{Outcome, Purpose, RouteId, Status, StepId};
use serde_json::Value;

use super::Stop;
use super::decide::{Call, item_of};
use super::settings::Whose;
use super::state::{Held, State};
use super::step::{UnitId, Work, step_number};
use super::transition::error_record;
use crate::expression::{Frame, TaskResult};
use crate::plan::{Cleanup, Plan};

/// What is still to be undone and cleaned up.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Unwinding {
    queue: VecDeque<Job>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Job {
    /// `on_cancel` of a step that was interrupted.
    CleanUp(StepId),
    /// `compensate` of a step that succeeded.
    Undo(UnitId),
    /// The workflow's own `on_cancel`.
    CleanUpAll,
}

impl State {
    /// Decides on the next step that undoes or cleans up; says whether there is one.
    pub(super) fn unwind(&mut self, plan: &Plan) -> Result<bool, Stop> {
        if self.unwinding.is_none() {
            let canceled = self.status == Status::Canceling;
            let interrupted = std::mem::take(&mut self.interrupted).into_iter().map(Job::CleanUp);
            let undo = std::mem::take(&mut self.undoable).into_iter().rev().map(Job::Undo);
            let all = (canceled && plan.on_cancel.is_some()).then_some(Job::CleanUpAll);
            self.unwinding = Some(Unwinding { queue: interrupted.chain(undo).chain(all).collect() });
        }
        while let Some(job) = self.unwinding.as_mut().and_then(|unwinding| unwinding.queue.pop_front()) {
            if self.begin_job(plan, job)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether something has been undone: then there is nothing to run again.
    pub(super) fn has_undone(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.purpose, Purpose::Compensate { .. }))
    }

    /// Decides on the step of a job; one that cannot be rendered is an error of the execution.
    fn begin_job(&mut self, plan: &Plan, job: Job) -> Result<bool, Stop> {
        let Some((cleanup, held, purpose, frame)) = self.job(plan, job) else { return Ok(false) };
        let Some((name, _)) = plan.tasks.get_index(held.task) else { return Ok(false) };
        let name = super::command::name_of(name, purpose);
        let whose = Whose { task: Some((&name, held.route)), frame: &frame };
        let Cleanup { action, input, timeout, .. } = cleanup;
        let call = Call { action: Some(action), input, timeout: timeout.as_ref(), heartbeat: None };
        let Some(unit) = self.unit_for(whose, call)? else { return Ok(false) };
        self.add_step(held, purpose, Work::One(Box::new(unit)), None);
        Ok(true)
    }

    fn job<'a>(&mut self, plan: &'a Plan, job: Job) -> Option<(&'a Cleanup, Held, Purpose, Frame)> {
        let (unit, purpose) = match job {
            Job::CleanUpAll => {
                let context = self.deltas.join(self.ends.iter().map(|end| &end.context));
                let frame = self.frame(context.variables(), None);
                let held = Held { task: 0, from: None, route: RouteId(0), context };
                return Some((plan.on_cancel.as_ref()?, held, Purpose::OnCancel { of: None }, frame));
            }
            Job::CleanUp(step) => (UnitId { step, item: None }, Purpose::OnCancel { of: Some(step) }),
            Job::Undo(unit) => (unit, Purpose::Compensate { of: unit.step, item: unit.item }),
        };
        let step = self.steps.get(step_number(unit.step))?;
        let (_, task) = plan.tasks.get_index(step.task)?;
        let cleanup = match job {
            Job::Undo(_) => task.compensate.as_ref()?,
            _ => task.on_cancel.as_ref()?,
        };
        let index = unit.item.and_then(|item| usize::try_from(item.0).ok());
        let (result, value) = match (&step.work, index) {
            (Work::Many(items), Some(index)) => {
                let done = items.done.get(index).cloned().flatten();
                (done.map(|(_, result)| result), items.values.get(index))
            }
            _ => (step.kept.clone(), None),
        };
        let status = if matches!(job, Job::Undo(_)) { Status::Succeeded } else { step.status };
        let current = TaskResult { status, result: result.unwrap_or_else(|| Arc::new(Value::Null)) };
        let mut frame = self.frame(step.context.variables(), Some(current));
        frame.item = value.zip(task.with.as_ref()).map(|(value, with)| Arc::new(item_of(with, value)));
        let held = Held { task: step.task, from: None, route: step.route, context: step.context.clone() };
        Some((cleanup, held, purpose, frame))
    }

    /// A step that undoes or cleans up has ended.
    pub(super) fn cleaned_up(&mut self, plan: &Plan, number: usize, outcome: &Outcome) -> Result<(), Stop> {
        let step = self.steps.get(number).and_then(|step| Some((step, plan.tasks.get_index(step.task)?.0)));
        if let Some((step, name)) = step.filter(|_| outcome.status() != Status::Succeeded) {
            let name = super::command::name_of(name, step.purpose);
            let record = error_record(&name, step.route, outcome);
            self.errors.push(record);
        }
        self.settle(plan)
    }
}
