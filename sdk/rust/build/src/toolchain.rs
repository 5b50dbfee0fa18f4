//! Where the compiler for WebAssembly is.
//!
//! In this order: the cargo that `RUNNER_WASM_CARGO` names; the one that `.ci/install-wasm-target` made, in
//! `RUNNER_WASM_PREFIX` or `~/.cache/runner-wasm`; the installed Rust toolchain, if it has the target.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::BuildError;

/// The one target that components are built for: it has no WASI, so a component imports nothing but runner's interfaces.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Where to look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// A cargo that compiles to WebAssembly, with its `rustc` beside it: `RUNNER_WASM_CARGO`.
    pub cargo: Option<PathBuf>,
    /// Where `.ci/install-wasm-target` put its compiler.
    pub prefix: Option<PathBuf>,
}

impl Places {
    /// The places, from the environment variables that name them.
    #[must_use]
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let path = |name: &str| variable(name).filter(|text| !text.is_empty()).map(PathBuf::from);
        let cache = || {
            let cache = path("XDG_CACHE_HOME").or_else(|| path("HOME").map(|home| home.join(".cache")));
            cache.map(|cache| cache.join("runner-wasm"))
        };
        Self { cargo: path("RUNNER_WASM_CARGO"), prefix: path("RUNNER_WASM_PREFIX").or_else(cache) }
    }
}

/// A compiler for WebAssembly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    /// The linker, where cargo must be told.
    linker: Option<PathBuf>,
}

/// Finds a compiler for WebAssembly.
///
/// # Errors
/// [`BuildError::NoToolchain`], with what was tried.
pub fn find(places: &Places) -> Result<Toolchain, BuildError> {
    let mut tried = Vec::new();
    let in_prefix = places.prefix.as_ref().map(|prefix| prefix.join("bin/wasm-cargo"));
    let wrappers =
        [("RUNNER_WASM_CARGO", places.cargo.clone()), ("the compiler of .ci/install-wasm-target", in_prefix)];
    for (what, cargo) in wrappers {
        let Some(cargo) = cargo else { continue };
        let rustc = cargo.with_file_name("rustc");
        if cargo.is_file() && rustc.is_file() {
            return Ok(Toolchain { cargo, rustc, linker: None });
        }
        tried.push(format!("{what} ({}, with a `rustc` beside it)", cargo.display()));
    }
    match installed() {
        Ok(toolchain) => Ok(toolchain),
        Err(why) => {
            tried.push(why);
            Err(BuildError::NoToolchain { tried })
        }
    }
}

/// The Rust toolchain that is installed, if it has the target and the linker.
fn installed() -> Result<Toolchain, String> {
    let rustc = PathBuf::from("rustc");
    let sysroot = output(&rustc, &["--print", "sysroot"]).map_err(|_| "rustc (not installed)".to_owned())?;
    let rustlib = Path::new(sysroot.trim()).join("lib/rustlib");
    let library = rustlib.join(TARGET).join("lib");
    if !library.is_dir() {
        return Err(format!("the target of the installed toolchain ({})", library.display()));
    }
    let version = output(&rustc, &["-vV"]).map_err(|error| error.to_string())?;
    let host = field(&version, "host").unwrap_or_default();
    let linker = rustlib.join(host).join("bin/wasm-component-ld");
    if !linker.is_file() {
        return Err(format!("its linker ({})", linker.display()));
    }
    Ok(Toolchain { cargo: PathBuf::from("cargo"), rustc, linker: Some(linker) })
}

impl Toolchain {
    /// What compiler this is: two that answer the same make the same bytes.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn version(&self) -> Result<String, BuildError> {
        let version = output(&self.rustc, &["-vV"])?;
        let first = version.lines().next().unwrap_or_default();
        let llvm = field(&version, "LLVM version").unwrap_or("of an unknown version");
        Ok(format!("{first}, LLVM {llvm}"))
    }

    /// A cargo command that uses this compiler.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        if let Some(linker) = &self.linker {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        command
    }
}

fn output(program: &Path, arguments: &[&str]) -> Result<String, BuildError> {
    let failed = |source| BuildError::Run { program: program.display().to_string(), source };
    let output = Command::new(program).args(arguments).output().map_err(failed)?;
    if !output.status.success() {
        return Err(failed(std::io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A field of `rustc -vV`.
fn field<'a>(version: &'a str, name: &str) -> Option<&'a str> {
    version.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_places_come_from_the_environment() {
        let places = Places::from_environment(|name| (name == "HOME").then(|| "/home/ada".to_owned()));
        assert_eq!(places, Places { cargo: None, prefix: Some("/home/ada/.cache/runner-wasm".into()) });
        let set = Places::from_environment(|name| match name {
            "RUNNER_WASM_CARGO" => Some("/x/cargo".to_owned()),
            "RUNNER_WASM_PREFIX" => Some("/y".to_owned()),
            _ => Some(String::new()),
        });
        assert_eq!(set, Places { cargo: Some("/x/cargo".into()), prefix: Some("/y".into()) });
    }

    #[test]
    fn a_named_cargo_goes_before_the_prefix() {
        let dir = tempfile::tempdir().unwrap();
        let bin = dir.path().join("bin");
        fs::create_dir(&bin).unwrap();
        for name in ["my-cargo", "wasm-cargo", "rustc"] {
            fs::write(bin.join(name), "").unwrap();
        }
        let places = Places { cargo: Some(bin.join("my-cargo")), prefix: Some(dir.path().to_owned()) };
        assert_eq!(find(&places).unwrap().cargo, bin.join("my-cargo"));
        let without = Places { cargo: Some(bin.join("missing")), ..places };
        assert_eq!(find(&without).unwrap().cargo, bin.join("wasm-cargo"));
    }

    #[test]
    fn a_missing_compiler_says_what_to_install() {
        let error = BuildError::NoToolchain { tried: vec!["here".to_owned()] };
        let hint = error.hint().unwrap();
        assert!(hint.contains("rustup target add wasm32-unknown-unknown") && hint.contains("here"), "{hint}");
    }
}
