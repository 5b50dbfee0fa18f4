//! Deliveries that are not taken: each refusal has its status and its code, and leaves nothing behind.

use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use runner_model::{Clock as _, Role};
use runner_server::AccessMode;
use runner_store::EventFilter;
use serde_json::json;

use crate::kit::{Answer, Place, Process, SECRET, Settings, github_rule, mac, manual_clock};

async fn nothing_is_recorded(process: &Process) {
    let events = process.store.events(&EventFilter::default(), None, 10).await.unwrap();
    assert_eq!(events, Vec::new());
}

fn refusal(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn hook(parameters: &str) -> String {
    format!("trigger:\n  type: core.webhook\n  parameters: {{{parameters}}}\naction: {{ref: core.noop}}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unknown_unsigned_or_of_another_method_is_refused() {
    let place = Place::with(&[
        ("one", &github_rule("x", "core.noop", "")),
        ("two", &hook("path: y, auth: none, methods: [PUT, PATCH]")),
        ("three", &hook("path: z, signature: {scheme: github, secret: forgotten}")),
    ]);
    let process = place.start().await;
    assert_eq!(process.github("nowhere", "1", "{}").await.refusal(), refusal(404, "E-HOOK-0001"));
    assert_eq!(process.github("x/y", "1", "{}").await.refusal(), refusal(404, "E-HOOK-0001"));
    let method = Answer::of(process.request("DELETE", "/webhooks/y")).await;
    assert_eq!(method.refusal(), refusal(405, "E-API-0005"));
    assert_eq!(method.header("allow"), "PATCH, PUT");
    assert_eq!(Answer::of(process.request("HEAD", "/webhooks/x")).await.status, 405, "no GET, no HEAD");

    let unsigned = process.post("/webhooks/x", &json!({})).await;
    assert_eq!(unsigned.refusal(), refusal(401, "E-HOOK-0002"));
    let other = process.github_request("x", "1", "{}").body("{ }");
    assert_eq!(Answer::of(other).await.refusal(), refusal(401, "E-HOOK-0002"));
    let twice = process.github_request("x", "1", "{}").header("x-hub-signature-256", "sha256=00");
    assert_eq!(Answer::of(twice).await.refusal(), refusal(401, "E-HOOK-0002"));

    let secretless = process.github("z", "1", "{}").await;
    assert_eq!(secretless.refusal(), refusal(503, "E-HOOK-0004"));
    assert!(secretless.json()["hint"].as_str().unwrap().contains("[webhooks.secrets]"));
    assert_eq!(secretless.header("retry-after"), "60");
    nothing_is_recorded(&process).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_too_long_ago_is_refused_by_the_clock_of_the_process() {
    let place = Place::with(&[("one", &hook("path: x, signature: {scheme: stripe, secret: main}, replay_window: 60"))]);
    let clock = manual_clock();
    let process = place.start_with(Settings { clock: clock.clone(), ..Settings::default() }).await;
    let time = clock.now().as_millis() / 1_000;
    let signature = hex::encode(mac(SECRET.as_bytes(), format!("{time}.{{}}").as_bytes()));
    let send = || {
        let request = process.request("POST", "/webhooks/x").body("{}");
        Answer::of(request.header("stripe-signature", format!("t={time},v1={signature}")))
    };
    clock.advance_ms(62_000);
    assert_eq!(send().await.refusal(), refusal(401, "E-HOOK-0003"));
    clock.advance_ms(-2 * 62_000);
    assert_eq!(send().await.refusal(), refusal(401, "E-HOOK-0003"));
    nothing_is_recorded(&process).await;
    clock.advance_ms(62_000);
    assert_eq!(send().await.executions().len(), 1);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_the_webhooks_limit_is_refused_with_and_without_a_length_and_one_at_the_limit_is_not() {
    let place = Place::with(&[
        ("one", &hook("path: small, auth: none, body_max: 1000")),
        ("two", &hook("path: large, auth: none, body_max: 3000000")),
    ]);
    let process = place.start().await;
    let send = |path: &'static str, bytes: usize, chunked: bool| {
        let text = "x".repeat(bytes);
        let request = process.request("POST", &format!("/webhooks/{path}")).header("content-type", "text/plain");
        if chunked {
            let pieces: Vec<_> = text
                .as_bytes()
                .chunks(700)
                .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
                .collect();
            Answer::of(request.body(reqwest::Body::wrap_stream(stream::iter(pieces))))
        } else {
            Answer::of(request.body(text))
        }
    };
    for chunked in [false, true] {
        assert_eq!(send("small", 1_001, chunked).await.refusal(), refusal(413, "E-API-0006"));
        assert_eq!(send("small", 1_000, chunked).await.status, 202);
        // More than the other routes take.
        assert_eq!(send("large", 2_500_000, chunked).await.status, 202);
        assert_eq!(send("large", 3_000_001, chunked).await.refusal(), refusal(413, "E-API-0006"));
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_what_it_says_and_an_id_that_is_none_are_refused() {
    let place = Place::with(&[("one", &hook("path: x, auth: none, delivery_header: X-Id"))]);
    let process = place.start().await;
    let request = || process.request("POST", "/webhooks/x");
    let broken = request().header("content-type", "application/json").body("{");
    assert_eq!(Answer::of(broken).await.refusal(), refusal(400, "E-HOOK-0005"));
    let deep = request().header("content-type", "application/json").body("[".repeat(100_000));
    assert_eq!(Answer::of(deep).await.refusal(), refusal(400, "E-HOOK-0005"));
    let twice = request().header("x-id", "1").header("x-id", "2");
    assert_eq!(Answer::of(twice).await.refusal(), refusal(400, "E-HOOK-0006"));
    let long = request().header("x-id", "1".repeat(600));
    assert_eq!(Answer::of(long).await.refusal(), refusal(400, "E-HOOK-0006"));
    nothing_is_recorded(&process).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_the_webhooks_of_its_packs_for_operators_from_a_header_or_as_stackstorm_from_the_query() {
    let place = Place::with(&[("one", &hook("path: x"))]);
    place.pack("g", &[]);
    let process = place.start_with(Settings { access: AccessMode::Keys, ..Settings::default() }).await;
    let send = |key: &str| Answer::of(process.request("POST", "/webhooks/x").header("x-api-key", key));
    assert_eq!(process.post("/webhooks/x", &json!({})).await.refusal(), refusal(401, "E-API-0002"));
    assert_eq!(send("rk_nothing").await.refusal(), refusal(401, "E-API-0002"));
    assert_eq!(send(&process.key(Role::Viewer, None).await).await.refusal(), refusal(403, "E-API-0003"));
    let foreign = process.key(Role::Admin, Some(&["g"])).await;
    assert_eq!(send(&foreign).await.refusal(), refusal(404, "E-HOOK-0001"), "it is not there for this key");
    nothing_is_recorded(&process).await;

    let own = process.key(Role::Operator, Some(&["h"])).await;
    assert_eq!(send(&own).await.status, 202);
    let bearer = process.request("POST", "/webhooks/x").header("authorization", format!("Bearer {own}"));
    assert_eq!(Answer::of(bearer).await.status, 202);
    let query = process.request("POST", &format!("/webhooks/x?st2-api-key={own}"));
    assert_eq!(Answer::of(query).await.status, 202);
    let events = process.store.events(&EventFilter::default(), None, 10).await.unwrap();
    assert_eq!(events.len(), 3);
    assert!(!serde_json::to_string(&events).unwrap().contains(&own), "the key is kept nowhere");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_process_takes_nothing_and_says_when_to_come_again() {
    let place = Place::with(&[("one", &github_rule("x", "core.noop", ""))]);
    let process = place.start_with(Settings { queue_max: 0, ..Settings::default() }).await;
    let full = process.github("x", "1", "{}").await;
    assert_eq!(full.refusal(), refusal(429, "E-EXEC-0017"));
    assert!(full.header("retry-after").parse::<u64>().unwrap() >= 1);
    nothing_is_recorded(&process).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stops_takes_nothing_whatever_the_method() {
    let place = Place::with(&[
        ("one", &github_rule("x", "core.noop", "")),
        ("two", &hook("path: y, auth: none, methods: [GET]")),
    ]);
    let process = place.start().await;
    process.api.drain();
    let answers = [
        process.github("x", "1", "{}").await,
        process.get("/webhooks/y").await,
        process.post("/events", &json!({"key": "a"})).await,
    ];
    for answer in answers {
        assert_eq!(answer.refusal(), refusal(503, "E-API-0010"));
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    }
    nothing_is_recorded(&process).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_never_end_take_no_place_from_others() {
    let place = Place::with(&[("one", &hook("path: x, auth: none"))]);
    let process = place.start().await;
    let endless = || {
        let pieces = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
        });
        process.request("POST", "/webhooks/x").body(reqwest::Body::wrap_stream(pieces)).send()
    };
    let slow = futures::future::join_all((0..50).map(|_| endless()));
    let quick = async {
        for _ in 0..50 {
            assert_eq!(process.post("/webhooks/x", &json!({})).await.status, 202);
        }
    };
    tokio::select! {
        _ = slow => panic!("a body that never ends was taken"),
        () = quick => {}
    }
    process.stop().await;
}
