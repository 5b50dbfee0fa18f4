//! The binary `runner`: command line, configuration, wiring, shutdown. **It decides nothing**: what a pack means, what
//! follows from an outcome and what a guest may do are said by the crates below.

mod app;
mod cli;
mod command;
mod compiler;
mod config;
mod daemon;
mod embedded;
mod error;
mod exit;
mod manners;
mod offer;
mod output;
mod owner;
mod phase;
mod process;
mod record;
mod records;
mod remote;
mod spelling;
mod stop;
mod stored;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// A request takes some dozens of allocations, most of which another thread frees.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(exit) = compiler::if_asked(std::env::args_os()) {
        return exit;
    }
    let entered_us = phase::now_us();
    let arguments = cli::packs_in_front(std::env::args_os());
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return cli::refuse(&error, &arguments).into(),
    };
    let environment = config::Environment::of_the_process();
    let output = Output::new(&cli.global, &environment);
    output::start_logs(&cli.global, &environment, cli.is_daemon());
    phase::reached_at("main entered", entered_us);
    phase::reached("arguments read");
    if cli.is_daemon() {
        // Before anything is sized by their number.
        runner_host::raise_open_files();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let failed = CliError::new(Exit::Broken, runner_model::code::HOST_OTHER, "the async runtime cannot start");
            return output.report(&failed.caused_by(&error)).into();
        }
    };
    phase::reached("threads started");
    let result = runtime.block_on(Box::pin(cli.run(environment, output)));
    // Whatever still runs then has been told to stop and is recorded; waiting longer would only keep the user.
    runtime.shutdown_background();
    match result {
        Ok(exit) => exit.into(),
        Err(error) => output.report(&error).into(),
    }
}
