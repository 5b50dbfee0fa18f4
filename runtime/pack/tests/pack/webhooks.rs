//! `core.webhook`: what is read, and each mistake with the line to write.

use std::time::Duration;

use runner_pack::{Algorithm, Encoding, Reply, Scheme, Trigger, Webhook, WebhookAuth, check};
use serde_json::json;

use crate::kit::{Demo, library, said};

/// Rules of one pack, each with these parameters of its webhook.
fn demo(webhooks: &[&str]) -> Demo {
    let demo = Demo::new();
    for (number, parameters) in webhooks.iter().enumerate() {
        let text =
            format!("trigger: {{type: core.webhook, parameters: {{{parameters}}}}}\naction: {{ref: core.noop}}\n");
        demo.file(&format!("rules/r{number}.yaml"), text);
    }
    demo
}

fn read(parameters: &str) -> Webhook {
    let demo = demo(&[parameters]);
    let (pack, report) = check(&demo.path(), &library());
    assert!(report.diagnostics.is_empty(), "{parameters}\n{}", report.plain());
    let Trigger::Webhook(webhook) = &pack.unwrap().rules["r0"].trigger else { panic!("{parameters}") };
    webhook.clone()
}

#[test]
fn a_webhook_that_says_only_its_path_takes_posts_with_an_api_key() {
    let webhook = read("path: /storage/alerts/");
    assert_eq!(webhook.path, "storage/alerts");
    assert_eq!(webhook.methods, ["POST"]);
    assert_eq!(webhook.auth, WebhookAuth::Key);
    assert_eq!(webhook.replay_window, Duration::from_secs(300));
    assert_eq!((webhook.delivery_header.as_deref(), webhook.body_bytes_max), (None, 1024 * 1024));
    assert!(matches!(webhook.reply, Reply::Accepted));
}

#[test]
fn every_key_of_a_webhook_counts() {
    let webhook = read(
        "path: a, methods: [PUT, GET, PUT], replay_window: 1m, delivery_header: X-Id, body_max: 26214400, \
         signature: {scheme: plain, secret: s_1, header: X-Sig, prefix: 'v1,', encoding: base64, algorithm: sha512}, \
         reply: {status: 201, headers: {Content-Type: text/plain}, body: {id: <% event().body.id %>}}",
    );
    assert_eq!(webhook.methods, ["PUT", "GET"]);
    assert_eq!(webhook.replay_window, Duration::from_secs(60));
    assert_eq!((webhook.delivery_header.as_deref(), webhook.body_bytes_max), (Some("X-Id"), 25 * 1024 * 1024));
    let scheme = Scheme::Plain {
        header: "X-Sig".into(),
        prefix: "v1,".into(),
        encoding: Encoding::Base64,
        algorithm: Algorithm::Sha512,
    };
    assert_eq!(webhook.auth, WebhookAuth::Signature { scheme, secret: "s_1".into() });
    let Reply::Custom { status, headers, body } = &webhook.reply else { panic!("{webhook:?}") };
    assert_eq!((*status, headers.as_slice()), (201, &[("Content-Type".to_owned(), "text/plain".to_owned())][..]));
    assert_eq!(body.members().unwrap(), [("id", None)]);
}

#[test]
fn schemes_and_replies_have_short_forms() {
    for (word, scheme) in [
        ("github", Scheme::GitHub),
        ("stripe", Scheme::Stripe),
        ("standard_webhooks", Scheme::StandardWebhooks),
        ("standard-webhooks", Scheme::StandardWebhooks),
        ("slack", Scheme::Slack),
        (
            "plain, header: X-A",
            Scheme::Plain {
                header: "X-A".into(),
                prefix: String::new(),
                encoding: Encoding::Hex,
                algorithm: Algorithm::Sha256,
            },
        ),
    ] {
        let auth = read(&format!("path: a, signature: {{secret: s, scheme: {word}}}")).auth;
        assert_eq!(auth, WebhookAuth::Signature { scheme, secret: "s".into() }, "{word}");
    }
    assert_eq!(read("path: a, auth: none").auth, WebhookAuth::None);
    assert_eq!(read("path: a, auth: key").auth, WebhookAuth::Key);
    assert!(matches!(read("path: a, reply: accepted").reply, Reply::Accepted));
    for (written, seconds) in [("wait", 30), ("{wait: }", 30), ("{wait: 5m}", 300)] {
        let Reply::Wait { timeout } = read(&format!("path: a, reply: {written}")).reply else { panic!("{written}") };
        assert_eq!(timeout, Duration::from_secs(seconds), "{written}");
    }
    let Reply::Custom { status, body, .. } = read("path: a, reply: {body: ok}").reply else { panic!() };
    assert_eq!((status, body.as_literal()), (200, Some(&json!("ok"))));
    let Reply::Custom { status, body, .. } = read("path: a, reply: {status: 204}").reply else { panic!() };
    assert_eq!((status, body.as_literal()), (204, Some(&json!(null))));
}

