//! The versions of packs that are in memory: the current ones, and those that something still holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use runner_model::PackRef;
use runner_pack::{Library, Pack};

use crate::pack::{Grant, LoadedPack};

/// A version: the pack and its digest.
type Version = (PackRef, String);

#[derive(Default)]
pub(super) struct Versions {
    /// Every version that was current or read, as long as something holds it.
    packs: BTreeMap<Version, Weak<Pack>>,
    /// Those that are ready to run.
    loaded: BTreeMap<Version, Arc<LoadedPack>>,
    /// Those that are in the archive for sure.
    kept: BTreeSet<Version>,
}

impl Versions {
    /// Takes a library in, and forgets what neither is in it nor is held by anything.
    pub(super) fn follow(&mut self, library: &Library) {
        let is_current =
            |(pack, digest): &Version| library.pack(pack.as_str()).is_some_and(|pack| pack.digest == *digest);
        self.loaded.retain(|version, loaded| is_current(version) || !loaded.is_idle());
        self.packs.retain(|_, pack| pack.strong_count() > 0);
        self.packs.extend(library.packs().map(|pack| (version(pack), Arc::downgrade(pack))));
        let Self { packs, kept, .. } = self;
        kept.retain(|version| packs.contains_key(version));
    }

    /// A version, if it is in memory.
    pub(super) fn get(&self, pack: &PackRef, digest: &str) -> Option<Arc<Pack>> {
        self.packs.get(&(pack.clone(), digest.to_owned()))?.upgrade()
    }

    /// Takes a version in, or gives the same that is there.
    pub(super) fn enter(&mut self, pack: Arc<Pack>) -> Arc<Pack> {
        let version = version(&pack);
        if let Some(same) = self.packs.get(&version).and_then(Weak::upgrade) {
            return same;
        }
        self.packs.insert(version, Arc::downgrade(&pack));
        pack
    }

    pub(super) fn loaded(&self, pack: &Arc<Pack>) -> Option<Arc<LoadedPack>> {
        self.loaded.get(&version(pack)).cloned()
    }

    /// Takes in what is ready to run, or gives the same that is there.
    pub(super) fn load(&mut self, loaded: Arc<LoadedPack>) -> Arc<LoadedPack> {
        self.loaded.entry(version(&loaded.pack)).or_insert(loaded).clone()
    }

    /// Makes every pack ready anew before it runs again.
    pub(super) fn unload(&mut self) {
        self.loaded.clear();
    }

    /// Gives every pack that is ready what it is granted now.
    pub(super) fn grant_anew(&self, grant: impl Fn(&Pack) -> Grant) {
        for loaded in self.loaded.values() {
            loaded.grant_anew(grant(&loaded.pack));
        }
    }

    pub(super) fn is_kept(&self, pack: &Pack) -> bool {
        self.kept.contains(&version(pack))
    }

    pub(super) fn set_kept(&mut self, pack: &Pack) {
        self.kept.insert(version(pack));
    }

    /// Asks the archive again before anything is taken to be in it.
    pub(super) fn forget_kept(&mut self) {
        self.kept.clear();
    }

    /// The versions that something holds.
    pub(super) fn in_use(&self) -> impl Iterator<Item = Version> {
        self.packs.iter().filter(|(_, pack)| pack.strong_count() > 0).map(|(version, _)| version.clone())
    }
}

fn version(pack: &Pack) -> Version {
    (pack.reference().clone(), pack.digest.clone())
}
