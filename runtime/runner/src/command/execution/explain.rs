//! `runner execution explain`: what an execution waits for, or why it failed, in a sentence.

use runner_model::{ExecutionId, ExecutionView, NodeId, Status, Version, code};
use runner_store::{Journal as _, Leases as _, SqliteStore};
use serde_json::json;

use super::open_waits;
use super::rest::rests;
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::printable;
use crate::owner;

/// Who runs an execution.
enum Runs {
    /// A process that lives.
    Process(NodeId),
    /// Nobody, and nobody has to: it has ended.
    Ended,
    /// The process that did is gone.
    Gone,
    /// No process has begun.
    Nobody,
}

pub(super) async fn run(app: &App, store: &SqliteStore, id: ExecutionId) -> Result<(), CliError> {
    let entries = store.read(id, Version(0)).await?;
    let Some(view) = ExecutionView::fold(id, &entries) else {
        let message = format!("the journal of {id} does not begin with a request");
        return Err(CliError::new(Exit::Broken, code::STORE_CORRUPT, message));
    };
    let sentence = app.spelled(&view.explain(app.now()));
    let runs = runs(app, store, &view).await?;
    // Whoever answers a question, or resumes what is paused, takes it up as well.
    let rests = rests(store, id).await?;
    let more = match &runs {
        Runs::Process(_) | Runs::Ended => None,
        Runs::Gone if !rests => Some("the process that ran it is gone"),
        Runs::Gone | Runs::Nobody if rests => None,
        Runs::Gone | Runs::Nobody => Some("no process runs it"),
    };
    let resume = app.spelled(&format!("`runner execution resume {id}`"));
    let sentence = match more {
        Some(more) => format!("{sentence}; but {more}: {resume}"),
        None => sentence,
    };
    if app.output.json {
        let process = if let Runs::Process(node) = &runs { Some(node) } else { None };
        let wait = |open: super::Chosen| {
            let command = app.spelled(&runner_model::answering(id, &open.task, open.item, &open.wait));
            json!({ "step": open.step, "item": open.item, "task": open.task, "since": open.since,
                "wait": open.wait, "command": command })
        };
        let waits: Vec<_> = open_waits(&view).into_iter().map(wait).collect();
        app.output.value(&json!({
            "id": id, "status": view.record.status, "sentence": sentence, "process": process, "waits": waits,
        }));
    } else {
        app.output.line(printable(&sentence));
    }
    Ok(())
}

async fn runs(app: &App, store: &SqliteStore, view: &ExecutionView) -> Result<Runs, CliError> {
    let (id, status) = (view.record.id, view.record.status);
    if status.is_terminal() {
        return Ok(Runs::Ended);
    }
    if let Some(client) = owner::find(app, store, id).await? {
        return Ok(Runs::Process(client.name().clone()));
    }
    // An execution that was only recorded has had no process; one that left in good order gave it back.
    let never = status == Status::Requested || store.owner(id).await?.is_none();
    Ok(if never { Runs::Nobody } else { Runs::Gone })
}
