//! `runner execution rerun`: an execution anew, or parts of it once more.

use std::sync::Arc;

use clap::Args;
use runner_executor::{Control, ExecutionRequest};
use runner_model::{Entry, ExecutionId, Fact, Origin, Requested, RerunTask, TaskName, Version, code};
use runner_server::control::Stands;
use runner_store::{Journal as _, SqliteStore};
use serde_json::{Value, json};

use super::control::{left, perform};
use super::foreground::{Driven, is_simulated, stands};
use super::{Which, identify};
use crate::app::App;
use crate::command::exec::{Until, Watch, check_simulates, find, is_simulating, run_new, show_result};
use crate::error::CliError;
use crate::exit::Exit;
use crate::offer::offered;
use crate::record;
use crate::records::{Place, at};
use crate::remote::Remote;

/// What to run again.
#[derive(Debug, Args)]
pub(crate) struct RerunCommand {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Go on with the same execution, from these tasks
    #[arg(long, num_args = 1.., value_name = "TASK", value_parser = task)]
    tasks: Vec<TaskName>,
    /// Of these tasks, run only the items that did not succeed
    #[arg(long, num_args = 1.., value_name = "TASK", value_parser = task, requires = "tasks")]
    no_reset: Vec<TaskName>,
    /// Go on with the same execution, from all tasks that failed
    #[arg(long, conflicts_with = "tasks")]
    failed: bool,
    /// Record it only, and leave the rest to the next process that takes it up
    #[arg(long, visible_alias = "async")]
    detach: bool,
}

/// For `--tasks`.
pub(super) fn task(text: &str) -> Result<TaskName, String> {
    TaskName::new(text).map_err(|error| error.to_string())
}

impl RerunCommand {
    pub(super) async fn run(self, app: &mut App, place: &Place) -> Result<Exit, CliError> {
        let id = identify(place.records(), &self.which.id).await?;
        let daemon = match place {
            Place::Here(_) => app.daemon(),
            Place::There(remote) => Some(remote.clone()),
        };
        match (place, daemon) {
            (_, Some(daemon)) => self.ask(app, place, &daemon, id).await,
            (Place::Here(store), None) if self.is_anew() => self.anew(app, store, id).await,
            (_, None) => {
                let ask = Control::Rerun { by: app.by(), tasks: self.list()? };
                perform(app, place, id, ask, self.detach).await?.show(app, place, id).await
            }
        }
    }

    /// Whether a new execution is to be made.
    const fn is_anew(&self) -> bool {
        !self.failed && self.tasks.is_empty()
    }

    /// Has a daemon do it, and looks on.
    async fn ask(&self, app: &mut App, place: &Place, daemon: &Remote, id: ExecutionId) -> Result<Exit, CliError> {
        let records = place.records();
        let seen = records.read(id, Version(0)).await?;
        let view = records.view(id).await?;
        let is_simulated = is_simulated(&seen);
        let (id, status, seen) = if self.is_anew() {
            check_kind(daemon, is_simulated).await?;
            let Stands { id, status } = daemon.post(&at(id, "/rerun"), &json!({ "mode": "anew" })).await?;
            (id, status, Vec::new())
        } else {
            let ask = Control::Rerun { by: app.by(), tasks: self.list()? };
            (id, perform(app, place, id, ask, true).await?.status(), seen)
        };
        if self.detach {
            return Ok(stands(app, id, status));
        }
        let action = &view.record.action;
        let is_workflow = offered(daemon, action.as_str()).await.is_ok_and(|offer| offer.is_workflow());
        let mut watch = Watch::begin(app, is_workflow, false);
        let followed = watch.look_on(daemon, id, action, &seen, Until::Rest).await?;
        Driven { id, followed }.show(app, &place.patient()).await
    }

    fn list(&self) -> Result<Vec<RerunTask>, CliError> {
        if let Some(stray) = self.no_reset.iter().find(|task| !self.tasks.contains(task)) {
            let message = format!("`--no-reset {stray}` names a task that is not run again");
            return Err(CliError::new(Exit::Usage, code::CLI_USAGE, message)
                .hint(format!("name it with `--tasks {stray}` too")));
        }
        let again = |task: &TaskName| {
            let reset_items = !self.no_reset.contains(task);
            RerunTask { task: task.clone(), route: None, reset_items }
        };
        Ok(self.tasks.iter().map(again).collect())
    }

    /// A new execution with the same parameters.
    async fn anew(&self, app: &mut App, store: &Arc<SqliteStore>, id: ExecutionId) -> Result<Exit, CliError> {
        let entries = store.read(id, Version(0)).await?;
        let requested = requested(&entries, id)?;
        let simulate = requested.simulate;
        let action = find(app, requested.action.as_str())?;
        let Value::Object(parameters) = requested.parameters.clone() else {
            let message = format!("the parameters of {id} are not a map");
            return Err(CliError::new(Exit::Broken, code::STORE_CORRUPT, message));
        };
        let request = ExecutionRequest::again(requested, &entries, parameters, Origin::Cli);
        if self.detach {
            let new = record::request(app, store, &action, request.parameters, simulate, request.secrets).await?;
            let exit = stands(app, new, runner_model::Status::Requested);
            left(app, new);
            return Ok(exit);
        }
        let view = run_new(app, store, &action, request, simulate, false).await?;
        show_result(app, &view, None)
    }
}

/// What an execution began with, secrets included.
fn requested(entries: &[Entry], id: ExecutionId) -> Result<&Requested, CliError> {
    match entries.first().map(|entry| &entry.fact) {
        Some(Fact::Requested(requested)) => Ok(requested),
        _ => {
            let message = format!("the journal of {id} does not begin with a request");
            Err(CliError::new(Exit::Broken, code::STORE_CORRUPT, message))
        }
    }
}

/// Refuses to run for real what was simulated, and the other way round.
async fn check_kind(daemon: &Remote, is_simulated: bool) -> Result<(), CliError> {
    if is_simulated {
        return check_simulates(daemon).await;
    }
    if is_simulating(daemon).await? {
        let message = format!("{} simulates, and the execution was no simulation", daemon.name());
        return Err(CliError::new(Exit::Usage, code::EXEC_SIMULATED, message)
            .hint("ask a daemon that was started without `--simulate`"));
    }
    Ok(())
}
