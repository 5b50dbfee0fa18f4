//! A workflow played by hand: outcomes as somebody says, time that moves only when nothing else can happen.
//!
//! The order is that of Orquesta's rehearsals, by batches. Everything that is decided begins, by the names of the tasks
//! and their routes; then all of it ends, in that order; what follows from it is the next batch.
//!
//! **It does what the executor does and nothing else**: commands are recorded as entries in a journal, and the state is
//! the fold of that journal. It knows no clock, no store and no action.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use runner_model::{
    ActionRef, AttemptNumber, Entry, ErrorRecord, ExecutionId, Fact, Outcome, Requested, RerunTask, RouteId, Status,
    TaskName, Timestamp, Wait,
};
use serde_json::Value;

use crate::conductor::{Command, Mismatch, Passage, RerunError, State, Stop, UnitId};
use crate::plan::Plan;

/// A workflow that is played.
#[derive(Debug)]
pub struct Play {
    plan: Arc<Plan>,
    state: State,
    entries: Vec<Entry>,
    now: Timestamp,
    /// What has begun and was not handed out yet, in the order of the batch.
    queue: VecDeque<Call>,
    kv: BTreeMap<String, Value>,
}

/// An attempt that has begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What is tried: the step, or an item of it.
    pub unit: UnitId,
    /// The task, as the sequence names it: a compensation is `task__compensate`.
    pub name: String,
    /// The task it belongs to.
    pub task: TaskName,
    /// Its route.
    pub route: RouteId,
    /// Which try.
    pub attempt: AttemptNumber,
    /// The action it calls.
    pub action: ActionRef,
    /// The rendered input.
    pub input: Arc<Value>,
    /// The place of the step in [`Play::sequence`].
    pub seq: usize,
    /// How many steps of the same name, on whatever route, came before this one.
    pub iteration: usize,
}

/// What happens next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// An attempt has begun: say how it ends ([`Play::finish`]) or that it waits ([`Play::wait`]). One that is left alone
    /// goes on running.
    Call(Box<Call>),
    /// Nothing happens before `until`, or at all unless somebody answers, resumes, or ends what runs.
    Idle {
        /// When something will happen by itself.
        until: Option<Timestamp>,
    },
    /// The execution has ended; a rerun may open it again.
    Ended,
}

impl Play {
    /// Starts to play a workflow at the moment `start`.
    ///
    /// # Errors
    /// The plan and what was recorded do not fit: a defect of this crate.
    pub fn new(
        plan: Arc<Plan>,
        id: ExecutionId,
        requested: Requested,
        config: Arc<Value>,
        start: Timestamp,
    ) -> Result<Self, Mismatch> {
        Self::with_values(plan, id, requested, config, start, BTreeMap::new())
    }

    /// The same with key-value data: what `kv("…")` gives already at the start. A key that is not there is null.
    ///
    /// # Errors
    /// As [`Play::new`].
    pub fn with_values(
        plan: Arc<Plan>,
        id: ExecutionId,
        requested: Requested,
        config: Arc<Value>,
        start: Timestamp,
        kv: BTreeMap<String, Value>,
    ) -> Result<Self, Mismatch> {
        let state = State::new(id, &requested, config);
        let entries = vec![Entry::new(start, Fact::Requested(Box::new(requested)))];
        let mut play = Self { plan, state, entries, now: start, queue: VecDeque::new(), kv };
        play.record(Fact::Started)?;
        Ok(play)
    }

    /// Goes on until somebody has to say something; moves the time where nothing else can happen.
    ///
    /// # Errors
    /// As [`Play::new`].
    #[allow(clippy::should_implement_trait, reason = "it never runs out")]
    pub fn next(&mut self) -> Result<Next, Mismatch> {
        self.next_until(None)
    }

    /// The same, but the time does not move past `limit`: there it gives [`Next::Idle`].
    ///
    /// # Errors
    /// As [`Play::new`].
    pub fn next_until(&mut self, limit: Option<Timestamp>) -> Result<Next, Mismatch> {
        loop {
            self.carry_out_urgent()?;
            if let Some(call) = self.queue.pop_front() {
                return Ok(Next::Call(Box::new(call)));
            }
            if self.state.status().is_terminal() {
                return Ok(Next::Ended);
            }
            if self.begin_batch()? {
                continue;
            }
            let until = self.state.next_due();
            match (until, limit) {
                (Some(until), Some(limit)) if until > limit => {
                    self.now = self.now.max(limit);
                    return Ok(Next::Idle { until: Some(until) });
                }
                (Some(until), _) if until > self.now => self.now = until,
                // A timer that has passed and led to nothing waits for something else.
                (_, limit) => {
                    self.now = self.now.max(limit.unwrap_or(self.now));
                    return Ok(Next::Idle { until: None });
                }
            }
        }
    }

