//! `runner execution resume`: goes on with what was paused, or what a killed process left.

mod all;

use std::sync::Arc;

use clap::Args;
use runner_executor::{Control, ControlError};
use runner_model::Status;
use runner_store::{Catalogue as _, SqliteStore};

pub(super) use all::nothing;

use super::control::{Detach, perform};
use super::foreground::{drive, stands};
use super::identify;
use crate::app::App;
use crate::command::exec::Until;
use crate::error::CliError;
use crate::exit::Exit;
use crate::owner;

/// Which to go on with.
#[derive(Debug, Args)]
pub(crate) struct ResumeCommand {
    /// Its id, the beginning of it, or `last`
    #[arg(required_unless_present = "all")]
    id: Option<String>,
    /// Everything that has not ended and that no process runs; paused executions stay paused
    #[arg(long, conflicts_with_all = ["id", "detach"])]
    all: bool,
    /// With `--all`: end as soon as nothing is at work, though something waits for a time
    #[arg(long, requires = "all")]
    no_wait: bool,
    #[command(flatten)]
    detach: Detach,
}

impl ResumeCommand {
    pub(super) fn id(self) -> Option<String> {
        self.id
    }

    pub(super) async fn run(self, app: &mut App, store: &Arc<SqliteStore>) -> Result<Exit, CliError> {
        let Some(text) = &self.id else { return all::run(app, store, !self.no_wait).await };
        let id = identify(store, text).await?;
        let status = store.get(id).await?.status;
        if status.is_terminal() {
            let error: CliError = ControlError::Ended { id, status }.into();
            return Err(
                error.hint(format!("see `runner execution get {id}`; `runner execution rerun {id}` runs it again"))
            );
        }
        if matches!(status, Status::Paused | Status::Pausing) {
            let ask = Control::Resume { by: app.by() };
            return perform(app, store, id, ask, self.detach.detach).await?.show(app, store, id).await;
        }
        if let Some(owner) = owner::find(app, store, id).await? {
            stands(app, id, status);
            let name = owner.name();
            app.output
                .note(format!("the process {name} runs it already: `runner execution tail -f {id}` shows how it goes"));
            return Ok(Exit::Succeeded);
        }
        if self.detach.detach {
            stands(app, id, status);
            super::control::left(app, id);
            return Ok(Exit::Succeeded);
        }
        drive(app, store, id, None, Until::End).await?.show(app, store).await
    }
}
