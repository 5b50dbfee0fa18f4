//! Stopping without losing anything: nothing new begins, what runs may end, the rest is left where its journal is.
//!
//! - No attempt begins any more; what may begin stays in the journal as it is. What was asked of an execution in the
//!   meantime is still done, as far as it needs no attempt.
//! - An attempt that ends in time is recorded. One that does not is interrupted, and nothing is recorded of it: its
//!   outcome is as unknown as after a crash, and the next process deals with it in the same way.
//! - At the end nothing is owned any more: whoever comes next need not wait for a lease to run out.

use std::sync::atomic::Ordering;
use std::time::Duration;

use runner_store::Leases;

use crate::registry::Order;
use crate::{Executor, ExecutorError};

/// What became of the attempts that ran when an executor was drained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Attempts that ended in time.
    pub finished: usize,
    /// Attempts that were interrupted: what they did is unknown.
    pub interrupted: usize,
}

impl Executor {
    /// Stops for good: begins nothing new, lets attempts end for as long as `grace`, interrupts the rest, and gives
    /// everything back, so that the next process takes it up at once. Whoever waits for the end of an execution that is
    /// left is told so ([`ExecutorError::Draining`]).
    pub async fn drain(&self, grace: Duration) -> Drained {
        let shared = &self.shared;
        shared.draining.store(true, Ordering::Release);
        let running = shared.attempts.load(Ordering::Acquire);
        for id in shared.registry.at_work() {
            shared.order(id, Order::Look);
        }
        // What does not end in time is interrupted below.
        let _ = tokio::time::timeout(grace, shared.registry.idle()).await;
        let interrupted = shared.attempts.load(Ordering::Acquire);
        self.shutdown().await;
        shared.registry.end_all(|id| ExecutorError::Draining { id });
        let node = &shared.options.node;
        if let Err(error) = Leases::expire(&*shared.options.store, node).await {
            // Then the next process waits until it runs out.
            tracing::warn!(%node, %error, "lease not given back");
        }
        Drained { finished: running.saturating_sub(interrupted), interrupted }
    }
}
