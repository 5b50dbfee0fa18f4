//! Steps that run over a list.

use std::sync::Arc;

use runner_model::{ActionRef, Failure, ItemIndex, Outcome, Status, StepId, code};
use serde_json::{Value, json};

use super::decide::{Call, item_of};
use super::settings::Whose;
use super::state::{State, Timer, visible_result};
use super::step::{Items, UnitId, UnitState, Work, step_id};
use super::{Mismatch, Stop};
use crate::plan::Plan;

impl State {
    /// Decides on as many items as may run beside those that do.
    pub(super) fn fill_items(&mut self, plan: &Plan, number: usize) -> Result<(), Stop> {
        let Some(step) = self.steps.get(number) else { return Ok(()) };
        let (Work::Many(_), Some((name, task))) = (&step.work, plan.tasks.get_index(step.task)) else { return Ok(()) };
        let (route, attempt, context) = (step.route, step.attempt, step.context.clone());
        let Some(with) = &task.with else { return Ok(()) };
        let mut frame = self.frame(context.variables(), None);
        while let Some((item, value)) = self.next_item(number) {
            frame.item = Some(Arc::new(item_of(with, &value)));
            let whose = Whose { task: Some((name, route)), frame: &frame };
            let Some(mut unit) = self.unit_for(whose, Call::of_task(task))? else {
                self.halt_items(number);
                return Ok(());
            };
            unit.attempt = attempt;
            if let Some(Work::Many(items)) = self.steps.get_mut(number).map(|step| &mut step.work) {
                items.active.insert(item, unit);
            }
            self.decided_items.insert(UnitId { step: step_id(number), item: Some(ItemIndex(item)) });
        }
        Ok(())
    }

    /// The next item to run, if one may; it is no longer pending then.
    fn next_item(&mut self, number: usize) -> Option<(u32, Value)> {
        let Work::Many(items) = &mut self.steps.get_mut(number)?.work else { return None };
        if items.failure.is_some() || items.halted || items.active.len() >= items.concurrency {
            return None;
        }
        let item = items.pending.pop_front()?;
        let value = items.values.get(usize::try_from(item).ok()?)?;
        Some((item, value.clone()))
    }

    /// Begins no further item, and forgets those that are decided and not recorded.
    pub(super) fn halt_items(&mut self, number: usize) {
        let step = step_id(number);
        let Some(Work::Many(items)) = self.steps.get_mut(number).map(|step| &mut step.work) else { return };
        items.halted = true;
        let unrecorded = |(item, unit): (&u32, &super::step::Unit)| (unit.state == UnitState::Decided).then_some(*item);
        let forgotten: Vec<u32> = items.active.iter().filter_map(unrecorded).collect();
        for item in forgotten.into_iter().rev() {
            items.active.remove(&item);
            items.pending.push_front(item);
            self.decided_items.remove(&UnitId { step, item: Some(ItemIndex(item)) });
        }
    }

    /// An item was recorded.
    pub(super) fn item_scheduled(&mut self, step: StepId, item: ItemIndex, action: &ActionRef) -> Result<(), Mismatch> {
        let id = UnitId { step, item: Some(item) };
        let unit = self.unit_mut(id)?;
        if unit.state != UnitState::Decided || unit.action != *action {
            return Err(Mismatch::new(format!("item {item} of step {step} runs {action}, which was not decided on")));
        }
        // The first item ends the delay of the whole list.
        self.end_delay(step)?;
        self.enter(id, UnitState::Ready)
    }

    /// A list is no longer delayed.
    pub(super) fn end_delay(&mut self, step: StepId) -> Result<(), Mismatch> {
        if let Some(until) = self.step_mut(step)?.until.take() {
            self.timers.remove(&(until, Timer::Start(UnitId { step, item: None })));
            self.counts.delayed -= 1;
        }
        Ok(())
    }

    /// An item ended.
    pub(super) fn item_ended(&mut self, plan: &Plan, id: UnitId, outcome: &Outcome) -> Result<(), Stop> {
        let number = super::step::step_number(id.step);
        let Some(item) = id.item else { return Ok(()) };
        let step = self.step_mut(id.step)?;
        let task = step.task;
        if let Work::Many(items) = &mut step.work {
            if let Some(unit) = items.active.remove(&item.0) {
                step.attempt = step.attempt.max(unit.attempt);
            }
            items.take(item.0, outcome);
        }
        let is_undoable = plan.tasks.get_index(task).is_some_and(|(_, task)| task.compensate.is_some());
        if matches!(outcome, Outcome::Succeeded { .. }) && is_undoable && !self.undoable.contains(&id) {
            self.undoable.push(id);
        }
        if outcome.status().is_failure() {
            self.forget_decided_items(number);
        }
        self.fill_items(plan, number)?;
        self.end_if_done(plan, number)
    }

