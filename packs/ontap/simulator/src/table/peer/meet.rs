//! When two clusters have found each other: both know of the other, or one has offered itself to whoever has the passphrase.

use serde_json::Value;

use super::{INTERFACES, PATH};
use crate::path;
use crate::site::Site;
use crate::world::World;

/// The cluster with an intercluster interface of this address.
pub(super) fn owner(world: &World, address: &str) -> Option<usize> {
    (0..world.clusters.len()).find(|at| intercluster(world, *at).iter().any(|own| own == address))
}

/// The addresses of a cluster at which peers reach it.
fn intercluster(world: &World, at: usize) -> Vec<String> {
    let interfaces = world.clusters.get(at).and_then(|cluster| cluster.tables.get(INTERFACES)).into_iter().flatten();
    let open =
        interfaces.filter(|one| path::all(one, "services").iter().any(|s| s.as_str() == Some("intercluster_core")));
    open.map(|one| path::owned(one, "ip.address")).collect()
}

/// Lets clusters find each other: both know of the other, or one has offered itself to whoever has the passphrase.
pub(crate) fn settle(world: &mut World) {
    let count = world.clusters.len();
    for (one, other) in (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other))) {
        for (left, right) in waiting_pairs(world, one, other) {
            meet(world, (one, &left), (other, &right));
        }
    }
    for at in 0..count {
        let known: Vec<String> =
            (0..count).filter(|other| *other != at).flat_map(|other| intercluster(world, other)).collect();
        let peers = world.clusters.get_mut(at).and_then(|cluster| cluster.tables.get_mut(PATH)).into_iter().flatten();
        for peer in peers.filter(|peer| !path::is_true(peer, "~joined") && !path::is_true(peer, "~left")) {
            let reachable = path::is_true(peer, "~anonymous")
                || path::all(peer, "remote.ip_addresses")
                    .iter()
                    .any(|a| a.as_str().is_some_and(|a| known.iter().any(|k| k == a)));
            let state = match (path::text(peer, "authentication.state"), reachable) {
                (Some("problem"), _) | (_, false) => "unavailable",
                _ => "pending",
            };
            path::set(peer, "status.state", state);
        }
    }
}

/// Pairs of records of two clusters that mean each other and are not joined.
fn waiting_pairs(world: &World, one: usize, other: usize) -> Vec<(Value, Value)> {
    let waiting = |at: usize| {
        let peers = world.clusters.get(at).and_then(|cluster| cluster.tables.get(PATH)).into_iter().flatten();
        peers.filter(|peer| !path::is_true(peer, "~joined") && !path::is_true(peer, "~left"))
    };
    let knows = |peer: &Value, at: usize| {
        let addresses = intercluster(world, at);
        path::all(peer, "remote.ip_addresses")
            .iter()
            .any(|a| a.as_str().is_some_and(|a| addresses.iter().any(|own| own == a)))
    };
    let pairs = waiting(one).flat_map(|left| waiting(other).map(move |right| (left, right)));
    let meant = pairs.filter(|(left, right)| {
        let (to_right, to_left) = (knows(left, other), knows(right, one));
        let (open_left, open_right) = (path::is_true(left, "~anonymous"), path::is_true(right, "~anonymous"));
        to_right && (to_left || open_right) || to_left && open_left
    });
    meant.map(|(left, right)| (left.clone(), right.clone())).collect()
}

fn meet(world: &mut World, (one, left): (usize, &Value), (other, right): (usize, &Value)) {
    let now = world.now;
    let valid = |peer: &Value| path::number(peer, "~expires").is_none_or(|end| now <= end);
    let same = left["~passphrase"] == right["~passphrase"];
    let open = path::is_true(left, "~anonymous") || path::is_true(right, "~anonymous");
    // Offers wait for whoever has their passphrase: another passphrase is no problem of theirs.
    if !(same && valid(left) && valid(right)) {
        if !open && !same {
            for (at, peer) in [(one, left), (other, right)] {
                change_peer(world, at, peer, |peer| path::set(peer, "authentication.state", "problem"));
            }
        }
        return;
    }
    join(world, one, left, other);
    join(world, other, right, one);
}

/// One side's record becomes a relationship with the other cluster. An offer takes the uuid of that cluster.
fn join(world: &mut World, at: usize, peer: &Value, other: usize) {
    let site = Site { world, at };
    let (name, uuid) = (site.name_of(other), site.uuid_of(other));
    let addresses = intercluster(site.world, other);
    let taken = site.records(PATH).iter().any(|known| path::text(known, "name") == Some(&name));
    let moment = site.moment();
    change_peer(world, at, peer, |peer| {
        if path::is_true(peer, "~unnamed") && !taken {
            path::set(peer, "name", name.as_str());
        }
        if path::is_true(peer, "~anonymous") {
            path::set(peer, "remote.ip_addresses", addresses);
            path::set(peer, "uuid", uuid.as_str());
        }
        for (field, value) in [
            ("remote.name", name.as_str()),
            ("authentication.state", "ok"),
            ("authentication.in_use", "ok"),
            ("status.state", "available"),
            ("status.update_time", &moment),
            ("~cluster", &uuid),
        ] {
            path::set(peer, field, value);
        }
        let proposed = path::owned(peer, "encryption.proposed");
        path::set(peer, "encryption.state", proposed);
        for (field, value) in [("~joined", true), ("~anonymous", false), ("~unnamed", false)] {
            path::set(peer, field, value);
        }
        path::remove(peer, "authentication.expiry_time");
    });
}

fn change_peer(world: &mut World, at: usize, peer: &Value, change: impl FnOnce(&mut Value)) {
    let number = path::number(peer, "~seq");
    let peers = world.clusters.get_mut(at).and_then(|cluster| cluster.tables.get_mut(PATH)).into_iter().flatten();
    if let Some(found) = peers.into_iter().find(|peer| path::number(peer, "~seq") == number) {
        change(found);
    }
}
