//! Taking up an execution that nobody has, and driving it here, with its progress shown.

use std::sync::Arc;

use runner_executor::{Control, Execution, Executor};
use runner_model::{ExecutionId, ExecutionRecord, ExecutionView, Fact, Status, Version};
use runner_store::{Catalogue as _, Journal as _, SqliteStore};
use serde_json::json;

use crate::app::App;
use crate::command::exec::{Followed, Until, Watch, find, show_result};
use crate::error::CliError;
use crate::exit::Exit;
use crate::process::{Process, Takes};

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
    let simulate = is_simulated(store, root.id).await?;
    let action = find(app, root.action.as_str())?;
    let process = Process::start(app, store, simulate, Takes::Open).await?;
    let mut watch = Watch::begin(app, &action, false);
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
    let Some(control) = control else { return Ok(executor.recover(root).await?) };
    // Listened to before anything can happen. Asking takes an execution up.
    let execution = executor.execution(root);
    if root != id {
        executor.recover(root).await?;
    }
    executor.control(id, control).await?;
    Ok(execution)
}

impl Driven {
    /// Shows how it ended, or where it stands.
    pub(super) async fn show(self, app: &App, store: &SqliteStore) -> Result<Exit, CliError> {
        match self.followed {
            Followed::Ended(view) => show_result(app, &view, None),
            Followed::Rests(status) => {
                stands(app, self.id, status);
                explain(app, store, self.id).await?;
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
pub(super) async fn is_simulated(store: &SqliteStore, id: ExecutionId) -> Result<bool, CliError> {
    let entries = store.read(id, Version(0)).await?;
    Ok(matches!(entries.first().map(|entry| &entry.fact), Some(Fact::Requested(requested)) if requested.simulate))
}

/// Says where an execution stands.
pub(super) fn stands(app: &App, id: ExecutionId, status: Status) {
    if app.output.json {
        app.output.value(&json!({ "id": id, "status": status }));
    } else {
        app.output.line(format!("{id} {status}"));
    }
}

/// Says what an execution waits for, to a person.
pub(super) async fn explain(app: &App, store: &SqliteStore, id: ExecutionId) -> Result<(), CliError> {
    if app.output.json {
        return Ok(());
    }
    let entries = store.read(id, Version(0)).await?;
    if let Some(view) = ExecutionView::fold(id, &entries) {
        app.output.note(crate::output::printable(&app.spelled(&view.explain(app.now()))));
    }
    Ok(())
}