    /// After a failure no further item begins, not even one that is decided.
    fn forget_decided_items(&mut self, number: usize) {
        self.halt_items(number);
        if let Some(Work::Many(items)) = self.steps.get_mut(number).map(|step| &mut step.work) {
            items.halted = false;
        }
    }

    /// Ends a step whose list has no items, or none that a rerun did not keep.
    pub(super) fn end_if_empty(&mut self, plan: &Plan, number: usize) -> Result<(), Stop> {
        match self.steps.get(number).map(|step| &step.work) {
            Some(Work::Many(items)) if items.active.is_empty() && items.pending.is_empty() => {
                self.end_delay(step_id(number))?;
                self.end_if_done(plan, number)
            }
            _ => Ok(()),
        }
    }

    /// Ends a step of which no item runs or will.
    pub(super) fn end_if_done(&mut self, plan: &Plan, number: usize) -> Result<(), Stop> {
        let outcome = match self.steps.get(number).map(|step| &step.work) {
            Some(Work::Many(items)) if self.open.contains(&number) => items.outcome(),
            _ => None,
        };
        match outcome {
            Some(outcome) => self.step_tried(plan, number, &outcome),
            None => self.settle(plan),
        }
    }
}

impl Items {
    fn take(&mut self, item: u32, outcome: &Outcome) {
        let status = outcome.status();
        if let Some(slot) = usize::try_from(item).ok().and_then(|item| self.done.get_mut(item)) {
            *slot = Some((status, Arc::new(visible_result(outcome))));
        }
        if status.is_failure() && self.failure.is_none() {
            self.failure = Some((item, outcome.failure().cloned()));
        }
        self.halted |= status == Status::Canceled;
    }

    /// How the step ends, if it does: it ends once nothing of it runs or will.
    fn outcome(&self) -> Option<Outcome> {
        let goes_on = self.failure.is_none() && !self.halted && !self.pending.is_empty();
        if !self.active.is_empty() || goes_on || self.to_delay.is_some() {
            return None;
        }
        // What never ran at the end of the list has no place in its results.
        let ran = self.done.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let value =
            |done: &Option<(Status, Arc<Value>)>| done.as_ref().map_or(Value::Null, |(_, value)| Value::clone(value));
        let results = || self.done.iter().take(ran).map(value);
        Some(match &self.failure {
            Some((item, failure)) => {
                let count = self.done.iter().flatten().filter(|(status, _)| status.is_failure()).count();
                let first = failure.as_ref().map_or_else(String::new, |failure| format!(": {}", failure.message));
                let message =
                    format!("{count} of {} items failed, the first of them item {item}{first}", self.done.len());
                let mut sum = Failure::new(code::FLOW_ITEMS, message);
                sum.details = Some(json!({"items": results().collect::<Vec<_>>()}));
                sum.hint = failure.as_ref().and_then(|failure| failure.hint.clone());
                Outcome::Failed { failure: sum }
            }
            None if self
                .done
                .iter()
                .any(|done| done.as_ref().is_none_or(|(status, _)| *status == Status::Canceled)) =>
            {
                Outcome::Canceled
            }
            None => Outcome::Succeeded { result: results().collect() },
        })
    }

    /// Begins anew: items that are to run again are pending.
    pub(super) fn reset(&mut self, keeps_succeeded: bool) {
        let keeps = |done: &Option<(Status, Arc<Value>)>| {
            keeps_succeeded && done.as_ref().is_some_and(|(status, _)| *status == Status::Succeeded)
        };
        self.done.iter_mut().filter(|done| !keeps(done)).for_each(|done| *done = None);
        let again = self.done.iter().enumerate().filter(|(_, done)| done.is_none());
        self.pending = again.filter_map(|(item, _)| u32::try_from(item).ok()).collect();
        self.active.clear();
        (self.failure, self.halted, self.to_delay) = (None, false, None);
    }
}
