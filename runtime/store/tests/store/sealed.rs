//! Sealed executions and events on a disk: nothing of them can be read there, and what was changed does not open.

use std::path::Path;

use runner_model::{Event, Fact, Failure, MatchState, Status, Version, code};
use runner_store::{
    Advance, Catalogue as _, Events as _, Journal as _, NewEvent, Once, SqliteOptions, SqliteStore, StoreError,
    WaitFilter, Waits as _,
};
use rusqlite::Connection;
use serde_json::json;

use crate::given::{
    append, append_at, at, event, event_id, finished, id, keys, new, noise, plain, result, rule, sealed, sealed_append,
    sqlite, waiting, with_keys,
};

const CANARY: &str = "c4nary-in-the-mine";

fn secret_execution(number: u128) -> runner_store::NewExecution {
    let mut new = sealed(new(number));
    if let Fact::Requested(requested) = &mut new.entries[0].fact {
        requested.parameters = json!({"password": CANARY});
    }
    new
}

async fn with_secrets(dir: &Path) -> SqliteStore {
    let store = sqlite(dir).await;
    let lease = store.create(secret_execution(1)).await.unwrap();
    let large = format!("{CANARY}{}", noise(7, 50_000));
    let entries =
        vec![result(3, 0, json!({"token": CANARY})), result(3, 1, json!([large])), waiting(4, 2, None, Some(CANARY))];
    let version = store.append(sealed_append(append(&lease, entries))).await.unwrap();
    store.append(sealed_append(append_at(&lease, version, vec![waiting(5, 3, None, None)]))).await.unwrap();
    let mut occurred = event(1, Some("delivery"), &["a", "b"]);
    occurred.sealed = true;
    occurred.payload = json!({"text": CANARY, "large": noise(8, 50_000)});
    occurred.matches[0].parameters.insert("password".into(), CANARY.into());
    let once = vec![Once { rule: rule("a"), key: CANARY.into(), until: at(99) }];
    store.record(vec![NewEvent { event: occurred, once }], vec![Advance::Ended(id(1))]).await.unwrap();
    let failure = Failure::new(code::EXEC_DISABLED, CANARY);
    store.settle(event_id(1), &rule("b"), MatchState::Failed { failure }).await.unwrap();
    store
}

fn open(dir: &Path) -> Connection {
    Connection::open(dir.join("runner.db")).unwrap()
}

fn on_disk(dir: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect()
}

#[tokio::test]
async fn nothing_of_a_sealed_execution_or_event_can_be_read_in_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_secrets(dir.path()).await;
    let mask = runner_model::Mask::default();
    mask.learn(CANARY);
    assert!(!mask.is_in(&on_disk(dir.path())), "the log of the database");
    assert!(store.read(id(1), Version(0)).await.unwrap().len() > 4);
    store.verify().await.unwrap();
    store.close().await;
    assert!(!mask.is_in(&on_disk(dir.path())), "the database");
    // The same without sealing is found: the search would find it.
    let plain = tempfile::tempdir().unwrap();
    let store = sqlite(plain.path()).await;
    let lease = store.create(new(1)).await.unwrap();
    store.append(append(&lease, vec![result(3, 0, json!(CANARY))])).await.unwrap();
    assert!(mask.is_in(&on_disk(plain.path())));
}

#[tokio::test]
async fn without_a_key_a_sealed_execution_is_refused_and_nothing_is_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_keys(dir.path(), None).await;
    let refused = store.create(secret_execution(1)).await.unwrap_err();
    assert_eq!((refused.clone(), refused.code()), (StoreError::NoKey, code::STORE_NO_KEY));
    assert!(refused.hint().contains("[secrets]"), "{}", refused.hint());
    assert_eq!(store.get(id(1)).await, Err(StoreError::NotFound));
    let event = Event { sealed: true, ..event(1, None, &["a"]) };
    assert_eq!(store.record(vec![plain(event)], vec![]).await, Err(StoreError::NoKey));
    // Whoever has no secrets needs no key.
    store.create(new(2)).await.unwrap();
    store.verify().await.unwrap();
}

#[tokio::test]
async fn what_is_listed_needs_no_key_and_what_is_read_does() {
    let dir = tempfile::tempdir().unwrap();
    with_secrets(dir.path()).await.close().await;
    let store = with_keys(dir.path(), None).await;
    assert_eq!(store.get(id(1)).await.unwrap().status, Status::Running);
    assert_eq!(store.read(id(1), Version(0)).await, Err(StoreError::NoKey));
    assert_eq!(store.waits(&WaitFilter::default(), 9).await, Err(StoreError::NoKey));
    assert_eq!(store.event(event_id(1)).await, Err(StoreError::NoKey));
    store.close().await;
    let store = with_keys(dir.path(), Some(keys(2, &[]))).await;
    let other = store.read(id(1), Version(0)).await.unwrap_err();
    assert_eq!(other.code(), code::SECRET_OTHER_KEY);
    assert!(other.hint().contains("earlier_keys"), "{}", other.hint());
    store.close().await;
    // With a new key the earlier one still opens, and a key that is waited for is still found.
    let store = with_keys(dir.path(), Some(keys(2, &[1]))).await;
    store.verify().await.unwrap();
    let by_key = WaitFilter { key: Some(CANARY.into()), ..WaitFilter::default() };
    assert_eq!(store.waits(&by_key, 9).await.unwrap().len(), 1);
}

