//! What the writer has done, for benches, `runner doctor` and metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the writer has done since the store was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Commands that were committed.
    pub commands: u64,
    /// Transactions that were committed, each with one flush of the disk.
    pub commits: u64,
    /// The most commands that one commit carried.
    pub batch_max: u64,
    /// Time from the begin of a transaction to the end of its commit, over all of them.
    pub commit_time: Duration,
    /// The longest of them.
    pub commit_time_max: Duration,
    /// How often the log was moved into the database.
    pub checkpoints: u64,
}

impl StoreStats {
    /// Commands in a commit, on average.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "an average for people")]
    pub fn batch_mean(&self) -> f64 {
        self.commands as f64 / self.commits.max(1) as f64
    }

    /// Time of a commit, on average.
    #[must_use]
    pub fn commit_time_mean(&self) -> Duration {
        self.commit_time.checked_div(u32::try_from(self.commits).unwrap_or(u32::MAX)).unwrap_or_default()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    commands: AtomicU64,
    commits: AtomicU64,
    batch_max: AtomicU64,
    commit_nanos: AtomicU64,
    commit_nanos_max: AtomicU64,
    checkpoints: AtomicU64,
}

impl Counters {
    pub(crate) fn committed(&self, commands: usize, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.commands.fetch_add(commands as u64, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.batch_max.fetch_max(commands as u64, Ordering::Relaxed);
        self.commit_nanos.fetch_add(nanos, Ordering::Relaxed);
        self.commit_nanos_max.fetch_max(nanos, Ordering::Relaxed);
    }

    pub(crate) fn checkpointed(&self) {
        self.checkpoints.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> StoreStats {
        StoreStats {
            commands: self.commands.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            batch_max: self.batch_max.load(Ordering::Relaxed),
            commit_time: Duration::from_nanos(self.commit_nanos.load(Ordering::Relaxed)),
            commit_time_max: Duration::from_nanos(self.commit_nanos_max.load(Ordering::Relaxed)),
            checkpoints: self.checkpoints.load(Ordering::Relaxed),
        }
    }
}
