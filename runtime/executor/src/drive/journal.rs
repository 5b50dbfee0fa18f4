//! Taking facts into the state and into the journal.

use runner_engine::{Stop, UnitId};
use runner_model::{Entry, Fact, FencingToken, Mask, Version, limits};
use runner_store::{Append, Journal, KeyValue, NewExecution};
use serde_json::Value;

use super::Drive;
use crate::error::ExecutorError;
use crate::lease;
use crate::progress::Progress;

impl Drive {
    /// Takes a fact into the state and into what is to be recorded. A value that a decision needs is read and recorded
    /// before it.
    pub(super) async fn take(&mut self, fact: Fact) -> Result<(), ExecutorError> {
        let entry = Entry::new(self.now(), fact);
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
        self.herald.mask.learn_fact(&entry.fact);
        self.names.learn(&self.plan, &self.state, &entry);
        if let Some(progress) = self.progress_of(&entry.fact) {
            self.untold.push((self.entries.len() + 1, entry.at, progress));
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Takes texts as secret that are not known as such yet. Recorded before whatever holds them.
    pub(super) async fn learn(&mut self, texts: Vec<String>) -> Result<(), ExecutorError> {
        let fresh = Mask::default();
        texts.iter().for_each(|text| fresh.learn(text));
        let known = self.herald.mask.secrets();
        let texts: Vec<_> = fresh.secrets().into_iter().filter(|text| !known.contains(text)).collect();
        // One that is not sealed must not hold them: it was asked for before its pack said that they are secret.
        if texts.is_empty() || !self.is_sealed() {
            texts.iter().for_each(|text| self.herald.mask.learn(text));
            return Ok(());
        }
        self.take(Fact::SecretsLearned { texts }).await
    }

    /// Whether all that is recorded of it is sealed.
    pub(super) fn is_sealed(&self) -> bool {
        self.requested().is_some_and(|requested| requested.sealed)
    }

    /// What is told of a fact, once it is recorded.
    fn progress_of(&self, fact: &Fact) -> Option<Progress> {
        Some(match fact {
            Fact::Finished { status, .. } => Progress::Finished { status: *status },
            Fact::Rested { status } => Progress::StatusChanged { status: *status },
            Fact::PauseRequested { .. } | Fact::ResumeRequested { .. } | Fact::RerunRequested { .. } => {
                Progress::StatusChanged { status: self.state.status() }
            }
            Fact::CancelRequested { by } => Progress::CancelRequested { by: by.clone() },
            Fact::StepSkipped { step, task, .. } => {
                Progress::StepSkipped { unit: UnitId { step: *step, item: None }, task: task.clone() }
            }
            Fact::StepDelayed { step, item, until, reason, .. } => {
                let unit = UnitId { step: *step, item: *item };
                Progress::StepDelayed { unit, until: *until, reason: Some(*reason) }
            }
            Fact::StepScheduled { step, until: Some(until), .. } => {
                let unit = UnitId { step: *step, item: None };
                Progress::StepDelayed { unit, until: *until, reason: None }
            }
            _ => return None,
        })
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

    /// Commits what is not yet recorded, in one append. In a relaxed workflow it may only be on its way then ([`ahead`]).
    ///
    /// [`ahead`]: super::ahead
    pub(super) async fn record(&mut self) -> Result<(), ExecutorError> {
        if self.taken == self.entries.len() {
            return Ok(());
        }
        self.verify()?;
        self.taken = self.entries.len();
        match self.token {
            Some(token) if self.plan.is_relaxed() => return self.send_off(token).await,
            Some(token) => self.append(token).await?,
            None => {
                let options = &self.shared.options;
                let mut entries = self.unrecorded().to_vec();
                // An end that somebody wants to hear of is told with an append.
                let ends = entries.last().is_some_and(|entry| matches!(entry.fact, Fact::Finished { .. }));
                let told = if ends && self.is_wanted() { entries.pop() } else { None };
                let recorded = entries.len();
                let lease_until = lease::until(options.clock.now());
                let new = NewExecution { id: self.id(), entries, owner: options.node.clone(), lease_until };
                let token = Journal::create(&*options.store, new).await?.token;
                self.token = Some(token);
                if told.is_some() {
                    self.recorded = recorded;
                    self.append(token).await?;
                }
            }
        }
        self.is_recorded(self.taken);
        Ok(())
    }

    /// So many entries are on the disk: whoever hears of them finds them in the store.
    pub(super) fn is_recorded(&mut self, count: usize) {
        self.recorded = count;
        let told = self.untold.partition_point(|(entries, ..)| *entries <= count);
        for (_, at, progress) in self.untold.drain(..told) {
            self.herald.say(at, progress);
        }
    }

    /// Whether somebody wants to deal with the end of this execution.
    fn is_wanted(&self) -> bool {
        let wanted = self.shared.wanted.lock().clone();
        wanted.is_some_and(|wanted| self.requested().is_some_and(|requested| wanted(&requested.action)))
    }

    pub(super) fn unrecorded(&self) -> &[Entry] {
        self.entries.get(self.recorded..self.taken).unwrap_or_default()
    }

    /// Appends. While the disk is full or the database is locked, what runs goes on, and this waits: an outcome that is
    /// known is not given up.
    pub(super) async fn append(&self, token: FencingToken) -> Result<(), ExecutorError> {
        let mut wait = limits::STORE_RETRY_FIRST;
        loop {
            match Journal::append(&*self.shared.options.store, self.next_append(token)).await {
                Ok(_) => return Ok(()),
                Err(error) if error.is_retryable() => {
                    tracing::warn!(execution_id = %self.id(), %error, "journal not written, tried again");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(limits::STORE_RETRY_LAST);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What is taken and not recorded.
    pub(super) fn next_append(&self, token: FencingToken) -> Append {
        Append {
            id: self.id(),
            token,
            expected: Version(u64::try_from(self.recorded).unwrap_or(u64::MAX)),
            entries: self.unrecorded().to_vec(),
            sealed: self.is_sealed(),
            announce: self.is_wanted(),
        }
    }

    /// Compares the state with what the entries alone make of it, as they will be read.
    fn verify(&mut self) -> Result<(), ExecutorError> {
        let Some(shadow) = &mut self.shadow else { return Ok(()) };
        let entries = self.entries.get(self.taken..).unwrap_or_default();
        for entry in entries.iter().filter(|entry| !matches!(entry.fact, Fact::Requested(_))) {
            let written = serde_json::to_string(entry).and_then(|text| serde_json::from_str::<Entry>(&text));
            let read = written.map_err(|_| ExecutorError::Interrupted)?;
            shadow.apply(&self.plan, &read).map_err(|_| ExecutorError::Interrupted)?;
        }
        // A whole comparison at each of thousands of entries would take longer than the work itself.
        if self.entries.len() < VERIFIED_ENTRIES_MAX {
            assert!(**shadow == self.state, "the journal and the state differ:\n{shadow:#?}\n{:#?}", self.state);
        }
        Ok(())
    }
}

/// Entries up to which the state is compared with the journal at every commit.
const VERIFIED_ENTRIES_MAX: usize = 2_000;
