//! What only a database promises of upkeep: blobs go with the last who needs them, space is used again, others may write.

use std::path::Path;
use std::sync::Arc;

use runner_model::{Event, MatchState, Status, Version, limits};
use runner_store::{Events as _, Expiry, Journal as _, NewExecution, Pruned, SqliteStore, Upkeep as _};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::given::{
    append_at, at, child, event, event_id, finished, id, new, noise, plain, result, rule, scheduled, sqlite,
};

fn everything() -> Expiry {
    let end = Some(at(i64::MAX));
    Expiry { executions_before: end, executions_max: None, events_before: end, now: at(0) }
}

fn large(seed: u64) -> Value {
    json!(noise(seed, limits::RESULT_INLINE_BYTES_MAX * 2))
}

fn count(dir: &Path, table: &str) -> i64 {
    let db = Connection::open(dir.join("runner.db")).unwrap();
    db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

async fn ended(store: &SqliteStore, new: NewExecution, values: &[u64]) {
    let results = values.iter().map(|seed| result(5, 0, large(*seed)));
    let mut entries = new.entries;
    entries.extend(results.chain([finished(10, Status::Succeeded)]));
    store.create(NewExecution { entries, ..new }).await.unwrap();
}

#[tokio::test]
async fn a_large_value_goes_with_the_last_who_needs_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    ended(&store, new(1), &[1, 2, 2]).await;
    ended(&store, child(2, 1), &[1, 3]).await;
    let open = store.create(new(3)).await.unwrap();
    store.append(append_at(&open, open.version, vec![result(5, 0, large(1))])).await.unwrap();
    let delivery = Event { payload: large(3), ..event(1, None, &["a"]) };
    store.record(vec![plain(delivery.clone())], vec![]).await.unwrap();
    assert_eq!(count(dir.path(), "blobs"), 3);

    let pruned = store.prune(everything(), 9).await.unwrap();
    assert_eq!(pruned, Pruned { executions: 2, blobs: 1, ..Pruned::default() });
    assert_eq!(count(dir.path(), "blobs"), 2);
    assert_eq!(store.read(id(3), Version(2)).await.unwrap(), [result(5, 0, large(1))]);
    assert_eq!(store.event(event_id(1)).await, Ok(delivery));
    store.verify().await.unwrap();

    store.append(append_at(&open, Version(3), vec![finished(9, Status::Failed)])).await.unwrap();
    store.settle(event_id(1), &rule("a"), MatchState::Started).await.unwrap();
    let pruned = store.prune(everything(), 9).await.unwrap();
    assert_eq!(pruned, Pruned { executions: 1, events: 1, blobs: 2, ..Pruned::default() });
    for table in ["blobs", "blob_uses", "executions", "journal", "events", "matches", "versions"] {
        assert_eq!(count(dir.path(), table), 0, "{table}");
    }
}

#[tokio::test]
async fn the_file_stays_bounded_however_often_it_is_filled() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    let mut sizes = Vec::new();
    for round in 0..12_u64 {
        let numbers = round * 100 + 1..round * 100 + 26;
        let deliveries = numbers.clone().map(|number| {
            let payload = json!(noise(number, 9_000));
            plain(Event { payload, ..event(u128::from(number), Some(&number.to_string()), &[]) })
        });
        store.record(deliveries.collect(), vec![]).await.unwrap();
        for number in numbers {
            ended(&store, new(u128::from(number)), &[number]).await;
        }
        while store.prune(everything(), 10).await.unwrap().more {}
        let db = Connection::open(dir.path().join("runner.db")).unwrap();
        sizes.push(db.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0)).unwrap());
    }
    assert_eq!(count(dir.path(), "blobs"), 0);
    let (first, last) = (sizes[0], sizes[11]);
    assert!(last * 4 <= first * 5, "{sizes:?} pages");
    store.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn journals_of_ten_thousand_entries_go_while_others_write() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(sqlite(dir.path()).await);
    for number in 1..=4 {
        let mut lease = store.create(new(number)).await.unwrap();
        for _ in 0..10 {
            // One append of each thousand is one row; rows are what removing costs.
            let entries = (0..1_000).map(|step| scheduled(3, step)).collect();
            lease.version = store.append(append_at(&lease, lease.version, entries)).await.unwrap();
        }
        store.append(append_at(&lease, lease.version, vec![finished(9, Status::Succeeded)])).await.unwrap();
    }
    many_rows(dir.path(), 10_000);
    let other = store.create(new(9)).await.unwrap();
    let busy = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut version = other.version;
            for step in 0..50 {
                version = store.append(append_at(&other, version, vec![scheduled(3, step)])).await.unwrap();
            }
        })
    };
    let before = store.stats().commits;
    let pruned = store.prune(everything(), 9).await.unwrap();
    assert_eq!((pruned.executions, pruned.more), (4, false));
    // A tree a commit, because each has more rows than one may have.
    assert!(store.stats().commits - before >= 4);
    busy.await.unwrap();
    assert_eq!(count(dir.path(), "executions"), 1);
    assert_eq!(count(dir.path(), "journal"), 51);
    store.verify().await.unwrap();
}

/// Gives each ended execution that many more rows in its journal. Nobody reads them.
fn many_rows(dir: &Path, rows: u32) {
    let db = Connection::open(dir.join("runner.db")).unwrap();
    let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
               INSERT INTO journal (execution, first, count, digest, entries)
               SELECT row, 1000000 + n, 1, zeroblob(16), x'5b5d' FROM executions, n";
    db.execute(sql, [rows]).unwrap();
}
