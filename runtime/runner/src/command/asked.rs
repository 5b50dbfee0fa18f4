//! Who is asked about rules, schedules, sensors and events: a daemon, or what stands in the files and the store here.
//!
//! It must not know what is asked. Both must answer in the same words: each verb has one type for what it shows.

use runner_model::code;
use runner_store::SqliteStore;

use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::remote::Remote;

/// More than any list of rules or sensors has.
pub(crate) const ALL: usize = 100_000;

/// Who is asked.
pub(crate) enum Asked {
    /// The daemon that the user names, or the one that has the data directory.
    Daemon(Remote),
    /// This process; without a store nothing was ever recorded.
    Here(Option<SqliteStore>),
}

/// Does something with this daemon, or without one.
pub(crate) async fn asking<T>(
    app: &App,
    daemon: Option<Remote>,
    work: impl AsyncFnOnce(&Asked) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let asked = match daemon {
        Some(daemon) => Asked::Daemon(daemon),
        None => Asked::Here(app.existing_store().await?),
    };
    let done = work(&asked).await;
    asked.close().await;
    done
}

impl Asked {
    /// Lets go of what was opened.
    pub(crate) async fn close(self) {
        if let Self::Here(Some(store)) = self {
            store.close().await;
        }
    }
}

/// Only a daemon does this.
pub(crate) fn no_daemon(what: &str) -> CliError {
    CliError::new(Exit::Usage, code::CLI_NO_DAEMON, format!("{what}, and none has the data directory"))
        .hint("start one with `runner serve`, or name one with `--url URL`")
}
