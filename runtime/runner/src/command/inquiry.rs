//! `runner inquiry`: what executions wait for people to answer.

use clap::{Args, Subcommand};
use runner_model::{WaitKind, answering};
use runner_store::{Awaited, OpenWait, WaitFilter};
use serde_json::{Value, json};

use super::execution::{Chosen, Respond, Which, identify, not_found, open_waits};
use crate::app::App;
use crate::command::exec::{indented, readable};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{one_line, printable, table};
use crate::records::{Place, Records};

/// List the questions that executions wait with, show one, or answer one
#[derive(Debug, Args)]
pub(crate) struct InquiryCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the open questions, oldest first
    List {
        /// Also what waits for events
        #[arg(long)]
        all: bool,
        /// How many at the most
        #[arg(long, default_value_t = 100, value_name = "COUNT")]
        limit: usize,
    },
    /// Show what an execution asks, and how it is answered
    Get(Which),
    /// Answer what an execution asks
    Respond(Respond),
}

/// Waits that are looked at for a list: a page of them is shown.
const FOUND_MAX: usize = 10_000;

impl InquiryCommand {
    /// Does it.
    pub(crate) async fn run(self, app: App) -> Result<Exit, CliError> {
        app.with_place(async |app, place| self.what.run(app, place).await).await
    }
}

impl What {
    async fn run(self, app: &mut App, place: Option<&Place>) -> Result<Exit, CliError> {
        match (self, place) {
            (Self::List { all, limit }, place) => list(app, place, all, limit).await?,
            (Self::Get(which), Some(place)) => get(app, place.records(), &which.id).await?,
            (Self::Respond(respond), Some(place)) => return respond.run(app, place).await,
            (Self::Get(which), None) => return Err(not_found(&which.id)),
            (Self::Respond(respond), None) => return Err(not_found(&respond.which.id)),
        }
        Ok(Exit::Succeeded)
    }
}

async fn list(app: &App, place: Option<&Place>, all: bool, limit: usize) -> Result<(), CliError> {
    let mut found = Vec::new();
    if let Some(place) = place {
        // A wait for the outcome of an attempt is a question too.
        found = place.records().waits(&WaitFilter::default(), FOUND_MAX).await?;
        found.retain(|open| all || Awaited::of(&open.wait) != Awaited::Event);
        found.sort_by_key(|open| open.opened_at);
        found.truncate(limit);
    }
    if app.output.json {
        app.output.value(&found.iter().map(listed).collect::<Vec<_>>());
    } else if found.is_empty() {
        app.output.note("nothing waits for an answer");
    } else {
        let headings = ["execution", "step", "item", "kind", "question", "since", "until"];
        app.output.line(table(&app.output, &headings, found.iter().map(row)));
    }
    Ok(())
}

fn listed(open: &OpenWait) -> Value {
    json!({
        "execution": open.execution, "step": open.step, "item": open.item, "since": open.opened_at,
        "wait": open.wait, "schema": open.wait.schema(),
    })
}

fn row(open: &OpenWait) -> Vec<String> {
    vec![
        open.execution.to_string(),
        open.step.to_string(),
        open.item.map(|item| item.to_string()).unwrap_or_default(),
        Awaited::of(&open.wait).as_str().to_owned(),
        one_line(&question(&open.wait.kind), 60),
        open.opened_at.to_string(),
        open.wait.expires_at.map(|end| end.to_string()).unwrap_or_default(),
    ]
}

fn question(kind: &WaitKind) -> String {
    match kind {
        WaitKind::Inquiry { prompt, .. } => prompt.clone(),
        WaitKind::Event { key } => key.clone(),
        WaitKind::Outcome { failure, .. } => failure.message.clone(),
    }
}

async fn get(app: &App, records: &dyn Records, text: &str) -> Result<(), CliError> {
    let id = identify(records, text).await?;
    let open = open_waits(&records.view(id).await?);
    let command = |open: &Chosen| app.spelled(&answering(id, &open.task, open.item, &open.wait));
    if app.output.json {
        let one = |open: &Chosen| {
            json!({
                "execution": id, "step": open.step, "task": open.task, "item": open.item, "since": open.since,
                "wait": open.wait, "schema": open.wait.schema(), "command": command(open),
            })
        };
        app.output.value(&open.iter().map(one).collect::<Vec<_>>());
        return Ok(());
    }
    if open.is_empty() {
        app.output.note(format!("the execution {id} waits for no answer"));
    }
    for one in &open {
        app.output.line(shown(one, &command(one)));
    }
    Ok(())
}

fn shown(open: &Chosen, command: &str) -> String {
    let mut lines = Vec::new();
    let mut fact = |name: &str, value: String| lines.push(format!("{name:<12} {value}"));
    let item = open.item.map(|item| format!(" (item {item})")).unwrap_or_default();
    fact("task", format!("{}{item}", open.task));
    fact(Awaited::of(&open.wait).as_str(), printable(&question(&open.wait.kind)));
    fact("since", open.since.to_string());
    if let Some(end) = open.wait.expires_at {
        fact("until", end.to_string());
    }
    if let WaitKind::Inquiry { roles, users, .. } = &open.wait.kind {
        for (name, list) in [("roles", roles), ("users", users)] {
            if !list.is_empty() {
                fact(name, printable(&list.join(", ")));
            }
        }
    }
    let schema = indented(readable(&open.wait.schema(), 0).trim_end());
    format!("{}\nschema\n{schema}\nanswer with  {}", lines.join("\n"), printable(command))
}
