//! The key in a file that its owner alone can read.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use runner_model::limits::SEAL_KEY_TEXT_BYTES_MAX;
use runner_model::{Secret, code};
use runner_store::SealKey;
use zeroize::Zeroizing;

use super::{SHAPE, Unusable, new_key, parse};
use crate::config::secret::others_can_read;

/// What the file holds.
pub(super) fn read(path: &Path) -> Result<Secret, Unusable> {
    let unreadable = |error: &dyn std::fmt::Display| {
        (code::SECRET_KEY, format!("the key in the file `{}` cannot be read: {error}", path.display()))
    };
    let file = fs::File::open(path).map_err(|error| unreadable(&error))?;
    if others_can_read(path) {
        let message = format!("others can read the key in the file `{0}`: `chmod 600 {0}`", path.display());
        return Err((code::SECRET_KEY_EXPOSED, message));
    }
    let mut text = Zeroizing::new(Vec::with_capacity(SEAL_KEY_TEXT_BYTES_MAX + 1));
    file.take(SEAL_KEY_TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut text).map_err(|error| unreadable(&error))?;
    if text.len() > SEAL_KEY_TEXT_BYTES_MAX {
        return Err(unreadable(&format!("it has more than {SEAL_KEY_TEXT_BYTES_MAX} bytes")));
    }
    let text = std::str::from_utf8(&text).map_err(|_| unreadable(&"it is no text"))?;
    Ok(Secret::new(text.to_owned()))
}

/// The key in the file, which is made if it is not there.
pub(super) fn made(path: &Path) -> Result<SealKey, Unusable> {
    if !path.exists() {
        make(path).map_err(|error| {
            (code::SECRET_KEY, format!("the key cannot be put into the file `{}`: {error}", path.display()))
        })?;
    }
    let text = read(path)?;
    parse(&text).ok_or_else(|| (code::SECRET_KEY, format!("the file `{}` holds no key: it is {SHAPE}", path.display())))
}

/// Makes it whole or not at all: of several processes that do the same, one makes it and the others use it.
fn make(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)?;
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let draft = path.with_extension(format!("draft-{}", hex::encode(random)));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    let key = new_key().map_err(io::Error::other)?;
    file.write_all(key.expose().as_bytes())?;
    file.write_all(b"\n")?;
    // What is sealed with it is on the disk soon: so must the key be.
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    fs::File::open(directory)?.sync_all()
}
