//! `runner execution`: what was run, and what is to become of it.

mod asking;
mod control;
mod explain;
mod foreground;
mod get;
mod identify;
mod journal;
mod list;
mod rerun;
mod respond;
mod rest;
mod resume;
mod story;
mod tail;
mod turns;
mod waits;

use clap::{Args, Subcommand};

use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::records::Place;
pub(crate) use control::{Detach, Done, left, perform};
pub(crate) use identify::{identify, not_found};
pub(crate) use respond::Respond;
pub(crate) use rest::rests;
pub(crate) use waits::{Chosen, choose, open_waits};

/// List executions, show one or follow it; pause, resume, cancel, rerun or answer one
///
/// What is asked of an execution is done by the process that runs it, or by the daemon. If there is neither, this process
/// takes the execution up, and goes on with it here.
#[derive(Debug, Args)]
pub(crate) struct ExecutionCommand {
    #[command(subcommand)]
    what: What,
}

/// One execution.
#[derive(Debug, Clone, Args)]
pub(crate) struct Which {
    /// Its id, the beginning of it, or `last`
    pub(crate) id: String,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List executions, newest first
    List(list::ListCommand),
    /// Show an execution: its parameters, its steps, its result
    Get(Which),
    /// Say in a sentence what an execution waits for, or why it failed
    Explain(Which),
    /// Show everything that is recorded of an execution
    Journal(Which),
    /// Show what happened in an execution, a line each; with `-f` also what happens from now on
    Tail(tail::TailCommand),
    /// Begin nothing new in an execution: what runs ends, and it rests until it is resumed
    Pause(control::PauseCommand),
    /// Go on with a paused execution, or with one whose process was killed
    Resume(resume::ResumeCommand),
    /// Stop executions: what runs is interrupted, what is to be undone is undone
    Cancel(control::CancelCommand),
    /// Run an execution again, with the same parameters; or go on with it from certain tasks
    Rerun(rerun::RerunCommand),
    /// Answer what an execution waits for
    Respond(Respond),
}

impl ExecutionCommand {
    /// Does it.
    pub(crate) async fn run(self, app: App) -> Result<Exit, CliError> {
        app.with_place(async |app, place| self.what.run(app, place).await).await
    }
}

impl What {
    async fn run(self, app: &mut App, place: Option<&Place>) -> Result<Exit, CliError> {
        let Some(place) = place else {
            return match self {
                Self::List(command) => command.run(app, None).await.map(|()| Exit::Succeeded),
                other => other.without_store(app),
            };
        };
        let records = place.records();
        match self {
            Self::List(command) => command.run(app, Some(records)).await?,
            Self::Get(which) => get::run(app, place, identify(records, &which.id).await?).await?,
            Self::Explain(which) => explain::run(app, place, identify(records, &which.id).await?).await?,
            Self::Journal(which) => journal::run(app, records, identify(records, &which.id).await?).await?,
            Self::Tail(command) => return command.run(app, place).await,
            Self::Pause(command) => return command.run(app, place).await,
            Self::Resume(command) => return command.run(app, place).await,
            Self::Cancel(command) => return command.run(app, place).await,
            Self::Rerun(command) => return command.run(app, place).await,
            Self::Respond(command) => return command.run(app, place).await,
        }
        Ok(Exit::Succeeded)
    }

    /// Nothing was ever recorded here.
    fn without_store(self, app: &App) -> Result<Exit, CliError> {
        let id = match self {
            Self::List(_) => return Ok(Exit::Succeeded),
            Self::Resume(command) => match command.id() {
                Some(id) => id,
                None => return resume::nothing(app),
            },
            Self::Get(which) | Self::Explain(which) | Self::Journal(which) => which.id,
            Self::Tail(command) => command.which.id,
            Self::Pause(command) => command.which.id,
            Self::Cancel(command) => command.first(),
            Self::Rerun(command) => command.which.id,
            Self::Respond(command) => command.which.id,
        };
        let hint = format!("nothing is recorded in `{}`; name another with `--data DIR`", app.config.data.display());
        Err(not_found(&id).hint(hint))
    }
}
