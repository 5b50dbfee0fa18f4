//! Every verb that only looks, asked of nobody, of the daemon of the data directory, and of a daemon by its address.

use serde_json::json;

use super::{place, seen};
use crate::daemon::kit::{Daemon, until};
use crate::kit::{Place, Run};

const VERBS: &[(&[&str], i32)] = &[
    (&["rule", "list"], 0),
    (&["rule", "list", "--json"], 0),
    (&["rule", "list", "--trigger", "core.webhook"], 0),
    (&["rule", "list", "--pack", "nowhere"], 0),
    (&["rule", "get", "demo.hook"], 0),
    (&["rule", "get", "demo.hook", "--json"], 0),
    (&["rule", "get", "demo.nightly", "--json"], 0),
    (&["rule", "get", "demo.hok"], 3),
    (&["rule", "get", "hook"], 3),
    (&["rule", "get", "not a rule", "--json"], 3),
    (&["rule", "enable", "demo.hok"], 3),
    (&["rule", "test", "demo.hok", "{}"], 3),
    (&["rule", "test", "demo.hook", super::OTHER], 1),
    (&["rule", "test", "demo.hook", super::OTHER, "--json"], 1),
    (&["rule", "test", "demo.hook", "--event", "00000000-0000-7000-8000-000000000000"], 3),
    (&["schedule", "list"], 0),
    (&["schedule", "list", "--json"], 0),
    (&["schedule", "list", "--count", "2", "--rule", "demo.nightly"], 0),
    (&["schedule", "list", "--rule", "demo.hook"], 3),
    (&["schedule", "list", "--rule", "demo.nightl"], 3),
    (&["sensor", "list"], 0),
    (&["sensor", "list", "--json"], 0),
    (&["sensor", "list", "--pack", "nowhere"], 0),
    (&["event", "list"], 0),
    (&["event", "list", "--json"], 0),
    (&["event", "list", "--rule", "demo.hook", "--trigger", "core.webhook", "--limit", "1"], 0),
    (&["event", "list", "--source", "nowhere"], 0),
    (&["event", "list", "--open", "--after", "2026-01-01T00:00:00Z"], 0),
    (&["event", "get", "last"], 0),
    (&["event", "get", "last", "--json"], 0),
    (&["event", "get", "00000000-0000-7000-8000-000000000000"], 3),
    (&["event", "get", "nonsense", "--json"], 3),
    (&["event", "send", "nobody-waits"], 3),
    (&["key", "list"], 0),
    (&["key", "list", "--json"], 0),
    (&["key", "revoke", "nobody"], 3),
];

/// What all of them say of a rule that is tried.
fn verdict(place: &Place, more: &[&str]) -> serde_json::Value {
    let verb = ["rule", "test", "demo.hook", "--event", "last", "--json"];
    seen(place, &[&verb, more].concat(), 0).json()
}

/// What a run says, apart from moments and from what a daemon counts.
fn said(run: &Run) -> String {
    let is_counted = |line: &&str| {
        let line = line.trim_start();
        ["examined ", "\"examined\"", "\"matched\"", "\"failed\""].iter().any(|counted| line.starts_with(counted))
    };
    let text = format!("[exit {}]\n{}---\n{}", run.code.unwrap(), run.stdout, run.stderr);
    text.lines().filter(|line| !is_counted(line)).map(timeless).collect::<Vec<_>>().join("\n")
}

/// A line with `[TIME]` in the place of each moment.
fn timeless(line: &str) -> String {
    const LIKE: &[u8] = b"0000-00-00T00:00:00.000Z";
    let is_moment = |bytes: &[u8]| {
        let alike = |(byte, like): (&u8, &u8)| if *like == b'0' { byte.is_ascii_digit() } else { byte == like };
        bytes.len() == LIKE.len() && bytes.iter().zip(LIKE).all(alike)
    };
    let (mut text, mut rest) = (String::new(), line);
    while let Some(at) = rest.as_bytes().windows(LIKE.len()).position(is_moment) {
        text.push_str(&rest[..at]);
        text.push_str("[TIME]");
        rest = &rest[at + LIKE.len()..];
    }
    text + rest
}

#[tokio::test]
async fn every_verb_says_the_same_with_a_daemon_and_without_one() {
    let place = place();
    let daemon = Daemon::start(&place, &[]);
    for reference in ["main", "next"] {
        let body = json!({ "ref": reference, "size": 7, "id": reference });
        let (status, answer) = daemon.post("/api/v1/webhooks/demo", &body).await;
        assert_eq!(status, 202, "{answer}");
    }
    // The newest is one that matches, and its execution is there.
    let body = json!({ "ref": "main", "size": 8, "id": "b" });
    let (status, answer) = daemon.post("/api/v1/webhooks/demo", &body).await;
    assert_eq!((status, answer["executions"].as_array().map(Vec::len)), (202, Some(1)), "{answer}");
    until("its execution", async || {
        let events = daemon.get("/api/v1/events?open=true").await;
        events["items"].as_array().is_some_and(Vec::is_empty).then_some(())
    })
    .await;

    let url = daemon.url.clone();
    let all = |place: &Place, more: &[&str]| -> Vec<String> {
        VERBS.iter().map(|(verb, exit)| said(&seen(place, &[*verb, more].concat(), *exit))).collect()
    };
    let (by_address, by_directory) = (all(&place, &["--url", &url]), all(&place, &[]));
    let tried = verdict(&place, &["--url", &url]);
    assert_eq!(daemon.stop().code(), Some(0));
    let alone = all(&place, &[]);
    assert_eq!(tried, verdict(&place, &[]));
    for (index, (verb, _)) in VERBS.iter().enumerate() {
        assert_eq!(by_directory[index], alone[index], "{verb:?}");
        assert_eq!(by_address[index], alone[index], "{verb:?}");
    }
}

#[test]
fn where_nothing_was_ever_recorded_the_verbs_look_and_make_nothing() {
    let place = place();
    std::fs::remove_dir_all(place.path("data")).unwrap();
    for verb in [["rule", "list"], ["schedule", "list"], ["sensor", "list"], ["event", "list"]] {
        seen(&place, &verb, 0);
    }
    seen(&place, &["event", "get", "last"], 3);
    seen(&place, &["rule", "test", "demo.hook", super::MATCHING], 0);
    assert!(!place.path("data").exists());
}

#[test]
fn a_daemon_that_is_not_there_is_named() {
    let place = place();
    for verb in [&["rule", "list"][..], &["event", "list"], &["event", "resend", "last"], &["key", "list"]] {
        let run = seen(&place, &[verb, &["--url", "http://127.0.0.1:1"]].concat(), 5);
        assert!(run.stderr.contains("E-CLI-0007") && run.stderr.contains("127.0.0.1:1"), "{}", run.seen());
    }
}
