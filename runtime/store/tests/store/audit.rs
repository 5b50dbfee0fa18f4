//! The audit log against whoever can write to the database, and against a disk that cannot.

use std::sync::Arc;

use proptest::prelude::*;
use runner_model::{ApiKey, KeyId, PackRef, Role};
use runner_store::{
    Access as _, Audit as _, AuditAction, AuditFilter, AuditFrom, AuditVerdict, Deed, KeyValue as _, SqliteOptions,
    SqliteStore, StoreError, Upkeep as _, verify_audit,
};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::given::{at, by, noise, pack, rule, sqlite};

const ENTRIES: u64 = 12;

async fn filled(dir: &std::path::Path) -> SqliteStore {
    let store = sqlite(dir).await;
    for number in 1..=ENTRIES {
        let deed = Deed::new(AuditAction::PackInstall, format!("pack{}", number % 3), json!({ "number": number }));
        store.log(by(number as i64), deed).await.unwrap();
    }
    store
}

/// Somebody with a database tool: the triggers against mistakes are no hindrance.
fn intruder(dir: &std::path::Path) -> Connection {
    let db = Connection::open(dir.join("runner.db")).unwrap();
    db.execute_batch("DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_shortened;").unwrap();
    db
}

/// What an intruder does to the log.
#[derive(Debug, Clone)]
enum Harm {
    /// Another value in one column.
    Change { sequence: u64, column: usize, to: i64 },
    /// Entries are gone, and maybe those after them moved up.
    Remove { sequence: u64, count: u64, close: bool },
    /// Two entries in each other's place.
    Swap { one: u64, other: u64 },
    /// A copy of an entry is put in, and those after it moved down.
    Insert { copy: u64, at: u64 },
    /// The note of the last entry says something else.
    Note { sequence: u64 },
    /// The note of the last entry is gone.
    Forget,
}

fn harm() -> impl Strategy<Value = Harm> {
    let place = || 1..=ENTRIES;
    prop_oneof![
        (place(), 0..7_usize, 100..200_i64).prop_map(|(sequence, column, to)| Harm::Change { sequence, column, to }),
        (place(), 1..4_u64, any::<bool>()).prop_map(|(sequence, count, close)| Harm::Remove { sequence, count, close }),
        (place(), place())
            .prop_filter("two", |(one, other)| one != other)
            .prop_map(|(one, other)| Harm::Swap { one, other }),
        (place(), 1..=ENTRIES + 1).prop_map(|(copy, at)| Harm::Insert { copy, at }),
        (1..ENTRIES * 2)
            .prop_filter("another", |sequence| *sequence != ENTRIES)
            .prop_map(|sequence| Harm::Note { sequence }),
        Just(Harm::Forget),
    ]
}

/// Moves all entries from this one on by so many places.
fn shift(db: &Connection, from: u64, by: i64) {
    // Twice, so that no two are in the same place meanwhile.
    db.execute("UPDATE audit SET sequence = sequence + 1000 WHERE sequence >= ?1", params![from as i64]).unwrap();
    db.execute("UPDATE audit SET sequence = sequence - 1000 + ?1 WHERE sequence >= 1000", params![by]).unwrap();
}

fn copy(db: &Connection, from: u64, to: u64) {
    let sql = "INSERT INTO audit SELECT ?2, at, actor, origin, address, action, subject, details, previous, hash
               FROM audit WHERE sequence = ?1";
    db.execute(sql, params![from as i64, to as i64]).unwrap();
}

fn count(db: &Connection) -> u64 {
    db.query_row("SELECT count(*) FROM audit", [], |row| row.get::<_, i64>(0)).unwrap() as u64
}

impl Harm {
    fn inflict(&self, db: &Connection) {
        match *self {
            Self::Change { sequence, column, to } => {
                let column = ["at", "actor", "origin", "address", "action", "subject", "details"][column];
                let to = if column == "at" { rusqlite::types::Value::from(to) } else { to.to_string().into() };
                let sql = format!("UPDATE audit SET {column} = ?2 WHERE sequence = ?1");
                db.execute(&sql, params![sequence as i64, to]).unwrap();
            }
            Self::Remove { sequence, count: many, close } => {
                let end = (sequence + many).min(ENTRIES + 1);
                let range = params![sequence as i64, end as i64];
                db.execute("DELETE FROM audit WHERE sequence >= ?1 AND sequence < ?2", range).unwrap();
                if close {
                    shift(db, end, sequence as i64 - end as i64);
                }
            }
            Self::Swap { one, other } => {
                for (from, to) in [(one, 5000), (other, one), (5000, other)] {
                    let sql = "UPDATE audit SET sequence = ?2 WHERE sequence = ?1";
                    db.execute(sql, params![from as i64, to as i64]).unwrap();
                }
            }
            Self::Insert { copy: from, at } => {
                copy(db, from, 9000);
                shift(db, at, 1);
                // The copy was moved with the others.
                let sql = "UPDATE audit SET sequence = ?1 WHERE sequence > 5000";
                db.execute(sql, params![at as i64]).unwrap();
            }
            Self::Note { sequence } => {
                db.execute("UPDATE audit_head SET sequence = ?1", params![sequence as i64]).unwrap();
            }
            Self::Forget => {
                db.execute("DELETE FROM audit_head", []).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// S28: whatever is changed, removed, moved or put in is found.
    #[test]
    fn whatever_is_done_to_the_log_is_found(harm in harm()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let store = filled(dir.path()).await;
            let head = store.audit_head().await.unwrap();
            assert_eq!(verify_audit(&store, None).await, Ok(AuditVerdict::Whole { head }));
            let db = intruder(dir.path());
            harm.inflict(&db);
            let found = verify_audit(&store, None).await.unwrap();
            let AuditVerdict::Broken { sequence, .. } = found else {
                panic!("{harm:?} of {} entries is not found: {found:?}", count(&db))
            };
            match harm {
                Harm::Change { sequence: changed, .. } | Harm::Remove { sequence: changed, .. } => assert_eq!(sequence, changed),
                Harm::Swap { one, other } => assert_eq!(sequence, one.min(other)),
                // A copy of the entry whose place it takes is that entry: the next one is the first that is wrong.
                Harm::Insert { copy, at } => assert_eq!(sequence, if copy == at { at + 1 } else { at }),
                Harm::Note { sequence: noted } => assert_eq!(sequence, noted.min(ENTRIES + 1)),
                Harm::Forget => assert_eq!(sequence, 1),
            }
        });
    }
}

/// S28: whoever makes the whole chain anew is found out by a head that was noted elsewhere.
#[tokio::test]
async fn a_chain_that_was_made_anew_does_not_hold_the_noted_head() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let noted = store.audit_head().await.unwrap().hash;
    let forged = tempfile::tempdir().unwrap();
    let other = sqlite(forged.path()).await;
    for entry in store.audit(&AuditFilter::default(), AuditFrom::After(0), 100).await.unwrap() {
        if entry.sequence != 5 {
            other.log(by(1), Deed::new(AuditAction::PackInstall, entry.subject, json!({}))).await.unwrap();
        }
    }
    let head = other.audit_head().await.unwrap();
    assert_eq!(verify_audit(&other, None).await, Ok(AuditVerdict::Whole { head }));
    assert_eq!(verify_audit(&other, Some(noted)).await, Ok(AuditVerdict::OtherHead { head }));
}

