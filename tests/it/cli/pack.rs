//! `runner pack` and `runner action`.

use crate::assert_seen;
use crate::kit::Place;

#[test]
fn what_is_installed_is_listed_and_shown() {
    let place = Place::new();
    place.write("packs/broken/pack.yaml", "ref: broken\nversion: one\n");
    assert_seen!("pack_list", place.run(&["pack", "list"]));
    assert_eq!(place.run(&["pack", "get", "core", "--json"]).json()["ref"], "core");
    assert_seen!("pack_unknown", place.run(&["pack", "get", "cor"]), place.run(&["pack", "get", "broken"]));
    assert_seen!("action_get", place.run(&["action", "get", "core.echo"]));
    assert_seen!("action_list", place.run(&["action", "list", "--pack", "core"]));
}

#[test]
fn a_pack_with_mistakes_is_checked_to_the_last_one() {
    let place = Place::new();
    let broken = "ref: broken\nversion: one\ndescripton: slip\npermissions:\n  http:\n    - methods: [get]\n";
    place.write("packs/broken/pack.yaml", broken);
    place.write("packs/broken/actions/x.yaml", "name: x\nrunner_type: wsm\n");
    assert_seen!("pack_check", place.run(&["pack", "check", "broken"]));
    let report = place.run(&["pack", "check", "./packs/broken", "--json"]);
    assert_eq!(report.code, Some(4));
    assert!(report.json()["errors"].as_u64().unwrap() >= 4);
    assert_eq!(place.run(&["pack", "check", "core"]).code, Some(0));
}

#[test]
fn a_new_pack_brings_all_that_it_needs() {
    let place = Place::new();
    std::fs::create_dir(place.path("packs")).unwrap();
    assert_seen!(
        "pack_new",
        place.run(&["pack", "new", "demo"]),
        place.run(&["pack", "new", "demo"]),
        place.run(&["pack", "new", "De-mo"])
    );
    for file in ["pack.yaml", "actions/hello.yaml", "src/lib.rs", "Cargo.toml", ".gitignore"] {
        assert!(place.path("packs/demo").join(file).is_file(), "{file}");
    }
    for file in ["sdk/rust/Cargo.toml", "sdk/rust/src/lib.rs", "sdk/rust/macros/src/lib.rs", "wit/0.1.0/action.wit"] {
        let text = std::fs::read_to_string(place.path("packs/demo/vendor").join(file)).unwrap();
        assert_eq!(text, std::fs::read_to_string(crate::kit::root().join(file)).unwrap(), "{file}");
    }
    let manifest = std::fs::read_to_string(place.path("packs/demo/Cargo.toml")).unwrap();
    assert!(manifest.contains("\"pack-demo\"") && manifest.contains("vendor/sdk/rust") && !manifest.contains("{{"));
}

#[test]
#[ignore = "needs a compiler for WebAssembly and the registry: `.ci/run` runs it"]
fn a_new_pack_is_built_and_runs_and_its_metadata_is_compared_with_its_source() {
    let place = Place::new();
    std::fs::create_dir(place.path("packs")).unwrap();
    place.run(&["pack", "new", "demo"]);
    let built = place.run(&["pack", "build", "demo"]);
    assert_eq!(built.code, Some(0), "{}", built.seen());
    let greeting = place.run(&["exec", "demo.hello", "name=Ada", "-k", "message"]);
    assert_eq!((greeting.code, greeting.stdout.as_str()), (Some(0), "Hello, Ada!\n"), "{}", greeting.seen());
    assert_eq!(place.run(&["pack", "build", "demo", "--check"]).code, Some(0));

    let metadata = place.path("packs/demo/actions/hello.yaml");
    std::fs::remove_file(&metadata).unwrap();
    assert_eq!(place.run(&["pack", "build", "demo", "--check"]).code, Some(4), "metadata is missing");
    assert_eq!(place.run(&["pack", "build", "demo"]).code, Some(0));
    assert_eq!(place.run(&["exec", "demo.hello", "name=Ada"]).code, Some(0), "it was made from the description");

    place.write(
        "packs/demo/actions/hello.yaml",
        "name: hello\nrunner_type: wasm\nparameters:\n  nome: {type: string}\n",
    );
    let drifted = place.run(&["pack", "build", "demo", "--json"]);
    let mistakes = drifted.error_json()["errors"].as_array().unwrap().len();
    assert_eq!((drifted.code, mistakes), (Some(4), 2), "{}", drifted.seen());
}

#[test]
fn a_pack_without_a_compiler_says_exactly_what_to_install() {
    let place = Place::new();
    std::fs::create_dir(place.path("packs")).unwrap();
    place.run(&["pack", "new", "demo"]);
    let mut command = place.command(&["pack", "build", "demo", "--json"]);
    command.env("RUNNER_WASM_PREFIX", "missing").env_remove("RUNNER_WASM_CARGO").env("PATH", "missing");
    let run = place.ended(&[], command.output().unwrap());
    let error = &run.error_json()["error"];
    assert_eq!((run.code, error["code"].as_str()), (Some(4), Some("E-CLI-0002")), "{}", run.seen());
    assert!(error["hint"].as_str().unwrap().contains("rustup target add wasm32-unknown-unknown"));
}
