//! Leases: who may write, and until when.

use runner_model::{FencingToken, Status, Version};
use runner_store::{Lease, Store, StoreError};

use crate::given::{append, at, finished, id, new, node, scheduled, started};

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

pub(crate) async fn open_executions_whose_lease_ended_are_claimed_longest_overdue_first(store: &dyn Store) {
    for (number, until) in [(1, 300), (2, 100), (3, 200), (4, 900)] {
        let mut new = new(number);
        new.lease_until = at(until);
        store.create(new).await.unwrap();
    }
    let ids = |leases: Vec<Lease>| leases.iter().map(|lease| lease.id).collect::<Vec<_>>();
    let first = store.claim_expired(&node("b"), at(300), at(5000), 2).await.unwrap();
    assert!(first.iter().all(|lease| (lease.token, lease.version) == (FencingToken(2), Version(2))));
    assert_eq!(ids(first), [id(2), id(3)]);
    assert_eq!(ids(store.claim_expired(&node("c"), at(300), at(5000), 9).await.unwrap()), [id(1)]);
    assert_eq!(store.claim_expired(&node("c"), at(300), at(5000), 9).await.unwrap(), []);
}

pub(crate) async fn ended_executions_are_not_claimed_as_expired_but_by_id(store: &dyn Store) {
    let lease = store.create(new(1)).await.unwrap();
    store.append(append(&lease, vec![finished(2, Status::Failed)])).await.unwrap();
    let mut whole = new(2);
    whole.entries.push(finished(2, Status::Succeeded));
    store.create(whole).await.unwrap();
    assert_eq!(store.claim_expired(&node("b"), at(9000), at(9999), 9).await.unwrap(), []);
    assert_eq!(store.renew(&node("a"), at(9999)).await, Ok(0));
    // A rerun: the end gave the lease back, whoever asks first has it.
    let rerun = store.claim(id(1), &node("b"), at(3), at(500)).await.unwrap().unwrap();
    // Looking, without writing, leaves the lease as it is.
    assert_eq!(store.append(append(&rerun, vec![])).await, Ok(Version(3)));
    assert_eq!(store.claim(id(1), &node("c"), at(3), at(500)).await, Ok(None));
    assert_eq!(store.append(append(&rerun, vec![started(4)])).await, Ok(Version(4)));
    assert_eq!(store.claim_expired(&node("c"), at(499), at(9999), 9).await.unwrap(), []);
    assert_eq!(store.claim_expired(&node("c"), at(500), at(9999), 9).await.unwrap().len(), 1);
}

pub(crate) async fn renewing_moves_every_lease_of_the_node(store: &dyn Store) {
    for number in 1..=3 {
        store.create(new(number)).await.unwrap();
    }
    store.claim(id(3), &node("b"), at(1000), at(1100)).await.unwrap().unwrap();
    assert_eq!(store.renew(&node("a"), at(2000)).await, Ok(2));
    assert_eq!(store.renew(&node("z"), at(2000)).await, Ok(0));
    let taken = store.claim_expired(&node("c"), at(1999), at(3000), 9).await.unwrap();
    assert_eq!(taken.iter().map(|lease| lease.id).collect::<Vec<_>>(), [id(3)]);
    assert_eq!(store.claim_expired(&node("c"), at(2000), at(3000), 9).await.unwrap().len(), 2);
}

pub(crate) async fn what_is_given_back_is_free_at_once(store: &dyn Store) {
    let lease = store.create(new(1)).await.unwrap();
    store.release(id(1), lease.token).await.unwrap();
    assert_eq!(store.renew(&node("a"), at(2000)).await, Ok(0));
    let taken = store.claim_expired(&node("b"), at(-5), at(2000), 9).await.unwrap();
    assert_eq!(taken.iter().map(|lease| lease.token).collect::<Vec<_>>(), [FencingToken(2)]);
    assert_eq!(store.release(id(1), lease.token).await, Err(StoreError::Fenced));
    store.release(id(1), FencingToken(2)).await.unwrap();
    assert!(store.claim(id(1), &node("c"), at(0), at(2000)).await.unwrap().is_some());
}
