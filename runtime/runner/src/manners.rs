//! How the systems behind connections want to be talked to, as the packs say that bring their kinds.

use std::collections::BTreeMap;

use runner_model::Manners;
use runner_pack::{ConnectionKind, Library};

/// The manners of each kind of connection that a pack knows some of. If several packs do, the one counts that also brings
/// a simulator of it, and else the first by name.
pub(crate) fn of_kinds(library: &Library) -> BTreeMap<String, Manners> {
    let mut known: BTreeMap<&str, &ConnectionKind> = BTreeMap::new();
    let declared = library.manifests().flat_map(|manifest| &manifest.connections);
    for (kind, about) in declared.filter(|(_, about)| !about.manners.is_empty()) {
        let counts =
            known.get(kind.as_str()).is_none_or(|other| other.simulator.is_none() && about.simulator.is_some());
        if counts {
            known.insert(kind, about);
        }
    }
    known.into_iter().map(|(kind, about)| (kind.to_owned(), about.manners.clone())).collect()
}
