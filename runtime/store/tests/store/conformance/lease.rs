//! Leases: who may write, and until when.

use runner_model::{Entry, ExecutionId, Fact, FencingToken, Status, Version};
use runner_store::{Append, Claimed, Lease, NewExecution, Store, StoreError};
use serde_json::json;

use crate::given::{answered, append, append_at, at, child, finished, id, new, node, result, scheduled, started};

pub(crate) async fn a_claim_shuts_out_the_former_holder(store: &dyn Store) {
    let old = store.create(new(1)).await.unwrap();
    let new = store.claim(id(1), &node("b"), at(1000), at(2000)).await.unwrap().unwrap();
    assert_eq!(new, Lease { id: id(1), token: FencingToken(2), version: Version(2) });
    // The former holder is told that it is no longer the holder, even where its version is right.
    assert_eq!(store.append(append(&old, vec![scheduled(5, 0)])).await, Err(StoreError::Fenced));
    assert_eq!(store.release(id(1), old.token).await, Err(StoreError::Fenced));
    assert_eq!(store.append(append(&new, vec![scheduled(5, 0)])).await, Ok(Version(3)));
    assert_eq!(store.append(append(&old, vec![scheduled(5, 0)])).await, Err(StoreError::Fenced));
    assert_eq!(store.read(id(1), Version(0)).await.unwrap().len(), 3);
}

pub(crate) async fn a_lease_is_taken_only_when_it_has_ended(store: &dyn Store) {
    store.create(new(1)).await.unwrap();
    assert_eq!(store.claim(id(1), &node("b"), at(999), at(2000)).await, Ok(None));
    let own = store.claim(id(1), &node("a"), at(999), at(1500)).await.unwrap().unwrap();
    assert_eq!(own.token, FencingToken(2));
    assert_eq!(store.claim(id(1), &node("b"), at(1499), at(2000)).await, Ok(None));
    assert!(store.claim(id(1), &node("b"), at(1500), at(2000)).await.unwrap().is_some());
    assert_eq!(store.claim(id(2), &node("b"), at(1500), at(2000)).await, Err(StoreError::NotFound));
    assert_eq!(store.release(id(2), FencingToken(1)).await, Err(StoreError::NotFound));
}

fn ids(claimed: &[Claimed]) -> Vec<ExecutionId> {
    claimed.iter().map(|claimed| claimed.lease.id).collect()
}

/// The executions that a new node gets when the leases of all others are over.
async fn claim_all(store: &dyn Store, name: &str) -> Vec<Claimed> {
    store.renew(&node(name), at(i64::MAX)).await.unwrap();
    store.claim_open(&node(name), at(i64::MAX - 1), 99).await.unwrap()
}

pub(crate) async fn open_executions_that_nobody_holds_are_claimed_owner_by_owner(store: &dyn Store) {
    for (number, owner, until) in [(1, "x", 300), (2, "y", 900), (3, "x", 100), (4, "w", 300), (5, "x", 200)] {
        store.create(NewExecution { owner: node(owner), lease_until: at(until), ..new(number) }).await.unwrap();
    }
    store.release(id(5), FencingToken(1)).await.unwrap();
    for name in ["b", "c"] {
        store.renew(&node(name), at(5000)).await.unwrap();
    }
    assert_eq!(store.claim_open(&node("b"), at(299), 9).await.map(|claimed| ids(&claimed)), Ok(vec![id(5)]));
    let first = store.claim_open(&node("b"), at(300), 2).await.unwrap();
    assert_eq!(ids(&first), [id(4), id(1)]);
    for Claimed { lease, wake_at } in first {
        assert_eq!((lease.token, lease.version, wake_at), (FencingToken(2), Version(2), None));
    }
    assert_eq!(ids(&store.claim_open(&node("c"), at(300), 9).await.unwrap()), [id(3)]);
    assert_eq!(store.claim_open(&node("c"), at(300), 9).await.unwrap(), []);
    assert_eq!(store.claim_open(&node("c"), at(300), 0).await.unwrap(), []);
    assert_eq!(ids(&store.claim_open(&node("c"), at(900), 9).await.unwrap()), [id(2)]);
}

