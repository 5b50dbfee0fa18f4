//! Saying, as long as the process lives, that its executions are its own.

use std::sync::Arc;

use runner_model::limits::{LEASE, LEASE_RENEWAL};
use runner_model::{Clock, NodeId, Timestamp};
use runner_store::{Leases, Store};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Until when a lease taken now lasts.
pub(crate) fn until(now: Timestamp) -> Timestamp {
    now.plus_ms(i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX))
}

/// Renews the leases of `node` until the token is cancelled. A renewal that fails is tried again at the next turn; if
/// too many fail, another process takes over, and the fencing token keeps this one from writing.
pub(crate) async fn renew(store: Arc<dyn Store>, clock: Arc<dyn Clock>, node: NodeId, stop: CancellationToken) {
    let mut turns = tokio::time::interval(LEASE_RENEWAL);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first turn is at once, when every lease is new.
    turns.tick().await;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = turns.tick() => {}
        }
        let renewed = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            renewed = Leases::renew(&*store, &node, until(clock.now())) => renewed,
        };
        if let Err(error) = renewed {
            warn!(%node, %error, "leases not renewed");
        }
    }
}
