//! What a daemon has.

use async_trait::async_trait;
use runner_model::{Entry, ExecutionId, ExecutionRecord, ExecutionView, ItemIndex, StepId, Timestamp, Version, Wait};
use runner_store::{ExecutionFilter, OpenWait, Order, WaitFilter};
use serde::Deserialize;

use super::Records;
use crate::error::CliError;
use crate::exit::Exit;
use crate::remote::{Remote, segment};

/// A list that comes whole.
#[derive(Deserialize)]
struct All<T> {
    items: Vec<T>,
}

/// A journal.
#[derive(Deserialize)]
struct Recorded {
    entries: Vec<Entry>,
}

/// Something that a step waits for.
#[derive(Deserialize)]
struct Waiting {
    execution: ExecutionId,
    step: StepId,
    #[serde(default)]
    item: Option<ItemIndex>,
    opened_at: Timestamp,
    wait: Wait,
}

impl From<Waiting> for OpenWait {
    fn from(waiting: Waiting) -> Self {
        let Waiting { execution, step, item, opened_at, wait } = waiting;
        Self { execution, step, item, opened_at, wait }
    }
}

#[async_trait]
impl Records for Remote {
    async fn get(&self, id: ExecutionId) -> Result<ExecutionRecord, CliError> {
        Remote::get::<ExecutionView>(self, &at(id, ""), &[]).await.map(|view| view.record)
    }

    async fn list(
        &self,
        filter: &ExecutionFilter,
        cursor: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Vec<ExecutionRecord>, CliError> {
        let mut query = query(filter);
        query.extend(cursor.map(|id| ("cursor", id.to_string())));
        Remote::list(self, "/api/v1/executions", &query, limit).await
    }

    async fn children(&self, id: ExecutionId) -> Result<Vec<ExecutionRecord>, CliError> {
        Remote::get::<All<_>>(self, &at(id, "/children"), &[]).await.map(|all| all.items)
    }

    async fn find(&self, prefix: &str) -> Result<Vec<ExecutionId>, CliError> {
        match Remote::get::<ExecutionView>(self, &format!("/api/v1/executions/{}", segment(prefix)), &[]).await {
            Ok(view) => Ok(vec![view.record.id]),
            Err(error) if error.exit == Exit::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    async fn read(&self, id: ExecutionId, from: Version) -> Result<Vec<Entry>, CliError> {
        let Recorded { mut entries } = Remote::get(self, &at(id, "/journal"), &[]).await?;
        let from = usize::try_from(from.0).unwrap_or(usize::MAX);
        Ok(entries.split_off(from.min(entries.len())))
    }

    async fn waits(&self, filter: &WaitFilter, limit: usize) -> Result<Vec<OpenWait>, CliError> {
        let execution = filter.execution.map(|id| ("execution", id.to_string()));
        let kind = filter.kind.map(|kind| ("kind", kind.as_str().to_owned()));
        let query: Vec<_> = execution.into_iter().chain(kind).collect();
        let found: Vec<Waiting> = Remote::list(self, "/api/v1/waits", &query, limit).await?;
        Ok(found.into_iter().map(OpenWait::from).filter(|open| filter.admits(open)).collect())
    }
}

/// The address of an execution, or of something of it.
pub(crate) fn at(id: ExecutionId, below: &str) -> String {
    format!("/api/v1/executions/{id}{below}")
}

/// A filter as the API takes it.
fn query(filter: &ExecutionFilter) -> Vec<(&'static str, String)> {
    let sort = match filter.order {
        Order::Newest => "newest",
        Order::Oldest => "oldest",
    };
    let text = |name, value: Option<String>| value.map(|value| (name, value));
    [
        text("status", filter.status.map(|status| status.to_string())),
        text("action", filter.action.as_ref().map(ToString::to_string)),
        text("pack", filter.pack.as_ref().map(ToString::to_string)),
        text("parent", filter.parent.map(|id| id.to_string())),
        text("rule", filter.rule.as_ref().map(ToString::to_string)),
        text("event", filter.event.map(|id| id.to_string())),
        text("created_after", filter.created_after.map(|at| at.to_string())),
        text("created_before", filter.created_before.map(|at| at.to_string())),
        text("open", filter.open.map(|open| open.to_string())),
        Some(("root", (filter.root == Some(true)).to_string())),
        Some(("sort", sort.to_owned())),
    ]
    .into_iter()
    .flatten()
    .collect()
}
