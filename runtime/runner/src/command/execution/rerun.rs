//! `runner execution rerun`: an execution anew, or parts of it once more.

use std::sync::Arc;

use clap::Args;
use runner_executor::Control;
use runner_model::{ExecutionId, Fact, Requested, RerunTask, TaskName, Version, code};
use runner_store::{Journal as _, SqliteStore};
use serde_json::Value;

use super::control::{left, perform};
use super::{Which, identify};
use crate::app::App;
use crate::command::exec::{find, run_new, show_result};
use crate::error::CliError;
use crate::exit::Exit;
use crate::record;

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
    pub(super) async fn run(self, app: &mut App, store: &Arc<SqliteStore>) -> Result<Exit, CliError> {
        let id = identify(store, &self.which.id).await?;
        if !self.failed && self.tasks.is_empty() {
            return self.anew(app, store, id).await;
        }
        let done = perform(app, store, id, Control::Rerun { by: app.by(), tasks: self.list()? }, self.detach).await?;
        done.show(app, store, id).await
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
        let Requested { action, parameters, simulate, .. } = requested(store, id).await?;
        let action = find(app, action.as_str())?;
        let Value::Object(parameters) = parameters else {
            let message = format!("the parameters of {id} are not a map");
            return Err(CliError::new(Exit::Broken, code::STORE_CORRUPT, message));
        };
        if self.detach {
            let new = record::request(app, store, &action, parameters, simulate).await?;
            super::foreground::stands(app, new, runner_model::Status::Requested);
            left(app, new);
            return Ok(Exit::Succeeded);
        }
        let view = run_new(app, store, &action, parameters, simulate, false).await?;
        show_result(app, &view, None)
    }
}

/// What an execution began with, secrets included.
async fn requested(store: &SqliteStore, id: ExecutionId) -> Result<Requested, CliError> {
    let first = store.read(id, Version(0)).await?.into_iter().next().map(|entry| entry.fact);
    match first {
        Some(Fact::Requested(requested)) => Ok(*requested),
        _ => {
            let message = format!("the journal of {id} does not begin with a request");
            Err(CliError::new(Exit::Broken, code::STORE_CORRUPT, message))
        }
    }
}
