//! A packs directory into which packs are installed, by one process at a time.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runner_model::{PackRef, code, limits};

use super::changes::differences;
use super::collect::collect;
use super::lock::{Lock, Locked, Origin, digest};
use super::recover::{Intent, Work};
use super::stage::Stage;
use super::swap::{exchange, put};
use super::unpack::{files_max, unpack};
use super::{InstallError, Refusal};
use crate::archive::flush;
use crate::archive::private_directory;
use crate::digest::Sum;
use crate::draft::{Draft, MANIFEST_FILE};
use crate::library::linked;
use crate::{Library, Pack, Report};

/// A packs directory that nobody else changes.
#[derive(Debug)]
pub struct Place {
    packs: PathBuf,
    work: Work,
    /// The lock of the operating system, held while this is open.
    _held: File,
}

/// A pack that was put together beside the others, and has no name yet.
#[derive(Debug)]
pub struct Staged {
    directory: PathBuf,
    sums: BTreeMap<String, Sum>,
}

/// What became of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It is there now.
    Installed,
    /// It took the place of another version.
    Replaced,
    /// The same was there already.
    Same,
}

impl Place {
    /// Waits until nobody else changes the packs directory, which is made if it is not there; what another process did not
    /// finish is finished or undone.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn open(packs: &Path) -> Result<Self, InstallError> {
        let work = Work::in_packs(packs);
        let directory = work.directory();
        fs::create_dir_all(packs).map_err(InstallError::io(packs))?;
        // Should a link be there, it would be followed out of the directory.
        if fs::symlink_metadata(&directory).is_ok_and(|metadata| !metadata.is_dir()) {
            let error = std::io::Error::new(std::io::ErrorKind::NotADirectory, "it is no directory");
            return Err(InstallError::io(&directory)(error));
        }
        private_directory(&directory).map_err(InstallError::io(&directory))?;
        let path = work.lock_file();
        let held = File::options().create(true).truncate(false).write(true).open(&path);
        let held = held.and_then(|file| file.lock().map(|()| file)).map_err(InstallError::io(&path))?;
        work.recover()?;
        Ok(Self { packs: packs.to_owned(), work, _held: held })
    }

    /// Finishes or undoes what a process that was killed had begun here, if there is anything.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn recover(packs: &Path) -> Result<(), InstallError> {
        match Work::in_packs(packs).is_interrupted() {
            true => Self::open(packs).map(drop),
            false => Ok(()),
        }
    }

    /// Unpacks the bytes of a tar.gz.
    ///
    /// # Errors
    /// It is not fit for it.
    pub fn unpack(&self, archive: &[u8]) -> Result<Staged, InstallError> {
        let root = self.fresh()?;
        let mut stage = Stage::at(&root, files_max(archive));
        unpack(archive, &mut stage)?;
        let (directory, sums) = without_top(root, stage.sums())?;
        Ok(Staged { directory, sums })
    }

    /// Copies a directory.
    ///
    /// # Errors
    /// Something in it is not fit for it.
    pub fn copy(&self, directory: &Path) -> Result<Staged, InstallError> {
        let root = self.fresh()?;
        let mut stage = Stage::at(&root, limits::PACK_UNPACKED_BYTES_MAX);
        let refusals = collect(directory, &mut stage);
        if !refusals.is_empty() {
            return Err(InstallError::Refused(refusals));
        }
        Ok(Staged { directory: root, sums: stage.sums() })
    }

    /// An empty directory to put something together in.
    fn fresh(&self) -> Result<PathBuf, InstallError> {
        self.work.done()?;
        // No pack can have this name.
        let root = self.work.staging().join("-");
        private_directory(&root).map_err(InstallError::io(&root))?;
        Ok(root)
    }

    /// Checks what was put together as a pack, beside the others. Paths in the report are those of the pack alone.
    ///
    /// # Errors
    /// The packs directory cannot be written.
    pub fn check(&self, staged: &mut Staged, others: &Library) -> Result<(Option<Arc<Pack>>, Report), InstallError> {
        // The directory of a pack has its name, which stands in its manifest.
        if let Some(reference) = Draft::read(&staged.directory, None).reference {
            let named = self.work.staging().join(reference.as_str());
            if named != staged.directory {
                put(&staged.directory, &named).map_err(InstallError::io(&named))?;
                staged.directory = named;
            }
        }
        let (pack, report) = linked(&staged.directory, others).finish();
        let above = staged.directory.parent().unwrap_or(&staged.directory);
        Ok((pack, report.below(above)))
    }

    /// What is installed here.
    ///
    /// # Errors
    /// The lock cannot be read.
    pub fn lock(&self) -> Result<Lock, InstallError> {
        Lock::read(&self.packs)
    }

    /// What [`Place::publish`] would do, if nothing else changes the directory.
    ///
    /// # Errors
    /// It would be refused.
    pub fn admits(&self, staged: &Staged, pack: &Pack, upgrade: bool) -> Result<Published, InstallError> {
        let place = self.packs.join(pack.reference().as_str());
        if fs::symlink_metadata(&place).is_err() {
            return Ok(Published::Installed);
        }
        let lock = self.lock()?;
        let present = lock.0.get(pack.reference());
        let is_same =
            |present: &Locked| present.digest == digest(&staged.sums) && differences(&place, present).is_empty();
        if present.is_some_and(is_same) {
            return Ok(Published::Same);
        }
        replaceable(&place, pack.reference(), present, upgrade).map(|()| Published::Replaced)
    }

    /// Gives what was put together, and checked, its name. With `upgrade` it takes the place of another version, if that is
    /// as it was installed.
    ///
    /// # Errors
    /// Something else is there, or the packs directory cannot be written.
    pub fn publish(
        &self,
        staged: &Staged,
        pack: &Pack,
        origin: Origin,
        upgrade: bool,
    ) -> Result<Published, InstallError> {
        let published = self.admits(staged, pack, upgrade)?;
        if published == Published::Same {
            self.work.done()?;
            return Ok(published);
        }
        let reference = pack.reference().clone();
        let place = self.packs.join(reference.as_str());
        let new = Locked::new(pack.manifest.version.to_string(), origin, &staged.sums);
        flush(&staged.directory).map_err(InstallError::io(&staged.directory))?;
        // Unpacked in private, read by all.
        open_to_all(&staged.directory).map_err(InstallError::io(&staged.directory))?;
        self.work.intend(&Intent { reference: reference.clone(), new: Some(new.clone()) })?;
        if published == Published::Replaced {
            let old = self.work.old();
            private_directory(&old).map_err(InstallError::io(&old))?;
            exchange(&staged.directory, &place, &old.join(reference.as_str())).map_err(InstallError::io(&place))?;
        } else {
            put(&staged.directory, &place).map_err(InstallError::io(&place))?;
        }
        Lock::note(&self.packs, reference, new)?;
        self.work.done()?;
        Ok(published)
    }

    /// Removes a pack: its directory and what the lock says of it. A symbolic link goes, what it names stays.
    ///
    /// # Errors
    /// The packs directory cannot be written.
    pub fn remove(&self, reference: &PackRef) -> Result<(), InstallError> {
        let place = self.packs.join(reference.as_str());
        let old = self.work.old();
        private_directory(&old).map_err(InstallError::io(&old))?;
        self.work.intend(&Intent { reference: reference.clone(), new: None })?;
        put(&place, &old.join(reference.as_str())).map_err(InstallError::io(&place))?;
        Lock::forget(&self.packs, reference)?;
        self.work.done()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What was put together and not published. What stays goes with the next.
        self.work.tidy();
    }
}

