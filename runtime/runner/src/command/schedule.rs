//! `runner schedule`: rules that wait for a time, and when they come next.

mod here;
mod list;
mod view;

use clap::{Args, Subcommand};

use super::asked::asking;
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;

/// Show when rules with a schedule come next
#[derive(Debug, Args)]
pub(crate) struct ScheduleCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List schedules, each with the instants at which it comes next
    List(list::ListCommand),
}

impl ScheduleCommand {
    /// Does it.
    pub(crate) async fn run(self, app: &App) -> Result<Exit, CliError> {
        let What::List(command) = self.what;
        asking(app, app.daemon(), async |asked| command.run(app, asked).await).await
    }
}
