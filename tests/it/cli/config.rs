//! `runner.toml`, the environment, and `runner connection`.

use crate::assert_seen;
use crate::kit::Place;

const CONNECTION: &str = "[connections.array]\nkind = \"array\"\nbase_url = \"https://array.example\"\n";

#[test]
fn a_mistake_in_the_file_is_shown_at_its_place() {
    let place = Place::new();
    place.write("runner.toml", "data = \"data\"\n\n[conections.array]\nkind = \"array\"\n");
    assert_seen!("config_unknown_key", place.run(&["pack", "list"]), place.run(&["pack", "list", "--json"]));
    place.write("other.toml", "data = \n");
    assert_seen!("config_syntax", place.run(&["--config", "other.toml", "pack", "list"]));
    assert_seen!("config_missing", place.run(&["--config", "missing.toml", "pack", "list"]));
    assert_eq!(place.run(&["explain", "E-CONF-0002"]).code, Some(0), "what needs no configuration reads none");
}

#[test]
fn a_secret_that_is_missing_stops_only_who_needs_it() {
    let place = Place::new();
    let auth = "auth = { type = \"basic\", username = \"u\", password = { env = \"ARRAY_PASSWORD\" } }\n";
    place.write("runner.toml", &format!("{CONNECTION}{auth}"));
    assert_seen!(
        "connection_without_secret",
        place.run(&["connection", "list"]),
        place.run(&["connection", "test", "array"]),
        place.run(&["connection", "test", "aray"]),
        place.run(&["exec", "core.noop"]),
    );
    let output = place.command(&["connection", "list", "--json"]).env("ARRAY_PASSWORD", "s3cr3t").output().unwrap();
    let run = place.ended(&[], output);
    assert!(run.json()[0]["problem"].is_null() && !run.stdout.contains("s3cr3t"), "{}", run.seen());
}

#[cfg(unix)]
#[test]
fn a_secret_in_a_file_that_others_can_read_is_pointed_out() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    place.write("runner.toml", &format!("{CONNECTION}auth = {{ type = \"bearer\", token = \"s3cr3t\" }}\n"));
    let set =
        |mode| std::fs::set_permissions(place.path("runner.toml"), std::fs::Permissions::from_mode(mode)).unwrap();
    set(0o644);
    assert_seen!("config_exposed", place.run(&["connection", "list"]));
    set(0o600);
    assert_eq!(place.run(&["connection", "list"]).stderr, "");
}

#[test]
fn the_environment_names_what_flags_do_not() {
    let place = Place::new();
    let mut command = place.command(&["pack", "list"]);
    // Without the flags that the kit adds.
    let program = command.get_program().to_owned();
    command = std::process::Command::new(program);
    command.current_dir(place.path("")).args(["exec", "core.noop"]).env_clear();
    command.env("RUNNER_DATA", "data").env("RUNNER_PACKS", crate::kit::root().join("packs"));
    assert!(command.output().unwrap().status.success());
    assert!(place.path("data/runner.db").exists());
}

#[test]
fn the_configuration_of_the_example_is_read() {
    let place = Place::new();
    let example = crate::kit::root().join("examples/02-grow-volume");
    let config = example.join("runner.toml");
    let run = place.run(&["connection", "list", "--json", "--config", config.to_str().unwrap()]);
    assert_eq!((run.code, run.json()[0]["auth"].as_str()), (Some(0), Some("basic")), "{}", run.seen());
}
