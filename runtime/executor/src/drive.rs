//! Driving one execution: decide, record, act, and again.

use std::collections::BTreeMap;
use std::sync::Arc;

use runner_engine::{Command, Plan, State, Stop};
use runner_model::{
    ActionRef, AttemptNumber, Entry, ExecutionId, ExecutionView, Fact, Failure, FencingToken, Outcome, StepId,
    TaskName, Version, code, limits,
};
use runner_pack::Action;
use runner_store::{Append, Journal, KeyValue, Lease, NewExecution};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::attempt::{self, Task};
use crate::error::ExecutorError;
use crate::executor::Shared;
use crate::lease;
use crate::progress::{Herald, Progress};

/// One execution that this process owns.
pub(crate) struct Drive {
    shared: Arc<Shared>,
    plan: Arc<Plan>,
    id: ExecutionId,
    /// The token of the lease; none until the execution is recorded for the first time.
    token: Option<FencingToken>,
    state: State,
    /// The journal as recorded, and after it what is decided and not yet recorded.
    entries: Vec<Entry>,
    recorded: usize,
    /// Attempts to begin once their intent is recorded.
    due: Vec<Due>,
    herald: Herald,
    /// Cancelled by whoever wants the execution to stop.
    cancel: CancellationToken,
    attempts: JoinSet<(StepId, AttemptNumber, Outcome)>,
    running: BTreeMap<StepId, CancellationToken>,
}

/// What driving an execution needs beside the execution.
pub(crate) struct Work {
    pub(crate) shared: Arc<Shared>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) herald: Herald,
    pub(crate) cancel: CancellationToken,
}

/// An attempt that is recorded as begun and is to begin.
struct Due {
    step: StepId,
    attempt: AttemptNumber,
    task: TaskName,
    action: ActionRef,
    input: Value,
}

impl Drive {
    /// An execution that is asked for: decided as far as it goes without an attempt, and recorded in one commit.
    pub(crate) async fn open(
        work: Work,
        id: ExecutionId,
        requested: Entry,
        state: State,
    ) -> Result<Self, ExecutorError> {
        let mut drive = Self::new(work, id, None, state, vec![requested]);
        drive.take(Fact::Started).await?;
        drive.decide_all().await?;
        Ok(drive)
    }

    /// An execution that a lost process left.
    pub(crate) async fn reopen(
        work: Work,
        lease: Lease,
        state: State,
        entries: Vec<Entry>,
    ) -> Result<Self, ExecutorError> {
        let recorded = entries.len();
        let mut drive = Self::new(work, lease.id, Some(lease.token), state, entries);
        drive.recorded = recorded;
        if recorded == 1 {
            drive.take(Fact::Started).await?;
        }
        drive.take_up().await?;
        Ok(drive)
    }

    fn new(work: Work, id: ExecutionId, token: Option<FencingToken>, state: State, entries: Vec<Entry>) -> Self {
        let Work { shared, plan, herald, cancel } = work;
        Self {
            shared,
            plan,
            id,
            token,
            state,
            entries,
            recorded: 0,
            due: Vec::new(),
            herald,
            cancel,
            attempts: JoinSet::new(),
            running: BTreeMap::new(),
        }
    }

    /// Drives it to its end. Dropping the future stops what runs and leaves the journal as it is.
    pub(crate) async fn run(mut self) -> Result<ExecutionView, ExecutorError> {
        loop {
            self.decide_all().await?;
            for due in std::mem::take(&mut self.due) {
                self.begin(due);
            }
            if self.has_ended() {
                return self.view();
            }
            self.wait().await?;
        }
    }

    /// Whether the end is decided and recorded.
    pub(crate) fn has_ended(&self) -> bool {
        self.state.status().is_terminal() && self.recorded == self.entries.len()
    }

    /// The journal as a reader sees it.
    pub(crate) fn view(&self) -> Result<ExecutionView, ExecutorError> {
        ExecutionView::fold(self.id, &self.entries).ok_or(ExecutorError::Interrupted)
    }

    /// Decides until nothing is outstanding, and records it: as a rule in one commit.
    async fn decide_all(&mut self) -> Result<(), ExecutorError> {
        loop {
            let decided = self.decide().await?;
            let waiting = self.entries.len() - self.recorded;
            if !decided || waiting >= limits::STORE_BATCH_MAX {
                self.record().await?;
            }
            if !decided {
                return Ok(());
            }
        }
    }

