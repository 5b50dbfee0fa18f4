//! Turning what the conductor decides, and what the time says, into entries and attempts.

use runner_engine::{Command, UnitId};
use runner_model::mask::at_places;
use runner_model::{ActionRef, AttemptNumber, Fact, Mask, Outcome, Status, WaitKind, limits};
use runner_pack::{Action, Body};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::{Drive, Due, Running};
use crate::attempt::{self, Task};
use crate::control::Control;
use crate::error::ExecutorError;
use crate::gate::Leave;
use crate::progress::Progress;

impl Drive {
    /// Decides until nothing is outstanding, and records it: as a rule in one commit.
    pub(crate) async fn decide_all(&mut self) -> Result<(), ExecutorError> {
        loop {
            let now = self.now();
            self.asked.clear();
            let mut decided = self.is_requested() && self.start().await?;
            decided |= self.make_again().await?;
            let mut commands = self.state.outstanding(&self.plan);
            commands.extend(self.state.due(&self.plan, now));
            for command in commands {
                // What was recorded since may have overtaken it.
                if self.state.still(&command) {
                    decided |= self.carry_out(command).await?;
                }
                if self.entries.len() - self.taken >= limits::STORE_BATCH_MAX {
                    self.record().await?;
                }
            }
            if !decided {
                self.decided_at = now;
                self.shared.gate.keep(self.id(), &self.asked);
                return self.record().await;
            }
        }
    }

    /// Records a command; says whether that may have led to more.
    async fn carry_out(&mut self, command: Command) -> Result<bool, ExecutorError> {
        match command {
            // It stays as it is for the next process.
            Command::BeginAttempt { .. } if self.shared.is_draining() => return Ok(false),
            Command::BeginAttempt { unit, task, attempt, action, input, timeout_ms, heartbeat_ms, progress } => {
                let deadline = timeout_ms.map(|timeout| self.now().plus_ms(timeout));
                let place = None;
                let due = Due { unit, attempt, task, action, input, deadline, heartbeat_ms, progress, place };
                return self.intend(due).await;
            }
            Command::ExpireWait { unit, attempt, outcome } => self.finish(unit, attempt, outcome).await?,
            Command::Interrupt { unit, attempt } => return self.interrupt(unit, attempt).await,
            Command::Rest { status } => {
                self.take(Fact::Rested { status }).await?;
                if status == Status::Paused {
                    self.tell_parent(true);
                }
            }
            command => {
                let mut fact = command.fact();
                if let Fact::StepScheduled { action, secret, .. } | Fact::ItemScheduled { action, secret, .. } =
                    &mut fact
                {
                    *secret = self.secret_names(action);
                }
                if let Fact::Finished { result, .. } = &fact {
                    let places = self.requested().map(|requested| requested.secret_output.clone()).unwrap_or_default();
                    self.learn_from(result, &places).await?;
                }
                self.take(fact).await?;
            }
        }
        Ok(true)
    }

    /// Takes what stands at these places of a value as secret.
    async fn learn_from(&mut self, value: &Value, places: &[String]) -> Result<(), ExecutorError> {
        if places.is_empty() {
            return Ok(());
        }
        let mask = Mask::default();
        at_places(value, places).into_iter().for_each(|secret| mask.learn_all(secret));
        self.learn(mask.secrets()).await
    }

    fn secret_names(&self, action: &ActionRef) -> Vec<String> {
        self.action(action).map(|(_, action)| action.parameters.secret_names()).unwrap_or_default()
    }

    /// Records the intent of an attempt, unless a policy makes it wait; says whether it is recorded. What needs no
    /// attempt is done at once, and rides in the same commit: an action that does nothing, a wait that opens.
    async fn intend(&mut self, mut due: Due) -> Result<bool, ExecutorError> {
        let leave = self.ask(&due, true);
        if matches!(leave, Leave::Later) {
            return Ok(false);
        }
        let (unit, attempt) = (due.unit, due.attempt);
        self.take(Fact::AttemptStarted { step: unit.step, item: unit.item, attempt }).await?;
        match leave {
            Leave::Given(place) => due.place = place,
            Leave::Refused(policy) | Leave::Knotted(policy) => {
                self.say_started(&due);
                self.refuse(&due, &policy).await?;
                return Ok(true);
            }
            Leave::Later => {}
        }
        self.carry_on(due).await?;
        Ok(true)
    }

    async fn carry_on(&mut self, due: Due) -> Result<(), ExecutorError> {
        let (unit, attempt) = (due.unit, due.attempt);
        let found = self.action(&due.action).map(|(_, action)| action);
        let Some(action) = found else {
            self.due.push(due);
            return Ok(());
        };
        match (&action.body, &*due.input) {
            (Body::Noop, Value::Object(given)) if action.enabled => {
                let outcome = attempt::nothing(&action, given.clone());
                self.say_started(&due);
                self.finish(unit, attempt, outcome).await
            }
            (Body::Inquiry | Body::WaitFor, Value::Object(given)) if action.enabled => {
                self.say_started(&due);
                self.open_wait(&due, &action, given.clone()).await
            }
            _ => {
                self.due.push(due);
                Ok(())
            }
        }
    }

