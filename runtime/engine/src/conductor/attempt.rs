//! Attempts: how units begin, end, wait, and are tried again.

use std::sync::Arc;

use runner_model::{AttemptNumber, DelayReason, Outcome, Status, Timestamp, Wait, WaitKind};
use serde_json::Value;

use super::decide::item_of;
use super::state::{State, Timer, visible_result};
use super::step::{Step, UnitId, UnitState, Work, step_id, step_number};
use super::{Mismatch, Stop};
use crate::expression::{Frame, TaskResult};
use crate::plan::{OnUnknown, Plan, Task};

/// What follows from the outcome of an attempt.
pub(super) enum Sequel {
    /// The unit ends.
    End(Outcome),
    /// It is tried again.
    Again(Timestamp, DelayReason),
    /// It waits.
    Wait(Box<Wait>),
}

impl State {
    /// Brings a unit into a state, with everything that is kept about units by where they stand.
    pub(super) fn enter(&mut self, id: UnitId, next: UnitState) -> Result<(), Mismatch> {
        self.leave(id)?;
        match &next {
            UnitState::Decided => {}
            UnitState::Ready => {
                self.ready.insert(id);
            }
            UnitState::ToDelay { .. } | UnitState::ToWait(_) | UnitState::ToEnd(_) => {
                self.to_record.insert(id);
            }
            UnitState::Delayed { until, .. } => {
                self.counts.delayed += 1;
                self.timers.insert((*until, Timer::Start(id)));
            }
            UnitState::Running => self.counts.running += 1,
            UnitState::Paused => self.counts.paused += 1,
            UnitState::Waiting(wait) => {
                self.counts.waiting += 1;
                self.timers.extend(wait.expires_at.map(|at| (at, Timer::Expire(id))));
            }
        }
        self.unit_mut(id)?.state = next;
        Ok(())
    }

    /// Forgets where a unit stands; it is decided and nothing else then.
    pub(super) fn leave(&mut self, id: UnitId) -> Result<(), Mismatch> {
        let state = std::mem::replace(&mut self.unit_mut(id)?.state, UnitState::Decided);
        match state {
            UnitState::Decided => {
                self.decided_items.remove(&id);
            }
            UnitState::Ready => {
                self.ready.remove(&id);
            }
            UnitState::ToDelay { .. } | UnitState::ToWait(_) | UnitState::ToEnd(_) => {
                self.to_record.remove(&id);
            }
            UnitState::Delayed { until, .. } => {
                self.counts.delayed -= 1;
                self.timers.remove(&(until, Timer::Start(id)));
            }
            UnitState::Running => self.counts.running -= 1,
            UnitState::Paused => self.counts.paused -= 1,
            UnitState::Waiting(wait) => {
                self.counts.waiting -= 1;
                if let Some(at) = wait.expires_at {
                    self.timers.remove(&(at, Timer::Expire(id)));
                }
            }
        }
        Ok(())
    }

    pub(super) fn attempt_started(&mut self, id: UnitId, attempt: AttemptNumber) -> Result<(), Mismatch> {
        let now = self.now;
        let unit = self.unit_mut(id)?;
        let may_start = match unit.state {
            UnitState::Ready | UnitState::Delayed { .. } => attempt == unit.attempt,
            // After a crash: a sub-workflow is found again, another attempt is made again.
            UnitState::Running | UnitState::Paused => attempt == unit.attempt || attempt == unit.attempt.next(),
            _ => false,
        };
        if !may_start {
            return Err(Mismatch::new(format!("attempt {attempt} of step {} began out of turn", id.step)));
        }
        if attempt != unit.attempt || unit.started.is_none() || !matches!(unit.state, UnitState::Running) {
            unit.started = Some(now);
        }
        unit.began.get_or_insert(now);
        unit.attempt = attempt;
        self.step_mut(id.step)?.began.get_or_insert(now);
        self.enter(id, UnitState::Running)
    }

