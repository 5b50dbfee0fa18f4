//! What is old goes, a little at a time, so that a busy system stays bounded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use runner_executor::Packs;
use runner_model::{Clock as _, SystemClock, limits};
use runner_store::{Expiry, Pruned, SqliteStore, Upkeep as _};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::Config;

/// How long things are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    executions: Option<Duration>,
    executions_max: Option<u64>,
    events: Duration,
}

impl Kept {
    /// As it is configured.
    pub(super) const fn of(config: &Config) -> Self {
        let daemon = &config.daemon;
        Self { executions: daemon.executions_kept, executions_max: daemon.executions_max, events: daemon.events_kept }
    }

    fn expiry(self) -> Expiry {
        let now = SystemClock.now();
        let before = |kept: Duration| now.plus_ms(-i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
        Expiry {
            executions_before: self.executions.map(before),
            executions_max: self.executions_max,
            events_before: Some(before(self.events)),
            now,
        }
    }
}

/// Removes what is old, until `stop`.
pub(super) async fn sweep(kept: Kept, store: Arc<SqliteStore>, packs: Arc<Packs>, stop: CancellationToken) {
    let mut packs_due = Instant::now();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(limits::RETENTION_INTERVAL) => {}
        }
        let pruned = tokio::select! {
            () = stop.cancelled() => return,
            pruned = prune(kept, &store) => pruned,
        };
        if pruned.executions + pruned.events > 0 {
            info!(executions = pruned.executions, events = pruned.events, blobs = pruned.blobs, "removed what was old");
        }
        // Executions that went are why a version may not be needed any more; time is, too: what was asked for lately stays.
        if pruned.executions > 0 || Instant::now() >= packs_due {
            packs_due = Instant::now() + limits::PACK_KEPT_MIN;
            prune_packs(&store, &packs).await;
        }
    }
}

async fn prune_packs(store: &SqliteStore, packs: &Arc<Packs>) {
    match packs.prune_unneeded(store).await {
        Ok(0) => {}
        Ok(versions) => info!(versions, "removed versions of packs that nothing needs"),
        Err(error) => warn!(error = &error as &dyn std::error::Error, "old versions of packs could not be removed"),
    }
}

async fn prune(kept: Kept, store: &SqliteStore) -> Pruned {
    let mut all = Pruned::default();
    loop {
        match store.prune(kept.expiry(), limits::RETENTION_BATCH).await {
            Ok(pruned) => {
                all.executions += pruned.executions;
                all.events += pruned.events;
                all.blobs += pruned.blobs;
                all.expired += pruned.expired;
                if !pruned.more {
                    return all;
                }
                // Whoever waits for the store goes first.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => {
                warn!(%error, "what is old could not be removed");
                return all;
            }
        }
    }
}
