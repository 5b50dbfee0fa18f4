//! The process that drives an execution: another one, that can be asked, or nobody.

use std::time::Duration;

use runner_executor::Control;
use runner_model::{ExecutionId, Status, code};
use runner_server::control::{Client, ClientError, Problem};
use runner_store::{Leases as _, SqliteStore};

use crate::app::App;
use crate::error::{CliError, Mistake};
use crate::exit::Exit;
use crate::process::free_dead;

/// How often an owner is looked for that ends, or begins, at the very moment at which it is asked.
const TRIES_MAX: usize = 20;
/// How long to wait between them.
const TRY_AGAIN: Duration = Duration::from_millis(50);

/// The living process that owns an execution; none if nobody does.
pub(crate) async fn find(app: &App, store: &SqliteStore, id: ExecutionId) -> Result<Option<Client>, CliError> {
    let nodes = app.nodes();
    free_dead(&nodes, store).await;
    let owner = store.owner(id).await?;
    Ok(owner.filter(|node| nodes.is_alive(node)).map(|node| Client::new(nodes, node)))
}

/// The process that is to be asked for something: the owner, or the daemon, which takes up what nobody owns.
async fn responsible(app: &App, store: &SqliteStore, id: ExecutionId) -> Result<Option<Client>, CliError> {
    if let Some(owner) = find(app, store, id).await? {
        return Ok(Some(owner));
    }
    let nodes = app.nodes();
    Ok(nodes.daemon().map(|node| Client::new(nodes, node)))
}

/// Asks the owner of an execution, or the daemon; none if nobody owns it and there is no daemon. When this returns it is
/// recorded.
pub(crate) async fn ask(
    app: &App,
    store: &SqliteStore,
    id: ExecutionId,
    ask: &Control,
) -> Result<Option<Status>, CliError> {
    for _ in 0..TRIES_MAX {
        let Some(owner) = responsible(app, store, id).await? else { return Ok(None) };
        match owner.control(id, ask).await {
            Ok(stands) => return Ok(Some(stands.status)),
            Err(ClientError::Refused(problem)) if !is_passing(&problem) => return Err(refused(problem)),
            Err(error @ ClientError::Silent { .. }) => return Err(silent(&error)),
            // It ends just now: soon nobody owns the execution, or somebody else.
            Err(ClientError::Refused(_) | ClientError::Gone { .. }) => tokio::time::sleep(TRY_AGAIN).await,
        }
    }
    match responsible(app, store, id).await? {
        None => Ok(None),
        Some(owner) => {
            let message = format!("the process {} works on the execution {id} and cannot be reached", owner.name());
            Err(CliError::new(Exit::Broken, code::EXEC_SILENT, message).hint("end that process, then try again"))
        }
    }
}

/// Whether another process may do what this one did not.
fn is_passing(problem: &Problem) -> bool {
    problem.is_passing() || problem.code == code::EXEC_OWNED.id()
}

fn silent(error: &ClientError) -> CliError {
    CliError::new(Exit::Broken, code::EXEC_SILENT, error.to_string())
        .hint("it may be stopped or overloaded; if you end it, the execution can be taken up at once")
}

fn refused(problem: Problem) -> CliError {
    let exit = match problem.status {
        404 => Exit::NotFound,
        424 => Exit::Invalid,
        400..500 => Exit::Usage,
        _ => Exit::Broken,
    };
    let Problem { code, detail: message, hint, .. } = problem;
    let mistake = Mistake { code, message, causes: Vec::new(), details: None, hint };
    CliError { exit, mistakes: vec![mistake] }
}
