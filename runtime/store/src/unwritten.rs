//! Being written.

use async_trait::async_trait;

use crate::*;

macro_rules! unwritten {
    ($store:ty, $stats:expr) => {
        #[async_trait]
        impl Upkeep for $store {
            async fn prune(&self, _: Expiry, _: usize) -> Result<Pruned, StoreError> {
                Err(StoreError::Closed)
            }
            fn stats(&self) -> StoreStats {
                ($stats)(self)
            }
        }
    };
}

unwritten!(MemoryStore, |_: &MemoryStore| StoreStats::default());
unwritten!(SqliteStore, |store: &SqliteStore| store.stats_of_writer());
