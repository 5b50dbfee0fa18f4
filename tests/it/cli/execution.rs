//! `runner execution`: what was run is found again.

use crate::assert_seen;
use crate::kit::Place;

#[test]
fn an_execution_is_found_by_its_id_by_its_beginning_and_as_the_last() {
    let place = Place::new();
    let id = place.run(&["exec", "core.noop", "--json"]).json()["id"].as_str().unwrap().to_owned();
    for text in [&id, &id[..8], &id[..13].to_uppercase(), "last"] {
        let found = place.run(&["execution", "get", text, "--json"]).json();
        assert_eq!(found["id"], id, "{text}");
    }
    assert_seen!("execution_get", place.run(&["execution", "get", "last"]));
    assert_seen!("execution_journal", place.run(&["execution", "journal", "last"]));
    let journal = place.run(&["execution", "journal", &id, "--json"]).json();
    let kinds: Vec<_> = journal.as_array().unwrap().iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&"requested"), Some(&"finished")));
}

#[test]
fn a_list_is_filtered_and_cut() {
    let place = Place::new();
    for arguments in [&["exec", "core.noop"][..], &["exec", "core.echo", "x"], &["exec", "core.fail", "x"]] {
        place.run(arguments);
    }
    let actions = |arguments: &[&str]| -> Vec<String> {
        let list = place.run(&[&["execution", "list", "--json"], arguments].concat()).json();
        list.as_array().unwrap().iter().map(|execution| execution["action"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(actions(&[]), ["core.fail", "core.echo", "core.noop"]);
    assert_eq!(actions(&["--status", "failed"]), ["core.fail"]);
    assert_eq!(actions(&["--action", "core.echo"]), ["core.echo"]);
    assert_eq!(actions(&["--limit", "2"]), ["core.fail", "core.echo"]);
    assert_seen!("execution_list", place.run(&["execution", "list"]));
}

#[test]
fn what_a_workflow_starts_is_listed_only_on_request() {
    let place = Place::new();
    place.write("packs/nest/pack.yaml", "ref: nest\nversion: 0.1.0\n");
    place.write("packs/nest/workflows/inner.yaml", "name: inner\ntasks:\n  one: {action: core.noop}\n");
    place.write("packs/nest/workflows/outer.yaml", "name: outer\ntasks:\n  sub: {action: nest.inner}\n");
    assert_seen!("exec_nested", place.run(&["exec", "nest.outer"]));
    let count = |arguments: &[&str]| {
        place.run(&[&["execution", "list", "--json"], arguments].concat()).json().as_array().unwrap().len()
    };
    assert_eq!((count(&[]), count(&["--all"])), (1, 2));
    assert_eq!(place.run(&["execution", "get", "last", "--json"]).json()["action"], "nest.outer");
}

#[test]
fn what_was_not_run_is_not_found_and_looking_makes_nothing() {
    let place = Place::new();
    assert_seen!(
        "execution_unknown",
        place.run(&["execution", "get", "0000"]),
        place.run(&["execution", "list"]),
        place.run(&["execution", "list", "--status", "runing"]),
    );
    assert!(!place.path("data/runner.db").exists());
    place.run(&["exec", "core.noop"]);
    assert_seen!(
        "execution_unknown_among_others",
        place.run(&["execution", "get", "ffff"]),
        place.run(&["execution", "get", "01"]),
    );
}
