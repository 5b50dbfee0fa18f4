//! Keys: made, shown once, used, taken back.

use runner_model::{KeyId, Role};
use runner_server::AccessMode;
use serde_json::json;

use crate::kit::{Answer, Place, Settings, by, eventually};
use crate::{ask, request, send};

fn closed() -> Settings {
    Settings { access: AccessMode::Keys, ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_opens_what_its_role_does_and_is_taken_back_at_once() {
    let place = Place::with(&[]);
    let process = place.start_with(closed()).await;
    let admin = process.key(Role::Admin, None).await;
    let made = send(&process, "POST", "/api/v1/keys", Some(&admin), &json!({"name": "ci", "role": "viewer"})).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("rk_") && secret.len() == 67);
    let list = ask(&process, "GET", "/api/v1/keys", Some(&admin)).await;
    assert!(list.text().contains("\"ci\"") && !list.text().contains(&secret));
    for header in ["x-api-key", "st2-api-key"] {
        let request = request(&process, "GET", "/api/v1/version", None).header(header, &secret);
        assert_eq!(Answer::of(request).await.status, 200, "{header}");
    }
    let basic = request(&process, "GET", "/api/v1/version", None).header("authorization", format!("Basic {secret}"));
    assert_eq!(Answer::of(basic).await.status, 401);
    let challenge = ask(&process, "GET", "/api/v1/version", None).await;
    assert_eq!((challenge.status, challenge.header("www-authenticate")), (401, "Bearer"));
    eventually("its use is noted", async || {
        let keys = process.store.keys_of_api().await.unwrap();
        keys.into_iter().find(|key| key.name == "ci").unwrap().last_used_at
    })
    .await;
    let revoked =
        ask(&process, "DELETE", &format!("/api/v1/keys/{}", made["id"].as_str().unwrap()), Some(&admin)).await;
    assert!(revoked.status == 200 && revoked.json()["revoked_at"].is_string(), "{}", revoked.text());
    assert_eq!(ask(&process, "GET", "/api/v1/version", Some(&secret)).await.status, 401);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_another_process_takes_back_ends_soon() {
    let place = Place::with(&[]);
    let process = place.start_with(closed()).await;
    let secret = process.key(Role::Viewer, None).await;
    assert_eq!(ask(&process, "GET", "/api/v1/version", Some(&secret)).await.status, 200);
    let id = process.store.keys_of_api().await.unwrap()[0].id;
    process.store.revoke_key(id, by()).await.unwrap();
    eventually("it opens nothing", async || {
        (ask(&process, "GET", "/api/v1/version", Some(&secret)).await.status == 401).then_some(())
    })
    .await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_keys_are_not_made_and_unknown_ones_not_found() {
    let place = Place::with(&[]);
    let process = place.start_with(closed()).await;
    let admin = process.key(Role::Admin, None).await;
    let bad = [
        json!({"name": "", "role": "viewer"}),
        json!({"name": "x", "role": "root"}),
        json!({"name": "x", "role": "viewer", "packs": ["No-Pack"]}),
        json!({"name": "x", "role": "viewer", "expires_at": "soon"}),
        json!({"name": "x".repeat(129), "role": "viewer"}),
        json!({"name": "a\nb", "role": "viewer"}),
        json!({"role": "viewer"}),
    ];
    for body in bad {
        assert_eq!(send(&process, "POST", "/api/v1/keys", Some(&admin), &body).await.status, 422, "{body}");
    }
    for id in [KeyId::from_bytes([7; 16]).to_string(), "x".to_owned()] {
        assert_eq!(ask(&process, "DELETE", &format!("/api/v1/keys/{id}"), Some(&admin)).await.status, 404);
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_held_to_packs_makes_keys_for_these_only() {
    let place = Place::with(&[]);
    let process = place.start_with(closed()).await;
    let own = process.key(Role::Admin, Some(&["h"])).await;
    let all = process.key(Role::Admin, None).await;
    let make = async |packs: serde_json::Value| {
        let body = json!({"name": "x", "role": "admin", "packs": packs});
        send(&process, "POST", "/api/v1/keys", Some(&own), &body).await.status
    };
    assert_eq!((make(json!(null)).await, make(json!(["core"])).await, make(json!(["h"])).await), (403, 403, 201));
    let seen = ask(&process, "GET", "/api/v1/keys", Some(&own)).await.json()["items"].as_array().unwrap().len();
    assert_eq!(seen, 2);
    let other = ask(&process, "GET", "/api/v1/keys", Some(&all)).await.json();
    let other = other["items"].as_array().unwrap().iter().find(|key| key["packs"].is_null()).unwrap()["id"].clone();
    let path = format!("/api/v1/keys/{}", other.as_str().unwrap());
    assert_eq!(ask(&process, "DELETE", &path, Some(&own)).await.status, 404);
    process.stop().await;
}
