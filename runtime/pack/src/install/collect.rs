//! What a directory holds that a pack is to be made of: plain files and directories, as they are found, and no link followed.
//!
//! Hidden files are left out, and directories that can be made again: those that say so of themselves (`CACHEDIR.TAG`, which
//! compilers write), and those of packages.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use runner_model::{code, limits};

use super::Refusal;
use super::name::Name;
use super::stage::Stage;

/// Takes what is in a directory; gives everything that is wrong with it.
pub(super) fn collect(root: &Path, stage: &mut Stage) -> Vec<Refusal> {
    let mut collector = Collector { stage, refusals: Vec::new(), seen: 0 };
    let mut open = vec![(root.to_owned(), String::new())];
    while let Some((directory, prefix)) = open.pop() {
        if collector.is_full() {
            break;
        }
        open.extend(collector.directory(&directory, &prefix));
    }
    collector.refusals
}

struct Collector<'a> {
    stage: &'a mut Stage,
    refusals: Vec<Refusal>,
    seen: usize,
}

impl Collector<'_> {
    fn is_full(&self) -> bool {
        self.refusals.len() >= limits::DIAGNOSTICS_MAX || self.seen > limits::PACK_ENTRIES_MAX
    }

    /// Takes what is in one directory; gives the directories in it.
    fn directory(&mut self, directory: &Path, prefix: &str) -> Vec<(PathBuf, String)> {
        let mut inside = Vec::new();
        for entry in self.entries(directory, prefix) {
            if self.is_full() {
                break;
            }
            match self.entry(&entry, prefix) {
                Ok(Some(name)) => inside.push((entry.path(), format!("{}/", name.as_str()))),
                Ok(None) => {}
                Err(refusal) => self.refusals.push(refusal),
            }
        }
        inside
    }

    /// What is in a directory and not hidden, sorted. Of a directory with too much in it only so much is read.
    fn entries(&mut self, directory: &Path, prefix: &str) -> Vec<fs::DirEntry> {
        let listing = match fs::read_dir(directory) {
            Ok(listing) => listing,
            Err(error) => {
                self.refusals.push(unreadable(if prefix.is_empty() { "." } else { prefix }, &error));
                return Vec::new();
            }
        };
        let mut entries = Vec::new();
        for entry in listing.flatten().filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b".")) {
            self.seen += 1;
            if self.seen > limits::PACK_ENTRIES_MAX {
                let max = limits::PACK_ENTRIES_MAX;
                self.refusals.push(Refusal::large(format!("there are more than {max} files and directories")));
                return Vec::new();
            }
            entries.push(entry);
        }
        entries.sort_by_key(fs::DirEntry::file_name);
        entries
    }

    /// Takes a file; of a directory that is to be looked into, gives the name.
    fn entry(&mut self, entry: &fs::DirEntry, prefix: &str) -> Result<Option<Name>, Refusal> {
        let path = entry.path();
        let relative = [prefix.as_bytes(), entry.file_name().as_encoded_bytes()].concat();
        let shown = String::from_utf8_lossy(&relative).into_owned();
        let metadata = fs::symlink_metadata(&path).map_err(|error| unreadable(&shown, &error))?;
        if metadata.is_dir() && can_be_made_again(&path) {
            return Ok(None);
        }
        if metadata.is_symlink() {
            let refusal = Refusal::entry(format!("`{shown}` is a symbolic link, which is not followed"));
            return Err(refusal.hint("put a copy of what it names there"));
        }
        let Some(name) = Name::parse(&relative, metadata.is_dir())? else { return Ok(None) };
        if metadata.is_dir() {
            return self.stage.directory(&name).map(|()| Some(name));
        }
        if !metadata.is_file() {
            return Err(Refusal::entry(format!("`{shown}` is no plain file")).hint("remove it"));
        }
        if links(&metadata) > 1 {
            let refusal = Refusal::entry(format!("`{shown}` has another name too, which may be outside of the pack"));
            return Err(refusal.hint("copy the directory, which makes files of their own, and take the copy"));
        }
        let mut file = open(&path, &metadata).map_err(|error| unreadable(&shown, &error))?;
        self.stage
            .file(&name, metadata.len(), |buffer| file.read(buffer).map_err(|error| unreadable(&shown, &error)))?;
        Ok(None)
    }
}

fn can_be_made_again(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name == "node_modules" || name == "__pycache__" || path.join("CACHEDIR.TAG").is_file()
}

fn unreadable(shown: &str, error: &io::Error) -> Refusal {
    Refusal::new(code::PACK_UNREADABLE, format!("`{shown}` cannot be read: {error}"))
}

/// How many names a file has.
fn links(metadata: &Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::nlink(metadata);
    #[cfg(not(unix))]
    return u64::from(metadata.is_file());
}

/// Opens the file that was looked at, if it still is that, and gives as much of it as it had then.
fn open(path: &Path, looked_at: &Metadata) -> io::Result<io::Take<File>> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        // Should it be a link or a pipe by now, it is neither followed nor waited for.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"));
    }
    Ok(file.take(looked_at.len()))
}
