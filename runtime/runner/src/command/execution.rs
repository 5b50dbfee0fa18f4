//! `runner execution`: what was run.

mod get;
mod journal;
mod list;
mod resume;

use clap::{Args, Subcommand};
use runner_model::{ActionRef, ExecutionId, ExecutionRecord, Origin, Status, code};
use runner_store::{Catalogue as _, ExecutionFilter, SqliteStore};

use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;

/// List executions, show one or its journal, or go on with one
#[derive(Debug, Args)]
pub(crate) struct ExecutionCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List executions, newest first
    List(list::ListCommand),
    /// Show an execution: its parameters, its steps, its result
    Get {
        /// Its id, the beginning of it, or `last`
        id: String,
    },
    /// Go on with an execution whose process was killed, where its journal ends
    Resume {
        /// Its id, the beginning of it, or `last`
        id: String,
    },
    /// Show everything that is recorded of an execution
    Journal {
        /// Its id, the beginning of it, or `last`
        id: String,
    },
}

impl ExecutionCommand {
    /// Does it.
    pub(crate) async fn run(&self, mut app: App) -> Result<Exit, CliError> {
        let store = app.existing_store().await?;
        match (&self.what, store) {
            (What::List(command), store) => command.run(&app, store.as_ref()).await?,
            (What::Get { id }, Some(store)) => get::run(&app, &store, identify(&store, id).await?).await?,
            (What::Journal { id }, Some(store)) => journal::run(&app, &store, identify(&store, id).await?).await?,
            (What::Resume { id }, Some(store)) => {
                let id = identify(&store, id).await?;
                return resume::run(&mut app, store, id).await;
            }
            (What::Get { id } | What::Journal { id } | What::Resume { id }, None) => {
                let hint =
                    format!("nothing is recorded in `{}`; name another with `--data DIR`", app.config.data.display());
                return Err(not_found(id).hint(hint));
            }
        }
        Ok(Exit::Succeeded)
    }
}

pub(crate) fn not_found(id: &str) -> CliError {
    CliError::new(Exit::NotFound, code::STORE_NOT_FOUND, format!("there is no execution `{id}`"))
        .hint("list what there is with `runner execution list`")
}

/// The execution that is meant.
pub(crate) async fn identify(store: &SqliteStore, text: &str) -> Result<ExecutionId, CliError> {
    if text == "last" {
        let newest = newest(store, &ExecutionFilter::default(), 1, false).await?;
        return newest.first().map(|record| record.id).ok_or_else(|| not_found(text));
    }
    match store.find(text).await?.as_slice() {
        [] => Err(not_found(text)),
        [id] => Ok(*id),
        several => {
            let ids: Vec<_> = several.iter().map(ToString::to_string).collect();
            let message = format!("several executions begin with `{text}`");
            Err(CliError::new(Exit::Usage, code::STORE_PREFIX, message).hint(format!("one of {}", ids.join(", "))))
        }
    }
}

/// The newest executions; those that workflows started only with `all`.
async fn newest(
    store: &SqliteStore,
    filter: &ExecutionFilter,
    limit: usize,
    all: bool,
) -> Result<Vec<ExecutionRecord>, CliError> {
    /// Enough that one page is the rule even where workflows start many.
    const PAGE: usize = 200;
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.list(filter, cursor, PAGE).await?;
        cursor = page.last().map(|record| record.id);
        let is_last = page.len() < PAGE;
        let own = |record: &ExecutionRecord| all || !matches!(record.origin, Origin::Step { .. });
        found.extend(page.into_iter().filter(own));
        if is_last || found.len() >= limit {
            found.truncate(limit);
            return Ok(found);
        }
    }
}

/// For `--status`.
fn parse_status(word: &str) -> Result<Status, String> {
    Status::from_word(word).ok_or_else(|| {
        let known = Status::ALL.iter().map(|status| status.as_str());
        runner_pack::suggest::hint(word, known, "there are").unwrap_or_default()
    })
}

/// For `--action`.
fn parse_action(text: &str) -> Result<ActionRef, String> {
    text.parse().map_err(|error: runner_model::NameError| error.to_string())
}
