//! What the store of the data directory has.

use async_trait::async_trait;
use runner_model::{Entry, ExecutionId, ExecutionRecord, JournalMask, Version};
use runner_store::{Catalogue, ExecutionFilter, Journal, OpenWait, SqliteStore, WaitFilter, Waits};

use super::Records;
use crate::error::CliError;

#[async_trait]
impl Records for SqliteStore {
    async fn get(&self, id: ExecutionId) -> Result<ExecutionRecord, CliError> {
        Ok(Catalogue::get(self, id).await?)
    }

    async fn list(
        &self,
        filter: &ExecutionFilter,
        cursor: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Vec<ExecutionRecord>, CliError> {
        Ok(Catalogue::list(self, filter, cursor, limit).await?)
    }

    async fn children(&self, id: ExecutionId) -> Result<Vec<ExecutionRecord>, CliError> {
        Ok(Catalogue::children(self, id).await?)
    }

    async fn find(&self, prefix: &str) -> Result<Vec<ExecutionId>, CliError> {
        Ok(Catalogue::find(self, prefix).await?)
    }

    async fn read(&self, id: ExecutionId, from: Version) -> Result<Vec<Entry>, CliError> {
        Ok(Journal::read(self, id, from).await?)
    }

    async fn waits(&self, filter: &WaitFilter, limit: usize) -> Result<Vec<OpenWait>, CliError> {
        let mut waits = Waits::waits(self, filter, limit).await?;
        for open in &mut waits {
            let entries = Journal::read(self, open.execution, Version(0)).await?;
            JournalMask::of(&entries).mask().hide_wait(&mut open.wait);
        }
        Ok(waits)
    }
}
