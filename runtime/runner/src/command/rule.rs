//! `runner rule`: what is run when something happens.

mod find;
mod get;
mod here;
mod list;
pub(crate) mod payload;
mod switch;
mod test;
mod verdict;
mod view;

use clap::{Args, Subcommand};

use super::asked::asking;
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
pub(crate) use find::{all, unknown};
pub(crate) use here::{marked, switched};
pub(crate) use view::RuleView;

/// List rules, show one, try one, or switch one on or off
#[derive(Debug, Args)]
pub(crate) struct RuleCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List rules: whether they are on, what they wait for, what they run
    List(list::ListCommand),
    /// Show a rule
    Get(Named),
    /// Try a rule with the payload of an event: nothing comes of it
    ///
    /// Shows what was found for each criterion, and the parameters that its action would get. Ends with 0 if the rule
    /// matches, with 1 if it does not.
    #[command(after_help = payload::HELP)]
    Test(test::TestCommand),
    /// Switch a rule on, whatever its file says
    Enable(Named),
    /// Switch a rule off, whatever its file says
    Disable(Named),
    /// Let the file of a rule say again whether it is on
    Reset(Named),
}

/// One rule.
#[derive(Debug, Args)]
struct Named {
    /// Which: `pack.rule`
    rule: String,
}

impl RuleCommand {
    /// Does it.
    pub(crate) async fn run(self, app: &App) -> Result<Exit, CliError> {
        // What is tried is decided here, also beside a daemon of this data directory.
        let daemon = if matches!(self.what, What::Test(_)) { app.remote.clone() } else { app.daemon() };
        asking(app, daemon, async |asked| match &self.what {
            What::List(command) => command.run(app, asked).await,
            What::Get(named) => get::run(app, asked, &named.rule).await,
            What::Test(command) => command.run(app, asked).await,
            What::Enable(named) => switch::run(app, asked, &named.rule, Some(true)).await,
            What::Disable(named) => switch::run(app, asked, &named.rule, Some(false)).await,
            What::Reset(named) => switch::run(app, asked, &named.rule, None).await,
        })
        .await
    }
}
