//! Where things are: the repository, and what the environment says.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Where cargo keeps what it made.
pub(crate) fn target_dir() -> PathBuf {
    variable("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Where cargo keeps what it made of components: apart from the rest, which another compiler made.
pub(crate) fn components_dir() -> PathBuf {
    target_dir().join("components")
}

/// The cargo that runs this, at the root of the repository.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(variable("CARGO").as_deref().unwrap_or("cargo"));
    cargo.current_dir(root());
    cargo
}

/// A variable of the environment.
#[allow(clippy::disallowed_methods, reason = "this is the one place of this program that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The names of all variables of the environment.
pub(crate) fn variables() -> impl Iterator<Item = String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())
}
