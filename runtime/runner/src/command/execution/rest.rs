//! Whether anything would happen in an execution by itself.

use runner_model::{ExecutionId, ExecutionView, Status, Version};
use runner_store::{Catalogue as _, Journal as _, SqliteStore, StoreError};

/// Whether an execution has not ended and only waits for somebody: it is paused, waits for an answer or an event, or
/// for workflows of which that is true.
pub(crate) async fn rests(store: &SqliteStore, id: ExecutionId) -> Result<bool, StoreError> {
    match store.get(id).await?.status {
        Status::Paused | Status::Pending => Ok(true),
        Status::Running | Status::Pausing => waits_for_children(store, id).await,
        _ => Ok(false),
    }
}

async fn waits_for_children(store: &SqliteStore, id: ExecutionId) -> Result<bool, StoreError> {
    let open: Vec<_> = store.children(id).await?.into_iter().filter(|child| !child.status.is_terminal()).collect();
    for child in &open {
        if !Box::pin(rests(store, child.id)).await? {
            return Ok(false);
        }
    }
    if open.is_empty() {
        return Ok(false);
    }
    let entries = store.read(id, Version(0)).await?;
    let statuses = ExecutionView::fold(id, &entries).into_iter().flat_map(|view| view.steps).flat_map(|step| {
        let items: Vec<_> = step.items.iter().flatten().map(|item| item.status).collect();
        if items.is_empty() { vec![step.status] } else { items }
    });
    let at_work = |status: &Status| matches!(status, Status::Scheduled | Status::Running | Status::Delayed);
    // Items whose turn has not come are `requested`: they follow one that is at work.
    Ok(statuses.filter(at_work).count() <= open.len())
}
