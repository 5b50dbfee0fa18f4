//! `runner execution resume`: goes on with an execution that a killed process left.

use std::sync::Arc;

use runner_model::{ExecutionId, Fact, Version, code};
use runner_store::{Catalogue as _, Journal as _, SqliteStore};

use crate::app::App;
use crate::command::exec::{Watch, find, show_result};
use crate::error::CliError;
use crate::exit::Exit;

pub(super) async fn run(app: &mut App, store: SqliteStore, id: ExecutionId) -> Result<Exit, CliError> {
    let record = store.get(id).await?;
    if record.status.is_terminal() {
        let message = format!("the execution {id} has ended: it {}", record.status);
        let hint = format!("see `runner execution get {id}`; `runner exec` begins a new one");
        return Err(CliError::new(Exit::Usage, code::EXEC_ENDED, message).hint(hint));
    }
    let entries = store.read(id, Version(0)).await?;
    // It goes on as it began: simulated or not.
    let simulate =
        matches!(entries.first().map(|entry| &entry.fact), Some(Fact::Requested(requested)) if requested.simulate);
    let action = find(app, record.action.as_str())?;
    let store = Arc::new(store);
    let executor = app.executor(store.clone(), simulate)?;
    let mut watch = Watch::begin(app, &action, false);
    let execution = executor.recover(id).await?;
    let view = watch.follow(execution, &action).await;
    executor.shutdown().await;
    store.close().await;
    show_result(app, &view?, None)
}
