//! How an execution ends.

use std::sync::Arc;

use runner_model::{ErrorRecord, Status, code};
use serde_json::Value;

use super::Stop;
use super::command::Command;
use super::context::Variables;
use super::state::{Held, State};
use super::step::{UnitId, UnitState, Work, step_id};
use crate::plan::Plan;

impl State {
    /// Looks whether anything is left to do; if not, undoes what is to be undone, and decides how the execution ends.
    pub(super) fn settle(&mut self, plan: &Plan) -> Result<(), Stop> {
        if self.is_stopping() {
            self.hold_unstarted();
            self.give_up_waits(plan)?;
        } else if plan.joins_on_conditions {
            self.decide_conditional_joins(plan)?;
        }
        if !self.open.is_empty()
            || !self.decided.is_empty()
            || self.verdict.is_some()
            || self.status.is_terminal()
            || self.status == Status::Requested
        {
            return Ok(());
        }
        if self.unwinding.is_none() {
            self.check_joins(plan);
        }
        let status = match (self.status, self.is_late, self.failing) {
            (Status::Canceling, _, _) => Status::Canceled,
            (_, true, _) => Status::Timeout,
            (_, _, true) => Status::Failed,
            _ => Status::Succeeded,
        };
        if status != Status::Succeeded && self.unwind(plan)? {
            return Ok(());
        }
        self.conclude(plan, status)
    }

    fn conclude(&mut self, plan: &Plan, mut status: Status) -> Result<(), Stop> {
        let result = if plan.single { self.single_result(&mut status) } else { self.output(plan, &mut status)? };
        self.timers.clear();
        let errors = if status == Status::Succeeded { Vec::new() } else { self.errors.clone() };
        self.verdict = Some(Command::Finish { status, result, errors });
        Ok(())
    }

    /// The execution is to stop: what has not begun does not begin, what runs is interrupted.
    pub(super) fn cancel(&mut self, plan: &Plan) -> Result<(), Stop> {
        if self.status == Status::Canceling || self.status.is_terminal() {
            return Ok(());
        }
        if self.status == Status::Requested {
            // What never began leaves nothing to clean up.
            self.unwinding = Some(super::unwind::Unwinding::default());
        }
        self.become_status(Status::Canceling)?;
        // A verdict that nobody has recorded is overtaken.
        self.verdict = None;
        self.note_interrupted(plan);
        self.interrupt_all();
        self.settle(plan)
    }

    /// The workflow's time is over.
    pub(super) fn pass_deadline(&mut self, plan: &Plan) -> Result<(), Stop> {
        self.timers.retain(|(_, timer)| *timer != super::state::Timer::Deadline);
        if self.is_late || self.status.is_terminal() || self.unwinding.is_some() {
            return Ok(());
        }
        self.is_late = true;
        self.verdict = None;
        // What is paused has to go on to its end.
        if matches!(self.status, Status::Pausing | Status::Paused) {
            self.become_status(Status::Running)?;
        }
        let seconds = self.timeout_ms.unwrap_or(0) / 1000;
        self.errors.push(ErrorRecord {
            task: None,
            route: None,
            transition: None,
            code: code::FLOW_DEADLINE.id().to_owned(),
            message: format!("the workflow did not end within its timeout of {seconds} s"),
            hint: None,
            details: None,
        });
        self.note_interrupted(plan);
        self.interrupt_all();
        self.settle(plan)
    }

    /// Remembers the steps whose `on_cancel` is to be called.
    fn note_interrupted(&mut self, plan: &Plan) {
        let has_cleanup = |number: &usize| {
            let step = self.steps.get(*number)?;
            let (_, task) = plan.tasks.get_index(step.task)?;
            (step.purpose.is_task() && step.began.is_some() && task.on_cancel.is_some()).then(|| step_id(*number))
        };
        let interrupted: Vec<_> = self.open.iter().filter_map(has_cleanup).collect();
        self.interrupted.extend(interrupted);
    }

    fn interrupt_all(&mut self) {
        for number in self.open.clone() {
            self.halt_items(number);
            let Some(step) = self.steps.get(number).filter(|step| step.purpose.is_task()) else { continue };
            let units = step.open_units().into_iter().map(|(item, _)| UnitId { step: step_id(number), item });
            self.interrupts.extend(units.collect::<Vec<_>>());
        }
    }

