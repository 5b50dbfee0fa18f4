//! `runner pack grant`, `runner pack revoke`: shown before it is asked, asked before it is done.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::Args;
use runner_model::{Choice, ConnectionName, GrantReport, NameError, code};

use super::grants::Ledger;
use super::permissions;
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::printable;

/// Grant a pack what it asks for
///
/// Without options all of it, on the connections that are configured now. The grant holds for later versions that ask for
/// the same or less, and takes the place of the one before.
#[derive(Debug, Args)]
pub(crate) struct GrantCommand {
    /// Its ref
    pack: String,
    /// Only on this connection; may be given several times
    #[arg(long = "connection", value_name = "NAME", value_parser = connection)]
    connections: Vec<ConnectionName>,
    /// Only this rule, by its number in `runner pack permissions`; may be given several times
    #[arg(long = "rule", value_name = "N")]
    rules: Vec<usize>,
    /// On every connection of the kinds that it asks for, with those that come later
    #[arg(long, conflicts_with = "connections")]
    all: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

fn connection(text: &str) -> Result<ConnectionName, String> {
    text.parse().map_err(|error: NameError| error.to_string())
}

impl GrantCommand {
    /// Grants it.
    pub(crate) async fn run(&self, app: &App) -> Result<Exit, CliError> {
        let mut ledger = Ledger::open(app).await?;
        let done = self.grant(app, &mut ledger).await;
        ledger.close().await;
        done
    }

    async fn grant(&self, app: &App, ledger: &mut Ledger) -> Result<Exit, CliError> {
        let seen = ledger.report(app, &self.pack).await?;
        if !app.output.json {
            permissions::ask(app, &seen);
        }
        self.agree(app, &seen)?;
        let choice = Choice { rules: self.rules.clone(), connections: self.connections.clone(), all: self.all };
        let granted = ledger.grant(app, seen, &choice).await?;
        if app.output.json {
            app.output.value(&granted);
        } else {
            permissions::granted(app, &granted);
        }
        Ok(Exit::Succeeded)
    }

    /// Whether somebody says yes.
    fn agree(&self, app: &App, seen: &GrantReport) -> Result<(), CliError> {
        if self.yes {
            return Ok(());
        }
        let stdin = std::io::stdin();
        if app.output.json || !stdin.is_terminal() || !std::io::stderr().is_terminal() {
            let message = format!("nobody can be asked whether to grant this to `{}`", seen.pack);
            return Err(CliError::new(Exit::Usage, code::CLI_USAGE, message).hint("add `--yes`"));
        }
        eprint!("grant this to {}? [y/N] ", printable(seen.pack.as_str()));
        // Whoever sees no question gives no answer.
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        let read = stdin.lock().read_line(&mut answer);
        if read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes") {
            return Ok(());
        }
        Err(CliError::new(Exit::Failed, code::PACK_GRANT, "nothing was granted"))
    }
}

/// Takes back what was granted.
pub(crate) async fn revoke(app: &App, pack: &str) -> Result<Exit, CliError> {
    let ledger = Ledger::open(app).await?;
    let done = take_back(app, &ledger, pack).await;
    ledger.close().await;
    done
}

async fn take_back(app: &App, ledger: &Ledger, pack: &str) -> Result<Exit, CliError> {
    let Some(record) = ledger.revoke(app, pack).await? else {
        // A pack that is not there is named as such.
        let report = ledger.report(app, pack).await?;
        let by_file =
            report.by_file.map(|_| format!("`[grants.{pack}]` in the configuration grants it something: change that"));
        let message = format!("nothing is recorded as granted to `{pack}`");
        return Err(CliError::new(Exit::NotFound, code::PACK_GRANT, message).maybe_hint(by_file));
    };
    if app.output.json {
        app.output.value(&record);
        return Ok(Exit::Succeeded);
    }
    app.output.line(format!("{pack} revoked"));
    if let Ok(report) = ledger.report(app, pack).await
        && report.by_file.is_some()
    {
        app.output.note(format!("what `[grants.{pack}]` in the configuration grants it, it keeps"));
    }
    Ok(Exit::Succeeded)
}