pub(crate) async fn a_node_whose_own_lease_is_over_claims_none(store: &dyn Store) {
    store.create(new(1)).await.unwrap();
    assert_eq!(store.claim_open(&node("b"), at(1000), 9).await.unwrap(), []);
    store.renew(&node("b"), at(1500)).await.unwrap();
    assert_eq!(store.claim_open(&node("b"), at(1500), 9).await.unwrap(), []);
    assert_eq!(store.claim_open(&node("b"), at(1499), 9).await.unwrap().len(), 1);
}

pub(crate) async fn ended_executions_are_not_claimed_as_open_but_by_id(store: &dyn Store) {
    let lease = store.create(new(1)).await.unwrap();
    store.append(append(&lease, vec![finished(2, Status::Failed)])).await.unwrap();
    let mut whole = new(2);
    whole.entries.push(finished(2, Status::Succeeded));
    store.create(whole).await.unwrap();
    for number in [1, 2] {
        assert_eq!(store.owner(id(number)).await, Ok(None));
    }
    assert_eq!(claim_all(store, "z").await, []);
    // A rerun: the end gave the execution back, whoever asks first has it.
    let rerun = store.claim(id(1), &node("b"), at(3), at(500)).await.unwrap().unwrap();
    // Looking, without writing, leaves the lease as it is.
    assert_eq!(store.append(append(&rerun, vec![])).await, Ok(Version(3)));
    assert_eq!(store.claim(id(1), &node("c"), at(3), at(500)).await, Ok(None));
    assert_eq!(store.append(append(&rerun, vec![started(4)])).await, Ok(Version(4)));
    assert_eq!(store.claim_open(&node("z"), at(499), 9).await.unwrap(), []);
    assert_eq!(store.claim_open(&node("z"), at(500), 9).await.unwrap().len(), 1);
}

pub(crate) async fn renewing_moves_the_lease_of_everything_that_a_node_owns(store: &dyn Store) {
    for number in 1..=3 {
        store.create(new(number)).await.unwrap();
    }
    store.claim(id(3), &node("b"), at(1000), at(1100)).await.unwrap().unwrap();
    store.renew(&node("a"), at(2000)).await.unwrap();
    store.renew(&node("c"), at(9000)).await.unwrap();
    assert_eq!(ids(&store.claim_open(&node("c"), at(1999), 9).await.unwrap()), [id(3)]);
    // A lease that ran out and was not claimed can still be renewed.
    store.renew(&node("a"), at(3000)).await.unwrap();
    assert_eq!(store.claim_open(&node("c"), at(2999), 9).await.unwrap(), []);
    assert_eq!(ids(&store.claim_open(&node("c"), at(3000), 9).await.unwrap()), [id(1), id(2)]);
    // What is lost stays lost.
    store.renew(&node("a"), at(9999)).await.unwrap();
    assert_eq!(store.owner(id(1)).await, Ok(Some(node("c"))));
    let late = Append {
        id: id(1),
        token: FencingToken(1),
        expected: Version(2),
        entries: vec![scheduled(1, 0)],
        sealed: false,
        announce: false,
    };
    assert_eq!(store.append(late).await, Err(StoreError::Fenced));
}

pub(crate) async fn whoever_is_known_to_be_dead_holds_nothing(store: &dyn Store) {
    store.create(new(1)).await.unwrap();
    store.create(NewExecution { owner: node("b"), ..new(2) }).await.unwrap();
    assert_eq!(store.claim(id(1), &node("c"), at(5), at(2000)).await, Ok(None));
    store.expire(&node("a")).await.unwrap();
    assert_eq!(store.owner(id(1)).await, Ok(Some(node("a"))), "until somebody claims it");
    assert!(store.claim(id(1), &node("c"), at(5), at(2000)).await.unwrap().is_some());
    assert_eq!(store.claim_open(&node("c"), at(5), 9).await.unwrap(), []);
    store.expire(&node("b")).await.unwrap();
    store.expire(&node("never seen")).await.unwrap();
    assert_eq!(ids(&store.claim_open(&node("c"), at(5), 9).await.unwrap()), [id(2)]);
    assert_eq!(store.owner(id(2)).await, Ok(Some(node("c"))));
    assert_eq!(store.owner(id(3)).await, Err(StoreError::NotFound));
}

