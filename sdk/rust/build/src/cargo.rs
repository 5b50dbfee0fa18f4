//! Runs cargo for one crate, so that the same source makes the same bytes wherever it lies.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{BuildError, Source, TARGET, Toolchain, component};

/// Small, without what only a debugger needs. Given on the command line, so that a pack needs no profile of its own.
const PROFILE: [&str; 7] = [
    "profile.release.opt-level=\"s\"",
    "profile.release.lto=true",
    "profile.release.codegen-units=1",
    "profile.release.panic=\"abort\"",
    "profile.release.strip=true",
    "profile.release.debug=false",
    "profile.release.incremental=false",
];

/// How to build.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where cargo keeps what it made; by default where it always does.
    pub target_dir: Option<PathBuf>,
    /// Whether `Cargo.lock` must be there and up to date.
    pub locked: bool,
    /// Whether to show cargo's progress; otherwise only what went wrong is kept.
    pub verbose: bool,
}

/// A component that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Its bytes.
    pub wasm: Vec<u8>,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
}

impl Built {
    /// The SHA-256 of its bytes, in hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.wasm).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Builds a component from its source.
///
/// # Errors
/// The source does not compile, or does not make a component.
pub fn build(toolchain: &Toolchain, source: &Source, options: &Options) -> Result<Built, BuildError> {
    let metadata = metadata(toolchain, source, options)?;
    let mut command = command(toolchain, source, options, "build");
    command.args(["--release", "--lib", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    if let Some(target_dir) = &options.target_dir {
        command.arg("--target-dir").arg(target_dir);
    }
    // Takes the place of any other flags, so that a user's own cannot change the bytes.
    command.env("CARGO_ENCODED_RUSTFLAGS", metadata.remappings(options).join("\x1f"));
    let messages = run(command, source, options)?;
    let artifact = messages.lines().find_map(|line| component_file(line, &source.manifest));
    let Some(path) = artifact else {
        return Err(BuildError::NoComponent { manifest: source.manifest.clone() });
    };
    let wasm = std::fs::read(&path).map_err(|source| BuildError::Read { path, source })?;
    match component::imports(&wasm) {
        Some(imports) => Ok(Built { wasm, imports }),
        None => Err(BuildError::PlainModule { manifest: source.manifest.clone() }),
    }
}

fn command(toolchain: &Toolchain, source: &Source, options: &Options, subcommand: &str) -> Command {
    let mut command = toolchain.cargo();
    command.arg(subcommand).arg("--manifest-path").arg(&source.manifest);
    if options.locked {
        command.arg("--locked");
    }
    // A wrapper or a workspace's own setting would be another compiler.
    command.env_remove("RUSTFLAGS").env_remove("RUSTC_WRAPPER").env_remove("RUSTC_WORKSPACE_WRAPPER");
    command.stdin(Stdio::null());
    command
}

/// Runs cargo; gives what it wrote to its standard output.
fn run(mut command: Command, source: &Source, options: &Options) -> Result<String, BuildError> {
    let program = command.get_program().to_string_lossy().into_owned();
    if options.verbose {
        command.stderr(Stdio::inherit());
    }
    let output = command.output().map_err(|source| BuildError::Run { program, source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let output = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(BuildError::Compile { manifest: source.manifest.clone(), output })
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    /// Where it came from; none if it is a directory of the user's.
    source: Option<String>,
}

fn metadata(toolchain: &Toolchain, source: &Source, options: &Options) -> Result<Metadata, BuildError> {
    let mut command = command(toolchain, source, options, "metadata");
    command.args(["--format-version", "1", "--filter-platform", TARGET]);
    let answer = run(command, source, options)?;
    serde_json::from_str(&answer).map_err(|error| BuildError::Answer(error.to_string()))
}

impl Metadata {
    /// Compiler flags that replace the places of this machine by fixed words. Of several that fit, the last one counts.
    fn remappings(&self, options: &Options) -> Vec<String> {
        let mut places: BTreeMap<&Path, String> = BTreeMap::new();
        for package in &self.packages {
            let Some(directory) = package.manifest_path.parent() else { continue };
            match (&package.source, registry(directory)) {
                (Some(_), Some(registry)) => drop(places.insert(registry, "/registry".to_owned())),
                (Some(_), None) => drop(places.insert(directory, format!("/registry/{}", package.name))),
                (None, _) if directory.starts_with(&self.workspace_root) => {}
                (None, _) => drop(places.insert(directory, format!("/packages/{}", package.name))),
            }
        }
        let target = options.target_dir.as_ref().unwrap_or(&self.target_directory);
        places.insert(&self.workspace_root, "/source".to_owned());
        places.insert(target, "/target".to_owned());
        // In the order of a map, a directory stands before those within it.
        places.into_iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect()
    }
}

/// The directory of all packages of a registry, `…/registry/src/<registry>`.
fn registry(package: &Path) -> Option<&Path> {
    let registry = package.parent()?;
    let parents: Vec<_> = registry.parent()?.components().rev().take(2).collect();
    let names: Vec<_> = parents.iter().map(|component| component.as_os_str()).collect();
    (names == ["src", "registry"]).then_some(registry)
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// The file that a message of cargo's announces, if it is this crate's component.
fn component_file(line: &str, manifest: &Path) -> Option<PathBuf> {
    let message: Message = serde_json::from_str(line).ok()?;
    let of_this_crate = message.manifest_path.is_some_and(|path| same_file(&path, manifest).unwrap_or(false));
    if message.reason != "compiler-artifact" || !of_this_crate {
        return None;
    }
    message.filenames.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "wasm"))
}

fn same_file(a: &Path, b: &Path) -> io::Result<bool> {
    Ok(a.canonicalize()? == b.canonicalize()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_the_machine_are_replaced_from_the_outside_in() {
        let package = |name: &str, path: &str, source: Option<&str>| Package {
            name: name.to_owned(),
            manifest_path: PathBuf::from(path),
            source: source.map(str::to_owned),
        };
        let metadata = Metadata {
            workspace_root: "/home/ada/packs/demo".into(),
            target_directory: "/home/ada/packs/demo/target".into(),
            packages: vec![
                package("pack-demo", "/home/ada/packs/demo/Cargo.toml", None),
                package("runner-sdk", "/opt/runner/sdk/rust/Cargo.toml", None),
                package("serde", "/home/ada/.cargo/registry/src/index-1/serde-1.0.0/Cargo.toml", Some("registry")),
                package("other", "/home/ada/.cargo/git/checkouts/other/Cargo.toml", Some("git")),
            ],
        };
        assert_eq!(
            metadata.remappings(&Options::default()),
            [
                "--remap-path-prefix=/home/ada/.cargo/git/checkouts/other=/registry/other",
                "--remap-path-prefix=/home/ada/.cargo/registry/src/index-1=/registry",
                "--remap-path-prefix=/home/ada/packs/demo=/source",
                "--remap-path-prefix=/home/ada/packs/demo/target=/target",
                "--remap-path-prefix=/opt/runner/sdk/rust=/packages/runner-sdk",
            ]
        );
    }

    #[test]
    fn only_this_crates_wasm_file_is_the_component() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = dir.path().join("Cargo.toml");
        std::fs::write(&manifest, "").unwrap();
        let line = |reason: &str, file: &str| {
            serde_json::json!({ "reason": reason, "manifest_path": manifest, "filenames": ["/t/lib.rlib", file] })
                .to_string()
        };
        assert_eq!(component_file(&line("compiler-artifact", "/t/a.wasm"), &manifest), Some("/t/a.wasm".into()));
        assert_eq!(component_file(&line("compiler-artifact", "/t/a.so"), &manifest), None);
        assert_eq!(component_file(&line("build-script-executed", "/t/a.wasm"), &manifest), None);
        assert_eq!(component_file("not json", &manifest), None);
    }
}
