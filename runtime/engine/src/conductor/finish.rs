//! How an execution ends.

use std::sync::Arc;

use runner_model::{ErrorRecord, RouteId, Status, code};
use serde_json::Value;

use super::context::Variables;
use super::decide::needed;
use super::state::{State, step_id};
use super::{Command, Stop};
use crate::plan::Plan;

impl State {
    /// Looks whether anything is left to do; if not, decides how the execution ends.
    pub(super) fn settle(&mut self, plan: &Plan) -> Result<(), Stop> {
        let spares_siblings = std::mem::take(&mut self.spares_siblings);
        if self.failing && !spares_siblings {
            self.drop_unstarted();
        }
        if self.active > 0 || self.verdict.is_some() || self.status.is_terminal() {
            return Ok(());
        }
        self.check_joins(plan);
        let mut status = match (self.status, self.failing) {
            (Status::Canceling, _) => Status::Canceled,
            (_, true) => Status::Failed,
            (_, false) => Status::Succeeded,
        };
        let result = if plan.single { self.single_result(&mut status) } else { self.output(plan, &mut status)? };
        self.verdict = Some(Command::Finish { status, result, errors: std::mem::take(&mut self.errors) });
        Ok(())
    }

    /// The execution is to stop: what has not begun does not begin, what runs is interrupted.
    pub(super) fn cancel(&mut self, plan: &Plan) -> Result<(), Stop> {
        if self.status == Status::Canceling || self.status.is_terminal() {
            return Ok(());
        }
        self.become_status(Status::Canceling)?;
        // A verdict that nobody has recorded is overtaken.
        self.verdict = None;
        self.drop_unstarted();
        let begun = self.steps.iter().enumerate();
        self.interrupts = begun
            .filter(|(_, step)| matches!(step.status, Status::Scheduled | Status::Running))
            .map(|(number, _)| step_id(number))
            .collect();
        self.settle(plan)
    }

    /// Forgets steps that were decided on and not recorded.
    fn drop_unstarted(&mut self) {
        for step in self.steps.iter_mut().filter(|step| step.status == Status::Requested) {
            step.status = Status::Canceled;
            step.start = None;
            self.active -= 1;
            self.ends.push(step.context.clone());
        }
    }

    /// Joins that something arrived at and that can no longer be met.
    fn check_joins(&mut self, plan: &Plan) {
        let waiting = std::mem::take(&mut self.waiting);
        let stopped = self.failing || self.status == Status::Canceling;
        for ((task, route), arrivals) in waiting {
            self.ends.extend(arrivals.contexts.iter().map(|(_, context)| context.clone()));
            if stopped || arrivals.met {
                continue;
            }
            let Some((name, written)) = plan.tasks.get_index(task) else { continue };
            let Some(join) = &written.join else { continue };
            let mut arrived: Vec<_> = arrivals
                .contexts
                .iter()
                .filter_map(|(transition, _)| plan.tasks.get_index(transition.task).map(|(name, _)| name.as_str()))
                .collect();
            arrived.dedup();
            let needs = needed(plan, task, join);
            self.failing = true;
            self.errors.push(ErrorRecord {
                task: Some(name.clone()),
                route: Some(route).filter(|route| *route > RouteId(0)),
                transition: None,
                code: code::FLOW_UNREACHABLE_JOIN.id().to_owned(),
                message: format!(
                    "the join at `{name}` needs transitions from {needs} tasks and got them from {} ({})",
                    arrived.len(),
                    arrived.join(", ")
                ),
                hint: Some(
                    "give the missing tasks a transition for every outcome, or join fewer with `join: N`".to_owned(),
                ),
                details: None,
            });
        }
    }

    /// The result of an execution that runs a single action is that of its only step.
    fn single_result(&self, status: &mut Status) -> Value {
        let Some(step) = self.steps.first() else { return Value::Null };
        if *status != Status::Canceled && step.status.is_failure() {
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
        let context = self.deltas.join(&self.ends);
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
