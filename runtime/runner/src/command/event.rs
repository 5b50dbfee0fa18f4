//! `runner event`: something that happened, told to the executions that wait for it.

use std::sync::Arc;

use clap::{Args, Subcommand};
use runner_executor::Control;
use runner_model::code;
use runner_store::{SqliteStore, WaitFilter, Waits as _};
use serde_json::{Map, Value, json};

use super::answer;
use super::execution::{Detach, Done, perform};
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::count;

/// Send an event to the executions that wait for it
#[derive(Debug, Args)]
pub(crate) struct EventCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Send an event to every step that waits for its key with `core.wait_for`
    #[command(after_help = answer::HELP)]
    Send(Send),
}

#[derive(Debug, Args)]
struct Send {
    /// What ties the event to the steps that wait for it
    key: String,
    /// What it brings: `name=value`, `name:=JSON`, `name=@FILE`, a JSON value, or `-` [default: {}]
    #[arg(value_name = "PAYLOAD")]
    payload: Vec<String>,
    #[command(flatten)]
    detach: Detach,
}

/// Executions that one look at the waits finds: an event that is for more comes in turns.
const FOUND_MAX: usize = 1_000;

impl EventCommand {
    /// Does it.
    pub(crate) async fn run(self, mut app: App) -> Result<Exit, CliError> {
        let What::Send(send) = self.what;
        let payload = match send.payload.as_slice() {
            [] => Value::Object(Map::new()),
            // Without a schema a value is what it looks like.
            words => answer::read(words, &Value::Bool(true), std::io::stdin())?,
        };
        let Some(store) = app.existing_store().await?.map(Arc::new) else { return Err(nobody(&send.key)) };
        let result = deliver(&mut app, &store, &send, &payload).await;
        store.close().await;
        result
    }
}

fn nobody(key: &str) -> CliError {
    CliError::new(Exit::NotFound, code::EXEC_NOT_WAITING, format!("nothing waits for the event `{key}`"))
        .hint("see what waits with `runner inquiry list --all`")
}

async fn deliver(app: &mut App, store: &Arc<SqliteStore>, send: &Send, payload: &Value) -> Result<Exit, CliError> {
    let filter = WaitFilter { key: Some(send.key.clone()), ..WaitFilter::default() };
    let mut ids: Vec<_> = store.waits(&filter, FOUND_MAX).await?.into_iter().map(|wait| wait.execution).collect();
    ids.dedup();
    if ids.is_empty() {
        return Err(nobody(&send.key));
    }
    let (mut took, mut wrong) = (Vec::new(), Vec::new());
    for id in ids {
        let ask = Control::Event { by: app.by(), key: send.key.clone(), payload: payload.clone() };
        match perform(app, store, id, ask, send.detach.detach).await {
            Ok(done) => took.push((id, done.status(), matches!(done, Done::Recorded(_)))),
            // One that ended meanwhile, or whose process does not answer, keeps nothing from the others.
            Err(error) => wrong.extend(error.mistakes),
        }
    }
    show(app, &took);
    if wrong.is_empty() {
        return Ok(Exit::Succeeded);
    }
    Err(CliError { exit: Exit::Broken, mistakes: wrong })
}

fn show(app: &App, took: &[(runner_model::ExecutionId, runner_model::Status, bool)]) {
    if app.output.json {
        let rows: Vec<_> = took.iter().map(|(id, status, _)| json!({ "id": id, "status": status })).collect();
        app.output.value(&rows);
        return;
    }
    for (id, status, is_left) in took {
        app.output.line(format!("{id} {status}"));
        if *is_left {
            super::execution::left(app, *id);
        }
    }
    app.output.note(format!("{} took the event", count(took.len(), "execution")));
}
