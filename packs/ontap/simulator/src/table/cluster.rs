//! The cluster itself: identity, nodes, aggregates, licences, jobs, events.

use serde_json::{Value, json};

use crate::path;
use crate::resource::{Link, Resource, Way};
use crate::site::Site;

/// What kind of system this is, as the command line tells it.
pub(crate) const PERSONALITY: &str = "/private/cli/debug/smdb/table/OntapPersonality";

/// The rows.
pub(crate) static ROWS: &[Resource] = &[
    Resource { path: "/cluster", keys: &[], patch: Way::Now, fixed: &["version"], ..Resource::BASE },
    Resource { path: "/cluster/nodes", patch: Way::Now, fixed: &["state", "version"], ..Resource::BASE },
    Resource { path: crate::jobs::PATH, brief: &[], patch: Way::Now, ..Resource::BASE },
    Resource {
        path: "/storage/aggregates",
        brief: &["name", "node"],
        patch: Way::Now,
        unique: &[&["name"]],
        links: &[Link::to("node", "/cluster/nodes")],
        fixed: &["node", "state"],
        view: space_of_aggregate,
        ..Resource::BASE
    },
    // NetApp's Ansible modules ask the command line what kind of system this is before they touch a LUN.
    Resource { path: PERSONALITY, keys: &[], brief: &[], ..Resource::BASE },
    Resource { path: "/cluster/licensing/licenses", keys: &["name"], brief: &["scope", "state"], ..Resource::BASE },
    Resource {
        path: "/support/ems/events",
        keys: &["index"],
        brief: &["node"],
        links: &[Link::to("node", "/cluster/nodes")],
        ..Resource::BASE
    },
];

/// What volumes take of an aggregate: all of their size if it is guaranteed, else what is in them.
pub(crate) fn taken(site: &Site<'_>, aggregate: &str) -> u64 {
    let in_it =
        |volume: &&Value| path::all(volume, "aggregates.uuid").iter().any(|uuid| uuid.as_str() == Some(aggregate));
    let volumes = site.records("/storage/volumes").iter().filter(in_it);
    let each = volumes.map(|volume| {
        let guaranteed = path::text(volume, "guarantee.type") == Some("volume");
        path::number(volume, if guaranteed { "size" } else { "~used" }).unwrap_or_default()
    });
    each.sum()
}

fn space_of_aggregate(site: &Site<'_>, aggregate: &mut Value) {
    let size = path::number(aggregate, "space.block_storage.size").unwrap_or_default();
    let uuid = path::owned(aggregate, "uuid");
    let used = taken(site, &uuid);
    let percent = used.saturating_mul(100) / size.max(1);
    let count = site
        .records("/storage/volumes")
        .iter()
        .filter(|volume| path::all(volume, "aggregates.uuid").iter().any(|other| other.as_str() == Some(uuid.as_str())))
        .count();
    path::set(aggregate, "volume_count", count);
    path::merge(
        aggregate,
        &json!({ "space": { "block_storage": {
        "used": used, "available": size.saturating_sub(used), "used_percent": percent, "full_threshold_percent": 98,
    } } }),
    );
}
