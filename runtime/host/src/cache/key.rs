//! The key that seals compiled components: random, made once for a directory, readable by this user only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use tracing::warn;

/// The key's length, in bytes.
const KEY_BYTES: usize = blake3::KEY_LEN;
const KEY_FILE: &str = "key";

/// The key of a cache directory.
pub(super) struct Key([u8; KEY_BYTES]);

impl Key {
    /// The key of a directory, which is made if there is none, or none that only this user could have read.
    pub(super) fn of(directory: &Path) -> io::Result<Self> {
        let path = directory.join(KEY_FILE);
        if let Some(key) = read(&path)? {
            return Ok(key);
        }
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let beside = directory.join(format!("{KEY_FILE}.{}", hex::encode(bytes.first_chunk::<4>().unwrap_or(&[0; 4]))));
        create_private(&beside)?.write_all(&bytes)?;
        // A link is made by one process only: whoever comes second reads the first one's key.
        let linked = fs::hard_link(&beside, &path);
        fs::remove_file(&beside)?;
        match linked {
            Ok(()) => Ok(Self(bytes)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                read(&path)?.ok_or_else(|| io::Error::other("the key of the compile cache changes while it is read"))
            }
            Err(error) => Err(error),
        }
    }

    pub(super) const fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

/// Reads a key. One of the wrong length or that others can read is removed: what it sealed is compiled again.
fn read(path: &Path) -> io::Result<Option<Key>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if is_private(path)?
        && let Ok(bytes) = bytes.try_into()
    {
        return Ok(Some(Key(bytes)));
    }
    warn!(path = %path.display(), "the key of the compile cache is damaged or can be read by others; making a new one");
    fs::remove_file(path)?;
    Ok(None)
}

/// Makes a directory that only this user can enter, or makes it so.
#[cfg(unix)]
pub(super) fn make_private_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn make_private_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Makes a new file that only this user can read.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn is_private(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::symlink_metadata(path)?.permissions().mode() & 0o077 == 0)
}

#[cfg(not(unix))]
fn is_private(_: &Path) -> io::Result<bool> {
    Ok(true)
}
