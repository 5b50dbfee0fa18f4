//! Help, and the errors of whoever mistypes.

use crate::assert_seen;
use crate::kit::Place;

#[test]
fn the_help_shows_every_command_and_exit_status() {
    let place = Place::new();
    assert_seen!("help", place.run(&["--help"]));
    assert_seen!("help_exec", place.run(&["exec", "--help"]));
}

#[test]
fn the_help_of_an_action_is_made_from_its_metadata() {
    let place = Place::new();
    assert_seen!("help_action", place.run(&["exec", "core.kv_set", "--help"]));
    let described = place.run(&["exec", "core.echo", "--help", "--json"]).json();
    assert_eq!(described["parameters"]["required"], serde_json::json!(["message"]));
}

#[test]
fn every_command_takes_the_global_options() {
    let place = Place::new();
    let leaves: &[&[&str]] = &[
        &["exec", "core.noop"],
        &["pack", "list"],
        &["pack", "get", "core"],
        &["pack", "check", "core"],
        &["pack", "new", "made", "--dir", "made"],
        &["action", "list"],
        &["action", "get", "core.echo"],
        &["execution", "list"],
        &["execution", "get", "last"],
        &["execution", "journal", "last"],
        &["execution", "explain", "last"],
        &["inquiry", "list"],
        &["inquiry", "get", "last"],
        &["connection", "list"],
        &["explain", "E-CLI-0001"],
    ];
    for leaf in leaves {
        let run = place.run(&[leaf, &["--json", "--color", "always", "-v"][..]].concat());
        assert_eq!(run.code, Some(0), "{}", run.seen());
        run.json();
    }
}

#[test]
fn a_mistyped_command_is_an_error_in_json_too() {
    let place = Place::new();
    let run = place.run(&["exce", "core.noop", "--json"]);
    let error = &run.error_json()["error"];
    assert_eq!((run.code, error["code"].as_str()), (Some(2), Some("E-CLI-0005")), "{}", run.seen());
    assert!(error["hint"].as_str().unwrap().contains("exec"), "{error}");
    assert!(place.run(&["exce", "core.noop"]).stderr.contains("exec"));
}

#[test]
fn a_code_is_explained() {
    let place = Place::new();
    assert_seen!("explain", place.run(&["explain", "e-cli-0001"]), place.run(&["explain", "E-CLI-0009"]));
}

#[test]
fn completion_knows_the_commands() {
    let script = Place::new().run(&["completion", "bash"]).stdout;
    assert!(script.contains("connection") && script.contains("--no-progress"));
}
