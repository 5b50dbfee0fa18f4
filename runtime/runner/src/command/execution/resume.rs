//! `runner execution resume`: goes on with what was paused, or what a killed process left.

mod all;

use clap::Args;
use runner_executor::{Control, ControlError};
use runner_model::{ExecutionId, Status};

pub(super) use all::nothing;

use super::control::{Detach, perform};
use super::foreground::{drive, explain, stands};
use super::identify;
use super::rest::rests;
use crate::app::App;
use crate::command::exec::Until;
use crate::error::CliError;
use crate::exit::Exit;
use crate::owner;
use crate::records::Place;

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

    pub(super) async fn run(self, app: &mut App, place: &Place) -> Result<Exit, CliError> {
        let Some(text) = &self.id else { return self.all(app, place).await };
        let id = identify(place.records(), text).await?;
        let status = place.records().get(id).await?.status;
        if status.is_terminal() {
            let error: CliError = ControlError::Ended { id, status }.into();
            return Err(
                error.hint(format!("see `runner execution get {id}`; `runner execution rerun {id}` runs it again"))
            );
        }
        if matches!(status, Status::Paused | Status::Pausing) {
            let ask = Control::Resume { by: app.by() };
            return perform(app, place, id, ask, self.detach.detach).await?.show(app, place, id).await;
        }
        let Place::Here(store) = place else {
            stands(app, id, status);
            return Ok(already(app, id, "the daemon"));
        };
        if let Some(owner) = owner::find(app, store, id).await? {
            stands(app, id, status);
            return Ok(already(app, id, &format!("the process {}", owner.name())));
        }
        if self.detach.detach {
            stands(app, id, status);
            super::control::left(app, id);
            return Ok(Exit::Succeeded);
        }
        // What it waits for was said by the process that is gone.
        if rests(place.records(), id).await? {
            explain(app, place, id).await?;
        }
        drive(app, store, id, None, Until::End).await?.show(app, place).await
    }

    async fn all(&self, app: &mut App, place: &Place) -> Result<Exit, CliError> {
        match place {
            Place::Here(store) => all::run(app, store, !self.no_wait).await,
            // A daemon takes up by itself what nobody runs.
            Place::There(_) => nothing(app),
        }
    }
}

fn already(app: &App, id: ExecutionId, who: &str) -> Exit {
    let command = app.spelled(&format!("runner execution tail -f {id}"));
    app.output.note(format!("{who} runs it already: `{command}` shows how it goes"));
    Exit::Succeeded
}
