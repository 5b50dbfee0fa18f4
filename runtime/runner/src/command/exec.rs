//! `runner exec`: runs an action or a workflow to its end, recorded: with the daemon, if there is one, or in this process.

mod afar;
mod arguments;
mod cassette;
mod find;
mod follow;
mod heard;
mod help;
mod plan;
mod progress;
mod result;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, CommandFactory as _};
use runner_executor::{Execution, ExecutionRequest, ExecutorError};
use runner_model::{ActionRef, ExecutionId, ExecutionView, Origin, Status, code};
use runner_pack::{Action, Body};
use runner_store::SqliteStore;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cli::Cli;
use crate::error::CliError;
use crate::exit::Exit;
use crate::offer::{Offer, offered};
use crate::process::{Process, Takes};
use crate::remote::Remote;
use crate::{phase, record, stop};
pub(crate) use afar::{check_simulates, is_simulating};
pub(crate) use find::{find, not_loaded};
pub(crate) use follow::{Followed, Until};
pub(crate) use help::{indented, parameters as parameter_table};
pub(crate) use progress::{Display, took};
pub(crate) use result::{exit_of, mistakes, readable, show as show_result};

/// Run an action or a workflow
///
/// `runner exec pack.action --help` shows its parameters.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, after_help = arguments::HELP)]
pub(crate) struct ExecCommand {
    /// What to run: `pack.action`
    #[arg(required_unless_present = "help")]
    action: Option<String>,
    /// Parameters: `name=value`, `name:=JSON`, `name=@FILE`, `name:=@FILE`, values by position, or `-`
    #[arg(value_name = "PARAMETER")]
    arguments: Vec<String>,
    /// Take parameters from a JSON file; those on the command line go before
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Let simulators stand in for the systems behind the connections
    #[arg(long)]
    simulate: bool,
    /// Write what goes over the connections to this file, without secrets; the action runs in this process
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "detach"])]
    record: Option<PathBuf>,
    /// Answer requests from such a file instead of asking any system
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "detach", "record", "simulate"])]
    replay: Option<PathBuf>,
    /// Say what would be changed, and change nothing: what reads is asked, what would change something is stopped
    #[arg(long, conflicts_with_all = ["url", "detach", "record", "replay", "key"])]
    plan: bool,
    /// Write only this part of the result, such as `volume.name` or `records.0`
    #[arg(short, long, value_name = "PATH")]
    key: Option<String>,
    /// Do not show progress
    #[arg(long)]
    no_progress: bool,
    /// Record the execution and print its id; the daemon runs it, or the next process that takes it up
    #[arg(long, visible_alias = "async", conflicts_with = "key")]
    detach: bool,
    /// Run it in this process, though there is a daemon
    #[arg(long, conflicts_with = "url")]
    embedded: bool,
    /// Grant packs whatever they ask for: for development, in this process [env: RUNNER_DEV]
    #[arg(long, conflicts_with = "url")]
    dev: bool,
    /// Print help; of an action, if one is named
    #[arg(short, long)]
    help: bool,
}

impl ExecCommand {
    /// Runs it.
    pub(crate) async fn run(self, mut app: App) -> Result<Exit, CliError> {
        let Some(name) = &self.action else { return Ok(general_help(&app)) };
        phase::reached("configuration read");
        self.check_place(&app)?;
        app.config.dev |= self.dev;
        if let Some(daemon) = app.daemon().filter(|_| !self.is_embedded()) {
            if self.dev {
                afar::check_develops(&daemon).await?;
            }
            return self.ask(&app, &daemon, name).await;
        }
        let action = self.action(&mut app, name)?;
        phase::reached("packs read");
        let Some(parameters) = self.parameters(&app, &Offer::of(&action))? else { return Ok(Exit::Succeeded) };
        app.warn_of_development();
        if self.plan {
            return Box::pin(plan::show(&mut app, &action, parameters, self.simulate)).await;
        }
        self.execute(&mut app, &action, parameters).await
    }

    /// The action with this name.
    fn action(&self, app: &mut App, name: &str) -> Result<Arc<Action>, CliError> {
        // Simulators may come from any pack.
        let part = name.parse().ok().filter(|_| !self.simulate && !self.plan);
        part.and_then(|action| app.narrow(&action)).map_or_else(|| find(app, name), Ok)
    }

    /// Refuses what can only be done in this process, if another one is named: before the verb, or by the environment, where
    /// the parser of arguments does not see it.
    fn check_place(&self, app: &App) -> Result<(), CliError> {
        let only_here = [
            ("--record", self.record.is_some()),
            ("--replay", self.replay.is_some()),
            ("--plan", self.plan),
            ("--embedded", self.embedded),
            ("--dev", self.dev),
        ];
        match only_here.into_iter().find(|(_, is_asked)| *is_asked && app.remote.is_some()) {
            Some((option, _)) => {
                let message =
                    format!("`{option}` is about this process, and `--url` or `RUNNER_URL` names another one");
                Err(CliError::new(Exit::Usage, code::CLI_USAGE, message).hint("leave out one of them"))
            }
            None => Ok(()),
        }
    }

    /// Whether it must run in this process.
    fn is_embedded(&self) -> bool {
        self.embedded || self.plan || self.record.is_some() || self.replay.is_some()
    }

    /// The parameters, unless only help is asked for, which is shown.
    fn parameters(&self, app: &App, offer: &Offer) -> Result<Option<Map<String, Value>>, CliError> {
        if self.help {
            help::show(app, offer);
            return Ok(None);
        }
        arguments::read(offer, self.params.as_deref(), &self.arguments, std::io::stdin()).map(Some)
    }

