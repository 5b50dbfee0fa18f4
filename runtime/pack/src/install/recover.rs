//! What was about to be done when the process was killed: noted before, finished or undone after.

use std::fs;
use std::path::{Path, PathBuf};

use runner_model::PackRef;
use serde::{Deserialize, Serialize};

use super::InstallError;
use super::changes::differences;
use super::lock::{Lock, Locked};
use super::swap::{clear, put, replace_file};

/// Where a packs directory is worked on: hidden in it, so on the same filesystem.
#[derive(Debug, Clone)]
pub(super) struct Work {
    packs: PathBuf,
}

/// What is about to be done.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Intent {
    pub(super) reference: PackRef,
    /// What will be there; none if it is removed.
    pub(super) new: Option<Locked>,
}

impl Work {
    const DIRECTORY: &str = ".installing";

    pub(super) fn in_packs(packs: &Path) -> Self {
        Self { packs: packs.to_owned() }
    }

    pub(super) fn directory(&self) -> PathBuf {
        self.packs.join(Self::DIRECTORY)
    }

    pub(super) fn lock_file(&self) -> PathBuf {
        self.directory().join("lock")
    }

    /// Where something new is put together.
    pub(super) fn staging(&self) -> PathBuf {
        self.directory().join("new")
    }

    /// Where something old goes.
    pub(super) fn old(&self) -> PathBuf {
        self.directory().join("old")
    }

    fn intent(&self) -> PathBuf {
        self.directory().join("intent.json")
    }

    /// Whether something was noted that is not done: by a process that was killed, or by one that is at it.
    pub(super) fn is_interrupted(&self) -> bool {
        self.intent().is_file()
    }

    /// Notes what is about to be done.
    pub(super) fn intend(&self, intent: &Intent) -> Result<(), InstallError> {
        let path = self.intent();
        let bytes = serde_json::to_vec(intent).map_err(std::io::Error::other);
        bytes.and_then(|bytes| replace_file(&path, &bytes)).map_err(InstallError::io(&path))
    }

    /// It is done: nothing of it is left behind.
    pub(super) fn done(&self) -> Result<(), InstallError> {
        for path in [self.intent(), self.staging(), self.old()] {
            clear(&path).map_err(InstallError::io(&path))?;
        }
        Ok(())
    }

    /// Removes what was put together, unless something is under way.
    pub(super) fn tidy(&self) {
        if !self.is_interrupted() {
            let _ = clear(&self.staging());
        }
    }

    /// Finishes what was begun, or undoes it. Only who holds the lock may.
    pub(super) fn recover(&self) -> Result<(), InstallError> {
        // What cannot be read was not noted whole, and nothing was done yet.
        let intent = fs::read(self.intent()).ok().and_then(|bytes| serde_json::from_slice::<Intent>(&bytes).ok());
        if let Some(intent) = intent {
            self.settle(intent)?;
        }
        self.done()
    }

    fn settle(&self, Intent { reference, new }: Intent) -> Result<(), InstallError> {
        let place = self.packs.join(reference.as_str());
        let old = self.old().join(reference.as_str());
        let is_there = fs::symlink_metadata(&place).is_ok();
        match new {
            None if is_there => Ok(()),
            None => Lock::forget(&self.packs, &reference),
            Some(new) if is_there && differences(&place, &new).is_empty() => Lock::note(&self.packs, reference, new),
            Some(_) if !is_there && old.is_dir() => put(&old, &place).map_err(InstallError::io(&place)),
            Some(_) => Ok(()),
        }
    }
}
