//! `cargo xtask`: what shell scripts would otherwise do.

mod build_components;
mod guests;
mod install;
mod lock;
mod place;

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
    /// Install a compiler for WebAssembly: by rustup where that works, otherwise from Debian packages.
    InstallWasmTarget,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::BuildComponents { check, only } => build_components::run(check, only.as_deref()),
        Task::InstallWasmTarget => install::run(),
    }
}
