//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};
use runner_model::code;

use crate::app::App;
use crate::command::{
    ActionCommand, AuditCommand, CompletionCommand, ConnectionCommand, DoctorCommand, EventCommand, ExecCommand,
    ExecutionCommand, ExplainCommand, GraphCommand, InquiryCommand, KeyCommand, PackCommand, RuleCommand,
    ScheduleCommand, SecretCommand, SensorCommand, ServeCommand, SimulateCommand, TestCommand,
};
use crate::config::Environment;
use crate::error::CliError;
use crate::exit::{self, Exit};
use crate::output::{Color, Output, shell_word};

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
    /// Ask the daemon at this address, and open nothing here [env: RUNNER_URL]
    ///
    /// Its key stands in the environment variable `RUNNER_KEY`; `RUNNER_CACERT` names a file of further authorities to
    /// trust.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The file that holds the key to it [env: RUNNER_KEY holds the key itself]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
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

impl GlobalArgs {
    /// The options that name places, as they were given: for commands that a user is to copy.
    pub(crate) fn places(&self) -> String {
        let named = |name: &str, path: &PathBuf| format!("--{name} {}", shell_word(&path.display().to_string()));
        let data = self.data.iter().map(|path| named("data", path));
        let packs = self.packs.iter().map(|path| named("packs", path));
        let config = self.config.iter().map(|path| named("config", path));
        let url = self.url.iter().map(|url| format!("--url {}", shell_word(url)));
        let key_file = self.key_file.iter().map(|path| named("key-file", path));
        data.chain(packs).chain(config).chain(url).chain(key_file).collect::<Vec<_>>().join(" ")
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Exec(ExecCommand),
    Serve(ServeCommand),
    Pack(PackCommand),
    Action(ActionCommand),
    Execution(ExecutionCommand),
    Inquiry(InquiryCommand),
    Rule(RuleCommand),
    Event(EventCommand),
    Schedule(ScheduleCommand),
    Sensor(SensorCommand),
    Key(KeyCommand),
    Secret(SecretCommand),
    Audit(AuditCommand),
    Connection(ConnectionCommand),
    Test(TestCommand),
    Graph(GraphCommand),
    Simulate(SimulateCommand),
    Doctor(DoctorCommand),
    Explain(ExplainCommand),
    Completion(CompletionCommand),
}

/// The arguments with every `--packs DIR` in front: of a global option that is given on both sides of the command, clap
/// silently takes only those behind it.
pub(crate) fn packs_in_front(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments.into_iter();
    let mut front: Vec<_> = arguments.next().into_iter().collect();
    let mut rest = Vec::new();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            rest.push(argument);
            rest.extend(arguments.by_ref());
        } else if argument.to_string_lossy().starts_with("--packs=") {
            front.push(argument);
        } else if argument == "--packs" {
            front.push(argument);
            front.extend(arguments.next());
        } else {
            rest.push(argument);
        }
    }
    front.extend(rest);
    front
}

/// Says what clap has to say: help that was asked for, or why the command line cannot be understood.
pub(crate) fn refuse(error: &clap::Error, arguments: &[OsString]) -> Exit {
    if error.use_stderr() && arguments.iter().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        let (message, rest) = text.trim().split_once("\n\n").unwrap_or_else(|| (text.trim(), ""));
        let message = message.trim_start_matches("error: ");
        let tip = rest.lines().find_map(|line| line.trim().strip_prefix("tip: "));
        let usage = rest.lines().find(|line| line.starts_with("Usage:"));
        let hint = tip.or(usage).unwrap_or("see `runner --help`");
        let refused =
            CliError::new(Exit::Usage, code::CLI_USAGE, message.split_whitespace().collect::<Vec<_>>().join(" "));
        return Output::json().report(&refused.hint(hint));
    }
    // Whoever closed the stream does not want to know.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Succeeded }
}

impl Command {
    /// What it is called, if it is about this machine and no daemon can be asked to do it.
    const fn only_here(&self) -> Option<&'static str> {
        match self {
            Self::Serve(_) => Some("serve"),
            Self::Connection(_) => Some("connection"),
            Self::Test(_) => Some("test"),
            Self::Simulate(_) => Some("simulate"),
            Self::Doctor(_) => Some("doctor"),
            Self::Pack(command) => command.only_here(),
            _ => None,
        }
    }
}

impl Cli {
    /// Whether it runs as a daemon: its log is read later, by others.
    pub(crate) const fn is_daemon(&self) -> bool {
        matches!(self.command, Command::Serve(_))
    }

    /// Does it.
    pub(crate) async fn run(self, environment: Environment, output: Output) -> Result<Exit, CliError> {
        if let (Some(verb), Some(_)) = (self.command.only_here(), &self.global.url) {
            let message = format!("`runner {verb}` is about this machine: a daemon elsewhere cannot be asked to do it");
            return Err(CliError::new(Exit::Usage, code::CLI_USAGE, message).hint("leave `--url` out"));
        }
        let open = || App::open(&self.global, environment, output);
        match self.command {
            Command::Explain(command) => command.run(&output),
            Command::Completion(command) => Ok(command.run()),
            Command::Exec(command) => command.run(open()?).await,
            Command::Serve(command) => command.run(open()?).await,
            Command::Pack(command) => command.run(&open()?).await,
            Command::Action(command) => command.run(&open()?).await,
            Command::Execution(command) => Box::pin(command.run(open()?)).await,
            Command::Inquiry(command) => command.run(open()?).await,
            Command::Rule(command) => command.run(&open()?).await,
            Command::Event(command) => command.run(open()?).await,
            Command::Schedule(command) => command.run(&open()?).await,
            Command::Sensor(command) => command.run(&open()?).await,
            Command::Key(command) => command.run(open()?).await,
            Command::Secret(command) => command.run(open()?).await,
            Command::Audit(command) => command.run(open()?).await,
            Command::Connection(command) => command.run(&open()?).await,
            Command::Test(command) => command.run(open()?, self.global.verbose > 0).await,
            Command::Graph(command) => command.run(&open()?).await,
            Command::Simulate(command) => command.run(open()?).await,
            Command::Doctor(command) => command.run(&open()?).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Cli, packs_in_front};

    #[test]
    fn packs_are_taken_from_both_sides_of_the_command() {
        let arguments =
            ["runner", "--packs", "a", "exec", "x.y", "--packs=b", "k=v", "--packs", "c", "--", "--packs=d"];
        let cli = Cli::parse_from(packs_in_front(arguments.map(Into::into)));
        assert_eq!(cli.global.packs, ["a", "b", "c"].map(std::path::PathBuf::from));
        assert!(Cli::try_parse_from(packs_in_front(["runner", "exec", "x.y", "--packs"].map(Into::into))).is_err());
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
