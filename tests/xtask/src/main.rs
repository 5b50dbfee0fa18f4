//! `cargo xtask`: what shell scripts would otherwise do.

mod bench;
mod build_components;
mod errors;
mod guests;
mod install;
mod lock;
mod long;
mod place;
mod readme;

use std::path::PathBuf;

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
    /// Kill the binary again and again while it works, and check that nothing is lost and nothing done twice.
    Crash {
        /// How often.
        #[arg(long, default_value_t = 1_000)]
        kills: u32,
        /// When: another seed kills at other times.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Build a release, run the measurements one after the other, and print all figures as one table, ratios first.
    Bench {
        /// Only these, and not all.
        #[arg(value_parser = clap::builder::PossibleValuesParser::new(bench::PARTS))]
        parts: Vec<String>,
        /// Write the figures to this file, too.
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
        /// Seconds instead of minutes: enough to see that everything works, too little for figures to mean anything.
        #[arg(long)]
        quick: bool,
    },
    /// Run executors in simulated worlds, each made by a seed.
    Sim {
        /// How many.
        #[arg(long, default_value_t = 10_000)]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        first: u64,
        /// A single one, with its trace.
        #[arg(long, conflicts_with_all = ["seeds", "first"])]
        seed: Option<u64>,
    },
    /// Install a compiler for WebAssembly: by rustup where that works, otherwise from Debian packages.
    InstallWasmTarget,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::BuildComponents { check, only } => build_components::run(check, only.as_deref()),
        Task::Errors { check } => errors::run(check),
        Task::Readme { all } => readme::run(all),
        Task::Crash { kills, seed } => long::crash(kills, seed),
        Task::Sim { seeds, first, seed } => long::sim(seeds, first, seed),
        Task::Bench { parts, json, quick } => bench::run(&parts, json.as_deref(), quick),
        Task::InstallWasmTarget => install::run(),
    }
}
