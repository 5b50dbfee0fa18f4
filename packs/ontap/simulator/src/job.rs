//! Jobs: queued, running, then success or failure, by the clock; gone 300 seconds later.

use serde_json::{Value, json};

use crate::effect::Effect;
use crate::moment;
use crate::refusal::Refusal;

/// How long a finished job can still be read.
pub(crate) const KEPT_MS: u64 = 300_000;
/// How long a job is queued before it runs.
const QUEUED_MS: u64 = 200;

/// Work that is done later.
pub(crate) struct Job {
    /// Its uuid.
    pub(crate) uuid: String,
    /// What was asked: method and path.
    pub(crate) description: String,
    /// When it was made.
    pub(crate) start: u64,
    /// When it ends.
    pub(crate) end: u64,
    /// What it does; taken when it is done.
    pub(crate) effects: Vec<Effect>,
    /// What it fails with on purpose.
    pub(crate) fault: Option<Refusal>,
    /// Whether it cannot be read once it has ended, as if that were long ago.
    pub(crate) hidden: bool,
    /// Since when it is paused.
    pub(crate) paused: Option<u64>,
    /// How it ended.
    pub(crate) outcome: Option<Result<(), Refusal>>,
}

impl Job {
    /// What a client reads.
    pub(crate) fn record(&self, now: u64) -> Value {
        let mut record = json!({
            "uuid": self.uuid,
            "description": self.description,
            "start_time": moment::written(self.start),
        });
        let (state, message, code) = self.state(now);
        crate::path::set(&mut record, "state", state);
        crate::path::set(&mut record, "message", message);
        crate::path::set(&mut record, "code", code);
        if let Some(outcome) = &self.outcome {
            crate::path::set(&mut record, "end_time", moment::written(self.end));
            if let Err(refusal) = outcome {
                crate::path::set(&mut record, "error", refusal.object());
            }
        }
        record
    }

    fn state(&self, now: u64) -> (&'static str, String, u64) {
        match &self.outcome {
            Some(Ok(())) => ("success", "success".to_owned(), 0),
            Some(Err(refusal)) => ("failure", refusal.message.clone(), refusal.code),
            None if self.paused.is_some() => ("paused", "paused".to_owned(), 0),
            None if now < self.start + QUEUED_MS => ("queued", "queued".to_owned(), 0),
            None => ("running", "in progress".to_owned(), 0),
        }
    }

    /// Whether it is to be finished now.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        self.outcome.is_none() && self.paused.is_none() && self.end <= now
    }

    /// Whether a client can read it.
    pub(crate) fn is_there(&self, now: u64) -> bool {
        self.outcome.is_none() || (!self.hidden && now < self.end + KEPT_MS)
    }

    /// Cancels, pauses or resumes it.
    pub(crate) fn act(&mut self, action: &str, now: u64) -> Result<(), Refusal> {
        if self.outcome.is_some() {
            return Err(Refusal::bad(459_760, "The job is not running."));
        }
        match (action, self.paused) {
            ("cancel", _) => {
                self.effects.clear();
                self.end = now;
                self.outcome = Some(Err(Refusal::new(500, 459_777, "The job was cancelled.")));
            }
            ("pause", None) => self.paused = Some(now),
            ("pause", Some(_)) | ("resume", None) => {}
            ("resume", Some(since)) => {
                self.end += now.saturating_sub(since);
                self.paused = None;
            }
            _ => return Err(Refusal::invalid("action", action)),
        }
        Ok(())
    }
}