#[test]
fn mistakes_in_a_webhook_are_found_with_what_to_write() {
    let with = |text: &str| said(&demo(&[text]));
    let shown = [
        with(""),
        with("url: a"),
        with("pth: a"),
        with("path: ''"),
        with("path: /"),
        with("path: a//b"),
        with("path: ../a"),
        with("path: 'a b'"),
        with("path: 'https://example.com/api/v1/webhooks/a'"),
        with("path: [a]"),
        with(&format!("path: {}", "a".repeat(300))),
        with("path: a, methods: [post]"),
        with("path: a, methods: [HEAD]"),
        with("path: a, methods: {POST: true}"),
        with("path: a, auth: github"),
        with("path: a, auth: kee"),
        with("path: a, auth: none, signature: {scheme: github, secret: s}"),
        with("path: a, replay_window: 0"),
        with("path: a, replay_window: 2d"),
        with("path: a, replay_window: long"),
        with("path: a, delivery_header: 'X Id'"),
        with("path: a, body_max: 0"),
        with("path: a, body_max: 1 MiB"),
        with("path: a, body_max: 999999999"),
        with("path: a, secret: s"),
    ]
    .join("\n");
    insta::assert_snapshot!("webhook", shown);
}

#[test]
fn mistakes_in_signatures_and_replies_are_found_with_what_to_write() {
    let signature = |text: &str| said(&demo(&[&format!("path: a, signature: {text}")]));
    let reply = |text: &str| said(&demo(&[&format!("path: a, reply: {text}")]));
    let shown = [
        signature("github"),
        signature("hunter2"),
        signature("{secret: s}"),
        signature("{scheme: github}"),
        signature("{scheme: gihtub, secret: s}"),
        signature("{scheme: github, secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}"),
        signature("{scheme: github, secret: 'two words'}"),
        signature("{scheme: github, secret: s, header: X-A}"),
        signature("{scheme: plain, secret: s}"),
        signature("{scheme: plain, secret: s, header: 'X: A'}"),
        signature("{scheme: plain, secret: s, header: X-A, encoding: base46, algorithm: md5}"),
        signature("{scheme: plain, secret: s, header: X-A, tolerance: 5}"),
        reply("ok"),
        reply("{wait: 301}"),
        reply("{wait: 5, status: 200}"),
        reply("{status: 99}"),
        reply("{status: '200'}"),
        reply("{status: 204, body: x}"),
        reply("{headers: [a]}"),
        reply("{headers: {'Content Type': a}}"),
        reply("{headers: {Content-Length: '5'}}"),
        reply("{headers: {Set-Cookie: a=b}}"),
        reply("{headers: {X-A: \"a\\r\\nX-B: b\"}}"),
        reply("{headers: {X-A: <% event().a %>}}"),
        reply("{headers: {X-A: 5}}"),
        reply("{body: <% ctx(\"a\") %>}"),
        reply("{body: <% event( %>}"),
        reply("{bdy: x}"),
    ]
    .join("\n");
    insta::assert_snapshot!("signature_and_reply", shown);
}

#[test]
fn a_secret_in_a_rule_is_not_quoted() {
    let shown = {
        let report = demo(&["path: a, signature: {scheme: github, secret: 'hunter 2 hunter'}"]).report();
        report.diagnostics.iter().map(|d| format!("{} {:?}", d.message, d.hint)).collect::<String>()
    };
    assert!(shown.contains("`secret` is the name") && !shown.contains("hunter"), "{shown}");
}

#[test]
fn rules_may_share_a_webhook_if_they_say_the_same_about_it() {
    let same = [
        "path: a, methods: [POST, PUT], reply: {body: 'x <% event().a %>'}",
        "path: /a, methods: [PUT, POST], reply: {body: 'x <% event().a %>'}",
    ];
    assert!(demo(&same).findings().is_empty(), "{:?}", demo(&same).report().plain());
    for other in [
        "path: a",
        "path: a, methods: [PUT, POST], reply: {body: 'y <% event().a %>'}",
        "path: a, methods: [PUT, POST], reply: {body: 'x <% event().b %>'}",
        "path: a, methods: [PUT, POST], auth: none, reply: {body: 'x <% event().a %>'}",
    ] {
        let found = demo(&[same[0], other]).findings();
        assert!(found.len() == 2 && found.iter().all(|found| found.ends_with("E-RULE-0005")), "{other} {found:?}");
    }
    insta::assert_snapshot!("shared_webhook", said(&demo(&[same[0], "path: b", "path: a, auth: none"])));
}

#[test]
fn a_webhook_that_another_pack_answers_otherwise_is_refused_in_the_later_one() {
    let first = demo(&["path: a, auth: none"]);
    let second = first.above().join("zz");
    std::fs::create_dir_all(second.join("rules")).unwrap();
    std::fs::write(second.join("pack.yaml"), "ref: zz\nversion: 1.0.0\n").unwrap();
    let rule = |parameters: &str| {
        let text =
            format!("trigger: {{type: core.webhook, parameters: {{{parameters}}}}}\naction: {{ref: core.noop}}\n");
        std::fs::write(second.join("rules/r.yaml"), text).unwrap();
        runner_pack::Library::load(&[crate::kit::fixtures(), first.above().to_owned()], None)
    };
    let (library, report) = rule("path: a, auth: none");
    assert!(library.pack("zz").is_some(), "{}", report.plain());
    let (library, report) = rule("path: a");
    assert!(library.pack("zz").is_none() && library.pack("demo").is_some(), "{}", report.plain());
    assert!(
        report.plain().contains("the pack `demo` answers the webhook `a` with other settings"),
        "{}",
        report.plain()
    );
    // The same, against packs that are loaded already.
    let (_, report) = check(&second, &library);
    assert_eq!(
        report.diagnostics.iter().map(|d| d.code.id()).collect::<Vec<_>>(),
        ["E-RULE-0005"],
        "{}",
        report.plain()
    );
}
