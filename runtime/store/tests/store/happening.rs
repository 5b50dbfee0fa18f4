//! What only a database promises of events and reservations: they outlive the process, and of many at once one is first.

use std::path::Path;
use std::sync::Arc;

use runner_model::{MatchState, limits};
use runner_store::{
    Access as _, Advance, Events as _, NewEvent, Once, Recorded, Reservation, Reserved, SqliteStore, StoreError,
};
use rusqlite::Connection;
use serde_json::json;

use crate::given::{at, by, event, event_id, id, noise, plain, rule, sqlite};

#[tokio::test]
async fn what_was_recorded_is_there_after_the_store_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    let advance = vec![Advance::Mark { name: "m".into(), value: "7".into() }];
    let once = vec![Once { rule: rule("a"), key: "k".into(), until: at(99) }];
    let first = NewEvent { event: event(1, Some("d"), &["a", "b"]), once: once.clone() };
    store.record(vec![first.clone()], advance).await.unwrap();
    store.settle(event_id(1), &rule("b"), MatchState::Started).await.unwrap();
    drop(store);

    let store = sqlite(dir.path()).await;
    let mut expected = first.event;
    expected.matches[1].state = MatchState::Started;
    assert_eq!(store.open_events(None, 9).await, Ok(vec![expected.clone()]));
    assert_eq!(store.mark("m").await, Ok(Some("7".into())));
    let again = NewEvent { event: event(2, Some("d"), &["a"]), once: once.clone() };
    assert_eq!(store.record(vec![again], vec![]).await, Ok(vec![Recorded::Known(expected)]));
    let held = NewEvent { event: event(3, None, &["a"]), once };
    store.record(vec![held], vec![]).await.unwrap();
    assert_eq!(store.event(event_id(3)).await.unwrap().matches[0].state.as_str(), "skipped");
    store.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_deliveries_of_one_key_one_is_new() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (Arc::new(sqlite(dir.path()).await), Arc::new(sqlite(dir.path()).await));
    let deliveries: Vec<_> = (1..=1_000)
        .map(|number| {
            // Of two processes.
            let store = Arc::clone(if number % 2 == 0 { &one } else { &two });
            tokio::spawn(async move { store.record(vec![plain(event(number, Some("d"), &["a"]))], vec![]).await })
        })
        .collect();
    let (mut new, mut known) = (Vec::new(), Vec::new());
    for delivery in deliveries {
        match delivery.await.unwrap().unwrap().remove(0) {
            Recorded::New(event) => new.push(event),
            Recorded::Known(event) => known.push(event),
        }
    }
    assert_eq!((new.len(), known.len()), (1, 999));
    assert!(known.iter().all(|event| *event == new[0]));
    assert_eq!(one.open_events(None, 9).await, Ok(new.clone()));
    // And after a restart.
    drop((one, two));
    let store = sqlite(dir.path()).await;
    let late = store.record(vec![plain(event(5_000, Some("d"), &["a"]))], vec![]).await;
    assert_eq!(late, Ok(vec![Recorded::Known(new.remove(0))]));
    store.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_matches_with_one_key_of_a_rule_one_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(sqlite(dir.path()).await);
    let once = vec![Once { rule: rule("a"), key: "k".into(), until: at(9_999) }];
    let all: Vec<_> = (1..=1_000)
        .map(|number| {
            let (store, once) = (Arc::clone(&store), once.clone());
            let new = NewEvent { event: event(number, None, &["a"]), once };
            tokio::spawn(async move { store.record(vec![new], vec![]).await.unwrap() })
        })
        .collect();
    for one in all {
        assert!(matches!(one.await.unwrap().as_slice(), [Recorded::New(_)]));
    }
    assert_eq!(store.open_events(None, 9).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_requests_with_one_key_one_is_new() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (Arc::new(sqlite(dir.path()).await), Arc::new(sqlite(dir.path()).await));
    let requests: Vec<_> = (1..=1_000_u128)
        .map(|number| {
            let store = Arc::clone(if number % 2 == 0 { &one } else { &two });
            let (scope, key) = ("admin".to_owned(), "k".to_owned());
            let reservation = Reservation { scope, key, digest: [7; 32], execution: id(number), until: at(99) };
            tokio::spawn(async move { (number, store.reserve(reservation, at(0)).await.unwrap()) })
        })
        .collect();
    let (mut new, mut known) = (Vec::new(), Vec::new());
    for request in requests {
        match request.await.unwrap() {
            (number, Reserved::New) => new.push(id(number)),
            (_, Reserved::Known { execution, .. }) => known.push(execution),
        }
    }
    assert_eq!((new.len(), known.len()), (1, 999));
    assert!(known.iter().all(|execution| *execution == new[0]));
}

