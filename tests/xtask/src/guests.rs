//! Which components the repository commits, and from which crates they are made.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use runner_sdk_build::{Source, sources};

/// A directory of components, and the crates that make them.
pub(crate) struct Group {
    /// The directory of the components.
    pub(crate) components: PathBuf,
    /// What they are made from.
    pub(crate) sources: Vec<Source>,
    /// Whether they may import nothing but the interfaces of the contract. Guests of the tests try WASI on purpose.
    pub(crate) contract_only: bool,
}

/// Every group of the repository: one for each pack, one for the guests of the tests.
pub(crate) fn all(root: &Path) -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    for pack in packs(root)? {
        let sources = sources(&pack)?;
        if !sources.is_empty() {
            groups.push(Group { components: pack.join("components"), sources, contract_only: true });
        }
    }
    let guests = root.join("tests/guests");
    if guests.is_dir() {
        groups.push(Group {
            components: guests.join("components"),
            sources: guest_sources(&guests)?,
            contract_only: false,
        });
    }
    Ok(groups)
}

/// The directories of packs, those that ship and those of the examples.
fn packs(root: &Path) -> Result<Vec<PathBuf>> {
    let mut parents = vec![root.join("packs")];
    parents.extend(directories(&root.join("examples"))?.into_iter().map(|example| example.join("packs")));
    let mut packs = Vec::new();
    for parent in parents.iter().filter(|parent| parent.is_dir()) {
        packs.extend(directories(parent)?.into_iter().filter(|pack| pack.join("pack.yaml").is_file()));
    }
    Ok(packs)
}

/// Guests of the tests are crates below `tests/guests`, two levels deep, named as their packages.
fn guest_sources(guests: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for outer in directories(guests)? {
        let mut candidates = directories(&outer)?;
        candidates.push(outer);
        for manifest in candidates.into_iter().map(|directory| directory.join("Cargo.toml")) {
            if let Some(component) = cdylib_name(&manifest)? {
                sources.push(Source { component, manifest });
            }
        }
    }
    sources.sort();
    Ok(sources)
}

/// The name of a package that makes a `cdylib`.
fn cdylib_name(manifest: &Path) -> Result<Option<String>> {
    if !manifest.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(manifest).with_context(|| manifest.display().to_string())?;
    let table: toml::Table = toml::from_str(&text).with_context(|| manifest.display().to_string())?;
    let kinds = table.get("lib").and_then(|lib| lib.get("crate-type")).and_then(toml::Value::as_array);
    let is_cdylib = kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind.as_str() == Some("cdylib")));
    let name = table.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
    Ok(name.filter(|_| is_cdylib).map(str::to_owned))
}

/// The directories in a directory, sorted.
fn directories(parent: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in parent.read_dir().with_context(|| parent.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