/// Entries of another place, an older copy, a changed byte: none of them opens.
#[tokio::test]
async fn what_was_copied_from_another_place_or_changed_does_not_open() {
    let copies = [
        // Of another append of the same execution, with its number and its digest.
        "UPDATE journal SET entries = (SELECT entries FROM journal WHERE execution = 1 AND first = 2),
            count = 3, digest = (SELECT digest FROM journal WHERE execution = 1 AND first = 2) WHERE execution = 1 AND first = 5",
        // Of the same place of another execution.
        "UPDATE journal SET entries = (SELECT entries FROM journal WHERE execution = 2 AND first = 0),
            digest = (SELECT digest FROM journal WHERE execution = 2 AND first = 0) WHERE execution = 1 AND first = 0",
        "UPDATE executions SET sealed = 0 WHERE row = 1",
        "UPDATE journal SET entries = zeroblob(length(entries)) WHERE execution = 1",
        "UPDATE journal SET entries = x'5b5d' WHERE execution = 1",
        "UPDATE blobs SET data = zeroblob(length(data))",
        "UPDATE blobs SET bytes = bytes - 1",
    ];
    for copy in copies {
        let dir = tempfile::tempdir().unwrap();
        let store = with_secrets(dir.path()).await;
        store.create(secret_execution(2)).await.unwrap();
        open(dir.path()).execute_batch(copy).unwrap();
        let read = store.read(id(1), Version(0)).await.map_err(|error| error.code());
        assert!(matches!(read, Err(code::STORE_SEALED | code::STORE_CORRUPT)), "{copy}: {read:?}");
        let verified = store.verify().await.map_err(|error| error.code());
        assert!(matches!(verified, Err(code::STORE_SEALED | code::STORE_CORRUPT)), "{copy}: {verified:?}");
    }
}

/// A digest of what is stored can be made by anybody: the seal is what holds.
#[tokio::test]
async fn a_forged_digest_does_not_make_a_copy_open() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    for number in [1, 2] {
        let lease = store.create(secret_execution(number)).await.unwrap();
        store.append(sealed_append(append(&lease, vec![finished(9, Status::Succeeded)]))).await.unwrap();
    }
    let (entries, first): (Vec<u8>, i64) = open(dir.path())
        .query_row("SELECT entries, first FROM journal WHERE execution = 2 AND first = 2", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let digest = {
        use sha2::{Digest as _, Sha256};
        let mut hash = Sha256::new();
        hash.update(id(1).as_bytes());
        hash.update(first.to_be_bytes());
        hash.update(1_u64.to_be_bytes());
        hash.update(&entries);
        hash.finalize()[..16].to_vec()
    };
    let sql = "UPDATE journal SET entries = ?1, digest = ?2 WHERE execution = 1 AND first = 2";
    open(dir.path()).execute(sql, rusqlite::params![entries, digest]).unwrap();
    assert_eq!(store.read(id(1), Version(0)).await.unwrap_err().code(), code::STORE_SEALED);
}

#[tokio::test]
async fn waits_and_matches_are_bound_to_their_rows() {
    for copy in [
        "UPDATE waits SET wait = (SELECT wait FROM waits WHERE step = 3) WHERE step = 2",
        "UPDATE waits SET sealed = 0",
        "UPDATE waits SET step = step + 7",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let store = with_secrets(dir.path()).await;
        open(dir.path()).execute_batch(copy).unwrap();
        assert!(store.waits(&WaitFilter::default(), 9).await.is_err(), "{copy}");
    }
    let dir = tempfile::tempdir().unwrap();
    let store = with_secrets(dir.path()).await;
    let swap = "UPDATE matches SET state = (SELECT state FROM matches WHERE rule = 'core.b'), open = 0";
    open(dir.path()).execute_batch(swap).unwrap();
    assert_eq!(store.event(event_id(1)).await.unwrap_err().code(), code::STORE_SEALED);
}

#[tokio::test]
async fn keys_are_asked_for_only_when_something_is_sealed() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, inner) = (asked.clone(), keys(1, &[]));
    let source = runner_store::KeySource::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        inner.keyring()
    });
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions { keys: Some(source), ..SqliteOptions::default() };
    let store = SqliteStore::open(dir.path(), options).await.unwrap();
    let lease = store.create(new(1)).await.unwrap();
    store.append(append(&lease, vec![waiting(3, 0, None, Some("k"))])).await.unwrap();
    store.waits(&WaitFilter { key: Some("k".into()), ..WaitFilter::default() }, 9).await.unwrap();
    store.record(vec![plain(event(1, None, &["a"]))], vec![]).await.unwrap();
    store.verify().await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    store.create(secret_execution(2)).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
