//! How a directory differs from what was installed there.

use std::collections::BTreeMap;
use std::path::Path;

use runner_model::limits;
use serde::Serialize;

use super::Locked;
use super::collect::collect;
use super::stage::Stage;

/// How a directory differs from what was installed there: paths below it, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    /// Files with another content.
    pub changed: Vec<String>,
    /// Files that are not there any more.
    pub missing: Vec<String>,
    /// Files that were not there.
    pub added: Vec<String>,
    /// What is there and no plain file, or cannot be read: sentences.
    pub odd: Vec<String>,
}

impl Differences {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.missing.is_empty() && self.added.is_empty() && self.odd.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.changed.len() + self.missing.len() + self.added.len() + self.odd.len()
    }
}

/// Compares a pack's directory with what was installed there. All its files are read.
#[must_use]
pub fn differences(directory: &Path, locked: &Locked) -> Differences {
    // A pack is compared with what it was, also where it has become larger than one may be.
    let mut stage = Stage::nowhere(limits::PACK_UNPACKED_BYTES_MAX.saturating_mul(2));
    let odd = match directory.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
        true => collect(directory, &mut stage).into_iter().map(|refusal| refusal.message).collect(),
        false => Vec::new(),
    };
    let present: BTreeMap<_, _> = stage.sums().into_iter().map(|(path, sum)| (path, hex::encode(sum))).collect();
    let mut differences = Differences { odd, ..Differences::default() };
    for (path, sum) in &locked.files {
        match present.get(path) {
            Some(found) if found == sum => {}
            Some(_) => differences.changed.push(path.clone()),
            None => differences.missing.push(path.clone()),
        }
    }
    differences.added.extend(present.into_keys().filter(|path| !locked.files.contains_key(path)));
    differences
}