    /// Ends an attempt. One that was interrupted meanwhile has ended already.
    ///
    /// # Errors
    /// As [`Play::new`].
    pub fn finish(&mut self, call: &Call, outcome: Outcome) -> Result<(), Mismatch> {
        let UnitId { step, item } = call.unit;
        match self.runs(call) {
            true => self.record(Fact::AttemptFinished { step, item, attempt: call.attempt, outcome }),
            false => Ok(()),
        }
    }

    /// Says that an attempt waits for something from outside.
    ///
    /// # Errors
    /// As [`Play::new`].
    pub fn wait(&mut self, call: &Call, wait: Wait) -> Result<(), Mismatch> {
        let UnitId { step, item } = call.unit;
        match self.runs(call) {
            true => self.record(Fact::WaitOpened { step, item, wait: Box::new(wait) }),
            false => Ok(()),
        }
    }

    /// Says that the sub-workflow that an attempt runs has paused, or goes on.
    ///
    /// # Errors
    /// As [`Play::new`].
    pub fn child_paused(&mut self, call: &Call, paused: bool) -> Result<(), Mismatch> {
        let UnitId { step, item } = call.unit;
        match self.runs(call) {
            true => self.record(Fact::ChildPaused { step, item, paused }),
            false => Ok(()),
        }
    }

    /// Gives what a step waits for.
    ///
    /// # Errors
    /// It does not wait for anything.
    pub fn answer(&mut self, unit: UnitId, by: &str, answer: Value) -> Result<(), Mismatch> {
        let UnitId { step, item } = unit;
        self.record(Fact::Answered { step, item, by: by.to_owned(), answer })
    }

    /// Asks to stop.
    ///
    /// # Errors
    /// As [`Play::new`].
    pub fn cancel(&mut self, by: &str) -> Result<(), Mismatch> {
        self.unless_ended(Fact::CancelRequested { by: by.to_owned() })
    }

    /// Asks to pause: nothing new begins.
    ///
    /// # Errors
    /// As [`Play::new`].
    pub fn pause(&mut self, by: &str) -> Result<(), Mismatch> {
        self.unless_ended(Fact::PauseRequested { by: by.to_owned() })
    }

    /// Asks to go on after a pause.
    ///
    /// # Errors
    /// As [`Play::new`].
    pub fn resume(&mut self, by: &str) -> Result<(), Mismatch> {
        self.unless_ended(Fact::ResumeRequested { by: by.to_owned() })
    }

    /// Runs parts of the ended execution again; what failed, if no task is named.
    ///
    /// # Errors
    /// Why it cannot be run again from there.
    pub fn rerun(&mut self, by: &str, tasks: Vec<RerunTask>) -> Result<(), PlayError> {
        self.state.check_rerun(&self.plan, &tasks)?;
        Ok(self.record(Fact::RerunRequested { by: by.to_owned(), tasks })?)
    }

    /// Sets a key that `kv("…")` reads from now on.
    pub fn provide(&mut self, key: &str, value: Value) {
        self.kv.insert(key.to_owned(), value);
    }

    /// Records a fact now, with the values that its decisions read.
    ///
    /// # Errors
    /// It does not follow from the state.
    pub fn record(&mut self, fact: Fact) -> Result<(), Mismatch> {
        let entry = Entry::new(self.now, fact);
        loop {
            match self.state.apply(&self.plan, &entry) {
                Ok(()) => break,
                Err(Stop::Mismatch(mismatch)) => return Err(mismatch),
                Err(Stop::NeedsKv { key }) => {
                    let value = self.kv.get(&key).cloned().unwrap_or(Value::Null);
                    self.record(Fact::ValuesRead { kv: [(key, value)].into_iter().collect() })?;
                }
            }
        }
        self.entries.push(entry);
        Ok(())
    }

