//! What packs were granted: by the operator's file, by what is recorded, by development mode.

use std::collections::BTreeMap;

use parking_lot::RwLock;
use runner_host::CurrentGrant;
use runner_model::{GrantRecord, PackRef, Permissions, Standing, effective};
use runner_pack::Pack;

use super::Grants;

pub(super) struct Granted {
    file: Grants,
    development: bool,
    recorded: RwLock<BTreeMap<PackRef, GrantRecord>>,
    /// What attempts that run look at: one for each pack of which one ever did.
    current: RwLock<BTreeMap<PackRef, CurrentGrant>>,
}

impl Granted {
    pub(super) fn of_file(file: Grants) -> Self {
        Self { file, development: false, recorded: RwLock::default(), current: RwLock::default() }
    }

    /// Grants whatever packs ask for.
    pub(super) const fn develop(&mut self) {
        self.development = true;
    }

    pub(super) const fn is_development(&self) -> bool {
        self.development
    }

    /// What the operator's file says of a pack, if it says something.
    pub(super) fn by_file(&self, pack: &PackRef) -> Option<&Permissions> {
        self.file.0.get(pack)
    }

    /// What is recorded of a pack.
    pub(super) fn record(&self, pack: &PackRef) -> Option<GrantRecord> {
        self.recorded.read().get(pack).cloned()
    }

    pub(super) fn standing(&self, pack: &Pack) -> Standing {
        let manifest = &pack.manifest;
        let recorded = self.recorded.read();
        let (file, record) = (self.by_file(&manifest.reference), recorded.get(&manifest.reference));
        Standing::of(&manifest.permissions, file, record, self.development)
    }

    /// What a version of a pack may do now.
    pub(super) fn of(&self, pack: &Pack) -> Permissions {
        let manifest = &pack.manifest;
        let recorded = self.recorded.read();
        let (file, record) = (self.by_file(&manifest.reference), recorded.get(&manifest.reference));
        effective(&manifest.permissions, file, record, self.development)
    }

    /// The same, as attempts look at it while they run. In development mode nothing can be taken back.
    pub(super) fn current(&self, pack: &Pack) -> Option<CurrentGrant> {
        if self.development {
            return None;
        }
        let mut current = self.current.write();
        Some(current.entry(pack.reference().clone()).or_insert_with(|| CurrentGrant::of(self.of(pack))).clone())
    }

    /// Takes in what is recorded; says whether that is something else than before.
    pub(super) fn take(&self, records: Vec<GrantRecord>) -> bool {
        let records: BTreeMap<_, _> = records.into_iter().map(|record| (record.pack.clone(), record)).collect();
        let current = self.current.write();
        let before = std::mem::replace(&mut *self.recorded.write(), records);
        let recorded = self.recorded.read();
        for (pack, grant) in &*current {
            // Outside of development mode it does not depend on what a version asks for.
            let silent = Permissions::default();
            grant.set(effective(&silent, self.by_file(pack), recorded.get(pack), false));
        }
        before != *recorded
    }
}
