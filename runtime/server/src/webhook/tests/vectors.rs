//! Values that the senders themselves have published, and others that an implementation with nothing in common with
//! this one (Python's `hmac`) has made.

use runner_model::code;
use runner_pack::{Algorithm, Encoding, Scheme};

use super::Sent;
use crate::webhook::challenge;

fn github(signature: &str) -> Sent {
    Sent::new(&[("X-Hub-Signature-256", signature), ("X-GitHub-Delivery", "72d3162e")], b"Hello, World!")
}

/// From GitHub's page on validating deliveries.
const GITHUB_SECRET: &str = "It's a Secret to Everybody";
const GITHUB: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

#[test]
fn githubs_own_example_is_taken() {
    let verified = github(GITHUB).check(&Scheme::GitHub, &[GITHUB_SECRET], 0).unwrap();
    assert_eq!((verified.delivery.as_deref(), verified.timestamp), (Some("72d3162e"), None));
}

#[test]
fn slacks_own_example_is_taken_and_its_signature_tells_a_replay() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
                channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&\
                response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F\
                96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    let headers = [("X-Slack-Signature", signature), ("X-Slack-Request-Timestamp", "1531420618")];
    let sent = Sent::new(&headers, body.as_bytes());
    let verified = sent.check(&Scheme::Slack, &["8f742231b10e8888abcd99yyyzzz85a5"], 1_531_420_618).unwrap();
    assert_eq!(verified.delivery.as_deref(), Some(signature));
}

#[test]
fn the_example_of_the_standard_webhooks_libraries_is_taken() {
    let headers = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1a,bm90IG91cnM= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ];
    let sent = Sent::new(&headers, br#"{"test": 2432232314}"#);
    for secret in ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
        let verified = sent.check(&Scheme::StandardWebhooks, &[secret], 1_614_265_330).unwrap();
        assert_eq!(verified.delivery.as_deref(), Some("msg_p5jXN8AQM9LWM0D4loKWxJek"));
    }
}

const STRIPE_BODY: &[u8] = b"{\n  \"id\": \"evt_test_webhook\",\n  \"object\": \"event\"\n}";
const STRIPE_AT: i64 = 1_492_774_577;
/// By Python, with `whsec_test_secret` and with `whsec_old_secret`.
const STRIPE: &str = "c2f890decbc5ede7c5060bb9a6d31e0626a4342bacb9aeae2adb1bcea72f9812";
const STRIPE_OLD: &str = "e49c6ab3464e5d1ee1895ea5f9eba31bd8fe3119f02d3aa81ef87adc733582fd";

fn stripe(value: &str) -> Sent {
    Sent::new(&[("Stripe-Signature", value)], STRIPE_BODY)
}

#[test]
fn a_stripe_event_is_taken_with_each_secret_that_holds() {
    let both = stripe(&format!("t={STRIPE_AT},v1={STRIPE_OLD},v1={STRIPE},v0={}", "0".repeat(64)));
    for secrets in [&["whsec_test_secret"][..], &["whsec_old_secret"], &["whsec_new", "whsec_old_secret"]] {
        let verified = both.check(&Scheme::Stripe, secrets, STRIPE_AT + 10).unwrap();
        assert_eq!(verified.delivery.as_deref(), Some("evt_test_webhook"));
        assert_eq!(verified.timestamp.unwrap().as_millis(), STRIPE_AT * 1_000);
    }
    assert_eq!(both.check(&Scheme::Stripe, &["whsec_new"], STRIPE_AT).unwrap_err().code, code::HOOK_SIGNATURE);
}

