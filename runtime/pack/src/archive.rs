//! A copy of every version of a pack that an execution may still need.
//!
//! An execution ends on the version that it began with, also when the files have changed since and the process was killed
//! in between. So a version is copied before the first execution of it is recorded, **complete or not at all**: under
//! another name first, flushed, then renamed. What is in the archive never changes.
//!
//! ```text
//! <directory>/<ref>-<first 16 digits of the digest>/<ref>/…    the files that count for the digest
//! <directory>/<ref>-<first 16 digits of the digest>/config.json    the configuration
//! <directory>/current.json    which version of each pack was in use last
//! ```

mod copy;
mod mark;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use runner_model::{Clock as _, PackRef, SystemClock, limits};

pub(crate) use copy::{flush, private_directory, sync_directory, write_file};

use crate::draft::Draft;
use crate::{Library, Pack};

/// The name of the configuration's file.
const CONFIG_FILE: &str = "config.json";

/// Digits of the digest that stand in a name: enough that two versions of a pack never share one by accident. Which version
/// it is says the whole digest, which is made again of what is read.
const NAME_DIGITS: usize = 16;

/// Copies of packs in a directory.
#[derive(Debug, Clone)]
pub struct Archive {
    directory: PathBuf,
}

/// Why a version that is in the archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read.
    #[error("the kept version of a pack in `{}` cannot be read", path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what was put there.
    #[error("the kept version of a pack in `{}` is damaged: {what}", path.display())]
    Damaged {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

impl Archive {
    /// The archive in a directory, which is made when something is put there.
    #[must_use]
    pub const fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Copies a pack, if it is not there already; gives the directory of the copy. Blocks until it is on the disk.
    ///
    /// # Errors
    /// It cannot be copied; [`io::ErrorKind::InvalidData`]: its files are not those any more that were checked.
    pub fn keep(&self, pack: &Pack) -> io::Result<PathBuf> {
        let place = self.place(pack.reference(), &pack.digest);
        if place.is_dir() {
            touch(&place);
        }
        // It may have been removed just before it was touched.
        if !place.is_dir() {
            copy::write(pack, &self.directory, &place)?;
        }
        Ok(self.copy_of(pack))
    }

    /// Where the copy of a pack is, once it is kept.
    #[must_use]
    pub fn copy_of(&self, pack: &Pack) -> PathBuf {
        self.place(pack.reference(), &pack.digest).join(pack.reference().as_str())
    }

    /// The version of a pack with this digest; none if it was never kept. `others` are those that are in memory.
    ///
    /// # Errors
    /// It is there and cannot be used.
    pub fn find(&self, reference: &PackRef, digest: &str, others: &Library) -> Result<Option<Arc<Pack>>, ArchiveError> {
        if let Some(pack) = others.pack(reference.as_str()).filter(|pack| pack.digest == digest) {
            return Ok(Some(pack.clone()));
        }
        let place = self.place(reference, digest);
        // What a journal says is data, and no way out of the directory.
        if !is_digest(digest) || !place.is_dir() {
            return Ok(None);
        }
        read(&place, reference, digest).map(Some)
    }

    /// Notes which versions are in use: should the files of one be broken when the next process begins, it stays in use
    /// ([`Archive::last`]). Blocks until it is on the disk.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn mark(&self, library: &Library) -> io::Result<()> {
        mark::write(&self.directory, library)
    }

    /// The version of a pack that was in use last; none if it is not known, or not kept.
    ///
    /// # Errors
    /// It is there and cannot be used.
    pub fn in_use(&self, reference: &PackRef) -> Result<Option<Arc<Pack>>, ArchiveError> {
        let Some(mark) = mark::read(&self.directory).remove(reference) else { return Ok(None) };
        let found = self.find(reference, &mark.digest, &Library::default())?;
        Ok(found.map(|pack| Arc::new(Pack { directory: mark.directory, ..Arc::unwrap_or_clone(pack) })))
    }

    /// What was in use last and is not in `present`, together with what is; none if nothing is missing. A version that
    /// cannot be used is left out, and is among the errors.
    #[must_use]
    pub fn last(&self, present: &Library) -> (Option<Library>, Vec<ArchiveError>) {
        let (mut missing, mut errors) = (Vec::new(), Vec::new());
        for (reference, mark) in mark::read(&self.directory) {
            if present.pack(reference.as_str()).is_some() {
                continue;
            }
            match self.find(&reference, &mark.digest, present) {
                // It is known by where its files were, and is looked for there again.
                Ok(Some(pack)) => {
                    missing.push(Arc::new(Pack { directory: mark.directory, ..Arc::unwrap_or_clone(pack) }));
                }
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
        let library = (!missing.is_empty()).then(|| present.with(missing));
        (library, errors)
    }

    /// Removes every version that is not among these, but for the ones that were kept or asked for a short while ago: an
    /// execution of them may be about to be recorded. Gives how many.
    ///
    /// # Errors
    /// The archive cannot be read, or something cannot be removed.
    pub fn prune(&self, needed: &BTreeSet<(PackRef, String)>) -> io::Result<usize> {
        let needed: BTreeSet<_> = needed.iter().map(|(reference, digest)| name(reference, digest)).collect();
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            entries => entries?,
        };
        let mut count = 0;
        for entry in entries {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let is_copy = is_name(name);
            if needed.contains(name) || !(is_copy || copy::is_left_over(name)) || is_recent(&path) {
                continue;
            }
            copy::remove(&path)?;
            count += usize::from(is_copy);
        }
        Ok(count)
    }

    fn place(&self, reference: &PackRef, digest: &str) -> PathBuf {
        self.directory.join(name(reference, digest))
    }
}

fn name(reference: &PackRef, digest: &str) -> String {
    format!("{reference}-{}", digest.get(..NAME_DIGITS).unwrap_or(digest))
}

fn is_name(name: &str) -> bool {
    let parts = name.rsplit_once('-');
    parts.is_some_and(|(reference, digits)| {
        PackRef::new(reference).is_ok() && digits.len() == NAME_DIGITS && is_hexadecimal(digits)
    })
}

fn is_digest(digest: &str) -> bool {
    digest.len() == 64 && is_hexadecimal(digest)
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Says that a version is in use just now.
fn touch(place: &Path) {
    // Where that cannot be said the version is only removed a little earlier, when nobody needs it.
    let _ = fs::File::open(place).and_then(|directory| directory.set_modified(now()));
}

fn is_recent(place: &Path) -> bool {
    let modified = fs::metadata(place).and_then(|metadata| metadata.modified());
    // A time far ahead is none to go by; one just ahead is of a clock that is finer than this one, or was set back a little.
    let far = |at| now().duration_since(at).unwrap_or_else(|ahead| ahead.duration());
    modified.is_ok_and(|at| far(at) < limits::PACK_KEPT_MIN)
}

fn now() -> SystemTime {
    let millis = u64::try_from(SystemClock.now().as_millis()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

/// Reads a version, and compares it with its digest. What it calls in other packs was checked when it was current.
fn read(place: &Path, reference: &PackRef, digest: &str) -> Result<Arc<Pack>, ArchiveError> {
    let unreadable = |source| ArchiveError::Unreadable { path: place.to_owned(), source };
    let damaged = |what: String| ArchiveError::Damaged { path: place.to_owned(), what };
    let config = fs::read(place.join(CONFIG_FILE)).map_err(unreadable)?;
    let (pack, report) = Draft::read(&place.join(reference.as_str()), None).finish();
    let Some(pack) = pack else {
        let first = report.diagnostics.iter().find(|diagnostic| diagnostic.is_error());
        return Err(damaged(first.map_or_else(String::new, |first| first.message.clone())));
    };
    let mut pack = Arc::unwrap_or_clone(pack);
    pack.digest = pack.contents.digest(&config);
    if pack.digest != digest || pack.reference() != reference {
        return Err(damaged("its files are not those that were kept".to_owned()));
    }
    pack.config = serde_json::from_slice(&config).map_err(|error| damaged(error.to_string()))?;
    Ok(Arc::new(pack))
}
