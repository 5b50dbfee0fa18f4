//! Asking for policies' leave: for an attempt before its intent is recorded, for a workflow before its start is.

use runner_engine::{InFlight, UnitId};
use runner_host::TraceParent;
use runner_model::{ErrorRecord, ExecutionId, Fact, Failure, Outcome, PolicyRef, Requested, Status, Timestamp, code};
use runner_store::Catalogue;
use serde_json::Value;

use super::take_up::due;
use super::{Drive, Due};
use crate::attempt;
use crate::error::ExecutorError;
use crate::gate::{Claim, Leave, Ticket};

impl Drive {
    pub(super) fn requested(&self) -> Option<&Requested> {
        match self.entries.first().map(|entry| &entry.fact) {
            Some(Fact::Requested(requested)) => Some(requested),
            _ => None,
        }
    }

    /// The trace that it belongs to.
    pub(super) fn trace(&self) -> Option<TraceParent> {
        self.requested()?.trace_parent.as_deref()?.parse().ok()
    }

    /// Whether it waits for a policy's leave before anything else can happen.
    pub(super) fn is_requested(&self) -> bool {
        self.state.status() == Status::Requested
    }

    /// Starts the execution, unless a policy makes it wait. Says whether something was recorded.
    pub(super) async fn start(&mut self) -> Result<bool, ExecutorError> {
        let (claims, around) = self.claims_of_execution().await;
        if claims.is_empty() {
            self.take(Fact::Started).await?;
            return Ok(true);
        }
        let since = self.entries.first().map(|entry| entry.at).unwrap_or_default();
        self.asked.insert(None);
        let gate = self.shared.gate.clone();
        match gate.ask_within(self.id(), around, since, claims) {
            Leave::Given(_) => self.take(Fact::Started).await?,
            Leave::Later => return Ok(false),
            Leave::Refused(policy) => self.fail(refused(&gate.policy(&policy))).await?,
            Leave::Knotted(policy) => self.fail(knotted(&gate.policy(&policy))).await?,
        }
        Ok(true)
    }

    /// Ends an execution that has not begun.
    async fn fail(&mut self, failure: Failure) -> Result<(), ExecutorError> {
        let Failure { code, message, hint, details, .. } = failure;
        let error = ErrorRecord { task: None, route: None, transition: None, code, message, hint, details };
        let (status, result) = (Status::Failed, Value::Null);
        self.take(Fact::Finished { status, result, errors: vec![error] }).await
    }

    /// Counts an execution of a workflow that is at work already: it was taken up, or runs again.
    pub(super) async fn hold_place(&self) {
        if self.is_requested() || self.state.status().is_terminal() {
            return;
        }
        let (claims, _) = self.claims_of_execution().await;
        if !claims.is_empty() {
            self.shared.gate.hold(self.id(), &claims);
        }
    }

    /// What the execution as a whole needs, and the executions around it: none unless it is one of a workflow. A single
    /// action's attempts ask.
    async fn claims_of_execution(&self) -> (Vec<Claim>, Vec<ExecutionId>) {
        let mut outer = Vec::new();
        let gate = &self.shared.gate;
        let Some(requested) = self.requested().filter(|_| !self.plan.is_single()) else { return Default::default() };
        if !gate.governs(&requested.action) {
            return Default::default();
        }
        let mut claims = gate.claims(&requested.action, &requested.parameters);
        let mut around = requested.origin.parent();
        while let Some(id) = around {
            let inside = gate.inside(id);
            claims.retain(|claim| !inside.contains(&claim.key.policy));
            outer.push(id);
            let record = Catalogue::get(&*self.shared.options.store, id).await;
            around = record.ok().and_then(|record| record.origin.parent());
        }
        (claims, outer)
    }

