//! The directories that packs are made of, and what is in them.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where a pack's files are, below its directory.
const PARTS: [&str; 8] = ["actions", "workflows", "rules", "sensors", "policies", "services", "components", "tests"];

/// Which directory it is, whatever it is called: two that were in the same place one after another differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self(metadata.dev(), metadata.ino())
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> Self {
        let created = metadata.created().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        Self(created.map_or(0, |at| at.as_secs()), created.map_or(0, |at| u64::from(at.subsec_nanos())))
    }
}

/// A packs directory, without symbolic links.
pub(super) type Root = (PathBuf, Identity);

/// The packs directories; none for one that is not there.
pub(super) fn roots(dirs: &[PathBuf]) -> Vec<Option<Root>> {
    dirs.iter().map(|dir| directory(dir)).collect()
}

/// Every directory that packs are made of, without symbolic links.
pub(super) fn directories(dirs: &[PathBuf]) -> BTreeMap<PathBuf, Identity> {
    let mut found = BTreeMap::new();
    for (root, identity) in roots(dirs).into_iter().flatten() {
        let packs = entries(&root).filter_map(|path| directory(&path));
        for (pack, identity) in packs {
            found.extend(PARTS.iter().filter_map(|part| directory(&pack.join(part))));
            found.insert(pack, identity);
        }
        found.insert(root, identity);
    }
    found
}

fn directory(path: &Path) -> Option<Root> {
    let real = fs::canonicalize(path).ok()?;
    let metadata = fs::metadata(&real).ok().filter(Metadata::is_dir)?;
    Some((real, Identity::of(&metadata)))
}

/// What is directly in a directory and not hidden.
fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> {
    let is_shown = |entry: &fs::DirEntry| !entry.file_name().to_string_lossy().starts_with('.');
    fs::read_dir(directory).into_iter().flatten().flatten().filter(is_shown).map(|entry| entry.path())
}

/// What is in these directories: of each file which it is, how long, and since when.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Look(BTreeMap<PathBuf, (Identity, u64, Option<SystemTime>)>);

impl Look {
    pub(super) fn at(dirs: &[PathBuf]) -> Self {
        let files = directories(dirs).into_keys().flat_map(|directory| entries(&directory).collect::<Vec<_>>());
        let look = |path: PathBuf| {
            let metadata = fs::metadata(&path).ok()?;
            // A directory shows what is in it by its files, and counts as such if it is part of a pack.
            let seen = match metadata.is_dir() {
                true => (Identity(0, 0), 0, None),
                false => (Identity::of(&metadata), metadata.len(), metadata.modified().ok()),
            };
            Some((path, seen))
        };
        Self(files.filter_map(look).collect())
    }
}