    pub(super) fn delayed(&mut self, plan: &Plan, id: UnitId, until: Timestamp) -> Result<(), Stop> {
        let unlike = || Stop::mismatch(format!("step {} is tried again, which was not decided on", id.step));
        if id.item.is_none()
            && let Work::Many(items) = &mut self.step_mut(id.step)?.work
        {
            if items.to_delay.take().is_none_or(|(decided, _)| decided != until) {
                return Err(unlike());
            }
            items.reset(false);
            self.to_record.remove(&id);
            self.step_mut(id.step)?.until = Some(until);
            self.counts.delayed += 1;
            self.timers.insert((until, Timer::Start(id)));
            self.fill_items(plan, step_number(id.step))?;
            return self.settle(plan);
        }
        match self.unit_mut(id)?.state {
            UnitState::ToDelay { until: decided, reason } if decided == until => {
                Ok(self.enter(id, UnitState::Delayed { until, reason: Some(reason) })?)
            }
            _ => Err(unlike()),
        }
    }

    pub(super) fn wait_opened(&mut self, id: UnitId, wait: &Wait) -> Result<(), Mismatch> {
        match &self.unit_mut(id)?.state {
            UnitState::Running | UnitState::ToWait(_) => self.enter(id, UnitState::Waiting(Box::new(wait.clone()))),
            _ => Err(Mismatch::new(format!("step {} waits, which was not decided on", id.step))),
        }
    }

    pub(super) fn answered(&mut self, plan: &Plan, id: UnitId, by: &str, answer: &Value) -> Result<(), Stop> {
        let UnitState::Waiting(wait) = self.unit_mut(id)?.state.clone() else {
            return Err(Stop::mismatch(format!("step {} got an answer and did not wait for one", id.step)));
        };
        self.interrupts.remove(&id);
        match wait.answered(by, answer) {
            Some(outcome) => {
                self.leave(id)?;
                self.unit_ended(plan, id, &outcome)
            }
            None => {
                let unit = self.unit_mut(id)?;
                unit.attempt = unit.attempt.next();
                self.enter(id, UnitState::Ready)?;
                self.settle(plan)
            }
        }
    }

    pub(super) fn child_paused(&mut self, id: UnitId, paused: bool) -> Result<(), Mismatch> {
        match (&self.unit_mut(id)?.state, paused) {
            (UnitState::Running, true) => self.enter(id, UnitState::Paused)?,
            (UnitState::Paused, false) => self.enter(id, UnitState::Running)?,
            _ => {}
        }
        // What rested because a part of it was paused goes on with that part.
        if !paused && self.status == Status::Paused { self.become_status(Status::Running) } else { Ok(()) }
    }

    pub(super) fn attempt_finished(
        &mut self,
        plan: &Plan,
        id: UnitId,
        attempt: AttemptNumber,
        outcome: &Outcome,
    ) -> Result<(), Stop> {
        let unit = self.unit_mut(id)?;
        if unit.attempt != attempt || unit.state == UnitState::Decided {
            let message = format!("attempt {attempt} of step {} ended, which was not under way", id.step);
            return Err(Stop::mismatch(message));
        }
        self.leave(id)?;
        self.interrupts.remove(&id);
        match self.sequel(plan, id, outcome)? {
            // A poll that makes something else of a success says so in the journal.
            Sequel::End(decided) if decided != *outcome => {
                self.enter(id, UnitState::ToEnd(Box::new(decided)))?;
                self.settle(plan)
            }
            Sequel::End(outcome) => {
                self.unit_ended(plan, id, &outcome)?;
                // A part that was cancelled by itself cancels the whole.
                if outcome == Outcome::Canceled && !self.is_stopping() { self.cancel(plan) } else { Ok(()) }
            }
            Sequel::Again(until, reason) => {
                let unit = self.unit_mut(id)?;
                unit.attempt = unit.attempt.next();
                unit.polls += u32::from(reason == DelayReason::Poll);
                self.enter(id, UnitState::ToDelay { until, reason })?;
                self.settle(plan)
            }
            Sequel::Wait(wait) => {
                self.enter(id, UnitState::ToWait(wait))?;
                self.settle(plan)
            }
        }
    }

