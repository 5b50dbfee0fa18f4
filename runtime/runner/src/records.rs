//! What is recorded of executions, wherever that is: in the store of this data directory, or with a daemon elsewhere.
//!
//! For those who only read. Secrets may be in what the store gives, and are masked in what a daemon gives: whoever shows
//! anything masks it.

mod afar;
mod here;

use std::sync::Arc;

use async_trait::async_trait;
use runner_model::{Entry, ExecutionId, ExecutionRecord, ExecutionView, Version, code};
use runner_store::{ExecutionFilter, OpenWait, SqliteStore, WaitFilter};

use crate::error::CliError;
use crate::exit::Exit;
use crate::remote::Remote;
pub(crate) use afar::at;

/// What is recorded.
#[async_trait]
pub(crate) trait Records: Send + Sync {
    /// The record of an execution.
    async fn get(&self, id: ExecutionId) -> Result<ExecutionRecord, CliError>;
    /// Those that pass a filter, up to `limit`, after `cursor`.
    async fn list(
        &self,
        filter: &ExecutionFilter,
        cursor: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Vec<ExecutionRecord>, CliError>;
    /// Those that steps of an execution started.
    async fn children(&self, id: ExecutionId) -> Result<Vec<ExecutionRecord>, CliError>;
    /// Those whose ids begin so.
    async fn find(&self, prefix: &str) -> Result<Vec<ExecutionId>, CliError>;
    /// The journal, from this entry on.
    async fn read(&self, id: ExecutionId, from: Version) -> Result<Vec<Entry>, CliError>;
    /// What waits, up to `limit`.
    async fn waits(&self, filter: &WaitFilter, limit: usize) -> Result<Vec<OpenWait>, CliError>;

    /// An execution as its journal tells it, secrets masked.
    async fn view(&self, id: ExecutionId) -> Result<ExecutionView, CliError> {
        let entries = self.read(id, Version(0)).await?;
        ExecutionView::fold(id, &entries).ok_or_else(|| {
            let message = format!("the journal of {id} does not begin with a request");
            CliError::new(Exit::Broken, code::STORE_CORRUPT, message)
        })
    }
}

/// Where executions are.
#[derive(Clone)]
pub(crate) enum Place {
    /// In the data directory.
    Here(Arc<SqliteStore>),
    /// With a daemon elsewhere: nothing of it is here.
    There(Remote),
}

impl Place {
    /// The same for whoever stays there: a daemon that is started anew is waited for.
    pub(crate) fn patient(&self) -> Self {
        match self {
            Self::Here(store) => Self::Here(store.clone()),
            Self::There(remote) => Self::There(remote.patient()),
        }
    }

    /// What is recorded there.
    pub(crate) fn records(&self) -> &dyn Records {
        match self {
            Self::Here(store) => &**store,
            Self::There(remote) => remote,
        }
    }
}
