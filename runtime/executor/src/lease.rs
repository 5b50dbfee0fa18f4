//! Saying, as long as the process lives, that its executions are its own.

use std::sync::Arc;

use runner_model::Timestamp;
use runner_model::limits::{LEASE, LEASE_RENEWAL};
use runner_store::Leases;
use tracing::warn;

use crate::error::ExecutorError;
use crate::executor::Shared;

/// Until when a lease taken now lasts.
pub(crate) fn until(now: Timestamp) -> Timestamp {
    now.plus_ms(i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX))
}

/// Renews the leases of the process until it stops. A renewal that fails is tried again at the next turn; if too many
/// fail, another process takes over, and the fencing token keeps this one from writing.
pub(crate) async fn renew(shared: Arc<Shared>) {
    let (store, clock, node) = (&shared.options.store, &shared.options.clock, &shared.options.node);
    let mut turns = tokio::time::interval(LEASE_RENEWAL);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first turn is at once, when every lease is new.
    turns.tick().await;
    let mut held_until = until(clock.now());
    let mut looks = 0;
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            _ = turns.tick() => {}
        }
        let now = clock.now();
        let renewed = tokio::select! {
            biased;
            () = shared.stop.cancelled() => return,
            renewed = Leases::renew(&**store, node, until(now)) => renewed,
        };
        match renewed {
            Ok(()) => {
                if now >= held_until {
                    looks = LOOKS_AFTER_LOSS;
                }
                held_until = until(now);
            }
            Err(error) => warn!(%node, %error, "leases not renewed"),
        }
        if looks > 0 {
            looks -= 1;
            shared.let_go_of_lost().await;
        }
    }
}

/// How often to look what was lost after the leases were over for a while: some was on its way to be parked.
const LOOKS_AFTER_LOSS: u32 = 2;

impl Shared {
    /// Gives up what is parked here and belongs to another process now: nothing else would tell, and it would keep its
    /// places in the policies' lines for good. What is at work here finds out when it writes.
    async fn let_go_of_lost(&self) {
        for id in self.registry.all_parked() {
            let owner = Leases::owner(&*self.options.store, id).await;
            let is_lost = owner.is_ok_and(|owner| owner.as_ref() != Some(&self.options.node));
            if is_lost && self.registry.is_parked(id) {
                warn!(execution_id = %id, "another process has taken the execution");
                self.give_up(id, ExecutorError::Owned { id });
            }
        }
    }
}