    /// Runs it with a daemon.
    async fn ask(&self, app: &App, daemon: &Remote, name: &str) -> Result<Exit, CliError> {
        let offer = offered(daemon, name).await?;
        let Some(parameters) = self.parameters(app, &offer)? else { return Ok(Exit::Succeeded) };
        if self.simulate {
            afar::check_simulates(daemon).await?;
        }
        if self.detach {
            let id = afar::request(daemon, &offer, &parameters).await?;
            recorded(app, id, &offer.reference);
            return Ok(Exit::Succeeded);
        }
        let view = afar::run(app, daemon, &offer, &parameters, self.no_progress).await?;
        result::show(app, &view, self.key.as_deref())
    }

    async fn execute(&self, app: &mut App, action: &Action, parameters: Map<String, Value>) -> Result<Exit, CliError> {
        app.traffic = cassette::open(self.record.as_deref(), self.replay.as_deref(), action, &parameters)?;
        let store = Arc::new(app.store_and_engine().await?);
        phase::reached("store opened, engine built");
        let result = self.record_or_run(app, &store, action, parameters).await;
        store.close().await;
        phase::reached("store closed");
        cassette::close(app)?;
        match result? {
            None => Ok(Exit::Succeeded),
            Some(view) => result::show(app, &view, self.key.as_deref()),
        }
    }

    async fn record_or_run(
        &self,
        app: &mut App,
        store: &Arc<SqliteStore>,
        action: &Action,
        parameters: Map<String, Value>,
    ) -> Result<Option<ExecutionView>, CliError> {
        if !self.detach {
            // What is replayed reaches no real system either.
            let simulate = self.simulate || self.replay.is_some();
            let request = ExecutionRequest::new(action.reference.clone(), parameters, Origin::Cli);
            return run_new(app, store, action, request, simulate, self.no_progress).await.map(Some);
        }
        let id = record::request(app, store, action, parameters, self.simulate, Vec::new()).await?;
        recorded(app, id, &action.reference);
        if !app.output.json {
            super::execution::left(app, id);
        }
        Ok(None)
    }
}

fn recorded(app: &App, id: ExecutionId, action: &ActionRef) {
    if app.output.json {
        app.output.value(&json!({ "id": id, "action": action, "status": Status::Requested }));
    } else {
        app.output.line(id.to_string());
    }
}

/// Records a new execution and runs it to its end, in this process.
pub(crate) async fn run_new(
    app: &mut App,
    store: &Arc<SqliteStore>,
    action: &Action,
    request: ExecutionRequest,
    simulate: bool,
    silent: bool,
) -> Result<ExecutionView, CliError> {
    let process = Process::start(app, store, simulate, Takes::New).await?;
    let mut watch = Watch::begin(app, matches!(action.body, Body::Workflow(_)), silent);
    let followed = match process.executor.submit(request).await {
        Ok(execution) => watch.follow(execution, action, store, Until::End).await,
        Err(error) => Err(error.into()),
    };
    phase::reached("executed");
    process.end().await;
    phase::reached("let go");
    match followed? {
        Followed::Ended(view) => Ok(*view),
        // Only whoever asks for it is left with an execution that has not ended.
        Followed::Rests(_) => Err(ExecutorError::Interrupted.into()),
    }
}

/// Looks on while an execution runs, and passes on the wish to stop.
pub(crate) struct Watch {
    display: progress::Display,
    stop: CancellationToken,
}

impl Watch {
    /// Before anything is recorded: from here on Ctrl-C leaves nothing half done.
    pub(crate) fn begin(app: &App, is_workflow: bool, silent: bool) -> Self {
        let display = progress::Display::new(app, silent || app.output.quiet, !is_workflow);
        let stop = stop::on_signal(display.stopping());
        Self { display, stop }
    }

    /// Shows the execution until it has ended, or nothing would happen in it by itself.
    pub(crate) async fn follow(
        &mut self,
        execution: Execution,
        action: &Action,
        store: &SqliteStore,
        until: Until,
    ) -> Result<Followed, CliError> {
        self.display.begin(execution.id, &action.reference);
        follow::follow(execution, &mut self.display, &self.stop, store, until).await
    }
}

fn general_help(app: &App) -> Exit {
    let mut cli = Cli::command();
    // Options that all commands take are known to it only then.
    cli.build();
    if let Some(exec) = cli.find_subcommand_mut("exec") {
        let styled = exec.render_long_help();
        app.output.line(if app.output.color() { styled.ansi().to_string() } else { styled.to_string() }.trim_end());
    }
    Exit::Succeeded
}

/// Reads a reference as the user wrote it.
pub(crate) fn reference(app: &App, name: &str) -> Result<ActionRef, CliError> {
    name.parse().map_err(|error: runner_model::NameError| {
        let is_pack = |pack: &&Arc<runner_pack::Pack>| pack.reference().as_str() == name;
        let hint = match app.library().0.suggest(name) {
            _ if app.library().0.packs().any(|pack| is_pack(&pack)) => {
                format!("write `{name}.NAME`: `runner action list` shows the actions of the pack")
            }
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "see `runner action list`".to_owned(),
        };
        CliError::new(Exit::Usage, runner_model::code::EXEC_UNKNOWN_ACTION, error.to_string()).hint(hint)
    })
}
