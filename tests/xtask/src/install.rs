//! `install-wasm-target`: a compiler for WebAssembly, by rustup where that works, otherwise from Debian packages.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use runner_sdk_build::{Places, TARGET, find};

use crate::place;

pub(crate) fn run() -> Result<()> {
    if let Ok(toolchain) = find(&Places::from_environment(place::variable)) {
        println!("installed already: {}", toolchain.version()?);
        return Ok(());
    }
    let by_rustup = Command::new("rustup").args(["target", "add", TARGET]).status();
    if by_rustup.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    println!("rustup cannot install the target; trying Debian packages");
    let script = place::root().join(".ci/install-wasm-target");
    let status = Command::new(&script).status().with_context(|| script.display().to_string())?;
    ensure!(status.success(), "{} failed", script.display());
    Ok(())
}
