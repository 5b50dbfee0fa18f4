//! What goes, what stays, and how much at once.

use runner_model::{MatchState, Status, Version};
use runner_store::{
    Advance, Append, EventFilter, ExecutionFilter, Expiry, NewEvent, NewExecution, Once, Pruned, Recorded, Reservation,
    Reserved, Store, StoreError,
};
use serde_json::json;

use crate::given::{append, at, by, by_rule, child, event, event_id, finished, id, new, of_version, pack, plain, rule};

/// Nothing goes.
fn keep() -> Expiry {
    Expiry { executions_before: None, executions_max: None, events_before: None, now: at(0) }
}

/// Executions and events go that are older than this.
fn before(millis: i64) -> Expiry {
    Expiry { executions_before: Some(at(millis)), events_before: Some(at(millis)), ..keep() }
}

async fn ended(store: &dyn Store, mut new: NewExecution, millis: i64) {
    new.entries.push(finished(millis, Status::Succeeded));
    store.create(new).await.unwrap();
}

/// What is there, oldest first.
async fn left(store: &dyn Store) -> Vec<u128> {
    let records = store.list(&ExecutionFilter::default(), None, 99).await.unwrap();
    records.iter().rev().map(|record| u128::from_be_bytes(*record.id.as_bytes())).collect()
}

async fn events_left(store: &dyn Store) -> Vec<u128> {
    let events = store.events(&EventFilter::default(), None, 99).await.unwrap();
    events.iter().rev().map(|event| u128::from_be_bytes(*event.id.as_bytes())).collect()
}

pub(crate) async fn what_ended_long_ago_goes_and_what_is_open_stays(store: &dyn Store) {
    for (number, end) in [(1, 50), (2, 10), (4, 20), (5, 30)] {
        ended(store, new(number), end).await;
    }
    store.create(new(3)).await.unwrap();
    let pruned = store.prune(before(30), 9).await.unwrap();
    assert_eq!((pruned.executions, pruned.more), (2, false));
    assert_eq!(left(store).await, [1, 3, 5]);
    assert_eq!(store.read(id(2), Version(0)).await, Err(StoreError::NotFound));
    assert_eq!(store.prune(before(30), 9).await.unwrap(), Pruned::default());
    // Its id is free again, and nothing of the former is in it.
    ended(store, new(2), 40).await;
    assert_eq!(store.read(id(2), Version(0)).await.unwrap().len(), 3);
}

pub(crate) async fn what_a_step_started_goes_with_the_outermost(store: &dyn Store) {
    ended(store, new(1), 100).await;
    ended(store, child(2, 1), 10).await;
    ended(store, child(3, 2), 5).await;
    ended(store, new(4), 10).await;
    ended(store, child(5, 4), 200).await;
    // Nobody knows who started it.
    ended(store, child(6, 99), 10).await;
    assert_eq!(store.prune(before(50), 9).await.unwrap().executions, 3);
    assert_eq!(left(store).await, [1, 2, 3]);
    assert_eq!(store.prune(before(101), 9).await.unwrap().executions, 3);
    assert_eq!(left(store).await, []);
}

pub(crate) async fn an_open_part_keeps_the_whole(store: &dyn Store) {
    ended(store, new(1), 10).await;
    ended(store, child(2, 1), 10).await;
    let open = store.create(child(3, 2)).await.unwrap();
    ended(store, child(4, 3), 10).await;
    let everything = Expiry { executions_max: Some(0), ..before(999) };
    assert_eq!(store.prune(everything, 9).await.unwrap(), Pruned::default());
    assert_eq!(left(store).await, [1, 2, 3, 4]);
    store.append(append(&open, vec![finished(20, Status::Canceled)])).await.unwrap();
    assert_eq!(store.prune(everything, 9).await.unwrap().executions, 4);
}