#[tokio::test]
async fn the_log_only_grows_for_whoever_does_not_take_pains() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let db = Connection::open(dir.path().join("runner.db")).unwrap();
    for sql in ["UPDATE audit SET actor = 'x' WHERE sequence = 3", "DELETE FROM audit WHERE sequence = 3"] {
        let refused = db.execute(sql, []).unwrap_err().to_string();
        assert!(refused.contains("the audit log only grows"), "{refused}");
    }
    store.verify().await.unwrap();
}

/// S28: changes that ride in one transaction, of several stores over one file, keep one chain.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_changes_at_the_same_time_keep_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    let stores = [Arc::new(sqlite(dir.path()).await), Arc::new(sqlite(dir.path()).await)];
    let changes = (0..400_i64).map(|number| {
        let store = stores[number as usize % 2].clone();
        tokio::spawn(async move { store.switch_rule(&rule("a"), Some(number % 3 == 0), by(number)).await })
    });
    let changes: Vec<_> = changes.collect();
    for change in changes {
        change.await.unwrap().unwrap();
    }
    let AuditVerdict::Whole { head } = verify_audit(&*stores[0], None).await.unwrap() else { panic!() };
    assert_eq!(head.sequence, 400);
    assert!(stores[0].stats().commits < 200, "several changes shared a commit");
}

fn key(number: u8) -> ApiKey {
    ApiKey {
        id: KeyId::from_bytes([number; 16]),
        name: "k".repeat(100),
        role: Role::Viewer,
        packs: Some(vec![PackRef::new("p").unwrap()]),
        created_at: at(1),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    }
}

/// S28: what cannot be logged is not changed.
#[tokio::test]
async fn a_change_that_cannot_be_logged_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    store.add_key(key(1), [1; 32], by(1)).await.unwrap();
    let db = Connection::open(dir.path().join("runner.db")).unwrap();
    db.execute_batch("CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END").unwrap();
    assert!(matches!(store.add_key(key(2), [2; 32], by(2)).await, Err(StoreError::Io { .. })));
    assert!(matches!(store.revoke_key(key(1).id, by(2)).await, Err(StoreError::Io { .. })));
    assert!(matches!(store.switch_rule(&rule("a"), Some(true), by(2)).await, Err(StoreError::Io { .. })));
    assert_eq!(store.keys_of_api().await, Ok(vec![key(1)]));
    assert!(store.switched_rules().await.unwrap().is_empty());
    // Others are not held up by it, nor is the store when the log is well again.
    store.set(&pack("a"), "k", json!(1), None).await.unwrap();
    db.execute_batch("DROP TRIGGER broken").unwrap();
    store.add_key(key(2), [2; 32], by(3)).await.unwrap();
    assert!(matches!(verify_audit(&store, None).await, Ok(AuditVerdict::Whole { .. })));
}

/// S28: on a full disk nothing is changed that would not be logged.
#[tokio::test]
async fn a_full_disk_refuses_a_change_with_its_entry() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions { database_bytes_max: Some(512 * 1024), ..SqliteOptions::default() };
    let store = SqliteStore::open(dir.path(), options).await.unwrap();
    let mut seed = 0;
    for size in [16 * 1024, 1024, 64] {
        loop {
            seed += 1;
            let ballast = Value::String(noise(seed, size));
            if store.set(&pack("a"), &format!("k{seed}"), ballast, None).await.is_err() {
                break;
            }
        }
    }
    let mut made = 0_u8;
    let refused = loop {
        match store.add_key(key(made + 1), [made + 1; 32], by(1)).await {
            Ok(()) => made += 1,
            Err(error) => break error,
        }
        assert!(made < 250, "the limit does not work");
    };
    assert_eq!(refused, StoreError::Full);
    assert_eq!(store.keys_of_api().await.unwrap().len(), usize::from(made));
    let AuditVerdict::Whole { head } = verify_audit(&store, None).await.unwrap() else { panic!() };
    assert_eq!(head.sequence, u64::from(made));
}
