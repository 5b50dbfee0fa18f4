//! What operators granted to packs.

use runner_model::{GrantRecord, Permissions};
use runner_store::Store;
use serde_json::json;

use crate::given::{at, pack};

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
        store.grant(one).await.unwrap();
    }
    assert_eq!(store.grants().await, Ok(vec![grant("a", "2", 2), grant("b", "3", 3)]));
    let nothing = GrantRecord { wish: Permissions::default(), granted: Permissions::default(), ..grant("a", "", 4) };
    store.grant(nothing.clone()).await.unwrap();
    assert_eq!(store.grants().await, Ok(vec![nothing, grant("b", "3", 3)]));
}

pub(crate) async fn a_grant_is_taken_back_once(store: &dyn Store) {
    store.grant(grant("a", "1", 1)).await.unwrap();
    store.grant(grant("b", "2", 2)).await.unwrap();
    assert_eq!(store.revoke_grant(&pack("a")).await, Ok(Some(grant("a", "1", 1))));
    assert_eq!(store.revoke_grant(&pack("a")).await, Ok(None));
    assert_eq!(store.grants().await, Ok(vec![grant("b", "2", 2)]));
}
