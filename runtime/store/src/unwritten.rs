//! Being written.

use std::collections::BTreeMap;

use async_trait::async_trait;
use runner_model::{ApiKey, Event, EventId, ExecutionId, KeyId, MatchState, RuleRef, Timestamp};

use crate::*;

macro_rules! unwritten {
    ($store:ty) => {
        #[async_trait]
        impl Events for $store {
            async fn record(&self, _: Vec<NewEvent>, _: Vec<Advance>) -> Result<Vec<Recorded>, StoreError> {
                Err(StoreError::Closed)
            }
            async fn settle(&self, _: EventId, _: &RuleRef, _: MatchState) -> Result<(), StoreError> {
                Err(StoreError::Closed)
            }
            async fn event(&self, _: EventId) -> Result<Event, StoreError> {
                Err(StoreError::Closed)
            }
            async fn events(&self, _: &EventFilter, _: Option<EventId>, _: usize) -> Result<Vec<Event>, StoreError> {
                Err(StoreError::Closed)
            }
            async fn open_events(&self, _: Option<EventId>, _: usize) -> Result<Vec<Event>, StoreError> {
                Err(StoreError::Closed)
            }
            async fn mark(&self, _: &str) -> Result<Option<String>, StoreError> {
                Err(StoreError::Closed)
            }
            async fn ended(&self, _: usize) -> Result<Vec<ExecutionId>, StoreError> {
                Err(StoreError::Closed)
            }
        }
        #[async_trait]
        impl Access for $store {
            async fn add_key(&self, _: ApiKey, _: Digest) -> Result<(), StoreError> {
                Err(StoreError::Closed)
            }
            async fn key(&self, _: Digest) -> Result<Option<ApiKey>, StoreError> {
                Err(StoreError::Closed)
            }
            async fn keys_of_api(&self) -> Result<Vec<ApiKey>, StoreError> {
                Err(StoreError::Closed)
            }
            async fn revoke_key(&self, _: KeyId, _: Timestamp) -> Result<Option<ApiKey>, StoreError> {
                Err(StoreError::Closed)
            }
            async fn touch_key(&self, _: KeyId, _: Timestamp) -> Result<(), StoreError> {
                Err(StoreError::Closed)
            }
            async fn reserve(&self, _: Reservation, _: Timestamp) -> Result<Reserved, StoreError> {
                Err(StoreError::Closed)
            }
            async fn switch_rule(&self, _: &RuleRef, _: Option<bool>) -> Result<(), StoreError> {
                Err(StoreError::Closed)
            }
            async fn switched_rules(&self) -> Result<BTreeMap<RuleRef, bool>, StoreError> {
                Err(StoreError::Closed)
            }
        }
        #[async_trait]
        impl Upkeep for $store {
            async fn prune(&self, _: Expiry, _: usize) -> Result<Pruned, StoreError> {
                Err(StoreError::Closed)
            }
            fn stats(&self) -> StoreStats {
                StoreStats::default()
            }
        }
    };
}

unwritten!(MemoryStore);
unwritten!(SqliteStore);
