//! `runner serve`: the daemon.

use clap::Args;

use crate::app::App;
use crate::config::address;
use crate::daemon;
use crate::error::CliError;
use crate::exit::Exit;
use runner_model::code;

/// Run as a daemon: API, webhooks, schedules, sensors, until Ctrl-C
///
/// Packs are watched: what is copied into their directory can be run at once. Executions that another process left are
/// taken up. At the first signal it lets what runs come to an end, at the second it ends at once. With `--json` it
/// writes its log as JSON.
#[derive(Debug, Args)]
pub(crate) struct ServeCommand {
    /// Where to listen; another address than one of the loopback needs a key [default: 127.0.0.1:9101]
    /// [env: RUNNER_LISTEN]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// How long running attempts may go on after the signal to stop [default: 30] [env: RUNNER_GRACE]
    #[arg(long, value_name = "SECONDS")]
    grace: Option<f64>,
    /// Let simulators stand in for the systems behind the connections
    #[arg(long)]
    simulate: bool,
    /// Grant packs whatever they ask for: for development, on this machine only [env: RUNNER_DEV]
    #[arg(long)]
    dev: bool,
    /// Print the configuration that holds, as TOML, and do nothing else
    #[arg(long)]
    dump_config: bool,
}

impl ServeCommand {
    /// Serves.
    pub(crate) async fn run(&self, mut app: App) -> Result<Exit, CliError> {
        let usage = |message: String| CliError::new(Exit::Usage, code::CLI_USAGE, message);
        if let Some(listen) = &self.listen {
            app.config.daemon.listen = address(listen).map_err(usage)?;
        }
        if let Some(seconds) = self.grace {
            app.config.daemon.set_grace(seconds).map_err(|message| usage(format!("`--grace`: {message}")))?;
        }
        app.config.dev |= self.dev;
        if self.dump_config {
            app.output.line(app.config.dump().trim_end());
            return Ok(Exit::Succeeded);
        }
        if app.config.dev && !app.config.daemon.listen.ip().is_loopback() {
            let address = app.config.daemon.listen;
            let message =
                format!("{address} can be reached from other machines, and development mode grants everything");
            return Err(CliError::new(Exit::Usage, code::CLI_DEVELOPMENT, message)
                .hint("grant packs what they need with `runner pack grant`, or listen on 127.0.0.1"));
        }
        app.warn_of_development();
        app.is_daemon = true;
        daemon::run(app, self.simulate).await
    }
}
