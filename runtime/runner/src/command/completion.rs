//! `runner completion`: what a shell needs to complete commands and options.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::Exit;

/// Write a completion script for a shell
///
/// For bash: `runner completion bash > ~/.local/share/bash-completion/completions/runner`
#[derive(Debug, Args)]
pub(crate) struct CompletionCommand {
    /// The shell
    shell: Shell,
}

impl CompletionCommand {
    /// Writes it.
    pub(crate) fn run(&self) -> Exit {
        clap_complete::generate(self.shell, &mut Cli::command(), "runner", &mut std::io::stdout());
        Exit::Succeeded
    }
}
