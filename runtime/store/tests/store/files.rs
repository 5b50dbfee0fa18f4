//! The files: who may read them, and what is refused when they are not what they should be.

use std::fs;
use std::path::Path;

use runner_model::{Version, code};
use runner_store::{Catalogue, ExecutionFilter, Journal as _, SqliteOptions, SqliteStore, StoreError};
use rusqlite::Connection;

use crate::given::{append, id, new, scheduled, sqlite};

async fn refusal(dir: &Path) -> StoreError {
    SqliteStore::open(dir, SqliteOptions::default()).await.expect_err("the store opens what it must refuse")
}

#[cfg(unix)]
#[tokio::test]
async fn directory_and_database_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("deep/data");
    let store = sqlite(&data).await;
    store.create(new(1)).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for name in ["runner.db", "runner.db-wal", "runner.db-shm"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn everything_is_there_after_reopening_with_or_without_closing() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    let lease = store.create(new(1)).await.unwrap();
    drop(store);
    let store = sqlite(dir.path()).await;
    assert_eq!(store.append(append(&lease, vec![scheduled(1, 0)])).await, Ok(Version(3)));
    store.close().await;
    assert!(!dir.path().join("runner.db-wal").exists(), "closing moves the log into the database");
    let store = sqlite(dir.path()).await;
    assert_eq!(store.read(id(1), Version(0)).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_newer_schema_and_foreign_files_are_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    sqlite(dir.path()).await.close().await;
    let path = dir.path().join("runner.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&path).unwrap();
    let error = refusal(dir.path()).await;
    assert!(matches!(error, StoreError::NewerSchema { found: 99, .. }), "{error}");
    assert_eq!(error.code(), code::STORE_VERSION);
    assert_eq!(fs::read(&path).unwrap(), before);

    let foreign = tempfile::tempdir().unwrap();
    let db = Connection::open(foreign.path().join("runner.db")).unwrap();
    db.execute_batch("CREATE TABLE photos (id INTEGER)").unwrap();
    drop(db);
    assert_eq!(refusal(foreign.path()).await.code(), code::STORE_OPEN);

    let file = foreign.path().join("a_file");
    fs::write(&file, "not a directory").unwrap();
    assert_eq!(refusal(&file).await.code(), code::STORE_OPEN);
    assert_eq!(refusal(&file.join("below")).await.code(), code::STORE_OPEN);
}

#[tokio::test]
async fn a_schema_made_by_other_steps_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    sqlite(dir.path()).await.close().await;
    let db = Connection::open(dir.path().join("runner.db")).unwrap();
    db.execute_batch("UPDATE migrations SET checksum = x'00'").unwrap();
    drop(db);
    assert_eq!(refusal(dir.path()).await.code(), code::STORE_CORRUPT);
}

#[tokio::test]
async fn a_damaged_file_is_reported_and_nothing_panics() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    for number in 1..=200 {
        store.create(new(number)).await.unwrap();
    }
    store.close().await;
    let path = dir.path().join("runner.db");
    let sound = fs::read(&path).unwrap();

    fs::write(&path, "this is not a database at all, it is a text of some length".repeat(200)).unwrap();
    assert_eq!(refusal(dir.path()).await.code(), code::STORE_CORRUPT);

    fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    assert_eq!(refusal(dir.path()).await.code(), code::STORE_CORRUPT);

    // Pages overwritten one at a time: either the store does not open, or what it returns is what was written.
    for page in 0..sound.len() / 4096 {
        let mut damaged = sound.clone();
        damaged[page * 4096..][..4096].fill(0xa5);
        fs::write(&path, &damaged).unwrap();
        let found = match SqliteStore::open(dir.path(), SqliteOptions::default()).await {
            Err(error) => error.code(),
            Ok(store) => store.verify().await.expect_err("a whole page was overwritten").code(),
        };
        assert_eq!(found, code::STORE_CORRUPT, "page {page}");
        let _ = fs::remove_file(dir.path().join("runner.db-wal"));
    }
}

#[tokio::test]
async fn no_flipped_bit_changes_what_a_journal_says() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    for number in 1..=20 {
        store.create(new(number)).await.unwrap();
    }
    store.close().await;
    let path = dir.path().join("runner.db");
    let sound = fs::read(&path).unwrap();
    let (mut refused, mut sane) = (0, 0);
    for round in 0..300_usize {
        let mut damaged = sound.clone();
        // Scattered over the file, the same ones in each run.
        let place = round.wrapping_mul(2_654_435_761) % damaged.len();
        damaged[place] ^= 1 << (round % 8);
        fs::write(&path, &damaged).unwrap();
        match SqliteStore::open(dir.path(), SqliteOptions::default()).await {
            Err(_) => refused += 1,
            Ok(store) => {
                let _ = Catalogue::list(&store, &ExecutionFilter::default(), None, 99).await;
                for number in 1..=20 {
                    match store.read(id(number), Version(0)).await {
                        Ok(entries) => {
                            assert_eq!(entries, new(number).entries, "byte {place}");
                            sane += 1;
                        }
                        Err(_) => refused += 1,
                    }
                }
            }
        }
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(dir.path().join(format!("runner.db{suffix}")));
        }
    }
    assert!(refused > 0 && sane > 0, "{refused} refused, {sane} as written: the test does not test");
}
