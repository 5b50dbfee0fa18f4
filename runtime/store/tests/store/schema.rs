//! Databases that earlier versions made: they open, and their executions go on.

use std::fs;

use runner_model::{ExecutionId, FencingToken, Status, Version};
use runner_store::{
    Append, Catalogue, Events as _, ExecutionFilter, Expiry, Journal as _, KeyValue as _, Leases as _, Pruned,
    SqliteStore, Upkeep as _, WaitFilter, Waits as _,
};
use serde_json::{Value, json};

use crate::given::{at, by_rule, event, finished, id, node, pack, plain, result, sqlite};

/// Made by the first version, and closed. Executions 1 (of `a`, until 1000), 2 and 3 (steps 0 and 1 of 1; 2 has
/// succeeded, 3 is of `b`, until 500) and 4 (given back); the key `k` of the pack `core`.
const FIRST: &[u8] = include_bytes!("fixtures/schema-1.db");

/// Made by the second version, and closed. Executions 1 (of `a`, waits for the event `k`, parked until 700), 2 (a step of
/// it, which has succeeded) and 3 (which has failed); the large value 1 in 1 and 2, value 2 in 2 and 3, value 3 in 3.
const SECOND: &[u8] = include_bytes!("fixtures/schema-2.db");

/// The large value with this number.
fn large(number: u32) -> Value {
    let rows: Vec<_> = (0..1000).map(|n| json!({"n": n, "name": format!("volume {number}")})).collect();
    json!({ "rows": rows })
}

async fn claimed(store: &SqliteStore, now: i64) -> Vec<ExecutionId> {
    let claimed = store.claim_open(&node("c"), at(now), 9).await.unwrap();
    assert!(claimed.iter().all(|claimed| claimed.wake_at.is_none()));
    claimed.iter().map(|claimed| claimed.lease.id).collect()
}

#[tokio::test]
async fn a_database_of_the_first_version_opens_and_its_executions_go_on() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("runner.db"), FIRST).unwrap();
    let store = sqlite(dir.path()).await;
    store.verify().await.unwrap();

    let read = store.read(id(2), Version(0)).await.unwrap();
    let rows: Vec<_> = (0..2000).map(|n| json!({"n": n, "name": format!("volume {n}")})).collect();
    assert_eq!(read[2], result(5, 0, json!({"rows": rows})));
    assert_eq!(Catalogue::get(&store, id(2)).await.unwrap().status, Status::Succeeded);
    let children = store.children(id(1)).await.unwrap();
    assert_eq!(children.iter().map(|child| child.id).collect::<Vec<_>>(), [id(2), id(3)]);
    let open = ExecutionFilter { open: Some(true), parent: Some(id(1)), ..ExecutionFilter::default() };
    assert_eq!(store.list(&open, None, 9).await.unwrap().len(), 1);
    let value = runner_store::KeyValue::get(&store, &pack("core"), "k", at(0)).await.unwrap();
    assert_eq!(value, Some(json!([1, 2.5])));
    assert_eq!(store.keys(&pack("core"), "", at(0), 9).await.unwrap(), ["k"]);

    let versions = [(pack("core"), "00".to_owned())];
    assert_eq!(store.versions().await.unwrap(), versions);

    // Leases last as long as they were given: that of `a` the longest that it had, that of 2, which has ended, not at all.
    store.renew(&node("c"), at(9999)).await.unwrap();
    assert_eq!(claimed(&store, 499).await, [id(4)]);
    assert_eq!(claimed(&store, 500).await, [id(3)]);
    assert_eq!(claimed(&store, 999).await, []);
    let entries = vec![result(9, 0, json!(1)), finished(9, Status::Succeeded)];
    let append =
        Append { id: id(1), token: FencingToken(1), expected: Version(2), entries, sealed: false, announce: false };
    assert_eq!(store.append(append).await, Ok(Version(4)));
    store.close().await;

    let store = sqlite(dir.path()).await;
    assert_eq!(store.read(id(1), Version(0)).await.unwrap().len(), 4);
    store.verify().await.unwrap();
}

#[tokio::test]
async fn a_database_of_the_second_version_opens_and_its_large_values_are_kept_for_those_who_need_them() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("runner.db"), SECOND).unwrap();
    let store = sqlite(dir.path()).await;
    store.verify().await.unwrap();
    assert_eq!(store.waits(&WaitFilter::default(), 9).await.unwrap().len(), 1);
    let roots = ExecutionFilter { root: Some(true), ..ExecutionFilter::default() };
    assert_eq!(store.count(&roots).await, Ok(2));

    let expiry = Expiry { executions_before: Some(at(999)), executions_max: None, events_before: None, now: at(0) };
    let pruned = store.prune(expiry, 9).await.unwrap();
    assert_eq!(pruned, Pruned { executions: 1, blobs: 1, ..Pruned::default() });
    assert_eq!(store.read(id(1), Version(2)).await.unwrap()[0], result(5, 0, large(1)));
    let read = store.read(id(2), Version(2)).await.unwrap();
    assert_eq!(read[..2], [result(5, 0, large(1)), result(5, 1, large(2))]);

    store.create(by_rule(4, "nightly", 1)).await.unwrap();
    store.record(vec![plain(event(1, Some("k"), &["nightly"]))], vec![]).await.unwrap();
    store.close().await;
    let store = sqlite(dir.path()).await;
    assert_eq!(store.open_events(None, 9).await.unwrap().len(), 1);
    store.verify().await.unwrap();
}