pub(crate) async fn a_longer_lease_is_not_made_shorter_by_a_claim(store: &dyn Store) {
    store.create(new(1)).await.unwrap();
    store.create(NewExecution { lease_until: at(10), ..new(2) }).await.unwrap();
    store.claim(id(1), &node("a"), at(1), at(20)).await.unwrap().unwrap();
    assert_eq!(store.claim(id(1), &node("b"), at(999), at(2000)).await, Ok(None));
    // Renewing says exactly until when.
    store.renew(&node("a"), at(20)).await.unwrap();
    assert!(store.claim(id(1), &node("b"), at(20), at(2000)).await.unwrap().is_some());
}

pub(crate) async fn what_is_given_back_is_free_at_once(store: &dyn Store) {
    let lease = store.create(new(1)).await.unwrap();
    store.release(id(1), lease.token).await.unwrap();
    assert_eq!(store.owner(id(1)).await, Ok(None));
    store.renew(&node("b"), at(2000)).await.unwrap();
    let taken = store.claim_open(&node("b"), at(-5), 9).await.unwrap();
    assert_eq!(taken.iter().map(|claimed| claimed.lease.token).collect::<Vec<_>>(), [FencingToken(2)]);
    assert_eq!(store.release(id(1), lease.token).await, Err(StoreError::Fenced));
    store.release(id(1), FencingToken(2)).await.unwrap();
    assert!(store.claim(id(1), &node("c"), at(0), at(2000)).await.unwrap().is_some());
}

pub(crate) async fn what_is_parked_says_when_it_is_to_be_woken(store: &dyn Store) {
    let mut leases = Vec::new();
    for number in 1..=4 {
        leases.push(store.create(new(number)).await.unwrap());
    }
    store.park(id(1), leases[0].token, Some(at(77))).await.unwrap();
    store.park(id(2), leases[1].token, Some(at(5))).await.unwrap();
    store.park(id(2), leases[1].token, None).await.unwrap();
    store.park(id(4), leases[3].token, Some(at(1))).await.unwrap();
    assert_eq!(store.owner(id(1)).await, Ok(Some(node("a"))), "it stays with its owner");
    assert_eq!(store.claim(id(1), &node("b"), at(999), at(2000)).await, Ok(None));
    let claimed = claim_all(store, "b").await;
    let wake: Vec<_> = claimed.iter().map(|claimed| claimed.wake_at).collect();
    assert_eq!(wake, [Some(Some(at(77))), Some(None), None, Some(Some(at(1)))]);
    // It is parked for the new owner too, who goes by the new token.
    assert_eq!(store.park(id(1), leases[0].token, None).await, Err(StoreError::Fenced));
    store.expire(&node("b")).await.unwrap();
    assert_eq!(claim_all(store, "c").await[0].wake_at, Some(Some(at(77))));
    // What has ended is not woken, and what is not there is not found.
    let token = FencingToken(3);
    store
        .append(append_at(&Lease { token, ..leases[0] }, Version(2), vec![finished(2, Status::Failed)]))
        .await
        .unwrap();
    assert!(matches!(store.park(id(1), token, None).await, Err(StoreError::Illegal { .. })));
    assert_eq!(store.park(id(1), FencingToken(2), None).await, Err(StoreError::Fenced));
    assert_eq!(store.park(id(9), token, None).await, Err(StoreError::NotFound));
}

