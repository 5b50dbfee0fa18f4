//! Removing what is to go: chosen by a reader, removed by the writer in pieces that others need not wait for.

mod events;
mod executions;
mod expired;

use async_trait::async_trait;

use super::SqliteStore;
use crate::{Expiry, Pruned, StoreError, StoreStats, Upkeep};

#[async_trait]
impl Upkeep for SqliteStore {
    async fn prune(&self, expiry: Expiry, limit: usize) -> Result<Pruned, StoreError> {
        let mut pruned = Pruned::default();
        let mut old = self.readers.run(move |db| executions::old(db, &expiry, limit)).await?;
        pruned.more |= old.len() > limit;
        old.truncate(limit);
        while !old.is_empty() {
            let removed = self.writer.submit(executions::Remove { trees: old.clone() }).await?;
            old.drain(..removed.trees.clamp(1, old.len()));
            pruned.executions = pruned.executions.saturating_add(removed.executions);
            pruned.blobs = pruned.blobs.saturating_add(removed.blobs);
        }

        if let Some(before) = expiry.events_before {
            let mut old = self.readers.run(move |db| events::old(db, before, limit)).await?;
            pruned.more |= old.len() > limit;
            old.truncate(limit);
            if !old.is_empty() {
                let (events, blobs) = self.writer.submit(events::Remove { events: old }).await?;
                pruned.events = events;
                pruned.blobs = pruned.blobs.saturating_add(blobs);
            }
        }

        let now = expiry.now;
        if self.readers.run(move |db| expired::any(db, now)).await? {
            let (expired, more) = self.writer.submit(expired::Remove { now, limit }).await?;
            pruned.expired = expired;
            pruned.more |= more;
        }
        Ok(pruned)
    }

    fn stats(&self) -> StoreStats {
        self.writer.stats()
    }
}
