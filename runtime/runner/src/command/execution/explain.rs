//! `runner execution explain`: what an execution waits for, or why it failed, in a sentence.

use runner_model::{ExecutionId, ExecutionView, NodeId, Status};
use runner_store::{Leases as _, SqliteStore};
use serde::Deserialize;
use serde_json::json;

use super::open_waits;
use super::rest::rests;
use crate::app::App;
use crate::error::CliError;
use crate::output::printable;
use crate::owner;
use crate::records::{Place, at};
use crate::remote::Remote;

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

pub(super) async fn run(app: &App, place: &Place, id: ExecutionId) -> Result<(), CliError> {
    let records = place.records();
    let view = records.view(id).await?;
    let (runs, told) = match place {
        Place::Here(store) => (runs(app, store, &view).await?, told_here(app, &view).await),
        Place::There(remote) => runs_there(remote, &view).await?,
    };
    let sentence = app.spelled(&told.unwrap_or_else(|| view.explain(app.now())));
    // Whoever answers a question, or resumes what is paused, takes it up as well.
    let rests = rests(records, id).await?;
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

/// What a daemon says of an execution.
#[derive(Deserialize)]
struct Explained {
    #[serde(default)]
    process: Option<String>,
    /// The sentence: only the daemon knows who waits for a policy's leave.
    #[serde(default)]
    text: Option<String>,
}

/// The same as a daemon says it, and its sentence.
async fn runs_there(remote: &Remote, view: &ExecutionView) -> Result<(Runs, Option<String>), CliError> {
    if view.record.status.is_terminal() {
        return Ok((Runs::Ended, None));
    }
    let Explained { process, text } = remote.get(&at(view.record.id, "/explain"), &[]).await?;
    Ok((process.map_or(Runs::Nobody, |node| Runs::Process(NodeId(node))), text))
}

/// The sentence of the daemon that has the data directory, if there is one and it answers.
async fn told_here(app: &App, view: &ExecutionView) -> Option<String> {
    let daemon = app.daemon().filter(|_| !view.record.status.is_terminal())?;
    let told: Result<Explained, _> = daemon.get(&at(view.record.id, "/explain"), &[]).await;
    told.ok()?.text
}
