//! `core.cron`, `core.interval` and `core.date`: a time.

mod cron_timer;
mod read;

use std::time::Duration;

use runner_engine::schedule::Schedule;
use serde_json::{Map, Value, json};

pub(super) use cron_timer::read as cron_timer;
pub(super) use read::{cron, date, interval};

/// A rule's times.
#[derive(Debug, Clone)]
pub struct Scheduled {
    /// When it is due.
    pub schedule: Schedule,
    /// The same as people read it.
    pub what: String,
    /// What happens when it is due while an earlier execution of the rule still runs.
    pub overlap: Overlap,
    /// What happens with times at which nobody was there.
    pub on_missed: OnMissed,
    /// How long ago such a time may be.
    pub window: Duration,
    /// By how much chance may put it off.
    pub jitter: Duration,
}

impl Scheduled {
    /// The parameters as a file could write them.
    pub(super) fn parameters(&self) -> Map<String, Value> {
        let mut parameters = match &self.schedule {
            Schedule::Cron(cron) => {
                vec![("expression", json!(cron.expression())), ("timezone", json!(cron.timezone()))]
            }
            #[allow(clippy::cast_precision_loss, reason = "an interval of more than 2^53 ms never comes")]
            Schedule::Interval { every_ms, start } => {
                vec![("every", json!(*every_ms as f64 / 1_000.0)), ("start", json!(start))]
            }
            Schedule::Date(date) => vec![("date", json!(date))],
        };
        parameters.push(("overlap", self.overlap.as_str().into()));
        parameters.push(("on_missed", self.on_missed.as_str().into()));
        parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// What happens when a rule is due while an earlier execution of it still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overlap {
    /// Both run.
    #[default]
    Allow,
    /// The new one does not run.
    Skip,
    /// The new one runs after it.
    Queue,
    /// The earlier one is cancelled.
    CancelPrevious,
}

impl Overlap {
    const WORDS: [(&'static str, Self); 4] = [
        ("allow", Self::Allow),
        ("skip", Self::Skip),
        ("queue", Self::Queue),
        ("cancel_previous", Self::CancelPrevious),
    ];

    /// The word, as written in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Skip => "skip",
            Self::Queue => "queue",
            Self::CancelPrevious => "cancel_previous",
        }
    }
}

/// What happens with times at which nobody was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnMissed {
    /// Nothing.
    Skip,
    /// The last of them is made up for.
    #[default]
    Last,
    /// Each of them is made up for.
    All,
}

impl OnMissed {
    const WORDS: [(&'static str, Self); 3] = [("skip", Self::Skip), ("last", Self::Last), ("all", Self::All)];

    /// The word, as written in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Last => "last",
            Self::All => "all",
        }
    }
}
