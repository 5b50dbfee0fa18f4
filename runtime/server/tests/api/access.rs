//! Without keys: this machine only, and no web page of somebody else's.

use runner_model::Role;

use crate::kit::{Answer, Place};
use crate::{ask, request};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_only_this_machine_is_served_and_no_page_of_another_origin() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let own = format!("http://{}", process.address);
    let port = process.address.port();
    let fine: [(&str, String); 3] =
        [("host", format!("localhost:{port}")), ("origin", own), ("sec-fetch-site", "none".to_owned())];
    for (name, value) in fine {
        let request = request(&process, "GET", "/api/v1/version", None).header(name, &value);
        assert_eq!(Answer::of(request).await.status, 200, "{name}: {value}");
    }
    let bad = [
        ("host", "evil.example"),
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ];
    for (name, value) in bad {
        let request = request(&process, "GET", "/api/v1/version", None).header(name, value);
        assert_eq!(Answer::of(request).await.refusal(), (403, "E-API-0008".to_owned()), "{name}: {value}");
    }
    // What shows nothing is for everybody.
    let health = request(&process, "GET", "/healthz", None).header("host", "probe.example");
    assert_eq!(Answer::of(health).await.status, 200);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_there_is_a_key_nobody_comes_in_without_one() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let key = process.key(Role::Viewer, None).await;
    crate::kit::eventually("a key is asked for", async || {
        (ask(&process, "GET", "/api/v1/version", None).await.status == 401).then_some(())
    })
    .await;
    // A key shows who asks, wherever the page is from.
    let request = request(&process, "GET", "/api/v1/version", Some(&key)).header("origin", "http://evil.example");
    assert_eq!(Answer::of(request).await.status, 200);
    process.stop().await;
}
