//! Packs without mistakes: what is read from them.

use std::path::PathBuf;
use std::time::Duration;

use runner_model::{HttpAsk, HttpTarget, KvAccess};
use runner_pack::{Body, Library, check};
use serde_json::json;

use crate::kit::{Demo, library};

#[test]
fn a_pack_is_read_whole() {
    let library = library();
    let pack = library.pack("storage").unwrap();
    let manifest = &pack.manifest;
    assert_eq!(manifest.reference.as_str(), "storage");
    assert_eq!(manifest.version.to_string(), "0.3.1");
    assert_eq!(manifest.keywords, ["storage", "netapp"]);
    assert_eq!(manifest.dependencies.len(), 2);
    assert_eq!(manifest.permissions.kv, KvAccess::ReadWrite);
    assert_eq!(manifest.connections["array"].simulator.as_deref(), Some("simulator"));
    let url = "https://a.example.com:8443/x".parse().unwrap();
    assert!(manifest.permissions.allows(&HttpAsk { target: HttpTarget::Url(&url), method: "GET", path: "/x" }));
    assert_eq!(pack.components.keys().collect::<Vec<_>>(), ["simulator", "storage"]);
    assert_eq!(pack.config, json!({"region": "eu"}));
    assert!(pack.warnings.is_empty());
}

#[test]
fn an_action_is_read_whole() {
    let library = library();
    let (_, action) = library.action(&"storage.create_volume".parse().unwrap()).unwrap();
    assert!(action.enabled && action.idempotent.is_always());
    assert_eq!(action.timeout, Some(Duration::from_secs(30)));
    assert_eq!(
        action.tags.iter().map(|tag| (&*tag.name, &*tag.value)).collect::<Vec<_>>(),
        [("storage", ""), ("team", "a")]
    );
    assert!(
        matches!(&action.body, Body::Wasm { component, function } if component == "storage" && function == "create")
    );
    assert_eq!(action.output_schema.as_ref().unwrap()["required"], json!(["id"]));
    let names: Vec<_> = action.parameters.names().collect();
    assert_eq!(names, ["name", "size_gb", "labels", "options", "password", "protocol", "thin"], "position, then name");
    assert_eq!(action.parameters.secret_names(), ["password"]);

    let (_, action) = library.action(&"storage.list_volumes".parse().unwrap()).unwrap();
    assert!(matches!(&action.body, Body::Wasm { component, function } if component == "storage" && function == "list"));
    let (_, action) = library.action(&"core.echo".parse().unwrap()).unwrap();
    assert!(matches!(&action.body, Body::Wasm { component, function } if component == "core" && function == "echo"));
    assert!(matches!(library.action(&"core.noop".parse().unwrap()).unwrap().1.body, Body::Noop));
}

#[test]
fn a_workflow_is_compiled() {
    let library = library();
    let (_, action) = library.action(&"storage.provision".parse().unwrap()).unwrap();
    let Body::Workflow(plan) = &action.body else { panic!("not a workflow") };
    assert_eq!(plan.tasks().keys().map(runner_model::TaskName::as_str).collect::<Vec<_>>(), ["list", "create", "tell"]);
    assert_eq!(plan.vars().len(), 2);
    assert_eq!(plan.output().iter().map(|binding| &*binding.name).collect::<Vec<_>>(), ["reason", "volume"]);
    assert_eq!(plan.tasks()["list"].next[1].targets.len(), 2);
    assert_eq!(plan.tasks()["list"].next[1].publish.len(), 1);
}

#[test]
fn what_may_have_been_meant_is_suggested() {
    let library = library();
    assert_eq!(library.suggest("storage.create_volum").as_deref(), Some("storage.create_volume"));
    assert_eq!(library.suggest("provision").as_deref(), Some("storage.provision"));
    assert_eq!(library.suggest("storge").as_deref(), Some("storage"));
    assert_eq!(library.suggest("something else"), None);
}

#[test]
fn the_digest_changes_with_everything_that_runs_and_with_nothing_else() {
    let demo = Demo::new();
    demo.file("actions/a.yaml", "runner_type: wasm\n").file("README.md", "one").file("src/lib.rs", "one");
    let digest = || check(&demo.path(), &Library::default()).0.unwrap().digest.clone();
    let first = digest();
    assert_eq!(first.len(), 64);
    assert_eq!(digest(), first);
    demo.file("README.md", "two")
        .file("src/lib.rs", "two")
        .file("actions/.a.yaml.swp", "x")
        .file("notes/b.yaml", ": [");
    assert_eq!(digest(), first);
    let mut seen = vec![first];
    for (path, content) in [
        ("pack.yaml", "ref: demo\nversion: 0.2.0\n"),
        ("actions/a.yaml", "runner_type: noop\n"),
        ("actions/b.yaml", "runner_type: noop\n"),
        ("workflows/w.yaml", "tasks: {a: {}}\n"),
        ("config.schema.yaml", "a: {type: string}\n"),
        ("components/demo.wasm", "other bytes"),
    ] {
        demo.file(path, content);
        let next = digest();
        assert!(!seen.contains(&next), "{path}");
        seen.push(next);
    }
}

#[test]
fn a_broken_pack_does_not_hide_the_others() {
    let demo = Demo::new();
    demo.file("actions/a.yaml", "runner_type: wams\n");
    let (library, report) = Library::load(&[crate::kit::fixtures(), demo.above().to_owned()], None);
    assert_eq!(library.packs().map(|pack| pack.reference().as_str()).collect::<Vec<_>>(), ["core", "storage"]);
    let [broken] = library.broken() else { panic!("{:?}", library.broken()) };
    assert_eq!(broken.directory, demo.path());
    assert_eq!(broken.reference.as_ref().unwrap().as_str(), "demo");
    assert_eq!(broken.mistakes, 1);
    assert_eq!(report.errors(), 1);
}

#[test]
fn of_two_packs_with_the_same_reference_the_first_stays() {
    let (one, two) = (Demo::new(), Demo::new());
    let (library, report) = Library::load(&[one.above().to_owned(), two.above().to_owned()], None);
    assert_eq!(library.pack("demo").unwrap().directory, one.path());
    assert_eq!(library.broken()[0].directory, two.path());
    assert_eq!(report.diagnostics[0].code.id(), "E-PACK-0011");
}

#[test]
fn a_packs_directory_that_is_not_there_is_reported() {
    let (library, report) = Library::load(&[PathBuf::from("tests/no_such_directory")], None);
    assert_eq!(library.packs().count(), 0);
    assert_eq!(report.diagnostics[0].code.id(), "E-PACK-0009");
}

#[test]
fn a_pack_that_calls_a_broken_one_is_warned() {
    let demo = Demo::new();
    demo.file("actions/a.yaml", "runner_type: noop\n").file("actions/b.yaml", "runner_type: [noop]\n");
    let above = demo.above().join("caller");
    std::fs::create_dir_all(above.join("workflows")).unwrap();
    std::fs::write(above.join("pack.yaml"), "ref: caller\nversion: 0.1.0\n").unwrap();
    std::fs::write(above.join("workflows/w.yaml"), "tasks:\n  a:\n    action: demo.a\n").unwrap();
    let (library, report) = Library::load(&[demo.above().to_owned()], None);
    assert!(library.pack("caller").is_some());
    let warnings: Vec<_> = report.diagnostics.iter().filter(|d| !d.is_error()).map(|d| d.code.id()).collect();
    assert_eq!(warnings, ["E-PACK-0015"]);
    assert_eq!(library.pack("caller").unwrap().warnings.len(), 1);
}
