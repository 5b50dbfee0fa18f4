//! Several stores on one directory, as two `runner exec` side by side make them.

use std::sync::Arc;
use std::time::Duration;

use runner_model::{FencingToken, Version};
use runner_store::{Journal as _, Leases as _, SqliteOptions, SqliteStore, StoreError};
use rusqlite::Connection;

use crate::given::{append, append_at, at, id, new, node, scheduled, sqlite};

#[tokio::test]
async fn two_stores_see_each_other_and_fencing_keeps_them_apart() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (sqlite(dir.path()).await, sqlite(dir.path()).await);
    let old = one.create(new(1)).await.unwrap();
    assert_eq!(other.read(id(1), Version(0)).await.unwrap(), new(1).entries);
    assert_eq!(other.claim(id(1), &node("b"), at(5), at(2000)).await, Ok(None));
    let taken = other.claim(id(1), &node("b"), at(1000), at(2000)).await.unwrap().unwrap();
    assert_eq!(taken.token, FencingToken(2));
    assert_eq!(one.append(append(&old, vec![scheduled(1, 0)])).await, Err(StoreError::Fenced));
    assert_eq!(other.append(append(&taken, vec![scheduled(1, 0)])).await, Ok(Version(3)));
    // The one that closes takes nothing from the other.
    other.close().await;
    assert_eq!(one.read(id(1), Version(0)).await.unwrap().len(), 3);
    assert_eq!(one.append(append(&old, vec![])).await, Err(StoreError::Fenced));
    one.create(new(2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_open_the_same_new_directory_at_once_all_write() {
    for _ in 0..5 {
        open_together_and_write().await;
    }
}

async fn open_together_and_write() {
    let dir = tempfile::tempdir().unwrap();
    let data = Arc::new(dir.path().join("made/by/the/store"));
    let writers: Vec<_> = (1..=6)
        .map(|number| {
            let data = Arc::clone(&data);
            tokio::spawn(async move {
                let store = sqlite(&data).await;
                let lease = store.create(new(number)).await.unwrap();
                let mut version = lease.version;
                for step in 0..20 {
                    version = store.append(append_at(&lease, version, vec![scheduled(1, step)])).await.unwrap();
                }
                store.close().await;
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let store = sqlite(&data).await;
    for number in 1..=6 {
        assert_eq!(store.read(id(number), Version(0)).await.unwrap().len(), 22);
    }
    store.verify().await.unwrap();
}

#[tokio::test]
async fn a_lock_that_is_held_for_too_long_is_reported_and_passes() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions { lock_timeout: Duration::from_millis(20), ..SqliteOptions::default() };
    let store = SqliteStore::open(dir.path(), options.clone()).await.unwrap();
    let holder = Connection::open(dir.path().join("runner.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.create(new(1)).await, Err(StoreError::Busy));
    // Readers do not care, and neither does opening, once the schema is there.
    assert_eq!(store.read(id(1), Version(0)).await, Err(StoreError::NotFound));
    SqliteStore::open(dir.path(), options).await.unwrap();
    holder.execute_batch("ROLLBACK").unwrap();
    store.create(new(1)).await.unwrap();
}
