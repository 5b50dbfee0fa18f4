//! Which execution is meant.

use runner_model::{ExecutionId, ExecutionRecord, code};
use runner_store::ExecutionFilter;

use crate::error::CliError;
use crate::exit::Exit;
use crate::records::Records;

/// There is no such execution.
pub(crate) fn not_found(id: &str) -> CliError {
    CliError::new(Exit::NotFound, code::STORE_NOT_FOUND, format!("there is no execution `{id}`"))
        .hint("list what there is with `runner execution list`")
}

/// The execution with this id, with an id that begins so, or the newest.
pub(crate) async fn identify(records: &dyn Records, text: &str) -> Result<ExecutionId, CliError> {
    if text == "last" {
        let newest = newest(records, &ExecutionFilter::default(), 1, false).await?;
        return newest.first().map(|record| record.id).ok_or_else(|| not_found(text));
    }
    match records.find(text).await?.as_slice() {
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
    records: &dyn Records,
    filter: &ExecutionFilter,
    limit: usize,
    all: bool,
) -> Result<Vec<ExecutionRecord>, CliError> {
    /// Read at once.
    const PAGE: usize = 200;
    let filter = ExecutionFilter { root: (!all).then_some(true), ..filter.clone() };
    let mut found = Vec::new();
    let mut cursor = None;
    while found.len() < limit {
        let wanted = PAGE.min(limit - found.len());
        let page = records.list(&filter, cursor, wanted).await?;
        cursor = page.last().map(|record| record.id);
        let is_last = page.len() < wanted;
        found.extend(page);
        if is_last {
            break;
        }
    }
    Ok(found)
}
