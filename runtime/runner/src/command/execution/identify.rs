//! Which execution is meant.

use runner_model::{ExecutionId, ExecutionRecord, code};
use runner_store::{Catalogue as _, ExecutionFilter, SqliteStore};

use crate::error::CliError;
use crate::exit::Exit;

/// There is no such execution.
pub(crate) fn not_found(id: &str) -> CliError {
    CliError::new(Exit::NotFound, code::STORE_NOT_FOUND, format!("there is no execution `{id}`"))
        .hint("list what there is with `runner execution list`")
}

/// The execution with this id, with an id that begins so, or the newest.
pub(crate) async fn identify(store: &SqliteStore, text: &str) -> Result<ExecutionId, CliError> {
    if text == "last" {
        let newest = newest(store, &ExecutionFilter::default(), 1, false).await?;
        return newest.first().map(|record| record.id).ok_or_else(|| not_found(text));
    }
    match store.find(text).await?.as_slice() {
        [] => Err(not_found(text)),
        [id] => Ok(*id),
        several => {
            let ids: Vec<_> = several.iter().map(ToString::to_string).collect();
            let message = format!("several executions begin with `{text}`");
            Err(CliError::new(Exit::Usage, code::STORE_PREFIX, message).hint(format!("one of {}", ids.join(", "))))
        }
    }
}

/// The newest executions; those that workflows started only with `all`.
pub(super) async fn newest(
    store: &SqliteStore,
    filter: &ExecutionFilter,
    limit: usize,
    all: bool,
) -> Result<Vec<ExecutionRecord>, CliError> {
    /// Enough that one page is the rule even where workflows start many.
    const PAGE: usize = 200;
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.list(filter, cursor, PAGE).await?;
        cursor = page.last().map(|record| record.id);
        let is_last = page.len() < PAGE;
        let own = |record: &ExecutionRecord| all || record.origin.parent().is_none();
        found.extend(page.into_iter().filter(own));
        if is_last || found.len() >= limit {
            found.truncate(limit);
            return Ok(found);
        }
    }
}
