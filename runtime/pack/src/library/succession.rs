//! One library after another: what became of each pack while the packs directories changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runner_model::{PackRef, code};
use semver::Version;

use super::{Broken, Found, Known, Library, introduce_pack};
use crate::Pack;
use crate::diagnostic::{Findings, Mistake, Report};
use crate::draft::Draft;
use crate::source::Span;

/// What differs between two libraries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Packs that were not there before.
    pub added: Vec<PackRef>,
    /// Packs of which another version is there now, or another configuration.
    pub changed: Vec<PackRef>,
    /// Packs that are not there any more.
    pub removed: Vec<PackRef>,
    /// Packs that are broken now, and were not, or otherwise. Those of which the old version stays are in none of the
    /// other lists.
    pub broken: Vec<PackRef>,
    /// Packs of which another version waits now than before. Of each an earlier version stays in use.
    pub waiting: Vec<PackRef>,
}

impl Changes {
    /// Whether nothing differs.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let Self { added, changed, removed, broken, waiting } = self;
        added.is_empty() && changed.is_empty() && removed.is_empty() && broken.is_empty() && waiting.is_empty()
    }
}

impl Library {
    /// As [`Library::load`]; but of a pack that is broken now and was good in `previous`, the good version stays. So do
    /// all packs of a packs directory that is there and cannot be read.
    #[must_use]
    pub fn succeed(previous: &Self, dirs: &[PathBuf], config_dir: Option<&Path>) -> (Self, Report) {
        let Found { drafts, mut report, unreadable } = Found::read(dirs, config_dir);
        let (known, versions) = introduce(&drafts, previous);
        let mut library = Self::default();
        for draft in drafts {
            draft.link(&known, &versions);
            report.append(library.take(draft, Draft::finish));
        }
        library.broken.extend(unreadable.iter().flat_map(|dir| unread(dir, previous)));
        library.keep_good(previous);
        (library, report)
    }

    /// Puts the good version of each broken pack in its place, unless another directory has the pack.
    fn keep_good(&mut self, previous: &Self) {
        let mut kept = Vec::new();
        for broken in &mut self.broken {
            let Some(good) = previous.before(broken.reference.as_ref(), &broken.directory) else { continue };
            if !self.packs.contains_key(good.reference()) {
                broken.kept = Some(good.manifest.version.to_string());
                kept.push(good.clone());
            }
        }
        self.packs.extend(kept.into_iter().map(|pack| (pack.reference().clone(), pack)));
    }

    /// Takes a pack back of which the files have changed since they were read, before they could be copied: the version
    /// in `previous` stays, if there is one. The change is told of, and read, in a moment.
    pub fn take_back(&mut self, reference: &PackRef, previous: &Self) {
        let Some(pack) = self.packs.remove(reference) else { return };
        self.broken.push(broken(&pack, "the files of the pack changed while they were read"));
        self.keep_good(previous);
    }

    /// Holds the version of a pack back that is there: this earlier one stays in use. One that is not there is not brought
    /// back.
    pub fn hold_back(&mut self, earlier: Arc<Pack>) {
        let reference = earlier.reference().clone();
        if let Some(current) = self.packs.get_mut(&reference) {
            let held = std::mem::replace(current, earlier);
            self.waiting.insert(reference, held);
        }
    }

    /// The same with every version that is held back in its place.
    #[must_use]
    pub fn with_waiting(&self) -> Self {
        let mut library = self.clone();
        library.packs.append(&mut library.waiting);
        library
    }

    /// The pack with this reference; or the one in this directory, if the reference is not known.
    fn before(&self, reference: Option<&PackRef>, directory: &Path) -> Option<&Arc<Pack>> {
        match reference {
            Some(reference) => self.packs.get(reference),
            None => self.packs().find(|pack| pack.directory == directory),
        }
    }

    /// The digest of each pack.
    #[must_use]
    pub fn digests(&self) -> BTreeMap<PackRef, String> {
        self.packs.iter().map(|(reference, pack)| (reference.clone(), pack.digest.clone())).collect()
    }

    /// What differs from another library.
    #[must_use]
    pub fn changes(&self, previous: &Self) -> Changes {
        let mut changes = Changes::default();
        for (reference, pack) in &self.packs {
            match previous.packs.get(reference) {
                None => changes.added.push(reference.clone()),
                Some(before) if before.digest != pack.digest => changes.changed.push(reference.clone()),
                Some(_) => {}
            }
        }
        let is_gone = |reference: &&PackRef| !self.packs.contains_key(*reference);
        changes.removed.extend(previous.packs.keys().filter(is_gone).cloned());
        let is_new = |broken: &&Broken| !previous.broken.iter().any(|before| before.is_same(broken));
        changes.broken.extend(self.broken.iter().filter(is_new).filter_map(Broken::name));
        changes.broken.dedup();
        let digest =
            |library: &Self, reference: &PackRef| library.waiting.get(reference).map(|pack| pack.digest.clone());
        let waits_anew = |reference: &&PackRef| digest(self, reference) != digest(previous, reference);
        changes.waiting.extend(self.waiting.keys().filter(waits_anew).cloned());
        changes
    }
}

impl Broken {
    /// Its reference, or what its directory says it would be.
    fn name(&self) -> Option<PackRef> {
        let named = || PackRef::new(self.directory.file_name()?.to_str()?).ok();
        self.reference.clone().or_else(named)
    }

    /// Whether it has the same mistakes.
    fn is_same(&self, other: &Self) -> bool {
        let mistakes = |broken: &Self| -> Vec<_> {
            broken.report.diagnostics.iter().map(|d| (d.path.clone(), d.line, d.column, d.message.clone())).collect()
        };
        self.directory == other.directory && self.kept == other.kept && mistakes(self) == mistakes(other)
    }
}

/// What is known when the packs are compared with one another: of one with mistakes what stays in use, if anything does.
fn introduce(drafts: &[Draft], previous: &Library) -> (Known, BTreeMap<PackRef, Version>) {
    let (mut known, mut versions) = (Known::default(), BTreeMap::new());
    // Of doubles the first counts, so it comes last.
    for draft in drafts.iter().rev() {
        let good = previous.before(draft.reference.as_ref(), &draft.directory);
        match good.filter(|_| draft.findings.errors() > 0) {
            Some(good) => introduce_pack(good, &mut known, &mut versions),
            None => {
                draft.introduce(&mut known);
                versions.extend(draft.version());
            }
        }
    }
    (known, versions)
}

/// The packs of a directory that cannot be read: nobody knows whether they are gone.
fn unread(dir: &Path, previous: &Library) -> Vec<Broken> {
    let lost = previous.packs().filter(|pack| pack.directory.parent() == Some(dir));
    lost.map(|pack| broken(pack, "the pack cannot be read, because its packs directory cannot")).collect()
}

/// A pack that is broken as a whole.
fn broken(pack: &Pack, message: &str) -> Broken {
    let findings = Findings::default();
    findings.about(&pack.directory, Mistake::new(code::PACK_UNREADABLE, Span::default(), message));
    let (directory, reference) = (pack.directory.clone(), Some(pack.reference().clone()));
    Broken { directory, reference, mistakes: 1, kept: None, report: findings.report() }
}
