//! Which version of each pack was in use last: a small file that is replaced whole.
//!
//! It only matters while a pack is broken, so what cannot be read of it is as good as not there.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use runner_model::PackRef;
use serde::{Deserialize, Serialize};

use super::copy::{hidden, private_directory, sync_directory, write_file};
use crate::Library;

const FILE: &str = "current.json";

/// The version of a pack that was in use.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) digest: String,
    /// Where its files were.
    pub(super) directory: PathBuf,
}

/// Notes the versions of a library, if they are others than those that are noted.
pub(super) fn write(directory: &Path, library: &Library) -> io::Result<()> {
    let mark = |digest: &String, directory: &PathBuf| Mark { digest: digest.clone(), directory: directory.clone() };
    let packs = library.packs();
    let marks: BTreeMap<_, _> =
        packs.map(|pack| (pack.reference().clone(), mark(&pack.digest, &pack.directory))).collect();
    if read(directory) == marks {
        return Ok(());
    }
    private_directory(directory)?;
    let place = directory.join(FILE);
    let unfinished = hidden(&place);
    write_file(&unfinished, &serde_json::to_vec(&marks)?)?;
    // What stays of it is removed when the archive is pruned.
    fs::rename(&unfinished, &place)?;
    sync_directory(directory)
}

/// The versions that are noted.
pub(super) fn read(directory: &Path) -> BTreeMap<PackRef, Mark> {
    let marks = fs::read(directory.join(FILE)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    marks.unwrap_or_default()
}
