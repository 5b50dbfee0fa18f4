//! The command line.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::app::App;
use crate::command::{
    ActionCommand, CompletionCommand, ConnectionCommand, DoctorCommand, ExecCommand, ExecutionCommand, ExplainCommand,
    PackCommand, SimulateCommand,
};
use crate::config::Environment;
use crate::error::CliError;
use crate::exit::{self, Exit};
use crate::output::{Color, Output};

/// Runs packs of WebAssembly actions and workflows: sandboxed, recorded, from one binary.
#[derive(Debug, Parser)]
#[command(name = "runner", version, after_help = exit::HELP, max_term_width = 100, infer_subcommands = false)]
pub(crate) struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Where executions are recorded [default: .runner] [env: RUNNER_DATA]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// A directory of packs; may be given several times [default: packs] [env: RUNNER_PACKS]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) packs: Vec<PathBuf>,
    /// The configuration file [default: runner.toml, if it exists] [env: RUNNER_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Write JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
    /// Show more of what happens; may be given several times
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Show errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Exec(ExecCommand),
    Pack(PackCommand),
    Action(ActionCommand),
    Execution(ExecutionCommand),
    Connection(ConnectionCommand),
    Simulate(SimulateCommand),
    Doctor(DoctorCommand),
    Explain(ExplainCommand),
    Completion(CompletionCommand),
}

impl Cli {
    /// Does it.
    pub(crate) async fn run(self, environment: Environment, output: Output) -> Result<Exit, CliError> {
        let open = || App::open(&self.global, environment, output);
        match self.command {
            Command::Explain(command) => command.run(&output),
            Command::Completion(command) => Ok(command.run()),
            Command::Exec(command) => command.run(open()?).await,
            Command::Pack(command) => command.run(&open()?).await,
            Command::Action(command) => command.run(&open()?),
            Command::Execution(command) => command.run(&open()?).await,
            Command::Connection(command) => command.run(&open()?).await,
            Command::Simulate(command) => command.run(&open()?).await,
            Command::Doctor(command) => command.run(&open()?).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
