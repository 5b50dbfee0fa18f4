//! Keys, reservations, switches.

use std::collections::BTreeMap;

use runner_model::{ApiKey, KeyId, Role, Timestamp};
use runner_store::{Reservation, Reserved, Store, StoreError};

use crate::given::{at, by, id, pack, rule};

fn key_id(number: u8) -> KeyId {
    KeyId::from_bytes([number; 16])
}

fn key(number: u8, role: Role) -> ApiKey {
    ApiKey {
        id: key_id(number),
        name: format!("schlüssel {number}"),
        role,
        packs: None,
        // The one with the largest id is the oldest.
        created_at: at(100 - i64::from(number)),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    }
}

pub(crate) async fn a_key_is_found_by_its_digest(store: &dyn Store) {
    let bounded =
        ApiKey { packs: Some(vec![pack("aiqum"), pack("core")]), expires_at: Some(at(500)), ..key(2, Role::Operator) };
    let none = ApiKey { packs: Some(vec![]), ..key(3, Role::Viewer) };
    for (key, digest) in [(&key(1, Role::Admin), 1), (&bounded, 2), (&none, 3)] {
        store.add_key(key.clone(), [digest; 32], by(1)).await.unwrap();
    }
    assert_eq!(store.key([2; 32]).await, Ok(Some(bounded.clone())));
    assert_eq!(store.key([9; 32]).await, Ok(None));
    assert_eq!(store.keys_of_api().await, Ok(vec![none, bounded, key(1, Role::Admin)]));
}

pub(crate) async fn an_id_and_a_digest_are_used_once(store: &dyn Store) {
    store.add_key(key(1, Role::Admin), [1; 32], by(1)).await.unwrap();
    for (number, digest) in [(1, 2), (2, 1), (1, 1)] {
        let refused = store.add_key(key(number, Role::Viewer), [digest; 32], by(1)).await;
        assert!(matches!(refused, Err(StoreError::Illegal { .. })), "{refused:?}");
    }
    assert_eq!(store.keys_of_api().await, Ok(vec![key(1, Role::Admin)]));
}

pub(crate) async fn a_key_that_was_taken_back_stays_taken_back(store: &dyn Store) {
    store.add_key(key(1, Role::Admin), [1; 32], by(1)).await.unwrap();
    let revoked = ApiKey { revoked_at: Some(at(7)), ..key(1, Role::Admin) };
    assert_eq!(store.revoke_key(key_id(1), by(7)).await, Ok(Some(revoked.clone())));
    assert_eq!(store.revoke_key(key_id(1), by(9)).await, Ok(Some(revoked.clone())));
    assert_eq!(store.key([1; 32]).await, Ok(Some(revoked)));
    assert_eq!(store.revoke_key(key_id(2), by(9)).await, Ok(None));
}

pub(crate) async fn the_use_of_a_key_is_noted_to_the_minute(store: &dyn Store) {
    store.add_key(key(1, Role::Admin), [1; 32], by(1)).await.unwrap();
    let used = async || store.key([1; 32]).await.unwrap().unwrap().last_used_at.map(Timestamp::as_millis);
    assert_eq!(used().await, None);
    for (now, expected) in [(60_000, 60_000), (119_999, 60_000), (200_000, 180_000), (60_000, 180_000)] {
        store.touch_key(key_id(1), at(now)).await.unwrap();
        assert_eq!(used().await, Some(expected), "{now}");
    }
    store.touch_key(key_id(2), at(1)).await.unwrap();
}

pub(crate) async fn a_request_is_reserved_once_until_it_expires(store: &dyn Store) {
    let reservation = |scope: &str, key: &str, number: u8, until: i64| Reservation {
        scope: scope.to_owned(),
        key: key.to_owned(),
        digest: [number; 32],
        execution: id(u128::from(number)),
        until: at(until),
    };
    let known = |number: u8| Reserved::Known { digest: [number; 32], execution: id(u128::from(number)) };
    let cases = [
        (reservation("a", "k", 1, 10), 0, Reserved::New),
        (reservation("a", "k", 2, 99), 9, known(1)),
        (reservation("b", "k", 3, 99), 9, Reserved::New),
        (reservation("a", "l", 4, 99), 9, Reserved::New),
        (reservation("a", "k", 5, 99), 10, Reserved::New),
        (reservation("a", "k", 6, 99), 11, known(5)),
        (reservation("a", "k", 5, 99), 11, known(5)),
    ];
    for (reservation, now, expected) in cases {
        assert_eq!(store.reserve(reservation.clone(), at(now)).await, Ok(expected), "{reservation:?}");
    }
}

pub(crate) async fn rules_are_switched_and_go_back_to_their_files(store: &dyn Store) {
    store.switch_rule(&rule("b"), Some(false), by(1)).await.unwrap();
    store.switch_rule(&rule("a"), Some(true), by(1)).await.unwrap();
    let switched = BTreeMap::from([(rule("a"), true), (rule("b"), false)]);
    assert_eq!(store.switched_rules().await, Ok(switched));
    store.switch_rule(&rule("b"), Some(true), by(1)).await.unwrap();
    store.switch_rule(&rule("a"), None, by(1)).await.unwrap();
    store.switch_rule(&rule("c"), None, by(1)).await.unwrap();
    assert_eq!(store.switched_rules().await, Ok(BTreeMap::from([(rule("b"), true)])));
}
