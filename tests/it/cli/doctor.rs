//! `runner doctor`.

use serde_json::Value;

use crate::kit::Place;

fn verdict<'a>(report: &'a Value, what: &str) -> &'a str {
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["what"] == what);
    found.unwrap_or_else(|| panic!("{what}: {report}"))["verdict"].as_str().unwrap()
}

#[test]
fn all_is_well_in_a_new_place() {
    let place = Place::new();
    let run = place.run(&["doctor", "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.seen());
    for what in ["runner", "data", "database", "clock", "packs", "components", "compile cache", "connections"] {
        assert_eq!(verdict(&run.json(), what), "good", "{what}");
    }
    let drawn = place.run(&["doctor"]);
    assert!(drawn.stdout.contains("✔ database") && !drawn.stdout.contains('✖'), "{}", drawn.seen());
}

#[test]
fn what_is_broken_is_named_with_what_to_do() {
    let place = Place::new();
    place.write("packs/broken/pack.yaml", "ref: broken\nversion: one\n");
    place.bad_pack("echo", "");
    place.write("packs/bad/components/bad.wasm", "this is no component");
    let run = place.run(&["doctor", "--json"]);
    assert_eq!((run.code, run.json()["ok"].as_bool()), (Some(1), Some(false)), "{}", run.seen());
    assert_eq!(verdict(&run.json(), "components"), "bad");
    let text = run.stdout;
    assert!(
        text.contains("E-HOST-0008") && text.contains("E-PACK-0015") && text.contains("runner pack check"),
        "{text}"
    );
}

#[test]
fn a_data_directory_that_cannot_be_used_is_named() {
    let place = Place::new();
    place.write(
        "data/runner.db",
        "this is no database, and it is long enough that nobody can take it for an empty file",
    );
    let run = place.run(&["doctor", "--json"]);
    assert_eq!(run.code, Some(1), "{}", run.seen());
    assert_eq!(verdict(&run.json(), "data"), "bad");
    let run = place.run(&["exec", "core.noop"]);
    assert!(run.code == Some(5) && run.stderr.starts_with("error[E-STORE-"), "{}", run.seen());
}
