//! `runner event send`: to the steps that wait for a key, or to the rules that wait for a trigger.

use std::sync::Arc;

use clap::Args;
use runner_executor::Control;
use runner_model::{ExecutionId, Status, code};
use runner_store::{SqliteStore, WaitFilter, Waits as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::command::asked::no_daemon;
use crate::command::execution::{Detach, Done, left, perform};
use crate::command::rule::payload;
use crate::error::{CliError, Mistake};
use crate::exit::Exit;
use crate::output::{count, printable};
use crate::records::Place;
use crate::remote::Remote;

/// For `--help`: what stands first is the key only without `--trigger`.
pub(super) const USAGE: &str = "runner event send KEY [PAYLOAD]...
       runner event send --trigger TRIGGER [--key KEY] [--source SOURCE] [PAYLOAD]...";

/// What is sent.
#[derive(Debug, Args)]
pub(super) struct SendCommand {
    /// What ties the event to the steps that wait for it; then what it brings: `name=value`, `name:=JSON`, `name=@FILE`,
    /// `@FILE`, a JSON value, or `-` [default: {}]
    #[arg(value_names = ["KEY", "PAYLOAD"], num_args = 0.., required_unless_present = "trigger")]
    words: Vec<String>,
    /// Send it to the rules that wait for this trigger, which a sensor declares
    #[arg(long, value_name = "TRIGGER")]
    trigger: Option<String>,
    /// What makes it the same as another of its trigger: it is taken once
    #[arg(long, value_name = "KEY", requires = "trigger")]
    key: Option<String>,
    /// From where it is [default: the name of the API key]
    #[arg(long, value_name = "SOURCE", requires = "trigger")]
    source: Option<String>,
    #[command(flatten)]
    detach: Detach,
}

/// What came of an event.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sent {
    event: Option<String>,
    executions: Vec<Started>,
    duplicate: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    took: Vec<Took>,
}

/// An execution that an event makes.
#[derive(Debug, Serialize, Deserialize)]
struct Started {
    rule: String,
    execution: String,
}

/// An execution that took an event.
#[derive(Debug, Serialize, Deserialize)]
struct Took {
    id: ExecutionId,
    status: Status,
}

/// Executions that one look at the waits finds: an event that is for more comes in turns.
const FOUND_MAX: usize = 1_000;

impl SendCommand {
    /// Sends it.
    pub(super) async fn run(self, app: &mut App) -> Result<Exit, CliError> {
        if self.trigger.is_some() {
            return self.emit(app).await;
        }
        let Some((key, words)) = self.words.split_first() else { return Err(nobody("")) };
        let payload = payload::read(words)?;
        if let Some(daemon) = app.daemon() {
            return tell(app, &daemon, key, &payload).await;
        }
        let Some(store) = app.existing_store().await?.map(Arc::new) else { return Err(nobody(key)) };
        let result = deliver(app, &store, key, self.detach.detach, &payload).await;
        store.close().await;
        result
    }

    /// To the rules.
    async fn emit(&self, app: &App) -> Result<Exit, CliError> {
        let payload = payload::read(&self.words)?;
        let Some(daemon) = app.daemon() else { return Err(no_daemon("only a daemon takes events for rules")) };
        let mut body = json!({ "trigger": self.trigger, "payload": payload });
        for (name, value) in [("key", &self.key), ("source", &self.source)] {
            if let (Some(value), Some(map)) = (value, body.as_object_mut()) {
                map.insert(name.to_owned(), Value::String(value.clone()));
            }
        }
        let sent: Sent = daemon.post("/api/v1/events", &body).await?;
        sent.show(app);
        Ok(Exit::Succeeded)
    }
}

impl Sent {
    /// Shows what came of it.
    pub(super) fn show(&self, app: &App) {
        if app.output.json {
            return app.output.value(self);
        }
        app.output.line(self.event.as_deref().unwrap_or_default());
        for started in &self.executions {
            app.output.line(format!("  {} {}", printable(&started.rule), printable(&started.execution)));
        }
        for took in &self.took {
            app.output.line(format!("  {} {}", took.id, took.status));
        }
        let note = match (self.duplicate, self.executions.len()) {
            (true, _) => "it was there already: nothing new comes of it".to_owned(),
            (false, 0) => "no rule matched".to_owned(),
            (false, started) => format!("{} matched", count(started, "rule")),
        };
        app.output.note(note);
    }
}

fn nobody(key: &str) -> CliError {
    CliError::new(Exit::NotFound, code::EXEC_NOT_WAITING, format!("nothing waits for the event `{key}`"))
        .hint("see what waits with `runner inquiry list --all`")
}

/// To the steps that wait, through a daemon.
async fn tell(app: &App, daemon: &Remote, key: &str, payload: &Value) -> Result<Exit, CliError> {
    let sent = daemon.post("/api/v1/events", &json!({ "key": key, "payload": payload })).await;
    let sent: Sent = sent.map_err(|error: CliError| {
        let is_nobody = |mistake: &Mistake| mistake.code == code::EXEC_NOT_WAITING.id();
        if error.mistakes.iter().any(is_nobody) { nobody(key) } else { error }
    })?;
    show(app, &sent.took);
    Ok(Exit::Succeeded)
}

/// To the steps that wait, from here: their executions are taken up if nobody has them.
async fn deliver(
    app: &mut App,
    store: &Arc<SqliteStore>,
    key: &str,
    detach: bool,
    payload: &Value,
) -> Result<Exit, CliError> {
    let filter = WaitFilter { key: Some(key.to_owned()), ..WaitFilter::default() };
    let mut ids: Vec<_> = store.waits(&filter, FOUND_MAX).await?.into_iter().map(|wait| wait.execution).collect();
    ids.dedup();
    if ids.is_empty() {
        return Err(nobody(key));
    }
    let place = Place::Here(store.clone());
    let (mut took, mut resting, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for id in ids {
        let ask = Control::Event { by: app.by(), key: key.to_owned(), payload: payload.clone() };
        match perform(app, &place, id, ask, detach).await {
            Ok(done) => {
                took.push(Took { id, status: done.status() });
                resting.extend(matches!(done, Done::Recorded(_)).then_some(id));
            }
            // One that ended meanwhile, or whose process does not answer, keeps nothing from the others.
            Err(error) => wrong.extend(error.mistakes),
        }
    }
    show(app, &took);
    if !app.output.json {
        resting.into_iter().for_each(|id| left(app, id));
    }
    if wrong.is_empty() {
        return Ok(Exit::Succeeded);
    }
    Err(CliError { exit: Exit::Broken, mistakes: wrong })
}

fn show(app: &App, took: &[Took]) {
    if app.output.json {
        return app.output.value(&took);
    }
    for one in took {
        app.output.line(format!("{} {}", one.id, one.status));
    }
    app.output.note(format!("{} took the event", count(took.len(), "execution")));
}
