//! `components/build.lock`: what the components are and which compiler made them. `cargo xtask build-components` writes
//! the same file.

use std::collections::BTreeMap;
use std::path::Path;

use runner_model::code;
use serde::{Deserialize, Serialize};

use super::write;
use crate::error::CliError;
use crate::exit::Exit;

const FILE: &str = "build.lock";
const HEADER: &str = "# Written by `runner pack build`: what made the components beside this file.\n\n";

/// What is known of the components of a pack.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Lock(pub(super) BTreeMap<String, Made>);

/// What is known of one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Made {
    /// The SHA-256 of its bytes, in hex.
    pub(super) sha256: String,
    /// The compiler.
    pub(super) rustc: String,
    /// The target it compiled for.
    pub(super) target: String,
}

impl Lock {
    pub(super) fn read(components: &Path) -> Result<Self, CliError> {
        let path = components.join(FILE);
        if !path.is_file() {
            return Ok(Self::default());
        }
        let bad = |error: String| {
            let message = format!("`{}` cannot be read: {error}", path.display());
            CliError::new(Exit::Invalid, code::PACK_BUILD, message).hint("remove the file; it is made again")
        };
        let text = std::fs::read_to_string(&path).map_err(|error| bad(error.to_string()))?;
        toml::from_str(&text).map_err(|error| bad(error.message().to_owned()))
    }

    pub(super) fn write(&self, components: &Path) -> Result<(), CliError> {
        // A map of texts can always be written.
        let text = format!("{HEADER}{}", toml::to_string(self).unwrap_or_default());
        write(&components.join(FILE), text.as_bytes())
    }
}