    /// Forgets steps that were decided and not recorded; a rerun may take them up.
    fn hold_unstarted(&mut self) {
        let overrides = self.status == Status::Canceling || self.is_late;
        for number in self.decided.clone() {
            let Some(step) = self.steps.get_mut(number) else { continue };
            if !step.purpose.is_task() || (step.spared && !overrides) {
                continue;
            }
            step.status = Status::Canceled;
            let (task, from, route, context) = (step.task, step.from, step.route, step.context.clone());
            self.held.push(Held { task, from, route, context });
            self.decided.remove(&number);
            self.decided_items.retain(|unit| unit.step != step_id(number));
        }
    }

    /// When the execution is to end, nothing waits any more: not for a time, not for an answer. What polls goes on,
    /// unless it is interrupted: what it watches is under way.
    fn give_up_waits(&mut self, plan: &Plan) -> Result<(), Stop> {
        let overrides = self.status == Status::Canceling || self.is_late;
        for number in self.open.clone() {
            let Some(step) = self.steps.get(number).filter(|step| step.purpose.is_task()) else { continue };
            if step.spared && step.began.is_none() && !overrides {
                continue;
            }
            let waits = |state: &UnitState| match state {
                UnitState::Waiting(_) | UnitState::ToWait(_) | UnitState::Ready => true,
                UnitState::Delayed { reason, .. } => *reason != Some(runner_model::DelayReason::Poll),
                UnitState::ToDelay { reason, .. } => *reason != runner_model::DelayReason::Poll,
                UnitState::Decided | UnitState::Running | UnitState::Paused | UnitState::ToEnd(_) => false,
            };
            let units = step.open_units().into_iter().filter(|(_, unit)| waits(&unit.state));
            let units: Vec<_> = units.map(|(item, _)| UnitId { step: step_id(number), item }).collect();
            self.halt_items(number);
            for unit in units {
                // What is recorded as waiting has to be recorded as cancelled.
                self.interrupts.insert(unit);
            }
            self.give_up_list(plan, number)?;
        }
        Ok(())
    }

    /// Ends a list of which nothing runs.
    fn give_up_list(&mut self, plan: &Plan, number: usize) -> Result<(), Stop> {
        let step = step_id(number);
        let Some(Work::Many(items)) = self.steps.get_mut(number).map(|step| &mut step.work) else { return Ok(()) };
        if !items.active.is_empty() {
            return Ok(());
        }
        items.to_delay = None;
        let id = UnitId { step, item: None };
        self.to_record.remove(&id);
        self.end_delay(step)?;
        let outcome = runner_model::Outcome::Canceled;
        self.end_step(plan, number, &outcome)
    }

    /// The result of an execution that runs a single action is that of its last step.
    fn single_result(&self, status: &mut Status) -> Value {
        let Some(step) = self.steps.iter().rev().find(|step| step.purpose.is_task()) else { return Value::Null };
        if *status == Status::Failed && step.status.is_failure() {
            *status = step.status;
        }
        match self.tasks.values().next() {
            Some(task) if step.status == Status::Succeeded => Value::clone(&task.result),
            _ => Value::Null,
        }
    }

    /// The workflow's output, which is rendered however the execution ended. On a failure, what cannot be rendered is
    /// left out; on a success, it makes the execution fail.
    fn output(&mut self, plan: &Plan, status: &mut Status) -> Result<Value, Stop> {
        if plan.output.is_empty() {
            return Ok(Value::Null);
        }
        let context = if self.ends.is_empty() {
            self.initial.clone()
        } else {
            self.deltas.join(self.ends.iter().map(|end| &end.context))
        };
        let mut rolling = context.variables().clone();
        let mut output = Variables::new();
        for binding in &plan.output {
            match binding.value.render(&self.frame(&rolling, None)) {
                Ok(value) => {
                    Arc::make_mut(&mut rolling).insert(binding.name.clone(), value.clone());
                    output.insert(binding.name.clone(), value);
                }
                Err(error) => {
                    self.note(None, None, &error)?;
                    if *status == Status::Succeeded {
                        *status = Status::Failed;
                    }
                }
            }
        }
        Ok(Value::Object(output))
    }
}
