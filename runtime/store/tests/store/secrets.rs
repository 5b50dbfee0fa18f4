//! Sealed secrets against whoever can write to the database.

use std::path::Path;

use runner_model::{Secret, SecretName, code};
use runner_store::{MustBe, SqliteStore, StoreError, Vault};
use rusqlite::{Connection, params};

use crate::given::{by, keyring, sqlite};

fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}

async fn put(store: &SqliteStore, of: &str, value: &str) {
    let value = Secret::new(value.to_owned());
    Vault::new(store, keyring(1, &[])).put(&name(of), &value, None, MustBe::Whatever, by(1)).await.unwrap();
}

async fn opened(store: &SqliteStore, of: &str) -> Result<String, StoreError> {
    Vault::new(store, keyring(1, &[])).open(&name(of)).await.map(|opened| opened.value.expose().to_owned())
}

async fn refused(store: &SqliteStore, of: &str, why: &str) {
    let refused = opened(store, of).await.unwrap_err();
    assert_eq!(refused.code(), code::STORE_SEALED, "{why}: {refused}");
}

type Row = (i64, Vec<u8>);

fn row(db: &Connection, of: &str) -> Row {
    let sql = "SELECT version, sealed FROM secrets WHERE name = ?1";
    db.query_row(sql, [of], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

fn put_row(db: &Connection, of: &str, (version, sealed): &Row) {
    db.execute("UPDATE secrets SET version = ?2, sealed = ?3 WHERE name = ?1", params![of, version, sealed]).unwrap();
}

fn raw(dir: &Path) -> Connection {
    Connection::open(dir.join("runner.db")).unwrap()
}

/// S26: two values in each other's place.
#[tokio::test]
async fn values_in_each_others_place_do_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    put(&store, "a", "of a").await;
    put(&store, "b", "of b").await;
    let db = raw(dir.path());
    let (a, b) = (row(&db, "a"), row(&db, "b"));
    put_row(&db, "a", &b);
    put_row(&db, "b", &a);
    refused(&store, "a", "swapped").await;
    refused(&store, "b", "swapped").await;
    put_row(&db, "a", &a);
    assert_eq!(opened(&store, "a").await, Ok("of a".to_owned()));
}

/// S26: a value that was replaced and is put back, with the version of now, with its own, and after it was removed.
#[tokio::test]
async fn a_value_that_is_put_back_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    put(&store, "a", "first").await;
    let db = raw(dir.path());
    let first = row(&db, "a");
    put(&store, "a", "second").await;
    let second = row(&db, "a");
    put_row(&db, "a", &(second.0, first.1.clone()));
    refused(&store, "a", "the old value").await;
    put_row(&db, "a", &first);
    refused(&store, "a", "the old row").await;
    put_row(&db, "a", &(first.0, second.1.clone()));
    refused(&store, "a", "the old version").await;
    put_row(&db, "a", &second);
    assert_eq!(opened(&store, "a").await, Ok("second".to_owned()));
    store_deletes(&store, "a").await;
    put_row(&db, "a", &second);
    refused(&store, "a", "a value that was removed").await;
}

async fn store_deletes(store: &SqliteStore, of: &str) {
    use runner_store::Secrets as _;
    assert_eq!(store.delete_secret(&name(of), by(2)).await, Ok(true));
}

/// S26: any bit of what is sealed, and any length of it.
#[tokio::test]
async fn a_value_of_which_any_bit_was_changed_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    put(&store, "a", "s3cret").await;
    let db = raw(dir.path());
    let (version, sealed) = row(&db, "a");
    assert!(!sealed.windows(6).any(|window| window == b"s3cret"));
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        put_row(&db, "a", &(version, changed));
        assert!(opened(&store, "a").await.is_err(), "bit {bit}");
    }
    for length in 0..sealed.len() {
        put_row(&db, "a", &(version, sealed[..length].to_vec()));
        assert!(opened(&store, "a").await.is_err(), "{length} bytes");
    }
    put_row(&db, "a", &(version, sealed));
    assert_eq!(opened(&store, "a").await, Ok("s3cret".to_owned()));
}

/// S26: the old value is not kept when there is a new one.
#[tokio::test]
async fn nothing_is_left_of_a_value_in_its_table() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    put(&store, "a", "first").await;
    let db = raw(dir.path());
    let (_, first) = row(&db, "a");
    put(&store, "a", "second").await;
    let kept = |value: &[u8]| {
        let sql = "SELECT count(*) FROM secrets WHERE sealed = ?1";
        db.query_row(sql, [value], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(kept(&first), 0);
    let (_, second) = row(&db, "a");
    store_deletes(&store, "a").await;
    assert_eq!(kept(&second), 0);
}

/// S26: of many who give a secret a value at the same time each gets a version of its own, and the last one's holds.
#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_given_at_the_same_time_follow_one_another() {
    let dir = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(sqlite(dir.path()).await);
    let puts = (0..4).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let value = Secret::new(format!("value {number}"));
            let vault = Vault::new(store, keyring(1, &[]));
            (vault.put(&name("a"), &value, None, MustBe::Whatever, by(1)).await.unwrap().version, number)
        })
    });
    let mut versions = Vec::new();
    for put in puts.collect::<Vec<_>>() {
        versions.push(put.await.unwrap());
    }
    versions.sort_unstable();
    assert_eq!(versions.iter().map(|(version, _)| *version).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(opened(&store, "a").await, Ok(format!("value {}", versions[3].1)));
}