async fn with_a_large_payload(dir: &Path) -> SqliteStore {
    let store = sqlite(dir).await;
    let mut large = event(1, Some("d"), &["a"]);
    large.payload = json!(noise(1, limits::RESULT_INLINE_BYTES_MAX * 2));
    store.record(vec![plain(large)], vec![]).await.unwrap();
    store
}

#[tokio::test]
async fn settling_a_match_does_not_write_the_event_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_large_payload(dir.path()).await;
    let row = || {
        let db = Connection::open(dir.path().join("runner.db")).unwrap();
        let sql = "SELECT event, blobs, (SELECT count(*) FROM blobs) FROM events";
        db.query_row(sql, [], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, i64>(2)?)))
            .unwrap()
    };
    let before = row();
    assert!(before.0.len() < 2_000 && before.2 == 1);
    store.settle(event_id(1), &rule("a"), MatchState::Started).await.unwrap();
    assert_eq!(row(), before);
    assert!(!store.event(event_id(1)).await.unwrap().is_open());
}

#[tokio::test]
async fn a_damaged_event_is_reported_and_does_not_fail_what_rides_with_it() {
    for damage in [
        "UPDATE events SET event = CAST(replace(event, 'github', 'gitlab') AS BLOB)",
        "UPDATE events SET blobs = NULL",
        "DELETE FROM blobs",
        "DELETE FROM matches",
        "UPDATE matches SET rule = 'core.b'",
        "UPDATE matches SET open = 0",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let store = with_a_large_payload(dir.path()).await;
        let db = Connection::open(dir.path().join("runner.db")).unwrap();
        db.execute_batch(damage).unwrap();
        let is_corrupt = |error: &StoreError| matches!(error, StoreError::Corrupt { .. });
        assert!(store.event(event_id(1)).await.is_err_and(|error| is_corrupt(&error)), "{damage}");
        assert!(store.verify().await.is_err_and(|error| is_corrupt(&error)), "{damage}");
        // The writer waits for this lock while both gather behind it: they share a transaction. That of the damaged one
        // is undone whole, its first event and its mark too.
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        let advance = || vec![Advance::Mark { name: "m".into(), value: "1".into() }];
        let again = vec![plain(event(2, None, &[])), plain(event(3, Some("d"), &[]))];
        let ((), refused, served, ()) = tokio::join!(
            async { store.switch_rule(&rule("x"), Some(true), by(1)).await.unwrap() },
            store.record(again, advance()),
            store.record(vec![plain(event(4, None, &[]))], vec![]),
            async { db.execute_batch("ROLLBACK").unwrap() },
        );
        assert!(refused.is_err_and(|error| is_corrupt(&error)), "{damage}");
        assert!(served.is_ok(), "{damage}");
        assert_eq!(store.event(event_id(2)).await, Err(StoreError::NoEvent), "{damage}");
        assert_eq!(store.mark("m").await, Ok(None), "{damage}");
        assert!(store.event(event_id(4)).await.is_ok(), "{damage}");
    }
}