pub(crate) async fn an_end_that_was_not_dealt_with_keeps_its_execution(store: &dyn Store) {
    ended(store, new(1), 10).await;
    let lease = store.create(child(2, 1)).await.unwrap();
    let end = append(&lease, vec![finished(10, Status::Failed)]);
    store.append(Append { announce: true, ..end }).await.unwrap();
    assert_eq!(store.prune(before(99), 9).await.unwrap(), Pruned::default());
    assert_eq!(store.ended(9).await, Ok(vec![id(2)]));
    store.record(vec![], vec![Advance::Ended(id(2))]).await.unwrap();
    assert_eq!(store.prune(before(99), 9).await.unwrap().executions, 2);
}

pub(crate) async fn an_execution_that_would_be_made_again_stays(store: &dyn Store) {
    store.record(vec![plain(event(7, None, &["a", "b"]))], vec![]).await.unwrap();
    ended(store, by_rule(1, "a", 7), 10).await;
    ended(store, by_rule(2, "b", 7), 10).await;
    ended(store, by_rule(3, "a", 8), 10).await;
    store.settle(event_id(7), &rule("b"), MatchState::Started).await.unwrap();
    assert_eq!(store.prune(before(99), 9).await.unwrap().executions, 2);
    assert_eq!(left(store).await, [1]);
    store.settle(event_id(7), &rule("a"), MatchState::Started).await.unwrap();
    let pruned = store.prune(before(99), 9).await.unwrap();
    assert_eq!((pruned.executions, pruned.events), (1, 1));
}

pub(crate) async fn the_oldest_go_when_there_are_too_many(store: &dyn Store) {
    for (number, end) in [(1, 50), (2, 10), (3, 40), (4, 20)] {
        ended(store, new(number), end).await;
    }
    ended(store, child(5, 2), 9).await;
    store.create(new(6)).await.unwrap();
    let at_most = |max| Expiry { executions_max: Some(max), ..keep() };
    assert_eq!(store.prune(at_most(5), 9).await.unwrap(), Pruned::default());
    // One too many: the oldest tree goes, which is two.
    assert_eq!(store.prune(at_most(4), 9).await.unwrap().executions, 2);
    assert_eq!(left(store).await, [1, 3, 4, 6]);
    // What is old goes whatever their number is.
    let both = Expiry { executions_before: Some(at(45)), ..at_most(2) };
    assert_eq!(store.prune(both, 9).await.unwrap().executions, 2);
    assert_eq!(left(store).await, [1, 6]);
    assert_eq!(store.prune(at_most(0), 9).await.unwrap().executions, 1);
    assert_eq!(left(store).await, [6]);
}

pub(crate) async fn no_more_go_at_once_than_asked_for(store: &dyn Store) {
    for number in 1..=5 {
        ended(store, new(number), 10).await;
        store.record(vec![plain(event(number, None, &[]))], vec![]).await.unwrap();
    }
    ended(store, child(6, 1), 10).await;
    let mut going = Vec::new();
    loop {
        let pruned = store.prune(before(99), 2).await.unwrap();
        going.push((pruned.executions, pruned.events));
        if !pruned.more {
            break;
        }
    }
    assert_eq!(going, [(3, 2), (2, 2), (1, 1)]);
    ended(store, new(1), 10).await;
    let none = store.prune(before(99), 0).await.unwrap();
    assert_eq!((none.executions, none.more), (0, true));
}

pub(crate) async fn old_events_go_unless_something_is_left_to_do(store: &dyn Store) {
    for number in [1, 2, 3, 4] {
        let rules: &[&str] = if number == 2 { &["a", "b"] } else { &[] };
        store.record(vec![plain(event(number, Some(&format!("{number}")), rules))], vec![]).await.unwrap();
    }
    store.settle(event_id(2), &rule("a"), MatchState::Started).await.unwrap();
    assert_eq!(store.prune(before(4), 9).await.unwrap().events, 2);
    assert_eq!(events_left(store).await, [2, 4]);
    store.settle(event_id(2), &rule("b"), MatchState::Started).await.unwrap();
    assert_eq!(store.prune(before(4), 9).await.unwrap().events, 1);
    assert_eq!(events_left(store).await, [4]);
    assert_eq!(store.settle(event_id(2), &rule("b"), MatchState::Started).await, Err(StoreError::NoEvent));
    // What was forgotten is new again.
    let again = store.record(vec![plain(event(9, Some("1"), &["a"]))], vec![]).await.unwrap();
    assert!(matches!(again.as_slice(), [Recorded::New(_)]), "{again:?}");
}

