//! Large values: where they are kept, and that nothing else is taken for one.

use std::path::Path;

use runner_model::{Entry, Fact, Status, Version, code, limits};
use runner_store::{Journal as _, NewExecution, SqliteStore};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::given::{append, append_at, at, id, new, noise, result, sqlite};

fn large() -> Value {
    (0..2_000).map(|n| json!({"volume": format!("vol_{n}"), "state": "online"})).collect()
}

/// Number and bytes of the blobs, and bytes of the journal's rows.
fn sizes(dir: &Path) -> (u64, u64, u64) {
    let db = Connection::open(dir.join("runner.db")).unwrap();
    let sql = "SELECT (SELECT count(*) FROM blobs), (SELECT ifnull(sum(length(data)), 0) FROM blobs),
                      (SELECT sum(length(entries)) FROM journal)";
    let sizes: (i64, i64, i64) = db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    (sizes.0.unsigned_abs(), sizes.1.unsigned_abs(), sizes.2.unsigned_abs())
}

async fn with_a_large_result(dir: &Path) -> (SqliteStore, Vec<Entry>) {
    let store = sqlite(dir).await;
    let lease = store.create(new(1)).await.unwrap();
    let end = Fact::Finished { status: Status::Succeeded, result: large(), errors: vec![] };
    let mut all = new(1).entries;
    all.push(result(2, 0, large()));
    let version = store.append(append(&lease, vec![all[2].clone()])).await.unwrap();
    all.push(Entry::new(at(3), end));
    store.append(append_at(&lease, version, vec![all[3].clone()])).await.unwrap();
    (store, all)
}

#[tokio::test]
async fn a_result_that_a_step_and_its_execution_return_is_kept_once_and_compressed() {
    let dir = tempfile::tempdir().unwrap();
    let (store, all) = with_a_large_result(dir.path()).await;
    let plain = serde_json::to_vec(&large()).unwrap().len() as u64;
    assert!(plain > limits::RESULT_INLINE_BYTES_MAX as u64);
    let (count, compressed, inline) = sizes(dir.path());
    assert_eq!(count, 1);
    assert!(
        compressed * 5 < plain && inline < 2_000,
        "{plain} bytes: {compressed} compressed, {inline} in the journal"
    );
    assert_eq!(store.read(id(1), Version(0)).await.unwrap(), all);
    // Another execution with the same result adds nothing.
    let mut other = new(2);
    other.entries.push(result(9, 0, large()));
    store.create(other.clone()).await.unwrap();
    assert_eq!(sizes(dir.path()).0, 1);
    assert_eq!(store.read(id(2), Version(0)).await.unwrap(), other.entries);
    store.verify().await.unwrap();
}

#[tokio::test]
async fn what_looks_like_a_reference_stays_what_the_user_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = with_a_large_result(dir.path()).await;
    let (hash, blobs): (Vec<u8>, Vec<u8>) = {
        let db = Connection::open(dir.path().join("runner.db")).unwrap();
        let sql = "SELECT hash, (SELECT blobs FROM journal WHERE blobs IS NOT NULL) FROM blobs";
        db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let values = [
        Value::Null,
        json!([]),
        json!(hash),
        json!(blobs),
        json!(hex),
        json!({"blob": hex, "hash": hex, "$ref": hex, "bytes": 1}),
        json!(format!("sha256:{hex}")),
        json!([large(), {"blob": hex}, null]),
    ];
    let mut entries = new(2).entries;
    entries.extend(values.into_iter().map(|value| result(2, 0, value)));
    store.create(NewExecution { entries: entries.clone(), ..new(2) }).await.unwrap();
    assert_eq!(store.read(id(2), Version(0)).await.unwrap(), entries);
}

#[tokio::test]
async fn a_damaged_or_missing_large_value_is_reported_and_the_rest_can_be_read() {
    for damage in [
        "UPDATE blobs SET data = substr(data, 1, length(data) - 9)",
        "UPDATE blobs SET data = zeroblob(length(data))",
        "UPDATE blobs SET data = CAST(substr(data, 1, 99) || x'ff' || substr(data, 101) AS BLOB)",
        "UPDATE blobs SET bytes = bytes - 1",
        "UPDATE blobs SET bytes = 9223372036854775807",
        "UPDATE blobs SET hash = randomblob(32)",
        "DELETE FROM blobs",
        // The row's digest vouches for what it refers to.
        "UPDATE journal SET blobs = NULL",
        "UPDATE journal SET blobs = x''",
        "UPDATE journal SET blobs = CAST(substr(blobs, 1, 4) || x'01' || substr(blobs, 6) AS BLOB)",
        "UPDATE journal SET blobs = CAST(blobs || blobs AS BLOB)",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = with_a_large_result(dir.path()).await;
        store.create(new(2)).await.unwrap();
        Connection::open(dir.path().join("runner.db"))
            .unwrap()
            .execute_batch(&format!("PRAGMA ignore_check_constraints = ON; {damage} WHERE true"))
            .unwrap_or_else(|error| panic!("{damage}: {error}"));
        let read = store.read(id(1), Version(0)).await;
        assert_eq!(read.map_err(|error| error.code()), Err(code::STORE_CORRUPT), "{damage}");
        assert_eq!(store.verify().await.map_err(|error| error.code()), Err(code::STORE_CORRUPT), "{damage}");
        if damage.contains("blobs SET data") {
            assert_eq!(store.read(id(2), Version(0)).await.unwrap(), new(2).entries, "{damage}");
        }
    }
}

#[tokio::test]
async fn no_two_large_values_are_mixed_up() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    let mut entries = new(1).entries;
    for seed in [1, 2, 1, 3, 2] {
        entries.push(result(2, 0, json!({"text": noise(seed, 20_000)})));
    }
    store.create(NewExecution { entries: entries.clone(), ..new(1) }).await.unwrap();
    assert_eq!(sizes(dir.path()).0, 3);
    assert_eq!(store.read(id(1), Version(0)).await.unwrap(), entries);
    assert_eq!(store.read(id(1), Version(4)).await.unwrap(), entries[4..]);
}
