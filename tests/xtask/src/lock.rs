//! `build.lock`: beside committed components, what they are and which compiler made them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

const HEADER: &str = "# Written by `cargo xtask build-components`: what made the components beside this file.\n\n";

/// What is known of the components of one directory.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Lock(pub(crate) BTreeMap<String, Made>);

/// What is known of one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Made {
    /// The SHA-256 of its bytes.
    pub(crate) sha256: String,
    /// The compiler.
    pub(crate) rustc: String,
    /// The target it compiled for.
    pub(crate) target: String,
}

impl Lock {
    /// Reads the lock of a directory; an empty one if there is none.
    pub(crate) fn read(components: &Path) -> Result<Self> {
        let path = file(components);
        if !path.is_file() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Writes the lock of a directory.
    pub(crate) fn write(&self, components: &Path) -> Result<()> {
        let path = file(components);
        let text = format!("{HEADER}{}", toml::to_string(self)?);
        std::fs::write(&path, text).with_context(|| path.display().to_string())
    }
}

fn file(components: &Path) -> PathBuf {
    components.join("build.lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Lock::read(dir.path()).unwrap(), Lock::default());
        let made = Made { sha256: "ab".to_owned(), rustc: "rustc 1.96.0".to_owned(), target: "wasm32".to_owned() };
        let lock = Lock(BTreeMap::from([("host-guest".to_owned(), made)]));
        lock.write(dir.path()).unwrap();
        assert_eq!(Lock::read(dir.path()).unwrap(), lock);
    }
}
