//! `runner event`: what happened outside, what rules made of it, and telling runner of more.

mod find;
mod get;
mod list;
mod resend;
mod send;

use clap::{Args, Subcommand};

use super::answer;
use super::asked::asking;
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
pub(crate) use find::find;

/// List events, show one, send one again; or send one to the rules or to the executions that wait for it
#[derive(Debug, Args)]
pub(crate) struct EventCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List events, newest first, with the rules that matched them
    List(list::ListCommand),
    /// Show an event: what it brought, and what became of it
    Get(Which),
    /// Send an event once more, as a new one: the rules look at it as they are now
    Resend(Which),
    /// Send an event to every step that waits for its key with `core.wait_for`; or with `--trigger` to the rules
    #[command(after_help = answer::HELP, override_usage = send::USAGE)]
    Send(send::SendCommand),
}

/// One event.
#[derive(Debug, Args)]
struct Which {
    /// Its id, or `last`
    id: String,
}

impl EventCommand {
    /// Does it.
    pub(crate) async fn run(self, mut app: App) -> Result<Exit, CliError> {
        let remote = app.remote.clone();
        match self.what {
            What::Send(command) => command.run(&mut app).await,
            What::Resend(which) => resend::run(&app, &which.id).await,
            What::List(command) => asking(&app, remote, async |asked| command.run(&app, asked).await).await,
            What::Get(which) => asking(&app, remote, async |asked| get::run(&app, asked, &which.id).await).await,
        }
    }
}