    /// The journal.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where the execution stands.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The simulated time.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The execution's status.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.state.status()
    }

    /// What it returned; none unless it has ended.
    #[must_use]
    pub fn output(&self) -> Option<&Value> {
        self.end().map(|(result, _)| result)
    }

    /// What went wrong: how it ended, or so far.
    #[must_use]
    pub fn errors(&self) -> &[ErrorRecord] {
        self.end().map_or_else(|| self.state.errors(), |(_, errors)| errors)
    }

    /// Steps and engine commands in the order in which they were passed.
    #[must_use]
    pub fn sequence(&self) -> Vec<Passage> {
        self.state.passages(&self.plan)
    }

    /// Of the sequence, what ended a branch.
    #[must_use]
    pub fn terminal(&self) -> Vec<Passage> {
        self.sequence().into_iter().filter(|passage| passage.terminal).collect()
    }

    /// The routes, each as `task__tN`.
    #[must_use]
    pub fn routes(&self) -> Vec<Vec<String>> {
        self.state.routes(&self.plan)
    }

    /// The transitions that were taken: the task and the index in its `next`.
    #[must_use]
    pub fn taken(&self) -> Vec<(TaskName, usize)> {
        self.state.taken(&self.plan)
    }

    /// Whether this attempt has begun and not ended.
    fn runs(&self, call: &Call) -> bool {
        self.state.running_attempt(call.unit) == Some(call.attempt)
    }

    fn end(&self) -> Option<(&Value, &[ErrorRecord])> {
        match self.entries.last().map(|entry| &entry.fact) {
            Some(Fact::Finished { result, errors, .. }) => Some((result, errors)),
            _ => None,
        }
    }

    fn unless_ended(&mut self, fact: Fact) -> Result<(), Mismatch> {
        if self.status().is_terminal() { Ok(()) } else { self.record(fact) }
    }

    /// Records what begins nothing: interruptions, waits, delays, and the end.
    fn carry_out_urgent(&mut self) -> Result<(), Mismatch> {
        loop {
            let outstanding = self.state.outstanding(&self.plan);
            let urgent = outstanding.into_iter().find(|command| {
                matches!(
                    command,
                    Command::Interrupt { .. }
                        | Command::DelayStep { .. }
                        | Command::OpenWait { .. }
                        | Command::Rest { .. }
                        | Command::Finish { .. }
                )
            });
            match urgent {
                Some(command) => self.carry_out(&command)?,
                None => return Ok(()),
            }
        }
    }

    /// Begins everything that is decided or due; says whether there was anything. What follows from a step that is
    /// skipped on the way belongs to the next batch.
    fn begin_batch(&mut self) -> Result<bool, Mismatch> {
        let due = self.state.due(&self.plan, self.now);
        let outstanding = self.state.outstanding(&self.plan);
        let batch: Vec<_> = outstanding.into_iter().chain(due).collect();
        let mut recorded = false;
        for command in &batch {
            recorded |= self.carry_out_still(command)?;
        }
        // What was recorded just now begins, but no further step is recorded.
        loop {
            let outstanding = self.state.outstanding(&self.plan).into_iter();
            let begins: Vec<_> = outstanding
                .filter(|command| matches!(command, Command::BeginAttempt { .. } | Command::StartItem { .. }))
                .collect();
            if begins.is_empty() {
                break;
            }
            for command in &begins {
                self.carry_out_still(command)?;
            }
        }
        let order = |call: &Call| (call.task.clone(), call.route, call.unit);
        self.queue.make_contiguous().sort_by_key(order);
        Ok(recorded)
    }

    /// Carries a command out that nothing has overtaken; says whether that was so.
    fn carry_out_still(&mut self, command: &Command) -> Result<bool, Mismatch> {
        let still = self.state.still(command);
        if still {
            self.carry_out(command)?;
        }
        Ok(still)
    }

    fn carry_out(&mut self, command: &Command) -> Result<(), Mismatch> {
        let call = self.call(command);
        self.record(command.fact())?;
        match command {
            Command::Interrupt { unit, .. } => self.queue.retain(|call| call.unit != *unit),
            _ => self.queue.extend(call),
        }
        Ok(())
    }

    fn call(&self, command: &Command) -> Option<Call> {
        let Command::BeginAttempt { unit, task, attempt, action, input, .. } = command else { return None };
        let (seq, iteration, passage) = self.state.passage_of(&self.plan, unit.step)?;
        Some(Call {
            unit: *unit,
            name: passage.name,
            task: task.clone(),
            route: passage.route,
            attempt: *attempt,
            action: action.clone(),
            input: input.clone(),
            seq,
            iteration,
        })
    }
}

/// Why something cannot be played.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlayError {
    /// It cannot be run again from there.
    #[error(transparent)]
    Rerun(#[from] RerunError),
    /// It does not follow from what was played.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

#[cfg(test)]
mod tests;
