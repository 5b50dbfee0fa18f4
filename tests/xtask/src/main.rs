//! `cargo xtask`: what shell scripts would otherwise do.

mod build_components;
mod errors;
mod guests;
mod install;
mod lock;
mod place;
mod readme;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Project automation")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build every committed component from its source: those of `packs`, `examples` and `tests/guests`.
    BuildComponents {
        /// Compare with the committed components instead of writing them.
        #[arg(long)]
        check: bool,
        /// Only components whose name contains this.
        #[arg(long, value_name = "TEXT")]
        only: Option<String>,
    },
    /// Write the page of all error codes.
    Errors {
        /// Fail if the page is not up to date instead of writing it.
        #[arg(long)]
        check: bool,
    },
    /// Run every command of the README and of the examples in a fresh copy of the repository.
    Readme {
        /// Also the tests, which are a step of their own in CI.
        #[arg(long)]
        all: bool,
    },
    /// Install a compiler for WebAssembly: by rustup where that works, otherwise from Debian packages.
    InstallWasmTarget,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::BuildComponents { check, only } => build_components::run(check, only.as_deref()),
        Task::Errors { check } => errors::run(check),
        Task::Readme { all } => readme::run(all),
        Task::InstallWasmTarget => install::run(),
    }
}
