//! Attempts: how units begin, end, wait, and are tried again.

use std::sync::Arc;

use runner_model::{
    AttemptNumber, DelayReason, Failure, Outcome, Purpose, RouteId, Status, TaskName, Timestamp, Wait, WaitKind, code,
    limits,
};
use serde_json::Value;

use super::chance;
use super::decide::item_of;
use super::settings::Whose;
use super::state::{State, Timer, visible_result};
use super::step::{Step, UnitId, UnitState, Work, step_id, step_number};
use super::{Mismatch, Stop};
use crate::Condition;
use crate::expression::{EvaluationError, Frame, TaskResult};
use crate::plan::{OnUnknown, Plan, Poll, Retry, Target, Task, TransitionId};

/// What follows from the outcome of an attempt.
enum Sequel {
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
            UnitState::ToDelay { .. } | UnitState::ToWait(_) => {
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
            UnitState::ToDelay { .. } | UnitState::ToWait(_) => {
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
            return self.fill_items(plan, step_number(id.step));
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
            (UnitState::Running, true) => self.enter(id, UnitState::Paused),
            (UnitState::Paused, false) => {
                self.enter(id, UnitState::Running)?;
                // What rested because a part of it was paused goes on with that part.
                if self.status == Status::Paused { self.become_status(Status::Running) } else { Ok(()) }
            }
            _ => Ok(()),
        }
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

    fn poll(
        &mut self,
        (name, route): (&TaskName, RouteId),
        poll: &Poll,
        frame: &Frame,
        id: UnitId,
        outcome: &Outcome,
    ) -> Result<Sequel, Stop> {
        let ended = |message: &str| {
            let mut failure = Failure::new(code::FLOW_POLL, message);
            failure.details = Some(visible_result(outcome));
            failure
        };
        let fail_when = poll.fail_when.as_ref().map(|condition| holds(condition, frame)).transpose()?;
        match fail_when.unwrap_or(Ok(false)) {
            Ok(true) => return Ok(Sequel::End(Outcome::Failed { failure: ended("the poll's `fail_when` holds") })),
            Err(failure) => return Ok(Sequel::End(Outcome::Failed { failure })),
            Ok(false) => {}
        }
        match holds(&poll.until, frame)? {
            Ok(true) => return Ok(Sequel::End(outcome.clone())),
            Err(failure) => return Ok(Sequel::End(Outcome::Failed { failure })),
            Ok(false) => {}
        }
        let whose = Whose { task: Some((name, route)), frame };
        let (began, polls, attempt) = match self.unit(id) {
            Some(unit) => (unit.began.unwrap_or(self.now), unit.polls, unit.attempt),
            None => (self.now, 0, AttemptNumber::FIRST),
        };
        let timeout = self.duration(whose, "poll.timeout", poll.timeout.as_ref())?;
        let longest = i64::try_from(limits::POLL_TIMEOUT.as_millis()).unwrap_or(i64::MAX);
        let deadline = began.plus_ms(timeout.unwrap_or(longest));
        if self.now >= deadline {
            let failure = ended("the poll's condition did not hold within its `timeout`");
            return Ok(Sequel::End(Outcome::Timeout { failure }));
        }
        if attempt.0 >= limits::ATTEMPTS_MAX {
            return Ok(Sequel::End(Outcome::Failed { failure: too_many_attempts() }));
        }
        let interval = self.duration(whose, "poll.interval", Some(&poll.interval))?.unwrap_or(0);
        let backoff = self.number(whose, "poll.backoff", poll.backoff.as_ref())?.unwrap_or(1.0);
        let longest = self.duration(whose, "poll.max_interval", poll.max_interval.as_ref())?;
        let wait = grown(interval, backoff, polls, longest);
        Ok(Sequel::Again(self.now.plus_ms(wait).min(deadline), DelayReason::Poll))
    }

    /// A unit ended; a step with one unit is done with that.
    fn unit_ended(&mut self, plan: &Plan, id: UnitId, outcome: &Outcome) -> Result<(), Stop> {
        match id.item {
            None => self.step_tried(plan, step_number(id.step), outcome),
            Some(_) => self.item_ended(plan, id, outcome),
        }
    }

    /// A step has an outcome: it is tried again, or ends.
    pub(super) fn step_tried(&mut self, plan: &Plan, number: usize, outcome: &Outcome) -> Result<(), Stop> {
        match self.retry(plan, number, outcome)? {
            Some(until) => {
                self.try_again(number, until, outcome)?;
                self.settle(plan)
            }
            None => self.end_step(plan, number, outcome),
        }
    }

    fn try_again(&mut self, number: usize, until: Timestamp, outcome: &Outcome) -> Result<(), Mismatch> {
        let id = UnitId { step: step_id(number), item: None };
        let step = self.step_mut(id.step)?;
        step.last = Some(outcome.clone());
        let reason = DelayReason::Retry;
        match &mut step.work {
            Work::Many(items) => {
                items.to_delay = Some((until, reason));
                step.attempt = step.attempt.next();
                self.to_record.insert(id);
                Ok(())
            }
            Work::One(unit) => {
                unit.attempt = unit.attempt.next();
                (unit.polls, unit.began) = (0, None);
                self.enter(id, UnitState::ToDelay { until, reason })
            }
            Work::Skip => Ok(()),
        }
    }

    /// When to try a step again; none if not.
    fn retry(&mut self, plan: &Plan, number: usize, outcome: &Outcome) -> Result<Option<Timestamp>, Stop> {
        let Some((step, (name, task))) = self.steps.get(number).and_then(|s| Some((s, plan.tasks.get_index(s.task)?)))
        else {
            return Ok(None);
        };
        let is_over = step.purpose.is_task() && self.is_stopping();
        if is_over || *outcome == Outcome::Canceled {
            return Ok(None);
        }
        let step = step.clone();
        let current = TaskResult { status: outcome.status(), result: Arc::new(visible_result(outcome)) };
        // What `task("…")` gives here is the very step that is looked at.
        Arc::make_mut(&mut self.tasks).insert(name.clone(), current.clone());
        let frame = self.frame(step.context.variables(), Some(current));
        let spec = match step.purpose {
            Purpose::Task => task.retry.as_ref(),
            Purpose::Compensate { .. } => task.compensate.as_ref().and_then(|cleanup| cleanup.retry.as_ref()),
            Purpose::OnCancel { of: Some(_) } => task.on_cancel.as_ref().and_then(|cleanup| cleanup.retry.as_ref()),
            Purpose::OnCancel { of: None } => plan.on_cancel.as_ref().and_then(|cleanup| cleanup.retry.as_ref()),
        };
        let whose = Whose { task: Some((name, step.route)), frame: &frame };
        if let Some(spec) = spec
            && let Some(until) = self.retry_by_spec(whose, spec, number, &step, outcome)?
        {
            return Ok(Some(until));
        }
        if step.purpose.is_task() && self.retry_by_command(whose, task, &step)? {
            if let Some(step) = self.steps.get_mut(number) {
                step.commands += 1;
            }
            return Ok(Some(self.now));
        }
        Ok(None)
    }

    fn retry_by_spec(
        &mut self,
        whose: Whose<'_>,
        spec: &Retry,
        number: usize,
        step: &Step,
        outcome: &Outcome,
    ) -> Result<Option<Timestamp>, Stop> {
        let wanted = match &spec.when {
            None => Ok(outcome.status().is_failure()),
            Some(when) => when.holds(whose.frame),
        };
        match wanted {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => {
                self.note(whose.task, None, &error)?;
                return Ok(None);
            }
        }
        let code = outcome.failure().map(|failure| failure.code.as_str());
        if code.is_some_and(|code| spec.unless.iter().any(|other| other.eq_ignore_ascii_case(code))) {
            return Ok(None);
        }
        let mistakes = self.errors.len();
        let count = self.number(whose, "retry.count", spec.count.as_ref())?;
        let delay = self.duration(whose, "retry.delay", spec.delay.as_ref())?.unwrap_or(0);
        let backoff = self.number(whose, "retry.backoff", spec.backoff.as_ref())?.unwrap_or(1.0);
        let longest = self.duration(whose, "retry.max_delay", spec.max_delay.as_ref())?;
        let jitter = self.number(whose, "retry.jitter", spec.jitter.as_ref())?.unwrap_or(0.0).clamp(0.0, 1.0);
        let window = self.duration(whose, "retry.until", spec.until.as_ref())?;
        let attempt = attempt_of(step);
        let exhausted = count.is_some_and(|count| f64::from(step.tries) >= count);
        if self.errors.len() > mistakes || exhausted || attempt.0 >= limits::ATTEMPTS_MAX {
            return Ok(None);
        }
        let unit = UnitId { step: step_id(number), item: None };
        let share = chance::share(self.execution.id, unit, attempt) * jitter;
        let until = self.now.plus_ms(shortened(grown(delay, backoff, step.tries, longest), share));
        let last = window.map(|window| step.began.unwrap_or(self.now).plus_ms(window));
        if last.is_some_and(|last| until >= last) {
            return Ok(None);
        }
        if let Some(step) = self.steps.get_mut(number) {
            step.tries += 1;
        }
        Ok(Some(until))
    }

    /// Whether a transition to the command `retry` applies.
    fn retry_by_command(&mut self, whose: Whose<'_>, task: &Task, step: &Step) -> Result<bool, Stop> {
        if step.commands >= limits::RETRY_COMMAND_MAX {
            return Ok(false);
        }
        let leads = task.next.iter().enumerate().filter(|(_, next)| next.targets.contains(&Target::Retry));
        for (index, transition) in leads {
            match transition.when.as_ref().map_or(Ok(true), |when| when.holds(whose.frame)) {
                Ok(true) => {
                    self.taken.insert(TransitionId { task: step.task, index });
                    return Ok(true);
                }
                Ok(false) => {}
                Err(error) => {
                    self.note(whose.task, Some(index), &error)?;
                    return Ok(false);
                }
            }
        }
        Ok(false)
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

/// Whether a condition about an outcome holds; if it fails, that is the outcome.
fn holds(condition: &Condition, frame: &Frame) -> Result<Result<bool, Failure>, Stop> {
    match condition.holds(frame) {
        Ok(holds) => Ok(Ok(holds)),
        Err(EvaluationError::NeedsKv { key }) => Err(Stop::NeedsKv { key }),
        Err(error @ EvaluationError::Failed { .. }) => {
            let EvaluationError::Failed { code, hint, .. } = &error else { return Ok(Ok(false)) };
            let mut failure = Failure::new(*code, error.to_string());
            failure.hint.clone_from(hint);
            Ok(Err(failure))
        }
    }
}

fn too_many_attempts() -> Failure {
    Failure::new(code::FLOW_TOO_MANY_ATTEMPTS, format!("it has been tried {} times", limits::ATTEMPTS_MAX))
        .with_hint("give the retry a `count`, the poll a `timeout`, or both longer waits")
}

const fn attempt_of(step: &Step) -> AttemptNumber {
    match &step.work {
        Work::One(unit) => unit.attempt,
        Work::Many(_) | Work::Skip => step.attempt,
    }
}

/// A wait in milliseconds that has grown `times` by `backoff`, up to `longest`.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "`as` saturates; milliseconds fit")]
fn grown(first: i64, backoff: f64, times: u32, longest: Option<i64>) -> i64 {
    let most = i64::try_from(limits::FLOW_TIME_MAX.as_millis()).unwrap_or(i64::MAX);
    let factor = backoff.max(0.0).powi(i32::try_from(times).unwrap_or(i32::MAX));
    let wait = (first as f64 * factor) as i64;
    wait.clamp(0, longest.unwrap_or(most).min(most))
}

/// A wait without its `share`.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "milliseconds fit")]
fn shortened(wait: i64, share: f64) -> i64 {
    wait - (wait as f64 * share) as i64
}
