//! What an action asks for: less than its pack, or the same.

use runner_model::{KvAccess, Permissions};
use runner_pack::check;

use crate::kit::{Demo, library};

fn demo(permissions: &str) -> Demo {
    let demo = Demo::new();
    let manifest = "ref: demo\nversion: 0.1.0\nconnections: {array: {description: An array}}\n\
                    permissions:\n  http: [{connection: array, methods: [GET, POST], paths: [/v1/**]}]\n  kv: read\n";
    demo.file("pack.yaml", manifest);
    demo.file("actions/a.yaml", format!("name: a\nrunner_type: wasm\n{permissions}"));
    demo
}

fn asked(permissions: &str) -> Permissions {
    let (pack, report) = check(&demo(permissions).path(), &library());
    assert!(report.diagnostics.is_empty(), "{}", report.plain());
    let pack = pack.unwrap();
    pack.actions["a"].wish(&pack).clone()
}

#[test]
fn an_action_asks_for_what_its_pack_asks_for_unless_it_says_less() {
    assert_eq!(asked("").http.len(), 1);
    assert_eq!(asked("permissions: none\n"), Permissions::default());
    assert_eq!(asked("permissions: {}\n"), Permissions::default());
    assert_eq!(asked("permissions: {kv: read}\n").kv, KvAccess::Read);
    let narrow = asked("permissions: {http: [{connection: array, methods: [GET], paths: [/v1/volumes/*]}]}\n");
    assert_eq!((narrow.http[0].paths.as_slice(), narrow.kv), (&["/v1/volumes/*".to_owned()][..], KvAccess::None));
}

#[test]
fn an_action_asks_for_no_more_than_its_pack() {
    for more in [
        "kv: read_write",
        "http: [{connection: array, methods: [DELETE], paths: [/v1/x]}]",
        "http: [{url: 'https://h'}]",
    ] {
        let demo = demo(&format!("permissions: {{{more}}}\n"));
        assert_eq!(demo.findings(), ["actions/a.yaml:3:1 E-PACK-0007"], "{more}: {}", demo.report().plain());
    }
    assert_eq!(demo("permissions: all\n").findings(), ["actions/a.yaml:3:14 E-PACK-0005"]);
}