    async fn open_wait(&mut self, due: &Due, action: &Action, given: Map<String, Value>) -> Result<(), ExecutorError> {
        let (unit, attempt) = (due.unit, due.attempt);
        let wait = match attempt::bind(action, given) {
            Ok(input) => action.wait(&input, self.now()).map_err(|mistakes| attempt::misfit(action, mistakes)),
            Err(outcome) => Err(outcome),
        };
        match wait {
            Ok(Some(mut wait)) => {
                // The task's own `timeout` holds for a wait too.
                wait.expires_at = wait.expires_at.into_iter().chain(due.deadline).min();
                if let WaitKind::Inquiry { prompt, .. } = &mut wait.kind {
                    // It is asked of people, on whatever way they are reached.
                    self.herald.mask.hide_text(prompt);
                }
                let task = due.task.clone();
                let opened = Progress::WaitOpened { unit, task, wait: wait.clone() };
                self.take(Fact::WaitOpened { step: unit.step, item: unit.item, wait: Box::new(wait) }).await?;
                self.untold.push((self.entries.len(), self.now(), opened));
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(outcome) => self.finish(unit, attempt, outcome).await,
        }
    }

    /// Interrupts what runs; what only waits is cancelled at once. Says whether something was recorded.
    async fn interrupt(&mut self, unit: UnitId, attempt: AttemptNumber) -> Result<bool, ExecutorError> {
        if let Some(running) = self.running.get(&unit) {
            running.cancel.cancel();
            return Ok(false);
        }
        let child = self.children.iter().find(|(_, child)| child.unit == unit).map(|(id, _)| *id);
        if let Some(child) = child {
            self.ask_child(child, Control::Cancel { by: format!("the execution {}", self.id()) });
            return Ok(false);
        }
        // Recorded as begun in this very commit, and not begun.
        self.due.retain(|due| due.unit != unit);
        self.again.remove(&unit);
        self.finish(unit, attempt, Outcome::Canceled).await?;
        Ok(true)
    }

    pub(super) async fn finish(
        &mut self,
        unit: UnitId,
        attempt: AttemptNumber,
        outcome: Outcome,
    ) -> Result<(), ExecutorError> {
        if let Outcome::Succeeded { result } = &outcome {
            let places = self.secret_output(unit);
            self.learn_from(result, &places).await?;
        }
        let (status, failure) = (outcome.status(), outcome.failure().cloned());
        let UnitId { step, item } = unit;
        self.take(Fact::AttemptFinished { step, item, attempt, outcome }).await?;
        self.untold.push((self.entries.len(), self.now(), Progress::StepFinished { unit, status, failure }));
        Ok(())
    }

    /// Where the result of a unit holds what its action calls secret.
    fn secret_output(&self, unit: UnitId) -> Vec<String> {
        if !self.is_sealed() {
            return Vec::new();
        }
        let action = self.entries.iter().rev().find_map(|entry| match &entry.fact {
            Fact::ItemScheduled { step, item, action, .. } if *step == unit.step && Some(*item) == unit.item => {
                Some(action)
            }
            Fact::StepScheduled { step, action, .. } if *step == unit.step => Some(action),
            _ => None,
        });
        let found = action.and_then(|action| self.action(action));
        found.map(|(_, action)| action.secret_output.clone()).unwrap_or_default()
    }

    fn say_started(&self, due: &Due) {
        let (task, action) = (due.task.clone(), due.action.clone());
        self.herald.say(self.shared.options.clock.now(), Progress::StepStarted { unit: due.unit, task, action });
    }

    /// Begins an attempt whose intent is recorded.
    pub(super) async fn begin(&mut self, due: Due) -> Result<(), ExecutorError> {
        let found = self.action(&due.action);
        // Its key follows from its number, unless it has a name.
        let may_run_ahead = found.as_ref().is_some_and(|(_, action)| action.may_run_ahead(&due.input));
        if self.is_ahead() && !(may_run_ahead && self.names.of(due.unit.step).is_some()) {
            self.flush().await?;
        }
        self.say_started(&due);
        if found.is_some_and(|(_, action)| action.enabled && is_workflow(&action)) {
            return self.begin_child(due).await;
        }
        let cancel = CancellationToken::new();
        let running = Running { cancel: cancel.clone(), progress: None, recorded_at: None };
        self.running.insert(due.unit, running);
        let task = Task {
            shared: self.shared.clone(),
            caller: self.pack.clone(),
            execution: self.id(),
            unit: due.unit,
            name: self.names.of(due.unit.step).map(str::to_owned),
            attempt: due.attempt,
            action: due.action,
            input: due.input,
            bound: self.plan.is_single(),
            deadline: due.deadline,
            heartbeat_ms: due.heartbeat_ms,
            progress: due.progress,
            trace: self.trace(),
            signals: self.signals.clone(),
            herald: self.herald.clone(),
            cancel,
            place: due.place,
        };
        self.attempts.begin(attempt::run(task));
        Ok(())
    }
}

pub(super) fn is_workflow(action: &Action) -> bool {
    matches!(action.body, Body::Workflow(_))
}
