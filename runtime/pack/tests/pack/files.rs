//! Mistakes in `pack.yaml`, in actions, and in which files there are.

use crate::kit::{Demo, action};

fn manifest(text: &str) -> Demo {
    let demo = Demo::new();
    demo.file("pack.yaml", text);
    demo
}

/// Code, line and column, message, hint.
fn only(demo: &Demo) -> (String, (usize, usize), String, String) {
    let report = demo.report();
    let [d] = report.diagnostics.as_slice() else { return (String::new(), (0, 0), report.plain(), String::new()) };
    (d.code.id().to_owned(), (d.line, d.column), d.message.clone(), d.hint.clone().unwrap_or_default())
}

/// Text, code, line and column, part of the message, part of the hint.
type Case = (&'static str, &'static str, (usize, usize), &'static str, &'static str);

fn check(cases: &[Case], demo: fn(&str) -> Demo) {
    let mut wrong = String::new();
    for (text, code, place, message, hint) in cases {
        let found = only(&demo(text));
        let right = (found.0.as_str(), found.1) == (*code, *place);
        if !right || !found.2.contains(message) || !found.3.contains(hint) {
            wrong.push_str(&format!("{text}\n   is {found:?}\n  not {:?}\n", (code, place, message, hint)));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn mistakes_in_a_manifest_are_found_with_what_to_write() {
    let cases = [
        ("version: 0.1.0", "E-PACK-0006", (1, 1), "no `ref`", "`ref: demo`"),
        ("ref: demo", "E-PACK-0006", (1, 1), "no `version`", "`version: 0.1.0`"),
        ("ref: other\nversion: 0.1.0", "E-PACK-0007", (1, 6), "directory is called `demo`", "`ref: demo`"),
        ("ref: De-mo\nversion: 0.1.0", "E-PACK-0007", (1, 6), "character `D`", "`ref: de_mo`"),
        ("ref: demo\nversion: '1.2'", "E-PACK-0007", (2, 10), "not a version", "`version: 1.2.0`"),
        ("ref: demo\nversion: 1.2", "E-PACK-0005", (2, 10), "found the number", "`version: 1.2.0`"),
        ("ref: demo\nversion: 0.1.0\nkeywords: {a: b}", "E-PACK-0005", (3, 11), "`keywords` must be", ""),
        ("ref: demo\nversion: 0.1.0\nstackstorm_version: '>=3'", "E-PACK-0004", (3, 1), "no key", "runner_version"),
        ("ref: demo\nversion: 0.1.0\nrunner_version: '>=99.0.0'", "E-PACK-0019", (3, 17), "needs runner >=99.0.0", ""),
        ("ref: demo\nversion: 0.1.0\nrunner_version: soon", "E-PACK-0007", (3, 17), "not a range", ">=0.1.0"),
        ("ref: demo\nversion: 0.1.0\ndependencies: [nowhere]", "E-PACK-0016", (3, 16), "`nowhere`", "packs directory"),
        ("ref: demo\nversion: 0.1.0\ndependencies: [core=9.9.9]", "E-PACK-0016", (3, 16), "but 1.2.0 is there", ""),
        ("ref: demo\nversion: 0.1.0\npermissions:\n  kv: write", "E-PACK-0005", (4, 7), "read_write", ""),
        ("ref: demo\nversion: 0.1.0\npermissions:\n  htpp: []", "E-PACK-0004", (4, 3), "`htpp`", "`http`"),
        (
            "ref: demo\nversion: 0.1.0\npermissions:\n  http:\n    - connection: ontap\n",
            "E-PACK-0007",
            (5, 19),
            "no connection of kind `ontap`",
            "declare it",
        ),
        (
            "ref: demo\nversion: 0.1.0\npermissions:\n  http:\n    - url: https://a.corp\n      addresses: [10.0.0.0/8]\n",
            "E-PACK-0004",
            (6, 7),
            "`addresses`",
            "the operator's to grant",
        ),
        (
            "ref: demo\nversion: 0.1.0\npermissions:\n  http:\n    - url: example.com\n",
            "E-PACK-0007",
            (5, 12),
            "not an origin",
            "",
        ),
        (
            "ref: demo\nversion: 0.1.0\npermissions:\n  http:\n    - methods: [GET]\n",
            "E-PACK-0007",
            (5, 7),
            "names a",
            "",
        ),
        (
            "ref: demo\nversion: 0.1.0\nconnections:\n  array: {simulator: simulater}",
            "E-PACK-0008",
            (4, 22),
            "simulater.wasm",
            "runner pack build demo",
        ),
        (
            "ref: demo\nversion: 0.1.0\nconnections:\n  array: {simulated_as: [a, b]}",
            "E-PACK-0007",
            (4, 25),
            "nothing simulates these connections",
            "write `simulator`",
        ),
        (
            "ref: demo\nversion: 0.1.0\nconnections:\n  array: {simulator: demo, simulated_as: [a, a]}",
            "E-PACK-0007",
            (4, 46),
            "`a` stands twice",
            "",
        ),
        (
            "ref: demo\nversion: 0.1.0\nconnections:\n  array: {simulator: demo, simulated_as: [a b]}",
            "E-PACK-0007",
            (4, 43),
            "a connection's name",
            "",
        ),
        ("[1, 2]", "E-PACK-0005", (1, 1), "must be a map, found a list", ""),
        ("", "E-PACK-0005", (1, 1), "must be a map, found nothing", ""),
    ];
    check(&cases, manifest);
    assert!(manifest("ref: demo\nversion: 0.1.0\n").findings().is_empty());
}

#[test]
fn mistakes_in_an_action_are_found_with_what_to_write() {
    let cases = [
        ("description: x", "E-PACK-0006", (1, 1), "no `runner_type`", "`runner_type: wasm`"),
        ("runner_type: wams", "E-PACK-0007", (1, 14), "`wams`", "did you mean `wasm`?"),
        ("runner_type: http", "E-PACK-0020", (1, 14), "not supported by this version", ""),
        ("runner_type: python-script", "E-PACK-0007", (1, 14), "python-script", "WebAssembly"),
        ("runner_type: orquesta", "E-PACK-0007", (1, 14), "orquesta", "`workflows/`"),
        ("runner_type: noop\nname: b", "E-PACK-0007", (2, 7), "the file is called `a.yaml`", "`b.yaml`"),
        ("runner_type: noop\nenabled: NO", "E-PACK-0005", (2, 10), "found the string `NO`", "`enabled: false`"),
        ("runner_type: noop\ntimeout: 1h", "E-PACK-0005", (2, 10), "seconds", "`timeout: 30`"),
        ("runner_type: noop\ntimeout: 0", "E-PACK-0007", (2, 10), "more than 0", ""),
        ("runner_type: noop\ntimeout: 1e300", "E-PACK-0007", (2, 10), "more than 0", ""),
        ("runner_type: noop\nidempotent: maybe", "E-PACK-0005", (2, 13), "`true` or `false`", ""),
        ("runner_type: noop\nidempotent: {}", "E-PACK-0007", (2, 13), "names no parameter", "`idempotent: true`"),
        (
            "runner_type: noop\nparameters: {method: {type: string}}\nidempotent: {methd: [GET]}",
            "E-PACK-0007",
            (3, 14),
            "`methd`",
            "did you mean `method`?",
        ),
        (
            "runner_type: noop\nparameters: {method: {type: string}}\nidempotent: {method: GET}",
            "E-PACK-0005",
            (3, 22),
            "a list of values",
            "`method: [GET, HEAD]`",
        ),
        ("runner_type: noop\nretry: {count: 1}", "E-PACK-0020", (2, 1), "`retry` is not supported", ""),
        ("runner_type: noop\nnotify: {}", "E-PACK-0020", (2, 1), "`notify` is not supported", ""),
        (
            "runner_type: noop\ndescripton: x",
            "E-PACK-0004",
            (2, 1),
            "no key `descripton`",
            "did you mean `description`?",
        ),
        ("runner_type: noop\nuid: x", "E-PACK-0004", (2, 1), "no key `uid`", "remove it"),
        (
            "runner_type: wasm\nentry_point: my script.py",
            "E-PACK-0007",
            (2, 14),
            "not an entry point",
            "component#function",
        ),
        ("runner_type: wasm\nentry_point: ../../x#y", "E-PACK-0007", (2, 14), "not an entry point", ""),
        ("runner_type: wasm\nentry_point: dem#x", "E-PACK-0008", (2, 14), "dem.wasm", "did you mean `demo`"),
        ("runner_type: noop\nparameters: [a]", "E-PACK-0005", (2, 13), "must be a map", ""),
        ("runner_type: noop\nparameters:\n  a-b: {type: string}", "E-PACK-0007", (3, 3), "`a-b`", "`a_b`"),
        ("runner_type: noop\nparameters:\n  a: string", "E-PACK-0005", (3, 6), "must be a map", "{type: string}"),
        ("runner_type: noop\nparameters:\n  a: {type: str}", "E-PACK-0007", (3, 13), "no type `str`", "`type: string`"),
        ("runner_type: noop\nparameters:\n  a: {type: [string, null]}", "E-PACK-0005", (3, 13), "one type", "anyOf"),
        ("runner_type: noop\nparameters:\n  a: {typ: string}", "E-PACK-0004", (3, 7), "`typ`", "did you mean `type`?"),
        ("runner_type: noop\nparameters:\n  a: {$ref: '#/x'}", "E-PACK-0004", (3, 7), "`$ref`", "write the schema out"),
        (
            "runner_type: noop\nparameters:\n  a: {type: string, minLength: x}",
            "E-PACK-0010",
            (3, 32),
            "JSON Schema",
            "",
        ),
        (
            "runner_type: noop\nparameters:\n  a: {type: string, pattern: '('}",
            "E-PACK-0010",
            (3, 30),
            "JSON Schema",
            "",
        ),
        (
            "runner_type: noop\nparameters:\n  a: {type: integer, default: 014}",
            "E-PACK-0012",
            (3, 31),
            "\"014\"",
            "integer",
        ),
        ("runner_type: noop\nparameters:\n  a: {enum: [x, y], default: z}", "E-PACK-0012", (3, 30), "\"z\"", ""),
        (
            "runner_type: noop\nparameters:\n  a: {immutable: true}",
            "E-PACK-0012",
            (3, 3),
            "no default",
            "add a `default`",
        ),
        ("runner_type: noop\nparameters:\n  a: {position: -1}", "E-PACK-0005", (3, 17), "from 0", ""),
        (
            "runner_type: noop\nparameters:\n  a: {position: 0}\n  b: {position: 0}",
            "E-PACK-0007",
            (4, 17),
            "same position",
            "its own",
        ),
        ("runner_type: noop\nparameters:\n  a: {required: yes}", "E-PACK-0005", (3, 17), "`yes`", "`required: true`"),
        (
            "runner_type: noop\nparameters:\n  a: {maximum: 99999999999999999999}",
            "E-PACK-0007",
            (3, 16),
            "too large",
            "quotes",
        ),
        ("runner_type: noop\noutput_schema: {type: strin}", "E-PACK-0010", (2, 23), "JSON Schema", ""),
        ("runner_type: noop\ntags: [{nam: x, name: y}]", "E-PACK-0004", (2, 9), "`nam`", "`name`"),
    ];
    check(&cases, action);
}

#[test]
fn an_expression_in_a_default_is_doubtful() {
    let warned = action("runner_type: noop\nparameters:\n  a: {default: '{{ st2kv.system.x }}'}").only();
    assert!(!warned.is_error());
    assert_eq!((warned.line, warned.column), (3, 16));
}

#[test]
fn a_component_that_several_actions_need_is_missed_once() {
    let demo = Demo::new();
    demo.file("actions/a.yaml", "runner_type: wasm\nentry_point: x#a\n");
    demo.file("actions/b.yaml", "runner_type: wasm\nentry_point: x#b\n");
    assert_eq!(demo.findings(), ["actions/a.yaml:2:14 E-PACK-0008"]);
}

#[test]
fn a_pack_without_a_manifest_says_what_to_write() {
    let demo = Demo::new();
    std::fs::rename(demo.path().join("pack.yaml"), demo.path().join("pack.yml")).unwrap();
    let found = demo.only();
    assert_eq!(found.code.id(), "E-PACK-0008");
    assert!(found.hint.as_ref().unwrap().contains("rename `pack.yml`"), "{found:?}");
    assert!(!found.plain().contains(":1:1"), "the whole file is meant");
}

#[test]
fn files_that_are_not_read_are_named_and_hidden_ones_are_not() {
    let demo = Demo::new();
    demo.file("actions/a.yml", "x")
        .file("actions/.b.yaml", "x")
        .file("actions/README.md", "x")
        .file("services/r.yaml", "[");
    demo.file("actions/nested/c.yaml", "[");
    let found = demo.only();
    assert!(!found.is_error() && found.hint.as_ref().unwrap().contains("`a.yaml`"), "{found:?}");
}

#[test]
fn an_action_and_a_workflow_of_the_same_name_collide() {
    let demo = Demo::new();
    demo.file("actions/a.yaml", "runner_type: noop\n").file("workflows/a.yaml", "tasks: {t: {}}\n");
    assert_eq!(demo.findings(), ["workflows/a.yaml:1:1 E-PACK-0011"]);
}

#[test]
fn a_file_name_that_is_no_action_is_reported() {
    let demo = Demo::new();
    demo.file("actions/a b.yaml", "runner_type: noop\n");
    assert_eq!(demo.findings(), ["actions/a b.yaml:1:1 E-PACK-0007"]);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_followed_within_the_pack_only() {
    use std::os::unix::fs::symlink;

    let demo = Demo::new();
    demo.file("shared/a.yaml", "runner_type: noop\n").file("actions/z.yaml", "runner_type: noop\n");
    symlink("../shared/a.yaml", demo.path().join("actions/inside.yaml")).unwrap();
    assert!(demo.findings().is_empty());
    std::fs::write(demo.above().join("secret"), "password: hunter2").unwrap();
    symlink("../../secret", demo.path().join("actions/outside.yaml")).unwrap();
    symlink("/nowhere", demo.path().join("actions/dangling.yaml")).unwrap();
    assert_eq!(demo.findings(), ["actions/dangling.yaml:1:1 E-PACK-0009", "actions/outside.yaml:1:1 E-PACK-0009"]);
    assert!(!demo.report().graphical(80, false).contains("hunter2"));
}

#[cfg(unix)]
#[test]
fn a_pack_may_itself_be_a_symbolic_link() {
    let demo = Demo::new();
    let packs = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(demo.path(), packs.path().join("demo")).unwrap();
    let (library, report) = runner_pack::Library::load(&[packs.path().to_owned()], None);
    assert!(library.pack("demo").is_some(), "{}", report.plain());
}

#[test]
fn more_mistakes_than_anyone_reads_are_counted() {
    let demo = Demo::new();
    let keys: String = (0..500).map(|i| format!("key{i}: 1\n")).collect();
    demo.file("actions/a.yaml", format!("runner_type: noop\n{keys}"));
    let report = demo.report();
    assert_eq!((report.diagnostics.len(), report.omitted), (200, 300));
    assert!(report.plain().ends_with("and 300 more\n"));
    assert_eq!(report.errors(), 500);
}