/// Whether what is there may be replaced: nobody's work is lost by it.
fn replaceable(place: &Path, reference: &PackRef, present: Option<&Locked>, upgrade: bool) -> Result<(), InstallError> {
    let refusal = |code, message: String, hint: String| Err(Refusal::new(code, message).hint(hint).into());
    let elsewhere = format!("move it out of the packs directory, or remove it with `runner pack remove {reference}`");
    match present {
        None => {
            let message = format!("`{reference}` is in the packs directory already, and was not installed");
            refusal(code::PACK_INSTALLED, message, elsewhere)
        }
        Some(present) if !upgrade => {
            let message = format!("`{reference}` {} is installed already", present.version);
            refusal(code::PACK_INSTALLED, message, "replace it with `--upgrade`".to_owned())
        }
        Some(present) if !differences(place, present).is_empty() => {
            let message =
                format!("`{reference}` has been changed since it was installed, and what was changed would be lost");
            let hint = format!("see what with `runner pack verify {reference}`; then {elsewhere}");
            refusal(code::PACK_CHANGED, message, hint)
        }
        Some(_) => Ok(()),
    }
}

/// What is in an archive, without the one directory that all of it may be in.
fn without_top(root: PathBuf, sums: BTreeMap<String, Sum>) -> Result<(PathBuf, BTreeMap<String, Sum>), Refusal> {
    if sums.contains_key(MANIFEST_FILE) {
        return Ok((root, sums));
    }
    let top = sums.keys().next().and_then(|first| first.split_once('/')).map(|(top, _)| format!("{top}/"));
    let inside = |top: &String| {
        let below = |(path, sum): (&String, &Sum)| Some((path.strip_prefix(top.as_str())?.to_owned(), *sum));
        sums.iter().map(below).collect::<Option<BTreeMap<_, _>>>().map(|sums| (root.join(top), sums))
    };
    top.as_ref().and_then(inside).filter(|(_, sums)| sums.contains_key(MANIFEST_FILE)).ok_or_else(|| {
        let refusal = Refusal::archive(format!(
            "the archive has no `{MANIFEST_FILE}`, neither at its top nor in its one directory"
        ));
        refusal.hint("make one with `runner pack pack REF -o FILE.tar.gz`")
    })
}

fn open_to_all(directory: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(directory, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let _ = directory;
    Ok(())
}
