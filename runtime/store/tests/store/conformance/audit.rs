//! The audit log.

use runner_model::{ApiKey, KeyId, Role, limits};
use runner_store::{
    AuditAction, AuditEntry, AuditFilter, AuditFrom, AuditHead, AuditOrigin, AuditVerdict, Audited, Deed, Expiry,
    Store, verify_audit,
};
use serde_json::json;

use crate::given::{at, by, rule};

fn key() -> ApiKey {
    ApiKey {
        id: KeyId::from_bytes([1; 16]),
        name: "ci".to_owned(),
        role: Role::Admin,
        packs: None,
        created_at: at(1),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    }
}

fn deed(number: u64) -> Deed {
    Deed::new(AuditAction::PackInstall, format!("pack{number}"), json!({ "number": number }))
}

async fn all(store: &dyn Store) -> Vec<AuditEntry> {
    store.audit(&AuditFilter::default(), AuditFrom::After(0), 1000).await.unwrap()
}

pub(crate) async fn every_change_is_logged_with_who_made_it(store: &dyn Store) {
    let from = |address: &str| Audited {
        at: at(7),
        actor: "the key `ci`".to_owned(),
        origin: AuditOrigin::Api { address: Some(address.to_owned()) },
    };
    store.add_key(key(), [1; 32], from("192.0.2.1")).await.unwrap();
    store.revoke_key(key().id, by(8)).await.unwrap();
    store.switch_rule(&rule("a"), Some(false), by(9)).await.unwrap();
    store.switch_rule(&rule("a"), None, by(10)).await.unwrap();
    store.log(Audited { origin: AuditOrigin::Daemon { node: "n".to_owned() }, ..by(11) }, deed(1)).await.unwrap();
    let told: Vec<_> = all(store)
        .await
        .into_iter()
        .map(|entry| (entry.at.as_millis(), entry.origin, entry.address, entry.action, entry.subject, entry.details))
        .collect();
    let id = key().id.to_string();
    let expected = [
        (
            7,
            "api",
            Some("192.0.2.1"),
            "key.create",
            &*id,
            json!({"name": "ci", "role": "admin", "packs": null, "expires_at": null}),
        ),
        (8, "cli", None, "key.revoke", &*id, json!({"name": "ci"})),
        (9, "cli", None, "rule.switch", "t.a", json!({"enabled": false})),
        (10, "cli", None, "rule.switch", "t.a", json!({"enabled": null})),
        (11, "daemon", Some("n"), "pack.install", "pack1", json!({"number": 1})),
    ];
    let rule = rule("a").to_string();
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(at, origin, address, action, subject, details)| {
            let subject = if subject == "t.a" { &*rule } else { subject };
            (
                at,
                origin.to_owned(),
                address.map(str::to_owned),
                action.to_owned(),
                subject.to_owned(),
                details.to_string(),
            )
        })
        .collect();
    assert_eq!(told, expected);
}

pub(crate) async fn what_changes_nothing_is_not_logged(store: &dyn Store) {
    store.add_key(key(), [1; 32], by(1)).await.unwrap();
    store.add_key(key(), [2; 32], by(2)).await.unwrap_err();
    store.revoke_key(KeyId::from_bytes([9; 16]), by(3)).await.unwrap();
    store.revoke_key(key().id, by(4)).await.unwrap();
    store.revoke_key(key().id, by(5)).await.unwrap();
    let times: Vec<_> = all(store).await.iter().map(|entry| entry.at.as_millis()).collect();
    assert_eq!(times, [1, 4]);
}

pub(crate) async fn entries_follow_from_one_another(store: &dyn Store) {
    assert_eq!(store.audit_head().await, Ok(AuditHead::default()));
    assert_eq!(verify_audit(store, None).await, Ok(AuditVerdict::Whole { head: AuditHead::default() }));
    let first = store.log(by(1), deed(1)).await.unwrap();
    for number in 2..=1500 {
        store.log(by(1), deed(number)).await.unwrap();
    }
    let head = store.audit_head().await.unwrap();
    assert_eq!((head.sequence, all(store).await[0].head()), (1500, first));
    let whole = Ok(AuditVerdict::Whole { head });
    assert_eq!(verify_audit(store, None).await, whole);
    assert_eq!(verify_audit(store, Some(first.hash)).await, whole, "an earlier head is still in it");
    assert_eq!(verify_audit(store, Some([7; 32])).await, Ok(AuditVerdict::OtherHead { head }));
}

pub(crate) async fn entries_are_filtered_and_paged_from_both_ends(store: &dyn Store) {
    store.switch_rule(&rule("a"), Some(true), by(10)).await.unwrap();
    store.log(Audited { actor: "dave".to_owned(), ..by(20) }, deed(1)).await.unwrap();
    store.log(by(30), Deed::new(AuditAction::PackRemove, "pack1", json!({}))).await.unwrap();
    store.log(by(40), deed(2)).await.unwrap();
    let found = async |filter: AuditFilter, from, limit| -> Vec<u64> {
        let entries = store.audit(&filter, from, limit).await.unwrap();
        entries.iter().map(|entry| entry.sequence).collect()
    };
    let none = AuditFilter::default;
    let newest = AuditFrom::Before(None);
    assert_eq!(found(none(), newest, 2).await, [4, 3]);
    assert_eq!(found(none(), AuditFrom::Before(Some(3)), 9).await, [2, 1]);
    assert_eq!(found(none(), AuditFrom::After(2), 1).await, [3]);
    assert_eq!(found(AuditFilter { since: Some(at(30)), ..none() }, newest, 9).await, [4, 3]);
    assert_eq!(found(AuditFilter { actor: Some("dave".to_owned()), ..none() }, newest, 9).await, [2]);
    assert_eq!(found(AuditFilter { subject: Some("pack1".to_owned()), ..none() }, newest, 9).await, [3, 2]);
    for (action, expected) in
        [("pack", &[4, 3, 2][..]), ("pack.install", &[4, 2]), ("pac", &[]), ("install", &[]), ("pack.", &[])]
    {
        assert_eq!(
            found(AuditFilter { action: Some(action.to_owned()), ..none() }, newest, 9).await,
            expected,
            "{action}"
        );
    }
}

pub(crate) async fn details_that_are_too_long_are_left_out_and_not_the_deed(store: &dyn Store) {
    let long = "x".repeat(limits::AUDIT_DETAILS_BYTES_MAX);
    store.log(by(1), Deed::new(AuditAction::EventSend, "t.x", json!({ "key": long }))).await.unwrap();
    let entry = all(store).await.remove(0);
    assert_eq!((entry.subject.as_str(), entry.details().get("left_out_bytes").is_some()), ("t.x", true));
}

pub(crate) async fn the_log_is_not_pruned(store: &dyn Store) {
    store.log(by(1), deed(1)).await.unwrap();
    let end = at(i64::MAX / 2);
    let expiry = Expiry { executions_before: Some(end), executions_max: Some(0), events_before: Some(end), now: end };
    store.prune(expiry, 1000).await.unwrap();
    assert_eq!(all(store).await.len(), 1);
}
