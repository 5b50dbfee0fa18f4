//! A directory in which a pack is put together before it gets its name: what comes in is counted, summed and written, each file
//! new.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use runner_model::limits;
use sha2::{Digest as _, Sha256};

use super::Refusal;
use super::name::{Name, Names};
use crate::digest::Sum;

/// What of the content is in memory at the same time, in bytes.
const PART_BYTES: usize = 64 * 1024;

/// The files that came in so far.
pub(super) struct Stage {
    /// None: nothing is written, only looked at.
    root: Option<PathBuf>,
    names: Names,
    bytes_max: u64,
    bytes: u64,
    sums: BTreeMap<String, Sum>,
}

impl Stage {
    /// One that writes below this directory, which is empty and nobody else's.
    pub(super) fn at(root: &Path, bytes_max: u64) -> Self {
        Self { root: Some(root.to_owned()), ..Self::nowhere(bytes_max) }
    }

    /// One that only counts and sums.
    pub(super) fn nowhere(bytes_max: u64) -> Self {
        Self { root: None, names: Names::default(), bytes_max, bytes: 0, sums: BTreeMap::new() }
    }

    /// The sums of the files.
    pub(super) fn sums(self) -> BTreeMap<String, Sum> {
        self.sums
    }

    fn count(&self) -> Result<(), Refusal> {
        match self.names.count() > limits::PACK_ENTRIES_MAX {
            true => {
                Err(Refusal::large(format!("there are more than {} files and directories", limits::PACK_ENTRIES_MAX)))
            }
            false => Ok(()),
        }
    }

    /// A directory. A hidden one is left out.
    pub(super) fn directory(&mut self, name: &Name) -> Result<(), Refusal> {
        self.names.take_directory(name)?;
        self.count()?;
        match &self.root {
            Some(root) if !name.is_hidden() => make_directory(&root.join(name.as_str())),
            _ => Ok(()),
        }
    }

    /// A file of so many bytes, which `read` gives in parts. A hidden one is left out.
    pub(super) fn file(
        &mut self,
        name: &Name,
        size: u64,
        mut read: impl FnMut(&mut [u8]) -> Result<usize, Refusal>,
    ) -> Result<(), Refusal> {
        self.names.take_file(name)?;
        self.count()?;
        let bytes = self.bytes.saturating_add(size);
        if bytes > self.bytes_max {
            let max = self.bytes_max;
            return Err(Refusal::large(format!(
                "the files are more than the {max} bytes together that are allowed here"
            )));
        }
        self.bytes = bytes;
        if name.is_hidden() {
            return Ok(());
        }
        let mut file = self.root.as_deref().map(|root| create(root, name)).transpose()?;
        let (mut hasher, mut part) = (Sha256::new(), vec![0; PART_BYTES]);
        loop {
            let length = read(&mut part)?;
            let Some(part) = part.get(..length).filter(|part| !part.is_empty()) else { break };
            hasher.update(part);
            if let Some(file) = &mut file {
                file.write_all(part).map_err(|error| unwritten(name.as_str(), &error))?;
            }
        }
        self.sums.insert(name.as_str().to_owned(), hasher.finalize().into());
        Ok(())
    }
}

fn make_directory(path: &Path) -> Result<(), Refusal> {
    fs::create_dir_all(path).map_err(|error| unwritten(&path.display().to_string(), &error))
}

/// A new file that everybody may read and nobody may run, whatever the archive says.
fn create(root: &Path, name: &Name) -> Result<fs::File, Refusal> {
    let path = root.join(name.as_str());
    if let Some(parent) = path.parent() {
        make_directory(parent)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    options.open(&path).map_err(|error| unwritten(name.as_str(), &error))
}

fn unwritten(name: &str, error: &std::io::Error) -> Refusal {
    Refusal::new(runner_model::code::PACK_LOCK, format!("`{name}` cannot be written: {error}"))
}
