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
    /// The longest for which that kept commits waiting.
    pub checkpoint_time_max: Duration,
    /// Commits by their time: how many took up to each of [`StoreStats::COMMIT_BOUNDS`] and longer than the bound
    /// before; those above the last bound come last.
    pub commits_by_time: [u64; COMMIT_BUCKETS],
    /// Commits by how many commands they carried, in the same way over [`StoreStats::BATCH_BOUNDS`].
    pub commits_by_batch: [u64; BATCH_BUCKETS],
    /// Commands that wait to be committed, at this moment.
    pub queued: u64,
}

const COMMIT_BUCKETS: usize = 12;
const BATCH_BUCKETS: usize = 8;

impl StoreStats {
    /// Upper bounds, included, of the buckets of `commits_by_time`: from a disk that caches to one that hangs.
    pub const COMMIT_BOUNDS: [Duration; COMMIT_BUCKETS - 1] = [
        Duration::from_micros(100),
        Duration::from_micros(250),
        Duration::from_micros(500),
        Duration::from_millis(1),
        Duration::from_micros(2_500),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(100),
        Duration::from_millis(500),
        Duration::from_millis(2_500),
    ];
    /// Upper bounds, included, of the buckets of `commits_by_batch`.
    pub const BATCH_BOUNDS: [u64; BATCH_BUCKETS - 1] = [1, 2, 4, 16, 64, 128, 256];

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
    checkpoint_nanos_max: AtomicU64,
    by_time: [AtomicU64; COMMIT_BUCKETS],
    by_batch: [AtomicU64; BATCH_BUCKETS],
}

impl Counters {
    pub(crate) fn committed(&self, commands: usize, took: Duration) {
        let nanos = nanos(took);
        self.commands.fetch_add(commands as u64, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.batch_max.fetch_max(commands as u64, Ordering::Relaxed);
        self.commit_nanos.fetch_add(nanos, Ordering::Relaxed);
        self.commit_nanos_max.fetch_max(nanos, Ordering::Relaxed);
        add(&self.by_time, &StoreStats::COMMIT_BOUNDS, &took);
        add(&self.by_batch, &StoreStats::BATCH_BOUNDS, &(commands as u64));
    }

    pub(crate) fn checkpointed(&self) {
        self.checkpoints.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn waited_for_log(&self, took: Duration) {
        self.checkpoint_nanos_max.fetch_max(nanos(took), Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self, queued: u64) -> StoreStats {
        StoreStats {
            commands: self.commands.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            batch_max: self.batch_max.load(Ordering::Relaxed),
            commit_time: Duration::from_nanos(self.commit_nanos.load(Ordering::Relaxed)),
            commit_time_max: Duration::from_nanos(self.commit_nanos_max.load(Ordering::Relaxed)),
            checkpoints: self.checkpoints.load(Ordering::Relaxed),
            checkpoint_time_max: Duration::from_nanos(self.checkpoint_nanos_max.load(Ordering::Relaxed)),
            commits_by_time: self.by_time.each_ref().map(|count| count.load(Ordering::Relaxed)),
            commits_by_batch: self.by_batch.each_ref().map(|count| count.load(Ordering::Relaxed)),
            queued,
        }
    }
}

fn nanos(took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}

/// Counts in the first bucket whose bound is not below the value, in the last one if there is none.
fn add<T: PartialOrd>(buckets: &[AtomicU64], bounds: &[T], value: &T) {
    let bucket = bounds.partition_point(|bound| bound < value);
    if let Some(bucket) = buckets.get(bucket) {
        bucket.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_counts_in_the_bucket_whose_bound_it_does_not_exceed() {
        let counters = Counters::default();
        counters.committed(1, Duration::from_micros(100));
        counters.committed(5, Duration::from_micros(101));
        counters.committed(512, Duration::from_secs(60));
        let stats = counters.snapshot(7);
        assert_eq!(stats.commits_by_time, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(stats.commits_by_batch, [1, 0, 0, 1, 0, 0, 0, 1]);
        assert_eq!((stats.commits, stats.queued), (3, 7));
        assert!(StoreStats::COMMIT_BOUNDS.is_sorted() && StoreStats::BATCH_BOUNDS.is_sorted());
    }
}
