//! A full disk: nothing acknowledged is lost, and the store goes on when there is space again.

use runner_model::{Version, code};
use runner_store::{Journal as _, KeyValue as _, SqliteOptions, SqliteStore, StoreError};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::given::{append, append_at, at, id, new, noise, pack, result, sqlite};

#[tokio::test]
async fn a_full_disk_refuses_and_the_store_goes_on_when_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions { database_bytes_max: Some(512 * 1024), ..SqliteOptions::default() };
    let store = SqliteStore::open(dir.path(), options).await.unwrap();
    let big = |seed| Value::String(noise(seed, 16 * 1024));
    store.set(&pack("a"), "ballast", json!([big(1), big(2), big(3), big(4)]), None).await.unwrap();

    let lease = store.create(new(1)).await.unwrap();
    let mut acknowledged = lease.version;
    let full = loop {
        match store.append(append_at(&lease, acknowledged, vec![result(1, 0, big(acknowledged.0 + 4))])).await {
            Ok(version) => acknowledged = version,
            Err(error) => break error,
        }
        assert!(acknowledged < Version(1000), "the limit does not work");
    };
    assert_eq!((full.clone(), full.code(), full.is_retryable()), (StoreError::Full, code::STORE_FULL, true));
    assert!(acknowledged > Version(10));
    assert_eq!(store.read(id(1), Version(0)).await.unwrap().len() as u64, acknowledged.0);

    assert!(store.delete(&pack("a"), "ballast", at(0)).await.unwrap());
    let after = store.append(append_at(&lease, acknowledged, vec![result(1, 0, big(4000))])).await;
    assert_eq!(after, Ok(acknowledged.next()));
    store.close().await;
    let store = sqlite(dir.path()).await;
    assert_eq!(store.read(id(1), Version(0)).await.unwrap().len() as u64, acknowledged.0 + 1);
    store.verify().await.unwrap();
}

#[tokio::test]
async fn a_command_that_does_not_fit_does_not_fail_those_that_do() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions { database_bytes_max: Some(512 * 1024), ..SqliteOptions::default() };
    let store = SqliteStore::open(dir.path(), options).await.unwrap();
    let (one, two) = (store.create(new(1)).await.unwrap(), store.create(new(2)).await.unwrap());
    let huge = vec![result(1, 0, Value::String(noise(1, 1024 * 1024)))];
    let small = vec![result(1, 0, json!("x"))];
    let a = pack("a");
    // The writer waits for this lock while the commands gather behind it: the huge one shares its transaction.
    let lock = Connection::open(dir.path().join("runner.db")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (ballast, refused, served, ()) = tokio::join!(
        store.set(&a, "k", json!(1), None),
        store.append(append(&one, huge)),
        store.append(append(&two, small)),
        async { lock.execute_batch("ROLLBACK").unwrap() },
    );
    assert_eq!((ballast, refused, served), (Ok(()), Err(StoreError::Full), Ok(Version(3))));
    assert_eq!(store.append(append(&one, vec![result(1, 0, json!("y"))])).await, Ok(Version(3)));
}