pub(crate) async fn what_has_expired_goes(store: &dyn Store) {
    let reservation = |key: &str, until| Reservation {
        scope: "s".into(),
        key: key.into(),
        digest: [1; 32],
        execution: id(1),
        until: at(until),
    };
    for (number, key, until) in [(1, "a", 10), (2, "b", 20), (3, "c", 30)] {
        store.set(&pack("core"), key, json!(1), Some(at(until))).await.unwrap();
        store.reserve(reservation(key, until), at(0)).await.unwrap();
        let once = vec![Once { rule: rule("r"), key: key.into(), until: at(until) }];
        store.record(vec![NewEvent { event: event(number, None, &["r"]), once }], vec![]).await.unwrap();
    }
    let at_20 = Expiry { now: at(20), ..keep() };
    let pruned = store.prune(at_20, 1).await.unwrap();
    assert_eq!((pruned.expired, pruned.more), (3, true));
    let pruned = store.prune(at_20, 9).await.unwrap();
    assert_eq!(pruned, Pruned { expired: 3, ..Pruned::default() });
    assert_eq!(store.keys(&pack("core"), "", at(0), 9).await.unwrap(), ["c"]);
    // Asked as if it were earlier: what is gone is gone, what is not is held.
    assert_eq!(store.reserve(reservation("b", 99), at(0)).await, Ok(Reserved::New));
    assert!(matches!(store.reserve(reservation("c", 99), at(0)).await, Ok(Reserved::Known { .. })));
    for (number, key, expected) in [(4, "b", "pending"), (5, "c", "skipped")] {
        let once = vec![Once { rule: rule("r"), key: key.into(), until: at(99) }];
        store.record(vec![NewEvent { event: event(number, None, &["r"]), once }], vec![]).await.unwrap();
        assert_eq!(store.event(event_id(number)).await.unwrap().matches[0].state.as_str(), expected);
    }
}

pub(crate) async fn nothing_goes_that_is_not_to_go(store: &dyn Store) {
    ended(store, new(1), 10).await;
    store
        .record(vec![plain(event(1, None, &[]))], vec![Advance::Mark { name: "m".into(), value: "v".into() }])
        .await
        .unwrap();
    store.switch_rule(&rule("a"), Some(false), by(1)).await.unwrap();
    store.set(&pack("core"), "k", json!(1), None).await.unwrap();
    let pruned = store.prune(Expiry { now: at(i64::MAX), ..keep() }, 9).await.unwrap();
    assert_eq!(pruned, Pruned::default());
    assert_eq!((left(store).await, events_left(store).await), (vec![1], vec![1]));
    assert_eq!(store.mark("m").await, Ok(Some("v".into())));
    assert_eq!(store.switched_rules().await.unwrap().len(), 1);
    assert_eq!(store.keys(&pack("core"), "", at(0), 9).await.unwrap(), ["k"]);
}

pub(crate) async fn a_version_of_a_pack_goes_with_its_last_execution(store: &dyn Store) {
    for (number, digest, end) in [(1, "11", 10), (2, "22", 20), (3, "22", 50), (4, "33", 60)] {
        ended(store, of_version(number, "core.noop", digest), end).await;
    }
    let open = store.create(of_version(5, "core.noop", "11")).await.unwrap();
    let digests =
        async || -> Vec<String> { store.versions().await.unwrap().into_iter().map(|(_, digest)| digest).collect() };
    store.prune(before(30), 9).await.unwrap();
    assert_eq!(digests().await, ["11", "22", "33"]);
    store.prune(before(55), 9).await.unwrap();
    assert_eq!(digests().await, ["11", "33"]);
    store.append(append(&open, vec![finished(70, Status::Failed)])).await.unwrap();
    store.prune(before(99), 9).await.unwrap();
    assert_eq!(digests().await, [""; 0]);
    // One that was forgotten is as new.
    ended(store, of_version(6, "core.noop", "22"), 99).await;
    assert_eq!(digests().await, ["22"]);
}
