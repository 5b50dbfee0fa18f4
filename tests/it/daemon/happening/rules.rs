//! Trying rules, and switching them.

use super::{MATCHING, OTHER, place, seen};
use crate::assert_seen;
use crate::daemon::kit::Daemon;

#[test]
fn a_rule_says_which_criterion_fails_and_what_its_action_would_get() {
    let place = place();
    assert_seen!(
        "rule",
        place.run(&["rule", "list"]),
        place.run(&["rule", "get", "demo.hook"]),
        place.run(&["rule", "test", "demo.hook", MATCHING]),
        place.run(&["rule", "test", "demo.hook", OTHER]),
        place.run(&["rule", "test", "demo.hook", r#"{"body": {"ref": "main"}}"#]),
        place.run(&["rule", "test", "demo.hook", r#"{"body": {"ref": "main", "size": 200}}"#]),
        place.run(&["rule", "test", "demo.hook", "ref=main"]),
        place.run(&["rule", "test", "demo.hook"]),
        place.run(&["rule", "test", "hook", MATCHING]),
    );
    let matched = seen(&place, &["rule", "test", "demo.hook", MATCHING, "--json"], 0);
    assert_eq!(matched.json()["parameters"], serde_json::json!({ "text": "main", "token": "********" }));
    assert!(!matched.stdout.contains("s3cret"), "{}", matched.seen());
}

#[test]
fn a_payload_comes_from_a_file_or_from_standard_input() {
    let place = place();
    place.write("payload.json", MATCHING);
    for payload in ["payload.json", "@payload.json"] {
        seen(&place, &["rule", "test", "demo.hook", payload], 0);
    }
    let piped = place.run_with_input(&["rule", "test", "demo.hook", "-"], OTHER);
    assert_eq!(piped.code, Some(1), "{}", piped.seen());
    for wrong in ["nowhere.json", "@packs", "{no"] {
        seen(&place, &["rule", "test", "demo.hook", wrong], 2);
    }
}

#[tokio::test]
async fn a_rule_that_is_in_no_pack_can_be_tried_and_its_mistakes_have_a_place() {
    let place = place();
    let rule = std::fs::read_to_string(place.path("packs/demo/rules/hook.yaml")).unwrap();
    place.write("loose.yaml", &rule.replace("path: demo", "path: elsewhere"));
    place.write("wrong.yaml", &rule.replace("demo.act", "demo.acts"));
    let daemon = Daemon::start(&place, &[]);
    for more in [&[][..], &["--url", &daemon.url]] {
        let matched = seen(&place, &[&["rule", "test", "loose.yaml", MATCHING, "--json"], more].concat(), 0).json();
        assert_eq!((&matched["matched"], &matched["key"]), (&true.into(), &"a1".into()), "{matched}");
        seen(&place, &[&["rule", "test", "./loose.yaml", OTHER], more].concat(), 1);
        seen(&place, &[&["rule", "test", "packs/demo/rules/hook.yaml", MATCHING], more].concat(), 0);
        seen(&place, &[&["rule", "test", "nowhere.yaml", OTHER], more].concat(), 4);
    }
    let wrong = seen(&place, &["rule", "test", "wrong.yaml", MATCHING], 4);
    assert!(wrong.stderr.contains("wrong.yaml:7:") && wrong.stderr.contains("`demo.act`?"), "{}", wrong.seen());
}

#[tokio::test]
async fn a_rule_is_switched_with_a_daemon_and_without_one_and_both_know() {
    let place = place();
    let state = |arguments: &[&str]| {
        let rule = seen(&place, arguments, 0).json();
        (rule["enabled"].as_bool().unwrap(), rule["switched"].as_bool())
    };
    assert_eq!(state(&["rule", "disable", "demo.hook", "--json"]), (false, Some(false)));
    assert!(seen(&place, &["rule", "enable", "demo.yearly"], 0).stdout.contains("demo.yearly on (switched)"));
    let daemon = Daemon::start(&place, &[]);
    let (status, _) = daemon.post("/api/v1/webhooks/demo", &serde_json::json!({})).await;
    assert_eq!(status, 404, "a rule that is off answers nothing");
    assert_eq!(state(&["rule", "get", "demo.hook", "--json"]), (false, Some(false)));
    assert_eq!(state(&["rule", "enable", "demo.hook", "--json", "--url", &daemon.url]), (true, Some(true)));
    let (status, _) = daemon.post("/api/v1/webhooks/demo", &serde_json::json!({})).await;
    assert_eq!(status, 202);
    // Through the socket of the data directory.
    assert_eq!(state(&["rule", "reset", "demo.yearly", "--json"]), (false, None));
    let schedules = seen(&place, &["schedule", "list", "--json"], 0).json();
    assert_eq!(schedules[1]["rule"], "demo.yearly");
    assert_eq!((&schedules[1]["enabled"], &schedules[1]["next"]), (&false.into(), &serde_json::json!([])));
    assert_eq!(daemon.stop().code(), Some(0));
    assert_eq!(state(&["rule", "get", "demo.hook", "--json"]), (true, Some(true)));
    assert_eq!(state(&["rule", "reset", "demo.hook", "--json"]), (true, None));
}

#[test]
fn a_schedule_shows_the_clock_on_the_wall_and_utc() {
    let place = place();
    let ten = seen(&place, &["schedule", "list", "--json"], 0).json();
    assert_eq!(ten[0]["next"].as_array().unwrap().len(), 10, "{ten}");
    assert_eq!((&ten[0]["timezone"], &ten[1]["timezone"]), (&"Europe/Berlin".into(), &serde_json::Value::Null));
    let two = seen(&place, &["schedule", "list", "--rule", "demo.nightly", "--count", "2"], 0);
    assert_eq!(two.stdout.matches(" 02:30:00 +0").count(), 2, "{}", two.seen());
    for count in ["0", "101", "many"] {
        seen(&place, &["schedule", "list", "--count", count], 2);
    }
}
