//! Packs that are installed: from an archive or a directory into a packs directory, whole or not at all.
//!
//! What comes is of unknown origin. **Nothing is written outside of a directory that is made for it**, nothing that is no plain
//! file or directory is made, and no name is taken that another system would read as another's. What was unpacked is checked
//! as a pack before it gets its name ([`Place::publish`]), and `runner.lock` says what it was ([`Lock`]).
//!
//! No network: whoever fetches an archive hands over its bytes.

mod bundle;
mod changes;
mod collect;
mod entries;
mod lock;
mod name;
mod pax;
mod place;
mod recover;
mod stage;
mod swap;
mod unpack;

use std::io;
use std::path::{Path, PathBuf};

use runner_model::{Code, code};

pub use bundle::bundle;
pub use changes::{Differences, differences};
pub use lock::{LOCK_FILE, Lock, Locked, Origin};

pub(crate) use name::fold;
pub use place::{Place, Published, Staged};

/// Why something cannot be installed: what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind of mistake.
    pub code: Code,
    /// A lowercase sentence.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        // A message quotes names of unknown origin.
        let message = crate::source::printable(&message.into()).replace(['\n', '\r', '\t'], "?");
        Self { code, message, hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn archive(message: impl Into<String>) -> Self {
        Self::new(code::PACK_ARCHIVE, message)
    }

    fn entry(message: impl Into<String>) -> Self {
        Self::new(code::PACK_ENTRY, message)
    }

    fn large(message: impl Into<String>) -> Self {
        Self::new(code::PACK_TOO_LARGE, message)
    }
}

/// Why nothing was installed or removed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// What was to be installed is not fit for it: everything that was found.
    #[error("the pack cannot be installed")]
    Refused(Vec<Refusal>),
    /// The packs directory cannot be read or written.
    #[error("`{}` cannot be read or written", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The lock file is not one.
    #[error("`{}` cannot be understood: {why}", path.display())]
    Lock {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl InstallError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

impl From<Refusal> for InstallError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(vec![refusal])
    }
}
