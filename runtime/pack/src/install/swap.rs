//! Steps on the disk that are done or not, whenever the power goes.

use std::fs;
use std::io;
use std::path::Path;

use crate::archive::{sync_directory, write_file};

/// Writes a file whole.
pub(super) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = path.with_file_name(format!(".{name}.part"));
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => write_file(&unfinished, bytes)?,
    }
    // The list of what is installed is no secret.
    #[cfg(unix)]
    fs::set_permissions(&unfinished, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    fs::rename(&unfinished, path)?;
    parent(path)
}

/// Puts a directory in the place of another one, which goes to `old`. A reader finds the one or the other where the system
/// can exchange two names; elsewhere for a moment neither.
pub(super) fn exchange(new: &Path, place: &Path, old: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, new, CWD, place, RenameFlags::EXCHANGE) {
            Ok(()) => return parent(place),
            // Some filesystems cannot.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    fs::rename(place, old)?;
    fs::rename(new, place)?;
    parent(place)
}

/// Gives a directory its place, where nothing is.
pub(super) fn put(new: &Path, place: &Path) -> io::Result<()> {
    fs::rename(new, place)?;
    parent(place)
}

fn parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), sync_directory)
}

/// Removes what may be there.
pub(super) fn clear(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    }
}