    /// Asks for an attempt.
    pub(super) fn ask(&mut self, due: &Due, may_be_refused: bool) -> Leave {
        let gate = self.shared.gate.clone();
        let found = self.action(&due.action);
        // The execution of a workflow asks for itself.
        let Some((_, action)) =
            found.filter(|(_, action)| gate.governs(&action.reference) && !super::decide::is_workflow(action))
        else {
            return Leave::Given(None);
        };
        let input = match (&*due.input, self.plan.is_single()) {
            (Value::Object(given), false) => attempt::bind(&action, given.clone()).map(Value::Object),
            (input, _) => Ok(input.clone()),
        };
        // What does not fit fails as soon as it begins.
        let Ok(input) = input else { return Leave::Given(None) };
        let mut claims = gate.claims(&due.action, &input);
        claims.iter_mut().for_each(|claim| claim.refuses &= may_be_refused);
        self.asked.insert(Some(due.unit));
        let ticket = Ticket { execution: self.id(), unit: Some(due.unit) };
        gate.ask(ticket, || self.since(due.unit), claims)
    }

    /// Since when a unit may begin.
    fn since(&self, unit: UnitId) -> Timestamp {
        let moment = self.entries.iter().rev().find_map(|entry| {
            let is_own =
                entry.fact.step() == Some(unit.step) && (entry.fact.item() == unit.item || entry.fact.item().is_none());
            match &entry.fact {
                _ if !is_own => None,
                Fact::StepScheduled { until, .. } => Some(until.unwrap_or(entry.at)),
                Fact::StepDelayed { until, .. } => Some(*until),
                Fact::ItemScheduled { .. } => Some(entry.at),
                _ => None,
            }
        });
        moment.unwrap_or_default()
    }

    /// Makes attempts again of which nothing is known, as far as policies allow. Says whether something was recorded.
    pub(super) async fn make_again(&mut self) -> Result<bool, ExecutorError> {
        let mut decided = false;
        if self.shared.is_draining() {
            return Ok(false);
        }
        for (unit, in_flight) in std::mem::take(&mut self.again) {
            if self.state.running_attempt(unit) != Some(in_flight.attempt) {
                continue;
            }
            let allowed = in_flight.deadline.map(|deadline| deadline.as_millis() - in_flight.started_at.as_millis());
            let attempt = in_flight.attempt.next();
            let mut next = Due { attempt, ..due(InFlight::clone(&in_flight)) };
            match self.ask(&next, false) {
                Leave::Given(place) => {
                    next.place = place;
                    next.deadline = allowed.map(|allowed| self.now().plus_ms(allowed));
                    self.take(Fact::AttemptStarted { step: unit.step, item: unit.item, attempt }).await?;
                    self.due.push(next);
                    decided = true;
                }
                Leave::Later | Leave::Refused(_) | Leave::Knotted(_) => {
                    self.again.insert(unit, in_flight);
                }
            }
        }
        Ok(decided)
    }

    /// The end of an attempt that a policy refused.
    pub(super) async fn refuse(&mut self, due: &Due, policy: &PolicyRef) -> Result<(), ExecutorError> {
        let failure = refused(&self.shared.gate.policy(policy));
        self.finish(due.unit, due.attempt, Outcome::Failed { failure }).await
    }
}

/// Why a policy refused, with the policy and what it allows.
fn refused((policy, action, allows): &(PolicyRef, String, String)) -> Failure {
    let message = format!("the policy `{policy}` allows {allows} of `{action}`");
    let hint = format!("run it later, or let it wait: `action: delay` in the policy `{policy}`");
    Failure::new(code::EXEC_POLICY, message).with_hint(hint)
}

/// Why an execution was refused that would have waited for ever.
fn knotted((policy, action, allows): &(PolicyRef, String, String)) -> Failure {
    let message = format!(
        "the policy `{policy}` allows {allows} of `{action}`, and those that there are wait for the end of this one"
    );
    let hint = format!(
        "workflows that call one another wait for one another: allow more at a time in the policy `{policy}`, or call only in one direction"
    );
    Failure::new(code::EXEC_POLICY, message).with_hint(hint)
}
