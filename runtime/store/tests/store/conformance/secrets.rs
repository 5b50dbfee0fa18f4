//! Secrets.

use runner_model::{Secret, SecretName, code};
use runner_store::{
    AuditFilter, AuditFrom, KeySource, MustBe, NewSecret, SealError, SecretRecord, Store, StoreError, Vault,
};

use crate::given::{at, by, keyring};

fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}

fn new(of: &str, version: u64) -> NewSecret {
    let sealed = format!("{of} {version}").into_bytes();
    NewSecret { name: name(of), version, sealed, description: None }
}

fn record(of: &str, version: u64, description: &str, created: i64, rotated: i64) -> SecretRecord {
    SecretRecord {
        name: name(of),
        version,
        description: description.to_owned(),
        created_at: at(created),
        rotated_at: at(rotated),
        set_by: "carol".to_owned(),
    }
}

fn vault(store: &dyn Store, keys: KeySource) -> Vault<&dyn Store> {
    Vault::new(store, keys)
}

async fn put(store: &dyn Store, keys: u8, of: &str, value: &str, millis: i64) -> Result<u64, StoreError> {
    let value = Secret::new(value.to_owned());
    let kept = vault(store, keyring(keys, &[])).put(&name(of), &value, None, MustBe::Whatever, by(millis)).await;
    kept.map(|record| record.version)
}

async fn opened(store: &dyn Store, keys: KeySource, of: &str) -> Result<(u64, String), StoreError> {
    let opened = vault(store, keys).open(&name(of)).await;
    opened.map(|opened| (opened.version, opened.value.expose().to_owned()))
}

pub(crate) async fn a_secret_has_a_version_that_only_grows(store: &dyn Store) {
    assert_eq!(store.secret_version(&name("a")).await, Ok(0));
    let described = NewSecret { description: Some("for x".to_owned()), ..new("a", 1) };
    assert_eq!(store.put_secret(described, by(1)).await, Ok(record("a", 1, "for x", 1, 1)));
    assert_eq!(store.put_secret(new("a", 2), by(2)).await, Ok(record("a", 2, "for x", 1, 2)));
    store.put_secret(new("B", 1), by(3)).await.unwrap();
    assert_eq!(store.secrets().await, Ok(vec![record("B", 1, "", 3, 3), record("a", 2, "for x", 1, 2)]));
    assert_eq!(store.delete_secret(&name("a"), by(4)).await, Ok(true));
    assert_eq!(store.delete_secret(&name("a"), by(5)).await, Ok(false));
    assert_eq!(store.delete_secret(&name("c"), by(5)).await, Ok(false));
    assert_eq!((store.sealed_secret(&name("a")).await, store.secret_version(&name("a")).await), (Ok(None), Ok(2)));
    assert_eq!(store.secrets().await, Ok(vec![record("B", 1, "", 3, 3)]));
    assert_eq!(store.put_secret(new("a", 3), by(6)).await, Ok(record("a", 3, "", 6, 6)));
}

pub(crate) async fn only_the_next_version_is_kept(store: &dyn Store) {
    let conflict = Err(StoreError::SecretConflict(name("a")));
    assert_eq!(store.put_secret(new("a", 2), by(1)).await, conflict);
    store.put_secret(new("a", 1), by(1)).await.unwrap();
    for version in [0, 1, 3] {
        assert_eq!(store.put_secret(new("a", version), by(2)).await, conflict, "{version}");
    }
    for version in [0, 2] {
        assert!(store.reseal_secret(new("a", version), by(2)).await.is_err(), "{version}");
    }
    store.delete_secret(&name("a"), by(3)).await.unwrap();
    assert!(store.reseal_secret(new("a", 1), by(4)).await.is_err());
    assert_eq!(store.put_secret(new("a", 1), by(5)).await, conflict, "a version is used once");
}

pub(crate) async fn a_value_comes_back_and_the_one_before_is_gone(store: &dyn Store) {
    assert_eq!(put(store, 1, "a", "first", 1).await, Ok(1));
    assert_eq!(put(store, 1, "a", "second", 2).await, Ok(2));
    assert_eq!(put(store, 1, "b", "other", 3).await, Ok(1));
    assert_eq!(opened(store, keyring(1, &[]), "a").await, Ok((2, "second".to_owned())));
    assert_eq!(opened(store, keyring(1, &[]), "b").await, Ok((1, "other".to_owned())));
    let refused = opened(store, keyring(2, &[]), "a").await.unwrap_err();
    assert_eq!(refused.code(), code::SECRET_OTHER_KEY);
    let named = keyring(1, &[]).keyring().unwrap().name().to_string();
    assert!(refused.to_string().contains(&named), "it says which key is missing: {refused}");
}

pub(crate) async fn what_must_be_there_and_is_not_is_refused(store: &dyn Store) {
    let value = Secret::new("x".to_owned());
    let vault = vault(store, keyring(1, &[]));
    let missing = Err(StoreError::NoSecret(name("a")));
    assert_eq!(vault.put(&name("a"), &value, None, MustBe::There, by(1)).await, missing);
    assert_eq!(vault.open(&name("a")).await.map(|_| ()), Err(StoreError::NoSecret(name("a"))));
    vault.put(&name("a"), &value, None, MustBe::Whatever, by(2)).await.unwrap();
    assert_eq!(vault.put(&name("a"), &value, None, MustBe::There, by(3)).await, Ok(record("a", 2, "", 2, 3)));
    store.delete_secret(&name("a"), by(4)).await.unwrap();
    assert_eq!(vault.put(&name("a"), &value, None, MustBe::There, by(5)).await, missing);
}

pub(crate) async fn secrets_are_sealed_with_the_new_key_and_keep_their_versions(store: &dyn Store) {
    put(store, 1, "a", "first", 1).await.unwrap();
    put(store, 1, "b", "other", 2).await.unwrap();
    put(store, 2, "c", "new", 3).await.unwrap();
    assert_eq!(vault(store, keyring(2, &[1])).reseal(&by(4)).await, Ok(2));
    assert_eq!(vault(store, keyring(2, &[])).reseal(&by(5)).await, Ok(0));
    for (of, value) in [("a", "first"), ("b", "other"), ("c", "new")] {
        assert_eq!(opened(store, keyring(2, &[]), of).await, Ok((1, value.to_owned())));
        let other = StoreError::Sealed {
            what: format!("the secret `{of}`"),
            reason: SealError::OtherKey(keyring(2, &[]).keyring().unwrap().name()),
        };
        assert_eq!(opened(store, keyring(1, &[]), of).await, Err(other));
    }
}

pub(crate) async fn each_change_of_a_secret_is_logged_and_never_its_value(store: &dyn Store) {
    put(store, 1, "a", "hunter2", 1).await.unwrap();
    put(store, 1, "a", "hunter3", 2).await.unwrap();
    vault(store, keyring(2, &[1])).reseal(&by(3)).await.unwrap();
    store.delete_secret(&name("a"), by(4)).await.unwrap();
    put(store, 1, "a", "hunter4", 5).await.unwrap();
    let log = store.audit(&AuditFilter::default(), AuditFrom::After(0), 100).await.unwrap();
    let told: Vec<_> = log.iter().map(|entry| (&*entry.action, &*entry.subject, &*entry.details)).collect();
    let expected = [
        ("secret.set", "a", r#"{"version":1}"#),
        ("secret.rotate", "a", r#"{"version":2}"#),
        ("secret.reseal", "a", r#"{"version":2}"#),
        ("secret.delete", "a", r#"{"version":2}"#),
        ("secret.set", "a", r#"{"version":3}"#),
    ];
    assert_eq!(told, expected);
}
