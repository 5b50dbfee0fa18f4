//! Retries: trying a step again that has an outcome, by its task's `retry` or by the command of that name.

use std::sync::Arc;

use runner_model::{AttemptNumber, DelayReason, Failure, Outcome, Purpose, Status, Timestamp, code, limits};

use super::chance;
use super::settings::Whose;
use super::state::{State, visible_result};
use super::step::{Step, UnitId, UnitState, Work, step_id};
use super::{Mismatch, Stop};
use crate::expression::TaskResult;
use crate::plan::{Plan, Retry, Target, Task, TransitionId};

impl State {
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
        // What an attempt did that ended with its process is unknown: `on_unknown` alone decides on it.
        // A list without items has nothing to try again.
        let is_empty = matches!(&step.work, Work::Many(items) if items.values.is_empty());
        if is_over || is_empty || *outcome == Outcome::Canceled || is_unknown(step, outcome) {
            return Ok(None);
        }
        let spec = match step.purpose {
            Purpose::Task => task.retry.as_ref(),
            Purpose::Compensate { .. } => task.compensate.as_ref().and_then(|cleanup| cleanup.retry.as_ref()),
            Purpose::OnCancel { of: Some(_) } => task.on_cancel.as_ref().and_then(|cleanup| cleanup.retry.as_ref()),
            Purpose::OnCancel { of: None } => plan.on_cancel.as_ref().and_then(|cleanup| cleanup.retry.as_ref()),
        };
        let has_command = step.purpose.is_task() && task.next.iter().any(|next| next.targets.contains(&Target::Retry));
        if spec.is_none() && !has_command {
            return Ok(None);
        }
        let step = step.clone();
        let current = TaskResult { status: outcome.status(), result: Arc::new(visible_result(outcome)) };
        // What `task("…")` gives here is the very step that is looked at.
        Arc::make_mut(&mut self.tasks).insert(name.clone(), current.clone());
        let frame = self.frame(step.context.variables(), Some(current));
        let whose = Whose { task: Some((name, step.route)), frame: &frame };
        if let Some(spec) = spec
            && let Some(until) = self.retry_by_spec(whose, spec, number, &step, outcome)?
        {
            return Ok(Some(until));
        }
        if has_command && self.retry_by_command(whose, task, &step)? {
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
        if !self.is_wanted(whose, spec, outcome)? {
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

    /// Whether a retry is meant for such an outcome.
    fn is_wanted(&mut self, whose: Whose<'_>, spec: &Retry, outcome: &Outcome) -> Result<bool, Stop> {
        let wanted = match spec.when.as_ref().map(|when| when.holds(whose.frame)) {
            // A poll's own end is final: its time is over, or there is nothing left to wait for.
            None => outcome.status().is_failure() && outcome.failure().is_none_or(|failure| !is_end_of_poll(failure)),
            Some(Ok(wanted)) => wanted,
            Some(Err(error)) => {
                self.note(whose.task, None, &error)?;
                false
            }
        };
        let code = outcome.failure().map(|failure| failure.code.as_str());
        let is_useless = code.is_some_and(|code| spec.unless.iter().any(|other| other.eq_ignore_ascii_case(code)));
        Ok(wanted && !is_useless)
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
}

pub(super) fn too_many_attempts() -> Failure {
    Failure::new(code::FLOW_TOO_MANY_ATTEMPTS, format!("it has been tried {} times", limits::ATTEMPTS_MAX))
        .with_hint("give the retry a `count`, the poll a `timeout`, or both longer waits")
}

fn is_end_of_poll(failure: &Failure) -> bool {
    failure.code == code::FLOW_POLL.id()
}

/// Whether it is unknown what an attempt of the step did, be it of one item of many.
fn is_unknown(step: &Step, outcome: &Outcome) -> bool {
    match &step.work {
        Work::Many(items) => items.done.iter().flatten().any(|(status, _)| *status == Status::Abandoned),
        // A mock that says so stands for any outcome of that name: Orquesta tries it again.
        Work::One(_) | Work::Skip => {
            outcome.status() == Status::Abandoned
                && outcome.failure().is_none_or(|failure| failure.code != code::EXEC_MOCKED.id())
        }
    }
}

const fn attempt_of(step: &Step) -> AttemptNumber {
    match &step.work {
        Work::One(unit) => unit.attempt,
        Work::Many(_) | Work::Skip => step.attempt,
    }
}

/// A wait in milliseconds that has grown `times` by `backoff`, up to `longest`.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "`as` saturates; milliseconds fit")]
pub(super) fn grown(first: i64, backoff: f64, times: u32, longest: Option<i64>) -> i64 {
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