    /// What a lost process left under way: steps that had not begun begin; a try of which nothing is known is made
    /// again if the action allows that, and given up otherwise.
    async fn take_up(&mut self) -> Result<(), ExecutorError> {
        for in_flight in self.state.in_flight() {
            let Some((task, action, input)) = self.scheduled(in_flight.step) else { continue };
            let found = self.shared.options.packs.action(&action).map(|(_, action)| action.clone());
            let attempt = match (in_flight.attempt, found) {
                (None, _) => AttemptNumber::FIRST,
                (Some(attempt), Some(action)) if is_workflow(&action) => attempt,
                (Some(attempt), Some(action)) if action.idempotent => attempt.next(),
                (Some(attempt), _) => {
                    let message = format!("the process ended while `{action}` ran: what it did is unknown");
                    let failure = Failure::new(code::EXEC_UNKNOWN_OUTCOME, message).with_hint(
                        "look at the system it worked on; an action that may be run twice says so with `idempotent: true`",
                    );
                    let outcome = Outcome::Abandoned { failure };
                    self.take(Fact::AttemptFinished { step: in_flight.step, attempt, outcome }).await?;
                    continue;
                }
            };
            self.take(Fact::AttemptStarted { step: in_flight.step, attempt }).await?;
            self.due.push(Due { step: in_flight.step, attempt, task, action, input });
        }
        Ok(())
    }

    /// What the journal says about the start of a step.
    fn scheduled(&self, wanted: StepId) -> Option<(TaskName, ActionRef, Value)> {
        self.entries.iter().rev().find_map(|entry| match &entry.fact {
            Fact::StepScheduled { step, task, action, input, .. } if *step == wanted => {
                Some((task.clone(), action.clone(), input.clone()))
            }
            _ => None,
        })
    }

    /// Turns what the conductor decided into entries; says whether that may have led to more decisions.
    async fn decide(&mut self) -> Result<bool, ExecutorError> {
        let mut decided = false;
        for command in self.state.outstanding(&self.plan) {
            match command {
                Command::StartStep { step, task, route, action, input } => {
                    let found = self.shared.options.packs.action(&action).map(|(_, action)| action.clone());
                    let scheduled = Fact::StepScheduled {
                        step,
                        task: task.clone(),
                        route,
                        action: action.clone(),
                        input: input.clone(),
                        secret: found.as_ref().map(|action| action.parameters.secret_names()).unwrap_or_default(),
                    };
                    self.take(scheduled).await?;
                    let due = Due { step, attempt: AttemptNumber::FIRST, task, action, input };
                    decided |= self.intend(due, found.as_deref()).await?;
                }
                Command::InterruptStep { step } => {
                    if let Some(running) = self.running.get(&step) {
                        running.cancel();
                    }
                }
                Command::Finish { status, result, errors } => {
                    self.take(Fact::Finished { status, result, errors }).await?;
                }
            }
        }
        Ok(decided)
    }

    /// Records the intent of a first attempt. An action that does nothing is done at once, and rides in the same
    /// commit; says whether it was one.
    async fn intend(&mut self, due: Due, action: Option<&Action>) -> Result<bool, ExecutorError> {
        let (step, attempt) = (due.step, due.attempt);
        self.take(Fact::AttemptStarted { step, attempt }).await?;
        let Some(outcome) = action.and_then(|action| attempt::at_once(action, &due.input)) else {
            self.due.push(due);
            return Ok(false);
        };
        self.say_started(&due);
        self.finish(step, attempt, outcome).await?;
        Ok(true)
    }

    /// Waits for something to happen and takes everything that has happened.
    async fn wait(&mut self) -> Result<(), ExecutorError> {
        let cancelling = self.state.status() == runner_model::Status::Canceling;
        tokio::select! {
            Some(ended) = self.attempts.join_next() => self.ended(ended).await?,
            () = self.cancel.cancelled(), if !cancelling => {
                let by = "the one who asked for it".to_owned();
                self.herald.say(self.shared.options.clock.now(), Progress::CancelRequested { by: by.clone() });
                self.take(Fact::CancelRequested { by }).await?;
            }
            else => return Err(ExecutorError::Interrupted),
        }
        while let Some(ended) = self.attempts.try_join_next() {
            self.ended(ended).await?;
        }
        Ok(())
    }

