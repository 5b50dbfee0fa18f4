//! Whether anything would happen in an execution by itself.

use runner_model::{ExecutionId, Status};

use crate::error::CliError;
use crate::records::Records;

/// Whether an execution has not ended and only waits for somebody: it is paused, waits for an answer or an event, or
/// for workflows of which that is true.
pub(crate) async fn rests(records: &dyn Records, id: ExecutionId) -> Result<bool, CliError> {
    match records.get(id).await?.status {
        Status::Paused | Status::Pending => Ok(true),
        Status::Running | Status::Pausing => waits_for_children(records, id).await,
        _ => Ok(false),
    }
}

async fn waits_for_children(records: &dyn Records, id: ExecutionId) -> Result<bool, CliError> {
    let open: Vec<_> = records.children(id).await?.into_iter().filter(|child| !child.status.is_terminal()).collect();
    for child in &open {
        if !Box::pin(rests(records, child.id)).await? {
            return Ok(false);
        }
    }
    if open.is_empty() {
        return Ok(false);
    }
    let view = records.view(id).await?;
    let statuses = view.steps.into_iter().flat_map(|step| {
        let items: Vec<_> = step.items.iter().flatten().map(|item| item.status).collect();
        if items.is_empty() { vec![step.status] } else { items }
    });
    let at_work = |status: &Status| matches!(status, Status::Scheduled | Status::Running | Status::Delayed);
    // Items whose turn has not come are `requested`: they follow one that is at work.
    Ok(statuses.filter(at_work).count() <= open.len())
}
