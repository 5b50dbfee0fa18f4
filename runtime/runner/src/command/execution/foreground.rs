//! Taking up an execution that nobody has, and driving it here, with its progress shown.

use std::sync::Arc;

use runner_executor::{Control, Execution, Executor};
use runner_model::{Entry, ExecutionId, ExecutionRecord, Fact, Status, Version};
use runner_pack::Body;
use runner_store::{Catalogue as _, Journal as _, SqliteStore};
use serde_json::json;

use crate::app::App;
use crate::command::exec::{Followed, Until, Watch, find, show_result};
use crate::error::CliError;
use crate::exit::Exit;
use crate::process::{Process, Takes};
use crate::records::Place;

/// How driving an execution here ended.
pub(crate) struct Driven {
    pub(super) id: ExecutionId,
    pub(super) followed: Followed,
}

/// Takes an execution up, asks something of it, if there is something to ask, and drives it: with everything that it is
/// a part of, since nobody would go on with that otherwise.
pub(super) async fn drive(
    app: &mut App,
    store: &Arc<SqliteStore>,
    id: ExecutionId,
    control: Option<Control>,
    until: Until,
) -> Result<Driven, CliError> {
    let root = root(store, store.get(id).await?).await?;
    // It goes on as it began: simulated or not.
    let simulate = is_simulated(&store.read(root.id, Version(0)).await?);
    let action = find(app, root.action.as_str())?;
    let process = Process::start(app, store, simulate, Takes::Open).await?;
    let mut watch = Watch::begin(app, matches!(action.body, Body::Workflow(_)), false);
    let followed = match take_up(&process.executor, root.id, id, control).await {
        Ok(execution) => watch.follow(execution, &action, store, until).await,
        Err(error) => Err(error),
    };
    process.end().await;
    Ok(Driven { id: root.id, followed: followed? })
}

/// Takes up the whole, and asks something of it or of a part of it, if there is something to ask.
async fn take_up(
    executor: &Executor,
    root: ExecutionId,
    id: ExecutionId,
    control: Option<Control>,
) -> Result<Execution, CliError> {
    // Listened to before anything can happen. Asking takes an execution up.
    let execution = executor.execution(root);
    if root != id || control.is_none() {
        executor.recover(root).await?;
    }
    if let Some(control) = control {
        executor.control(id, control).await?;
    }
    Ok(execution)
}

impl Driven {
    /// Shows how it ended, or where it stands.
    pub(super) async fn show(self, app: &App, place: &Place) -> Result<Exit, CliError> {
        match self.followed {
            Followed::Ended(view) => show_result(app, &view, None),
            Followed::Rests(status) => {
                stands(app, self.id, status);
                explain(app, place, self.id).await?;
                Ok(Exit::Waiting)
            }
        }
    }
}

/// The outermost execution that one belongs to, of those that have not ended.
async fn root(store: &SqliteStore, record: ExecutionRecord) -> Result<ExecutionRecord, CliError> {
    let mut root = record;
    while let Some(execution) = root.origin.parent() {
        let parent = store.get(execution).await?;
        if parent.status.is_terminal() {
            break;
        }
        root = parent;
    }
    Ok(root)
}

/// Whether its connections are bound to simulators.
pub(super) fn is_simulated(entries: &[Entry]) -> bool {
    matches!(entries.first().map(|entry| &entry.fact), Some(Fact::Requested(requested)) if requested.simulate)
}

/// Says where an execution stands.
pub(super) fn stands(app: &App, id: ExecutionId, status: Status) -> Exit {
    if app.output.json {
        app.output.value(&json!({ "id": id, "status": status }));
    } else {
        app.output.line(format!("{id} {status}"));
    }
    Exit::Succeeded
}

/// Says what an execution waits for, to a person.
pub(super) async fn explain(app: &App, place: &Place, id: ExecutionId) -> Result<(), CliError> {
    if app.output.json {
        return Ok(());
    }
    let view = place.records().view(id).await?;
    app.output.note(crate::output::printable(&app.spelled(&view.explain(app.now()))));
    Ok(())
}
