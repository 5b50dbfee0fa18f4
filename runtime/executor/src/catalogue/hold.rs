//! What was granted, as it changes. Versions that ask for more than was granted are held back: the one before stays in use until somebody grants it.
//!
//! Held back is only what has a version before it that may run. A pack that nobody granted anything is swapped in like any
//! other; its actions that need something are refused ([`super::Packs::check_grants`]).

use std::sync::Arc;

use runner_model::{Asking, Configured, Given, GrantRecord, GrantReport, PackRef, Permissions, Standing};
use runner_pack::{Library, Pack};
use tokio::sync::watch;

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

    /// With these connections to be granted: name and kind.
    #[must_use]
    pub fn with_configured(mut self, configured: Vec<Configured>) -> Self {
        self.configured = configured;
        self
    }

    /// The connections that can be granted.
    #[must_use]
    pub fn configured(&self) -> &[Configured] {
        &self.configured
    }

    /// How a version of a pack stands by what was granted.
    #[must_use]
    pub fn standing(&self, pack: &Pack) -> Standing {
        self.granted.standing(pack)
    }

    /// What a version of a pack may do now.
    #[must_use]
    pub fn grant_of(&self, pack: &Pack) -> Permissions {
        self.granted.of(pack)
    }

    /// The same packs with what is recorded as granted, before anything runs.
    #[must_use]
    pub fn with_grants(self, records: Vec<GrantRecord>) -> Self {
        self.granted.take(records);
        self
    }

    /// Takes in what is recorded as granted: new attempts get it, what was taken back holds at once. Says whether something
    /// else is recorded than before.
    pub fn take_grants(&self, records: Vec<GrantRecord>) -> bool {
        if !self.granted.take(records) {
            return false;
        }
        if !self.simulate {
            let grant = |pack: &Pack| (self.granted.of(pack), self.granted.current(pack));
            self.versions.lock().grant_anew(grant);
        }
        self.regranted.send_modify(|times| *times += 1);
        true
    }

    /// Says how often what is granted has changed.
    #[must_use]
    pub fn regranted(&self) -> watch::Receiver<u64> {
        self.regranted.subscribe()
    }

    /// Swaps in the versions that waited for a grant and have it now. Blocks while files are copied.
    pub fn let_in(&self) {
        if self.library().waiting().next().is_none() {
            return;
        }
        for pack in self.exchange(Library::with_waiting).changed {
            tracing::info!(%pack, "pack changed: what it asks for is granted");
        }
    }

    /// What a pack asks for and what is granted of it: of the version that waits, if one does.
    #[must_use]
    pub fn grant_report(&self, pack: &PackRef) -> Option<GrantReport> {
        let library = self.library();
        let used = library.pack(pack.as_str());
        let waiting = library.waiting().find(|waiting| waiting.reference() == pack);
        let asked = waiting.or(used)?;
        let manifest = &asked.manifest;
        let version = manifest.version.to_string();
        let asking = Asking { pack, version: &version, digest: &asked.digest, wish: &manifest.permissions };
        let record = self.granted.record(pack);
        let (file, development) = (self.granted.by_file(pack), self.is_development());
        let given = Given { file, record: record.as_ref(), development };
        let in_use = waiting.and(used).map(|used| used.manifest.version.to_string());
        Some(GrantReport { in_use, ..GrantReport::of(asking, given, &self.configured) })
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
