//! Versions that ask for more than was granted are held back: the one before stays in use until somebody grants it.
//!
//! Held back is only what has a version before it that may run. A pack that nobody granted anything is swapped in like any
//! other; its actions that need something are refused ([`super::Packs::check_grants`]).

use std::sync::Arc;

use runner_model::{GrantRecord, PackRef, Permissions, Standing};
use runner_pack::{Changes, Library, Pack};

use super::Packs;

impl Packs {
    /// Whatever packs ask for is granted: development mode.
    #[must_use]
    pub fn in_development(mut self) -> Self {
        self.granted.develop();
        self
    }

    /// Whether it is.
    #[must_use]
    pub const fn is_development(&self) -> bool {
        self.granted.is_development()
    }

    /// How a version of a pack stands by what was granted.
    #[must_use]
    pub fn standing(&self, pack: &Pack) -> Standing {
        self.granted.standing(pack)
    }

    /// What the operator's file grants a pack, if it says something of it.
    #[must_use]
    pub fn granted_by_file(&self, pack: &PackRef) -> Option<&Permissions> {
        self.granted.by_file(pack)
    }

    /// What is recorded as granted to a pack.
    #[must_use]
    pub fn grant_record(&self, pack: &PackRef) -> Option<GrantRecord> {
        self.granted.record(pack)
    }

    /// Takes in what is recorded as granted: new attempts get it, what was taken back holds at once, and versions that waited
    /// for it are swapped in. Gives what that changed; none if nothing else is recorded than before. Blocks while files are
    /// copied.
    pub fn take_grants(&self, records: Vec<GrantRecord>) -> Option<Changes> {
        if !self.granted.take(records) {
            return None;
        }
        if !self.simulate {
            let grant = |pack: &Pack| (self.granted.of(pack), self.granted.current(pack));
            self.versions.lock().grant_anew(grant);
        }
        // Which versions are held back may be others now.
        Some(self.exchange(Library::with_waiting))
    }

    /// Whether some version is there that should be held back.
    #[must_use]
    pub fn has_to_hold_back(&self) -> bool {
        !self.simulate && self.library().packs().any(|pack| self.earlier(pack, &Library::default()).is_some())
    }

    /// Holds back what has to wait.
    pub(super) fn hold_back(&self, library: &mut Library, previous: &Library) {
        // Where nothing leaves, nothing needs a grant.
        if self.simulate {
            return;
        }
        let packs: Vec<_> = library.packs().cloned().collect();
        for earlier in packs.iter().filter_map(|pack| self.earlier(pack, previous)) {
            library.hold_back(earlier);
        }
    }

    /// The version that stays in use in the place of this one: none if this one may run, or no earlier one may.
    fn earlier(&self, pack: &Arc<Pack>, previous: &Library) -> Option<Arc<Pack>> {
        if self.standing(pack).is_settled() {
            return None;
        }
        let may_stay = |earlier: &Arc<Pack>| earlier.digest != pack.digest && self.standing(earlier).is_settled();
        let in_memory = previous.pack(pack.reference().as_str()).filter(|earlier| may_stay(earlier)).cloned();
        in_memory.or_else(|| self.archived_in_use(pack.reference()).filter(may_stay))
    }

    /// The version that the process before this one used.
    fn archived_in_use(&self, pack: &PackRef) -> Option<Arc<Pack>> {
        let found = self.archive.as_ref()?.in_use(pack);
        let found = found.unwrap_or_else(|error| {
            tracing::warn!(%pack, error = &error as &dyn std::error::Error, "the version that was in use cannot be used");
            None
        });
        found.map(|pack| self.versions.lock().enter(pack))
    }
}
