//! The resource table: every collection that is simulated, one file for each family.

pub(crate) mod cluster;
pub(crate) mod copies;
pub(crate) mod igroup;
pub(crate) mod nas;
pub(crate) mod network;
pub(crate) mod peer;
pub(crate) mod policy;
pub(crate) mod san;
pub(crate) mod snapmirror;
pub(crate) mod svm;
pub(crate) mod svm_peer;
pub(crate) mod tree;
pub(crate) mod volume;

use std::sync::OnceLock;

use crate::resource::Resource;

/// Every row.
pub(crate) fn all() -> &'static [&'static Resource] {
    static ALL: OnceLock<Vec<&'static Resource>> = OnceLock::new();
    ALL.get_or_init(|| {
        let families: [&'static [Resource]; 13] = [
            cluster::ROWS,
            peer::ROWS,
            network::ROWS,
            svm::ROWS,
            svm_peer::ROWS,
            volume::ROWS,
            copies::ROWS,
            tree::ROWS,
            nas::ROWS,
            igroup::ROWS,
            san::ROWS,
            policy::ROWS,
            snapmirror::ROWS,
        ];
        families.into_iter().flatten().collect()
    })
}

/// The row of a collection.
pub(crate) fn named(path: &str) -> Option<&'static Resource> {
    all().iter().copied().find(|resource| resource.path == path)
}
