//! `crash` and `sim`: tests that the gate runs for a minute, run for longer, optimised.

use anyhow::{Context, Result, ensure};

use crate::place;

/// Kills the binary so often.
pub(crate) fn crash(kills: u32, seed: u64) -> Result<()> {
    let settings = [("RUNNER_CRASH_KILLS", u64::from(kills)), ("RUNNER_CRASH_SEED", seed)];
    test("runner", "it", "crash::", &settings)
}

/// Runs so many simulations, or a single one with its trace.
pub(crate) fn sim(seeds: u64, first: u64, only: Option<u64>) -> Result<()> {
    let settings = match only {
        Some(seed) => vec![("RUNNER_SIM_SEED", seed)],
        None => vec![("RUNNER_SIM_SEEDS", seeds), ("RUNNER_SIM_FIRST", first)],
    };
    test("runner-executor", "sim", "whatever_fails", &settings)
}

fn test(package: &str, target: &str, name: &str, settings: &[(&str, u64)]) -> Result<()> {
    let mut cargo = place::cargo();
    cargo.args(["test", "--release", "--package", package, "--test", target]);
    cargo.args(["--", name, "--nocapture"]);
    cargo.envs(settings.iter().map(|(name, value)| (name, value.to_string())));
    let status = cargo.status().context("cargo does not start")?;
    ensure!(status.success(), "it went wrong: the seed is in what was printed");
    Ok(())
}
