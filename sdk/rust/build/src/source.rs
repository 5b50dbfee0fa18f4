//! Which crates of a pack make which components.

use std::path::{Path, PathBuf};

use crate::BuildError;

/// A crate that makes a component.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The component's name: `components/<name>.wasm`.
    pub component: String,
    /// The crate's `Cargo.toml`.
    pub manifest: PathBuf,
}

/// The crates of a pack: the pack's own directory makes the component that has the pack's ref, and each directory in it that
/// has a `Cargo.toml` makes the component that has the directory's name. None, if the pack has no Rust source.
///
/// # Errors
/// The directory cannot be read.
pub fn sources(pack: &Path) -> Result<Vec<Source>, BuildError> {
    let unreadable = |source| BuildError::Read { path: pack.to_owned(), source };
    let pack = pack.canonicalize().map_err(unreadable)?;
    let mut directories = vec![pack.clone()];
    for entry in pack.read_dir().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        // What a build leaves behind may hold whole packages.
        if entry.file_name() != "target" && entry.path().is_dir() {
            directories.push(entry.path());
        }
    }
    let mut found: Vec<Source> = directories
        .into_iter()
        .filter_map(|directory| {
            let manifest = directory.join("Cargo.toml");
            let component = directory.file_name()?.to_str()?.to_owned();
            manifest.is_file().then_some(Source { component, manifest })
        })
        .collect();
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_pack_and_its_directories_make_components() {
        let dir = tempfile::tempdir().unwrap();
        let pack = dir.path().join("capacity");
        for place in ["", "array_simulator", "actions", "target"] {
            fs::create_dir_all(pack.join(place)).unwrap();
        }
        for place in ["", "array_simulator", "target"] {
            fs::write(pack.join(place).join("Cargo.toml"), "").unwrap();
        }
        let names: Vec<_> = sources(&pack).unwrap().into_iter().map(|source| source.component).collect();
        assert_eq!(names, ["array_simulator", "capacity"]);
    }

    #[test]
    fn a_pack_without_rust_makes_none() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(sources(dir.path()).unwrap(), []);
        assert!(sources(&dir.path().join("missing")).is_err());
    }
}