    async fn ended(
        &mut self,
        ended: Result<(StepId, AttemptNumber, Outcome), tokio::task::JoinError>,
    ) -> Result<(), ExecutorError> {
        // An attempt's task catches panics and is not aborted while its execution is driven.
        let (step, attempt, outcome) = ended.map_err(|_| ExecutorError::Interrupted)?;
        self.running.remove(&step);
        self.finish(step, attempt, outcome).await
    }

    async fn finish(&mut self, step: StepId, attempt: AttemptNumber, outcome: Outcome) -> Result<(), ExecutorError> {
        let (status, failure) = (outcome.status(), outcome.failure().cloned());
        self.take(Fact::AttemptFinished { step, attempt, outcome }).await?;
        self.herald.say(self.shared.options.clock.now(), Progress::StepFinished { step, status, failure });
        Ok(())
    }

    /// Takes a fact into the state and into what is to be recorded. A value that a decision needs is read and recorded
    /// before it.
    async fn take(&mut self, fact: Fact) -> Result<(), ExecutorError> {
        let last = self.entries.last().map(|entry| entry.at).unwrap_or_default();
        // The journal's time never goes back, whatever the machine's clock does.
        let entry = Entry::new(self.shared.options.clock.now().max(last), fact);
        loop {
            match self.state.apply(&self.plan, &entry) {
                Ok(()) => break,
                Err(Stop::NeedsKv { key }) => {
                    let value = self.read(&key).await?;
                    let read = Entry::new(entry.at, Fact::ValuesRead { kv: [(key, value)].into_iter().collect() });
                    self.state.apply(&self.plan, &read).map_err(|_| ExecutorError::Interrupted)?;
                    self.entries.push(read);
                }
                Err(Stop::Mismatch(mismatch)) => return Err(mismatch.into()),
            }
        }
        if let Fact::Finished { status, .. } = &entry.fact {
            self.herald.say(entry.at, Progress::Finished { status: *status });
        }
        self.entries.push(entry);
        Ok(())
    }

    async fn read(&self, key: &str) -> Result<Value, ExecutorError> {
        let options = &self.shared.options;
        let Some(Fact::Requested(requested)) = self.entries.first().map(|entry| &entry.fact) else {
            return Err(ExecutorError::Interrupted);
        };
        let Ok(pack) = runner_model::PackRef::new(requested.action.pack()) else {
            return Err(ExecutorError::Interrupted);
        };
        let value = KeyValue::get(&*options.store, &pack, key, options.clock.now()).await?;
        Ok(value.unwrap_or(Value::Null))
    }

    /// Commits what is not yet recorded, in one append.
    async fn record(&mut self) -> Result<(), ExecutorError> {
        let entries = self.entries.get(self.recorded..).unwrap_or_default().to_vec();
        if entries.is_empty() {
            return Ok(());
        }
        let options = &self.shared.options;
        match self.token {
            Some(token) => {
                let expected = Version(u64::try_from(self.recorded).unwrap_or(u64::MAX));
                Journal::append(&*options.store, Append { id: self.id, token, expected, entries }).await?;
            }
            None => {
                let lease_until = lease::until(options.clock.now());
                let new = NewExecution { id: self.id, entries, owner: options.node.clone(), lease_until };
                self.token = Some(Journal::create(&*options.store, new).await?.token);
            }
        }
        self.recorded = self.entries.len();
        Ok(())
    }

    fn say_started(&self, due: &Due) {
        let started = Progress::StepStarted { step: due.step, task: due.task.clone(), action: due.action.clone() };
        self.herald.say(self.shared.options.clock.now(), started);
    }

    fn begin(&mut self, due: Due) {
        self.say_started(&due);
        let cancel = CancellationToken::new();
        self.running.insert(due.step, cancel.clone());
        let task = Task {
            shared: self.shared.clone(),
            execution: self.id,
            step: due.step,
            attempt: due.attempt,
            action: due.action,
            input: due.input,
            bound: self.plan.is_single(),
            herald: self.herald.clone(),
            cancel,
        };
        self.attempts.spawn(attempt::run(task));
    }
}

fn is_workflow(action: &Action) -> bool {
    matches!(action.body, runner_pack::Body::Workflow(_))
}
