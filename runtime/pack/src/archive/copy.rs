//! Writing a version of a pack so that it is there whole or not at all, and removing one the same way.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::CONFIG_FILE;
use crate::Pack;
use crate::digest::sum;
use crate::pack::config_bytes;

/// Whether one call flushes a filesystem: a pack has two dozen files and directories, each of which would be waited for.
const IS_FLUSHED_WHOLE: bool = cfg!(target_os = "linux");

/// Copies a pack to `place`, which is in `directory`.
pub(super) fn write(pack: &Pack, directory: &Path, place: &Path) -> io::Result<()> {
    private_directory(directory)?;
    let unfinished = hidden(place);
    let written = fill(pack, &unfinished).and_then(|()| publish(&unfinished, place, directory));
    if written.is_err() {
        // What stays is removed when the archive is pruned.
        let _ = fs::remove_dir_all(&unfinished);
    }
    written
}

fn fill(pack: &Pack, place: &Path) -> io::Result<()> {
    let root = place.join(pack.reference().as_str());
    let mut directories = vec![place.to_owned(), root.clone()];
    directories.iter().try_for_each(|directory| private_directory(directory))?;
    write_part(&place.join(CONFIG_FILE), &config_bytes(&pack.config))?;
    for (path, expected) in pack.contents.iter() {
        let bytes = fs::read(pack.directory.join(path))?;
        if sum(&bytes) != *expected {
            let message = format!("`{path}` has changed since the pack was loaded");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let target = root.join(path);
        if let Some(parent) = target.parent().filter(|parent| !directories.iter().any(|made| made == parent)) {
            private_directory(parent)?;
            directories.push(parent.to_owned());
        }
        write_part(&target, &bytes)?;
    }
    if IS_FLUSHED_WHOLE {
        return flush(place);
    }
    directories.iter().rev().try_for_each(|directory| sync_directory(directory))
}

/// Gives a finished copy its name; another process may have been faster with the same.
fn publish(unfinished: &Path, place: &Path, directory: &Path) -> io::Result<()> {
    match fs::rename(unfinished, place) {
        Err(_) if place.is_dir() => fs::remove_dir_all(unfinished),
        renamed => renamed.and_then(|()| sync_directory(directory)),
    }
}

/// Removes a copy: first its name, so that half of one is never found.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let doomed = hidden(path);
    fs::rename(path, &doomed)?;
    if doomed.is_dir() { fs::remove_dir_all(doomed) } else { fs::remove_file(doomed) }
}

/// A name beside this one that nobody looks for.
pub(super) fn hidden(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".{}.{}-{number}.part", name.trim_start_matches('.'), std::process::id()))
}

/// Whether something is left of a copy that was not finished, or not wholly removed.
pub(super) fn is_left_over(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".part")
}

/// A directory that only the owner may enter: the configuration may hold secrets.
pub(crate) fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file of several that are flushed together.
fn write_part(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = create_file(path, bytes)?;
    if IS_FLUSHED_WHOLE { Ok(()) } else { file.sync_all() }
}

pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create_file(path, bytes)?.sync_all()
}

fn create_file(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// What was written below a directory is on the disk after this, where [`IS_FLUSHED_WHOLE`].
pub(crate) fn flush(directory: &Path) -> io::Result<()> {
    let file = File::open(directory)?;
    #[cfg(target_os = "linux")]
    return Ok(rustix::fs::syncfs(&file)?);
    #[cfg(not(target_os = "linux"))]
    file.sync_all()
}

pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    // Only Unix lets a directory be opened and flushed.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}
