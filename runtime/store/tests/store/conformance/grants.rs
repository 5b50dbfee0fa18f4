//! What operators granted to packs.

use runner_model::{GrantRecord, Permissions};
use runner_store::{AuditFilter, AuditFrom, Store};
use serde_json::json;

use crate::given::{at, by, pack};

fn grant(of: &str, digest: &str, when: i64) -> GrantRecord {
    let wish = json!({"http": [{"connection": "ontap", "methods": ["*"], "paths": ["/ä/**"]}], "kv": "read_write"});
    let granted = json!({"http": [{"connection": "cluster_a", "methods": ["*"], "paths": ["/ä/**"]}], "kv": "read"});
    let read = |value| serde_json::from_value::<Permissions>(value).unwrap();
    GrantRecord {
        pack: pack(of),
        digest: digest.to_owned(),
        wish: read(wish),
        granted: read(granted),
        by: "jürgen\n".to_owned(),
        at: at(when),
    }
}

pub(crate) async fn a_grant_takes_the_place_of_the_one_before(store: &dyn Store) {
    assert_eq!(store.grants().await, Ok(vec![]));
    for one in [grant("b", "1", 1), grant("a", "2", 2), grant("b", "3", 3)] {
        store.grant(one, by(1)).await.unwrap();
    }
    assert_eq!(store.grants().await, Ok(vec![grant("a", "2", 2), grant("b", "3", 3)]));
    let nothing = GrantRecord { wish: Permissions::default(), granted: Permissions::default(), ..grant("a", "", 4) };
    store.grant(nothing.clone(), by(4)).await.unwrap();
    assert_eq!(store.grants().await, Ok(vec![nothing, grant("b", "3", 3)]));
}

pub(crate) async fn a_grant_is_taken_back_once(store: &dyn Store) {
    store.grant(grant("a", "1", 1), by(1)).await.unwrap();
    store.grant(grant("b", "2", 2), by(2)).await.unwrap();
    assert_eq!(store.revoke_grant(&pack("a"), by(3)).await, Ok(Some(grant("a", "1", 1))));
    assert_eq!(store.revoke_grant(&pack("a"), by(3)).await, Ok(None));
    assert_eq!(store.grants().await, Ok(vec![grant("b", "2", 2)]));
    let log = store.audit(&AuditFilter::default(), AuditFrom::After(0), 9).await.unwrap();
    let told: Vec<_> = log.iter().map(|entry| (entry.action.as_str(), entry.subject.as_str())).collect();
    assert_eq!(told, [("pack.grant", "a"), ("pack.grant", "b"), ("pack.revoke", "a")]);
    assert!(log[0].details.contains("cluster_a"), "{}", log[0].details);
}
