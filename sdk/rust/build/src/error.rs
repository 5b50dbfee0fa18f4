//! Why a component could not be built.

use std::path::PathBuf;

/// Why a component could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no compiler for WebAssembly. What to install is in [`BuildError::hint`].
    #[error("no Rust compiler for wasm32-unknown-unknown is installed")]
    NoToolchain {
        /// What was looked for, one place a line.
        tried: Vec<String>,
    },
    /// A program could not be started.
    #[error("cannot run `{program}`")]
    Run {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file or directory could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The compiler refused the source.
    #[error("{} does not compile", manifest.display())]
    Compile {
        /// The crate.
        manifest: PathBuf,
        /// What cargo said.
        output: String,
    },
    /// Cargo's answer is not what it should be.
    #[error("cargo's answer cannot be read: {0}")]
    Answer(String),
    /// The crate makes no component.
    #[error("{} makes no component", manifest.display())]
    NoComponent {
        /// The crate.
        manifest: PathBuf,
    },
    /// The linker made a plain module.
    #[error("{} was linked to a plain module, not to a component", manifest.display())]
    PlainModule {
        /// The crate.
        manifest: PathBuf,
    },
}

impl BuildError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoToolchain { tried } => Some(format!(
                "run `rustup target add wasm32-unknown-unknown`; where rustup cannot download, run \
                 `.ci/install-wasm-target` of runner's repository on Debian. Looked for: {}",
                tried.join("; ")
            )),
            Self::NoComponent { .. } => Some("write `crate-type = [\"cdylib\", \"rlib\"]` under `[lib]`".to_owned()),
            Self::PlainModule { .. } => {
                Some("the linker must be `wasm-component-ld`, which is part of Rust 1.82 and later".to_owned())
            }
            Self::Compile { .. } | Self::Run { .. } | Self::Read { .. } | Self::Answer(_) => None,
        }
    }
}
