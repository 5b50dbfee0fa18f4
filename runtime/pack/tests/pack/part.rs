//! A part of the packs gives what all of them give, for the actions of one.

use std::fs;

use runner_pack::Library;

use crate::kit::Demo;

/// Beside `demo`: a pack that it calls, one that this calls, one with a policy, and a stranger.
fn neighbours(demo: &Demo) {
    demo.file("workflows/w.yaml", "tasks:\n  a:\n    action: called.a\n");
    let files = [
        ("called/workflows/a.yaml", "tasks:\n  a:\n    action: further.a\n"),
        ("further/actions/a.yaml", "runner_type: noop\n"),
        (
            "bounds/policies/p.yaml",
            "policy_type: action.concurrency\nresource_ref: demo.w\nparameters: {threshold: 1}\n",
        ),
        ("stranger/actions/a.yaml", "runner_type: [broken\n"),
    ];
    for (path, text) in files {
        let path = demo.above().join(path);
        let pack = path.parent().unwrap().parent().unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let name = pack.file_name().unwrap().to_str().unwrap();
        fs::write(pack.join("pack.yaml"), format!("ref: {name}\nversion: 0.1.0\n")).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn a_part_holds_what_the_pack_names_and_what_policies_are_about() {
    let demo = Demo::new();
    neighbours(&demo);
    let dirs = [demo.above().to_owned()];
    let (part, report) = Library::load_part(&dirs, None, "demo");
    assert!(report.diagnostics.is_empty(), "{}", report.plain());
    assert_eq!(names(&part), ["bounds", "called", "demo", "further"]);
    assert_eq!(part.policies().count(), 1);
    let manifests: Vec<_> = part.manifests().map(|manifest| manifest.reference.as_str()).collect();
    assert_eq!(manifests, ["bounds", "called", "demo", "further", "stranger"]);
    let (whole, report) = Library::load(&dirs, None);
    assert_eq!(report.errors(), 1, "the stranger's mistake is found by who reads all");
    for pack in part.packs() {
        assert_eq!(pack.digest, whole.pack(pack.reference().as_str()).unwrap().digest);
    }
}

#[test]
fn a_part_finds_the_mistakes_of_the_packs_that_it_holds() {
    let demo = Demo::new();
    neighbours(&demo);
    fs::write(demo.above().join("further/actions/a.yaml"), "runner_type: nop\n").unwrap();
    demo.file("workflows/v.yaml", "tasks:\n  a:\n    action: called.missing\n");
    let (part, report) = Library::load_part(&[demo.above().to_owned()], None, "demo");
    assert_eq!(names(&part), ["bounds", "called"]);
    let (_, whole) = Library::load(&[demo.above().to_owned()], None);
    assert_eq!(report.errors() + 1, whole.errors(), "{}", report.plain());
}

#[test]
fn of_two_packs_of_one_name_a_part_takes_the_first() {
    let (one, two) = (Demo::new(), Demo::new());
    let (part, report) = Library::load_part(&[one.above().to_owned(), two.above().to_owned()], None, "demo");
    assert_eq!(part.pack("demo").unwrap().directory, one.path());
    assert_eq!(report.diagnostics[0].code.id(), "E-PACK-0011");
}

fn names(library: &Library) -> Vec<&str> {
    library.packs().map(|pack| pack.reference().as_str()).collect()
}
