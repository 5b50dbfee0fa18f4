//! Polls: repeating a unit that succeeds until a condition holds.

use runner_model::{AttemptNumber, DelayReason, Failure, Outcome, RouteId, TaskName, code, limits};

use super::Stop;
use super::attempt::Sequel;
use super::retry::{grown, too_many_attempts};
use super::settings::Whose;
use super::state::{State, visible_result};
use super::step::UnitId;
use crate::Condition;
use crate::expression::{EvaluationError, Frame};
use crate::plan::Poll;

impl State {
    /// What a poll makes of a success: its end, another try, or a failure.
    pub(super) fn poll(
        &mut self,
        (name, route): (&TaskName, RouteId),
        poll: &Poll,
        frame: &Frame,
        id: UnitId,
        outcome: &Outcome,
    ) -> Result<Sequel, Stop> {
        let ended = |message: &str| {
            let mut failure = Failure::new(code::FLOW_POLL, message);
            failure.details = Some(visible_result(outcome)).filter(|result| !result.is_null());
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