pub(crate) async fn what_has_gone_on_is_not_parked_any_more(store: &dyn Store) {
    let mut lease = store.create(new(1)).await.unwrap();
    let early = lease;
    store.park_if_unchanged(lease, Some(at(5))).await.unwrap();
    lease.version = store.append(append(&lease, vec![scheduled(1, 0)])).await.unwrap();
    let conflict = StoreError::VersionConflict { expected: Version(2), found: Version(3) };
    assert_eq!(store.park_if_unchanged(early, Some(at(5))).await, Err(conflict));
    assert_eq!(claim_all(store, "b").await[0].wake_at, None);
    assert_eq!(store.park_if_unchanged(lease, None).await, Err(StoreError::Fenced));
    lease.token = lease.token.next();
    store.park_if_unchanged(lease, Some(at(6))).await.unwrap();
    store.expire(&node("b")).await.unwrap();
    assert_eq!(claim_all(store, "c").await[0].wake_at, Some(Some(at(6))));
    lease.token = lease.token.next();
    lease.version = store.append(append(&lease, vec![finished(6, Status::Failed)])).await.unwrap();
    assert!(matches!(store.park_if_unchanged(lease, None).await, Err(StoreError::Illegal { .. })));
    assert_eq!(store.park_if_unchanged(Lease { id: id(2), ..lease }, None).await, Err(StoreError::NotFound));
}

pub(crate) async fn whatever_is_appended_unparks(store: &dyn Store) {
    let mut lease = store.create(new(1)).await.unwrap();
    store.park(id(1), lease.token, Some(at(77))).await.unwrap();
    // Looking does not.
    store.append(append(&lease, vec![])).await.unwrap();
    let refused = store.append(append_at(&lease, Version(9), vec![scheduled(1, 0)])).await;
    assert!(refused.is_err());
    lease = store.claim(id(1), &node("a"), at(5), at(1000)).await.unwrap().unwrap();
    assert_eq!(claim_all(store, "b").await[0].wake_at, Some(Some(at(77))));
    lease.token = lease.token.next();
    store.append(append(&lease, vec![answered(5, 0, None, json!(1))])).await.unwrap();
    store.expire(&node("b")).await.unwrap();
    assert_eq!(claim_all(store, "c").await[0].wake_at, None);
    // A new phase after the end does not inherit it either.
    let lease = Lease { token: FencingToken(4), version: Version(3), ..lease };
    store.park(id(1), lease.token, None).await.unwrap();
    let version = store.append(append(&lease, vec![finished(6, Status::Failed)])).await.unwrap();
    store.append(append_at(&lease, version, vec![started(7)])).await.unwrap();
    assert_eq!(claim_all(store, "d").await[0].wake_at, None);
}

pub(crate) async fn the_end_of_a_child_unparks_its_parent(store: &dyn Store) {
    let parent = store.create(new(1)).await.unwrap();
    let bystander = store.create(new(2)).await.unwrap();
    store.park(id(2), bystander.token, None).await.unwrap();
    let mut names = (0..).map(|n| format!("claimer {n}"));
    let mut token = parent.token;
    let fact = |fact| vec![Entry::new(at(5), fact)];
    let mut child = store.create(child(3, 1)).await.unwrap();
    let steps = [
        (vec![scheduled(4, 0)], true),
        (fact(Fact::PauseRequested { by: "me".into() }), true),
        (fact(Fact::Rested { status: Status::Paused }), false),
        (fact(Fact::ResumeRequested { by: "me".into() }), false),
        (vec![result(5, 0, json!(1))], true),
        (vec![finished(6, Status::Succeeded)], false),
    ];
    for (entries, stays_parked) in steps {
        store.park(id(1), token, Some(at(9))).await.unwrap();
        child.version = store.append(append(&child, entries.clone())).await.unwrap();
        let name = names.next().unwrap();
        let claimed = claim_all(store, &name).await;
        assert_eq!(claimed[0].wake_at.is_some(), stays_parked, "{entries:?}");
        assert_eq!(claimed[1].wake_at, Some(None));
        store.expire(&node(&name)).await.unwrap();
        (token, child.token) = (claimed[0].lease.token, child.token.next());
    }
    // One that ends where it begins.
    store.park(id(1), token, None).await.unwrap();
    let mut whole = crate::given::child(4, 1);
    whole.entries.push(finished(5, Status::Failed));
    store.create(whole).await.unwrap();
    assert_eq!(claim_all(store, "z").await[0].wake_at, None);
}