    pub(super) fn poll_ended(&mut self, plan: &Plan, id: UnitId, outcome: &Outcome) -> Result<(), Stop> {
        match &self.unit_mut(id)?.state {
            UnitState::ToEnd(decided) if **decided == *outcome => {
                self.leave(id)?;
                self.unit_ended(plan, id, outcome)
            }
            _ => Err(Stop::mismatch(format!("the poll of step {} ended, which was not decided on", id.step))),
        }
    }

    /// What follows from an outcome for the unit itself: polls, and what to do about an unknown one.
    fn sequel(&mut self, plan: &Plan, id: UnitId, outcome: &Outcome) -> Result<Sequel, Stop> {
        let end = || Sequel::End(outcome.clone());
        let Some((step, (name, task))) = self.step(id.step).and_then(|s| Some((s, plan.tasks.get_index(s.task)?)))
        else {
            return Ok(end());
        };
        if !step.purpose.is_task() {
            return Ok(end());
        }
        match (outcome, task.on_unknown, &task.poll) {
            (Outcome::Abandoned { .. }, OnUnknown::Retry, _) if !self.is_stopping() => {
                Ok(Sequel::Again(self.now, DelayReason::Unknown))
            }
            (Outcome::Abandoned { failure }, OnUnknown::Ask, _) if !self.is_stopping() => {
                let attempt = self.unit(id).map(|unit| unit.attempt).unwrap_or_default();
                let kind = WaitKind::Outcome { attempt, failure: failure.clone() };
                Ok(Sequel::Wait(Box::new(Wait { kind, expires_at: None, on_expiry: runner_model::OnExpiry::Timeout })))
            }
            // Something else that failed does not end a poll: what it watches is under way.
            (Outcome::Succeeded { .. }, _, Some(poll)) if !self.is_late && self.status != Status::Canceling => {
                let whose = (name, step.route);
                let frame = self.unit_frame(task, step, id, outcome);
                self.poll(whose, poll, &frame, id, outcome)
            }
            _ => Ok(end()),
        }
    }

    /// What a condition sees that is about the outcome of a unit.
    fn unit_frame(&self, task: &Task, step: &Step, id: UnitId, outcome: &Outcome) -> Frame {
        let current = TaskResult { status: outcome.status(), result: Arc::new(visible_result(outcome)) };
        let mut frame = self.frame(step.context.variables(), Some(current));
        let value = match (&step.work, id.item) {
            (Work::Many(items), Some(item)) => usize::try_from(item.0).ok().and_then(|item| items.values.get(item)),
            _ => None,
        };
        frame.item = value.zip(task.with.as_ref()).map(|(value, with)| Arc::new(item_of(with, value)));
        frame
    }

    /// A unit ended; a step with one unit is done with that.
    fn unit_ended(&mut self, plan: &Plan, id: UnitId, outcome: &Outcome) -> Result<(), Stop> {
        match id.item {
            None => self.step_tried(plan, step_number(id.step), outcome),
            Some(_) => self.item_ended(plan, id, outcome),
        }
    }

    /// A step ended for good.
    pub(super) fn end_step(&mut self, plan: &Plan, number: usize, outcome: &Outcome) -> Result<(), Stop> {
        let current = TaskResult { status: outcome.status(), result: Arc::new(visible_result(outcome)) };
        let Some(step) = self.steps.get_mut(number) else {
            return Err(Stop::mismatch(format!("there is no step {number}")));
        };
        step.status = outcome.status();
        let named = plan.tasks.get_index(step.task);
        let is_undoable = step.purpose.is_task() && named.is_some_and(|(_, task)| task.compensate.is_some());
        let succeeded = outcome.status() == Status::Succeeded;
        if succeeded && is_undoable && matches!(step.work, Work::One(_)) {
            step.kept = Some(current.result.clone());
            self.undoable.push(UnitId { step: step_id(number), item: None });
        } else if succeeded && !is_undoable {
            // What it was made of is not looked at again.
            step.work = Work::Skip;
        }
        let purpose = step.purpose;
        self.open.remove(&number);
        if purpose.is_task() {
            self.completed(plan, number, &current, Some(outcome))
        } else {
            self.cleaned_up(plan, number, outcome)
        }
    }
}