#[test]
fn the_plain_scheme_takes_each_hash_and_each_way_to_write_it() {
    use Algorithm::{Sha1, Sha256, Sha512};
    use Encoding::{Base64, Hex};
    let made = [
        (Sha1, Hex, "59c3c53007b1a8ffa7f51a49a5a3d4ef25e20e65"),
        (Sha1, Hex, "59C3C53007B1A8FFA7F51A49A5A3D4EF25E20E65"),
        (Sha1, Base64, "WcPFMAexqP+n9RpJpaPU7yXiDmU="),
        (Sha256, Hex, "1f86d3ff099eae6538e72c78a82c173a8d6214a112c81f16c5a43c7ca8512463"),
        (Sha256, Base64, "H4bT/wmermU45yx4qCwXOo1iFKESyB8WxaQ8fKhRJGM="),
        (
            Sha512,
            Hex,
            "e122f0e8973576583c4fc4724db8ef73a74eff86cc6b67328d1d9dd1e5e0e328e3877c9c3670a099d3cce9c2b95be01b0833f0301f1f\
             c0109ea87f6280a77c56",
        ),
        (Sha512, Base64, "4SLw6Jc1dlg8T8RyTbjvc6dO/4bMa2cyjR2d0eXg4yjjh3ycNnCgmdPM6cK5W+AbCDPwMB8fwBCeqH9igKd8Vg=="),
    ];
    for (algorithm, encoding, signature) in made {
        let prefix = "mac ".to_owned();
        let sent = Sent::new(&[("X-Sum", &format!("{prefix}{signature}"))], br#"{"size": 7}"#);
        let scheme = Scheme::Plain { header: "X-Sum".to_owned(), prefix, encoding, algorithm };
        let verified = sent.check(&scheme, &["tin opener"], 0);
        assert!(verified.is_ok(), "{scheme:?}: {verified:?}");
        let other = if encoding == Hex { Base64 } else { Hex };
        let Scheme::Plain { header, prefix, .. } = scheme else { return };
        let wrong = Scheme::Plain { header, prefix, encoding: other, algorithm };
        assert!(sent.check(&wrong, &["tin opener"], 0).is_err());
    }
}

#[test]
fn what_was_signed_more_than_the_window_ago_or_ahead_is_refused_and_the_edge_is_not() {
    let sent = stripe(&format!("t={STRIPE_AT},v1={STRIPE}"));
    for (away, is_taken) in [(0, true), (300, true), (301, false), (-300, true), (-301, false)] {
        let result = sent.check(&Scheme::Stripe, &["whsec_test_secret"], STRIPE_AT + away);
        assert_eq!(result.is_ok(), is_taken, "{away}");
        assert!(is_taken || result.unwrap_err().code == code::HOOK_REPLAY);
    }
    let forged = stripe(&format!("t={STRIPE_AT},v1={}", "0".repeat(64)));
    let refused = forged.check(&Scheme::Stripe, &["whsec_test_secret"], STRIPE_AT + 9_999).unwrap_err();
    assert_eq!(refused.code, code::HOOK_SIGNATURE, "the clock of this machine is no news for a forger");
}

#[test]
fn a_refusal_says_which_rule_was_broken_and_nothing_of_the_signature_that_would_fit() {
    let hex = &GITHUB["sha256=".len()..];
    let cases = [
        (Sent::new(&[], b"x"), "the header x-hub-signature-256 is missing"),
        (github(hex), "the header x-hub-signature-256 is not what the scheme says"),
        (github(&GITHUB.to_uppercase()), "the header x-hub-signature-256 is not what the scheme says"),
        (github(&GITHUB[..69]), "the signature does not fit what was sent"),
        (github("sha256="), "the signature does not fit what was sent"),
        (github(&GITHUB.replace('7', "8")), "the signature does not fit what was sent"),
    ];
    for (sent, reason) in cases {
        let refused = sent.check(&Scheme::GitHub, &[GITHUB_SECRET], 0).unwrap_err();
        assert_eq!((refused.code, refused.to_string().as_str()), (code::HOOK_SIGNATURE, reason));
    }
    let mut twice = github(GITHUB);
    twice.headers.push(("x-hub-signature-256".to_owned(), GITHUB.to_owned()));
    let refused = twice.check(&Scheme::GitHub, &[GITHUB_SECRET], 0).unwrap_err();
    assert_eq!(refused.to_string(), "the header x-hub-signature-256 stands more than once");
}

#[test]
fn a_secret_that_is_empty_or_no_key_opens_nothing() {
    // What everybody can sign who knows that the secret is empty.
    let empty = "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
    let sent = Sent::new(&[("X-Hub-Signature-256", empty)], b"");
    for secrets in [&[][..], &[""], &["", ""]] {
        assert_eq!(sent.check(&Scheme::GitHub, secrets, 0).unwrap_err().code, code::HOOK_SECRET);
    }
    let headers = [("webhook-id", "m"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,AAAA")];
    let refused = Sent::new(&headers, b"").check(&Scheme::StandardWebhooks, &["whsec_not base64"], 1).unwrap_err();
    assert_eq!(refused.code, code::HOOK_SECRET);
}

#[test]
fn slacks_question_is_answered_and_other_schemes_have_none() {
    let body = br#"{"token": "t", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", "type": "url_verification"}"#;
    let answer = challenge(&Scheme::Slack, body).unwrap();
    assert_eq!(answer, "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P");
    assert_eq!(challenge(&Scheme::GitHub, body), None);
    assert_eq!(challenge(&Scheme::Slack, br#"{"type": "event_callback", "challenge": "x"}"#), None);
}
