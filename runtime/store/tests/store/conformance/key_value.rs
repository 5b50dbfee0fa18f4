//! Key-value data: packs, expiry, swaps, listing.

use runner_store::{KeyValue, Store, Swap};
use serde_json::{Value, json};

use crate::given::{at, pack};

pub(crate) async fn values_are_kept_by_pack_and_key(store: &dyn Store) {
    let (a, b) = (pack("a"), pack("b"));
    assert_eq!(KeyValue::get(store, &a, "k", at(0)).await, Ok(None));
    for value in [json!({"x": [1, 2.5, null]}), json!(0.1 + 0.2), Value::Null] {
        store.set(&a, "k", value.clone(), None).await.unwrap();
        assert_eq!(KeyValue::get(store, &a, "k", at(0)).await, Ok(Some(value)));
    }
    assert_eq!(KeyValue::get(store, &b, "k", at(0)).await, Ok(None));
    assert_eq!(KeyValue::get(store, &a, "K", at(0)).await, Ok(None));
    assert_eq!(store.delete(&b, "k", at(0)).await, Ok(false));
    assert_eq!(store.delete(&a, "k", at(0)).await, Ok(true));
    assert_eq!(store.delete(&a, "k", at(0)).await, Ok(false));
    assert_eq!(KeyValue::get(store, &a, "k", at(0)).await, Ok(None));
}

pub(crate) async fn what_has_expired_is_not_there(store: &dyn Store) {
    let a = pack("a");
    store.set(&a, "k", json!(1), Some(at(10))).await.unwrap();
    assert_eq!(KeyValue::get(store, &a, "k", at(9)).await, Ok(Some(json!(1))));
    assert_eq!(store.keys(&a, "", at(9), 9).await.unwrap(), ["k"]);
    assert_eq!(KeyValue::get(store, &a, "k", at(10)).await, Ok(None));
    assert!(store.keys(&a, "", at(10), 9).await.unwrap().is_empty());
    assert_eq!(store.delete(&a, "k", at(10)).await, Ok(false));
    // A new value does not inherit the expiry.
    store.set(&a, "k", json!(1), Some(at(10))).await.unwrap();
    store.set(&a, "k", json!(2), None).await.unwrap();
    assert_eq!(KeyValue::get(store, &a, "k", at(99)).await, Ok(Some(json!(2))));
}

pub(crate) async fn a_swap_happens_only_if_the_value_is_as_expected(store: &dyn Store) {
    let swap = |now: i64, expected: Option<Value>, value: Option<Value>, expires: Option<i64>| Swap {
        pack: pack("a"),
        key: "k".to_owned(),
        expected,
        value,
        expires_at: expires.map(at),
        now: at(now),
    };
    let one = json!({"a": 1, "b": [0.3]});
    assert_eq!(store.compare_and_swap(swap(0, Some(Value::Null), Some(json!(9)), None)).await, Ok(false));
    assert_eq!(store.compare_and_swap(swap(0, None, Some(one.clone()), Some(10))).await, Ok(true));
    assert_eq!(store.compare_and_swap(swap(0, None, Some(json!(9)), None)).await, Ok(false));
    let same: Value = serde_json::from_str(r#"{"b": [0.3], "a": 1}"#).unwrap();
    assert_eq!(store.compare_and_swap(swap(9, Some(same), Some(json!(2)), Some(10))).await, Ok(true));
    assert_eq!(store.compare_and_swap(swap(9, Some(one), None, None)).await, Ok(false));
    assert_eq!(KeyValue::get(store, &pack("a"), "k", at(9)).await, Ok(Some(json!(2))));
    // Expired is absent.
    assert_eq!(store.compare_and_swap(swap(10, Some(json!(2)), None, None)).await, Ok(false));
    assert_eq!(store.compare_and_swap(swap(10, None, Some(json!(3)), None)).await, Ok(true));
    assert_eq!(store.compare_and_swap(swap(10, Some(json!(3)), None, None)).await, Ok(true));
    assert_eq!(KeyValue::get(store, &pack("a"), "k", at(10)).await, Ok(None));
    assert_eq!(store.compare_and_swap(swap(10, None, None, None)).await, Ok(true));
}

pub(crate) async fn keys_are_listed_by_prefix_in_order(store: &dyn Store) {
    let a = pack("a");
    for key in ["volume/2", "volume/10", "volume", "volumes", "w", "VOLUME", "über", "volume/\u{10ffff}", ""] {
        store.set(&a, key, json!(1), None).await.unwrap();
    }
    store.set(&pack("b"), "volume/3", json!(1), None).await.unwrap();
    assert_eq!(store.keys(&a, "volume/", at(0), 9).await.unwrap(), ["volume/10", "volume/2", "volume/\u{10ffff}"]);
    assert_eq!(store.keys(&a, "volume", at(0), 2).await.unwrap(), ["volume", "volume/10"]);
    assert_eq!(store.keys(&a, "ü", at(0), 9).await.unwrap(), ["über"]);
    assert!(store.keys(&a, "%", at(0), 9).await.unwrap().is_empty());
    assert!(store.keys(&a, "volume", at(0), 0).await.unwrap().is_empty());
    assert_eq!(store.keys(&a, "", at(0), 99).await.unwrap().len(), 9);
}

pub(crate) async fn what_has_expired_is_swept_oldest_first(store: &dyn Store) {
    let a = pack("a");
    for (key, expires) in [("x", Some(30)), ("y", Some(10)), ("z", Some(20)), ("live", Some(99)), ("ever", None)] {
        store.set(&a, key, json!(1), expires.map(at)).await.unwrap();
    }
    assert_eq!(store.sweep(at(30), 2).await, Ok(2));
    // Seen from before they expired, only what was not swept is left.
    assert_eq!(store.keys(&a, "", at(0), 9).await.unwrap(), ["ever", "live", "x"]);
    assert_eq!(store.sweep(at(30), 9).await, Ok(1));
    assert_eq!(store.sweep(at(30), 9).await, Ok(0));
}
