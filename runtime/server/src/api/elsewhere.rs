//! Executions that another process of the data directory drives, such as a command that runs one by itself: what is asked of
//! them here is asked there.

use std::time::Duration;

use runner_executor::{Control, ControlError, ExecutorError};
use runner_model::{ExecutionId, NodeId, Status, code};
use runner_store::Leases;
use tracing::debug;

use super::context::Context;
use super::problem::ApiProblem;
use crate::control::{Client, ClientError, Turn};

/// How often an owner is looked for that ends, or begins, at the very moment at which it is asked.
const TRIES_MAX: usize = 20;
/// How long to wait between them.
const TRY_AGAIN: Duration = Duration::from_millis(50);
/// How long another process may take to say what waits for its turn there: whoever looks at an execution does not wait for
/// one that hangs.
const TELL: Duration = Duration::from_secs(1);

/// Asks something of an execution, wherever it is driven. When this returns it is recorded.
pub(super) async fn control(context: &Context, id: ExecutionId, ask: Control) -> Result<Status, ApiProblem> {
    for _ in 0..TRIES_MAX {
        match context.options.executor.control(id, ask.clone()).await {
            Err(ControlError::Executor(ExecutorError::Owned { .. })) => {}
            Err(error) => return Err(error.into()),
            Ok(status) => return Ok(status),
        }
        match owner(context, id).await? {
            Some(owner) => match owner.control(id, &ask).await {
                Ok(stands) => return Ok(stands.status),
                Err(ClientError::Refused(problem))
                    if !problem.is_passing() && problem.code != code::EXEC_OWNED.id() =>
                {
                    return Err(problem.into());
                }
                Err(error @ ClientError::Silent { .. }) => {
                    let hint = format!("{error}; end that process, then ask again");
                    return Err(ApiProblem::from(ExecutorError::Owned { id }).hint(hint));
                }
                // It ends just now: soon nobody owns the execution, or somebody else.
                Err(ClientError::Refused(_) | ClientError::Gone { .. }) => {}
            },
            // Nobody can be asked, and this process may not take it up before the lease is over.
            None if context.options.nodes.is_none() => break,
            None => {}
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
    Err(ExecutorError::Owned { id }.into())
}

/// What of an execution waits for its turn: only the process that drives it knows.
pub(super) async fn delayed(context: &Context, id: ExecutionId) -> Vec<Turn> {
    let own: Vec<_> = context.options.executor.delayed(id).into_iter().map(Turn::from).collect();
    if !own.is_empty() {
        return own;
    }
    let Ok(Some(owner)) = owner(context, id).await else { return own };
    match tokio::time::timeout(TELL, owner.delayed(id)).await {
        Ok(Ok(turns)) => turns,
        Ok(Err(error)) => {
            debug!(%id, %error, "what waits in another process is not known");
            own
        }
        Err(_) => own,
    }
}

/// The living process, another one than this, that owns an execution.
async fn owner(context: &Context, id: ExecutionId) -> Result<Option<Client>, ApiProblem> {
    let options = &context.options;
    let Some(nodes) = &options.nodes else { return Ok(None) };
    let others = |node: &NodeId| *node != options.node;
    let Some(owner) = Leases::owner(&*options.store, id).await?.filter(others) else { return Ok(None) };
    if nodes.is_alive(&owner) {
        return Ok(Some(Client::new(nodes.clone(), owner)));
    }
    // What it had is free now.
    for dead in nodes.dead() {
        Leases::expire(&*options.store, dead.node()).await?;
        dead.bury();
    }
    Ok(None)
}
