//! `runner execution pause` and `cancel`, and what all that is asked of an execution has in common.

use clap::Args;
use runner_executor::{Control, ControlError};
use runner_model::{ExecutionId, Status};
use runner_store::Audit as _;
use serde_json::json;

use super::foreground::{Driven, drive, explain, stands};
use super::{Which, asking, identify};
use crate::app::App;
use crate::command::exec::{Followed, Until};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::one_line;
use crate::records::Place;
use crate::{owner, record};

/// What to do with an execution that no process runs.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Detach {
    /// If no process runs the execution: record it only, and leave the rest to the next one that takes it up
    #[arg(long, visible_alias = "async")]
    pub(crate) detach: bool,
}

/// What became of something that was asked.
pub(crate) enum Done {
    /// The process that runs the execution has done it.
    Asked(Status),
    /// It is recorded, and nobody runs the execution.
    Recorded(Status),
    /// It was done here, and the execution driven.
    Driven(Driven),
}

/// Asks something of an execution: its owner, if it has one, or the daemon, if there is one.
pub(crate) async fn perform(
    app: &mut App,
    place: &Place,
    id: ExecutionId,
    ask: Control,
    detach: bool,
) -> Result<Done, CliError> {
    let status = place.records().get(id).await?.status;
    if status.is_terminal() && !matches!(ask, Control::Rerun { .. }) {
        return Err(ended(id, status));
    }
    let store = match place {
        Place::There(remote) => return asking::ask(remote, id, &ask).await.map(Done::Asked),
        Place::Here(store) => store,
    };
    // Before it is done: what cannot be logged is not.
    store.log(app.audited(), ask.deed(id)).await?;
    if let Some(status) = owner::ask(app, store, id, &ask).await? {
        return Ok(Done::Asked(status));
    }
    if detach {
        return Ok(Done::Recorded(record::note(app, store, id, ask).await?));
    }
    drive(app, store, id, Some(ask), Until::Rest).await.map(Done::Driven)
}

fn ended(id: ExecutionId, status: Status) -> CliError {
    ControlError::Ended { id, status }.into()
}

impl Done {
    /// Shows it. What was driven here ends as the execution does.
    pub(super) async fn show(self, app: &App, place: &Place, id: ExecutionId) -> Result<Exit, CliError> {
        match self {
            Self::Driven(driven) => driven.show(app, place).await,
            Self::Asked(status) => Ok(stands(app, id, status)),
            Self::Recorded(status) => {
                let exit = stands(app, id, status);
                left(app, id);
                Ok(exit)
            }
        }
    }

    /// Where the execution stands now.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Asked(status) | Self::Recorded(status) => *status,
            Self::Driven(Driven { followed: Followed::Ended(view), .. }) => view.record.status,
            Self::Driven(Driven { followed: Followed::Rests(status), .. }) => *status,
        }
    }
}

/// Says that nobody goes on with an execution by itself.
pub(crate) fn left(app: &App, id: ExecutionId) {
    let command = app.spelled(&format!("runner execution resume {id}"));
    app.output.note(format!("recorded; no process runs it: `{command}` goes on with it"));
}

/// Which one to pause.
#[derive(Debug, Args)]
pub(crate) struct PauseCommand {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    detach: Detach,
}

impl PauseCommand {
    pub(super) async fn run(self, app: &mut App, place: &Place) -> Result<Exit, CliError> {
        let id = identify(place.records(), &self.which.id).await?;
        match perform(app, place, id, Control::Pause { by: app.by() }, self.detach.detach).await? {
            // That it rests is what was asked for.
            Done::Driven(Driven { followed: Followed::Rests(status), .. }) => {
                stands(app, id, status);
                explain(app, place, id).await?;
                Ok(Exit::Succeeded)
            }
            done => done.show(app, place, id).await,
        }
    }
}

/// Which ones to cancel.
#[derive(Debug, Args)]
pub(crate) struct CancelCommand {
    /// Their ids, the beginnings of them, or `last`
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    detach: Detach,
}

impl CancelCommand {
    pub(super) fn first(self) -> String {
        self.ids.into_iter().next().unwrap_or_default()
    }

    /// All of them, whatever becomes of one; the last mistake is the status of the process.
    pub(super) async fn run(self, app: &mut App, place: &Place) -> Result<Exit, CliError> {
        let (mut rows, mut wrong) = (Vec::new(), None::<CliError>);
        for text in &self.ids {
            match self.cancel(app, place, text).await {
                Ok((id, status)) if app.output.json => rows.push(json!({ "id": id, "status": status })),
                Ok((id, status)) => app.output.line(format!("{id} {status}")),
                Err(mut error) => {
                    if let (Some(first), true) = (error.mistakes.first_mut(), self.ids.len() > 1) {
                        first.message = format!("{}: {}", one_line(text, 40), first.message);
                    }
                    match &mut wrong {
                        None => wrong = Some(error),
                        Some(wrong) => wrong.mistakes.extend(error.mistakes),
                    }
                }
            }
        }
        if app.output.json && !(rows.is_empty() && wrong.is_some()) {
            app.output.value(&rows);
        }
        wrong.map_or(Ok(Exit::Succeeded), Err)
    }

    async fn cancel(&self, app: &mut App, place: &Place, text: &str) -> Result<(ExecutionId, Status), CliError> {
        let id = identify(place.records(), text).await?;
        let done = perform(app, place, id, Control::Cancel { by: app.by() }, self.detach.detach).await?;
        if matches!(done, Done::Recorded(_)) {
            left(app, id);
        }
        // The execution that was asked may be a part of the one that was driven.
        let status = match done {
            Done::Driven(_) => place.records().get(id).await?.status,
            done => done.status(),
        };
        Ok((id, status))
    }
}
