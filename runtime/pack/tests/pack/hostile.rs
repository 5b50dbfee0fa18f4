//! No input panics, hangs or grows.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use runner_pack::{Library, check, read_rehearsals};

use crate::kit::{Demo, fixtures, shown, workflow};

const ESCAPE: char = '\u{1b}';

/// Checks a pack whose workflow or action is these bytes, and renders whatever is found in every way.
fn survive(demo: &Demo) -> Vec<String> {
    let (pack, report) = check(&demo.path(), &Library::default());
    assert_eq!(pack.is_none(), report.has_errors());
    assert!(!shown(&report).contains(ESCAPE), "what a file says cannot steer the terminal");
    for diagnostic in &report.diagnostics {
        assert!(diagnostic.line >= 1 && diagnostic.column >= 1);
        assert!((diagnostic.end_line, diagnostic.end_column) >= (diagnostic.line, diagnostic.column));
    }
    report.diagnostics.iter().map(|d| d.code.id().to_owned()).collect()
}

#[test]
fn nasty_files_are_refused_with_their_own_code_and_at_once() {
    let bomb = {
        let mut text = "vars:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..=9 {
            let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
            text.push_str(&format!("  a{level}: &a{level} [{aliases}]\n"));
        }
        text + "tasks: {t: {}}\n"
    };
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("bomb", bomb.into(), "E-PACK-0002"),
        ("flow nesting", "[".repeat(20_000).into(), "E-PACK-0002"),
        ("map nesting", "{a: ".repeat(20_000).into(), "E-PACK-0002"),
        ("block nesting", (0..200).map(|i| " ".repeat(i) + "a:\n").collect::<String>().into(), "E-PACK-0002"),
        ("dashes", "- ".repeat(20_000).into(), "E-PACK-0002"),
        ("many nodes", format!("vars: [{}]\n", "1,".repeat(60_000)).into(), "E-PACK-0002"),
        ("large file", format!("description: {}\n", "x".repeat(1_000_000)).into(), "E-PACK-0002"),
        ("many aliases", format!("vars: [&a 1{}]\n", ", *a".repeat(200)).into(), "E-PACK-0002"),
        ("two documents", "tasks: {}\n---\ntasks: {}\n".into(), "E-PACK-0002"),
        ("NUL", "tasks: {a\0: {}}\n".into(), "E-PACK-0001"),
        ("not UTF-8", b"description: \xff\xfe\n".to_vec(), "E-PACK-0001"),
        ("UTF-16", "\u{feff}tasks: {}".encode_utf16().flat_map(u16::to_le_bytes).collect(), "E-PACK-0001"),
        ("tab", "tasks:\n\ta: {}\n".into(), "E-PACK-0001"),
        ("unclosed", "tasks: {a: [".into(), "E-PACK-0001"),
        ("unclosed quote", "description: \"abc\ntasks: {}\n".into(), "E-PACK-0001"),
        ("unknown alias", "description: *x\ntasks: {t: {}}\n".into(), "E-PACK-0001"),
        ("self alias", "vars: &a [{x: *a}]\ntasks: {t: {}}\n".into(), "E-PACK-0001"),
        ("tag", "description: !!python/object:os.system x\ntasks: {t: {}}\n".into(), "E-PACK-0001"),
        ("local tag", "tasks: !include x\n".into(), "E-PACK-0001"),
        ("duplicate", "tasks: {t: {}}\ntasks: {t: {}}\n".into(), "E-PACK-0003"),
        ("huge integer", "vars: [{a: 123456789012345678901234567890}]\ntasks: {t: {}}\n".into(), "E-PACK-0007"),
        ("infinity", "vars: [{a: .inf}]\ntasks: {t: {}}\n".into(), "E-PACK-0007"),
        ("complex key", "? [a, b]\n: x\ntasks: {t: {}}\n".into(), "E-PACK-0001"),
        ("list of nothing", "- \n- \n".into(), "E-PACK-0005"),
        ("scalar", "just text".into(), "E-PACK-0005"),
    ];
    for (name, content, code) in cases {
        let demo = Demo::new();
        demo.file("workflows/w.yaml", content);
        let begin = Instant::now();
        let found = survive(&demo);
        assert!(found.iter().any(|found| found == code), "{name}: {found:?}");
        assert!(begin.elapsed() < Duration::from_secs(5), "{name}: {:?}", begin.elapsed());
    }
}

#[test]
fn unusual_but_legal_files_are_read() {
    for text in [
        "\u{feff}tasks: {t: {}}\n",
        "tasks:\r\n  t: {}\r\n",
        "---\ntasks: {t: {}}\n...\n",
        "%YAML 1.2\n---\ntasks: {t: {}}\n",
        "# only a comment before\ntasks: {t: {}}",
        "description: NO\ntasks: {t: {}}\n",
        "description: '014'\ntasks: {t: {}}\n",
        "vars: [{a: 014}, {b: NO}, {c: 2026-11-21}]\ntasks: {t: {}}\n",
        "vars:\n  - base: &base {a: 1, b: 2}\n  - more: {<<: *base, b: 3}\ntasks: {t: {}}\n",
        "vars: [{a: !!str 14}, {b: !!int 14}, {c: ! 14}]\ntasks: {t: {}}\n",
    ] {
        let found = workflow(text).findings();
        assert!(found.is_empty(), "{text:?}: {found:?}");
    }
}

#[test]
fn a_path_to_nowhere_or_to_a_file_is_reported() {
    for path in ["tests/no_such_pack", "Cargo.toml"] {
        let (pack, report) = check(Path::new(path), &Library::default());
        assert!(pack.is_none());
        assert_eq!(report.diagnostics[0].code.id(), "E-PACK-0009", "{path}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_not_read() {
    let demo = Demo::new();
    fs::create_dir_all(demo.path().join("actions/a.yaml")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", demo.path().join("config.schema.yaml")).unwrap();
    assert_eq!(survive(&demo), ["E-PACK-0009"], "a device is no schema; a directory is no mistake");
}

/// S8: what lies in a directory is as untrusted as what is in a file.
#[cfg(unix)]
#[test]
fn pipes_sockets_and_links_in_a_directory_are_named_and_neither_followed_nor_waited_for() {
    use std::os::unix::fs::symlink;

    let demo = Demo::new();
    demo.file("actions/a.yaml", "runner_type: noop\n").file("actions/A.yaml", "runner_type: noop\n");
    let at = |path: &str| demo.path().join(path);
    let made = std::process::Command::new("mkfifo").arg(at("actions/pipe.yaml")).status().unwrap();
    assert!(made.success());
    let _socket = std::os::unix::net::UnixListener::bind(at("actions/s.yaml")).unwrap();
    symlink("loop.yaml", at("actions/loop.yaml")).unwrap();
    symlink("/dev/zero", at("components/zero.wasm")).unwrap();
    symlink("../..", at("actions/above.yaml")).unwrap();
    symlink(".", at("actions/itself.yaml")).unwrap();
    symlink("/etc", at("workflows")).unwrap();
    symlink("/nowhere", at("rules")).unwrap();
    let found = demo.findings();
    assert_eq!(
        found,
        [
            "actions/a.yaml:1:1 E-PACK-0011",
            "actions/above.yaml:1:1 E-PACK-0009",
            "actions/loop.yaml:1:1 E-PACK-0009",
            "actions/pipe.yaml:1:1 E-PACK-0009",
            "actions/s.yaml:1:1 E-PACK-0009",
            "components/zero.wasm:1:1 E-PACK-0009",
            "workflows:1:1 E-PACK-0009",
        ]
    );
}

const REHEARSAL: &str = "tests/rehearsal.yaml";

/// Files of the page about rules with much in them.
const FROM_THE_PAGE: [&str; 6] = [
    "rules/operators.yaml",
    "rules/array_event.yaml",
    "rules/every_morning.yaml",
    "rules/from_stackstorm.yaml",
    "sensors/volumes.yaml",
    "policies/one_at_a_time.yaml",
];

/// Every YAML file of the fixtures, and some of the page about rules: where it belongs in a pack, and its text.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let pack = fixtures().join("storage");
    let mut seeds = Vec::new();
    for path in ["pack.yaml", "config.schema.yaml", "actions/create_volume.yaml", "workflows/provision.yaml"] {
        seeds.push((path.to_owned(), fs::read(pack.join(path)).unwrap()));
    }
    seeds.push(("workflows/every_key.yaml".to_owned(), include_bytes!("../fixtures/every_key.yaml").to_vec()));
    let of_the_page = crate::docs::blocks().into_iter().filter(|(path, _)| FROM_THE_PAGE.contains(path));
    seeds.extend(of_the_page.map(|(path, text)| (path.to_owned(), text.into())));
    seeds.push((REHEARSAL.to_owned(), include_bytes!("../fixtures/rehearsal.yaml").to_vec()));
    seeds
}

/// One change of a file.
#[derive(Debug, Clone)]
enum Change {
    Flip(usize, u8),
    Delete(usize, usize),
    Repeat(usize, usize),
    Truncate(usize),
    Insert(usize, &'static str),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len().max(1);
        match *self {
            Self::Flip(at, with) => {
                if let Some(byte) = bytes.get_mut(at % length) {
                    *byte ^= with;
                }
            }
            Self::Delete(at, count) => {
                let start = (at % length).min(bytes.len());
                bytes.drain(start..(start + count).min(bytes.len()));
            }
            Self::Repeat(at, count) => {
                let start = (at % length).min(bytes.len());
                let piece = bytes[start..(start + count).min(bytes.len())].to_vec();
                bytes.splice(start..start, piece);
            }
            Self::Truncate(at) => bytes.truncate(at % length),
            Self::Insert(at, text) => {
                let start = (at % length).min(bytes.len());
                bytes.splice(start..start, text.bytes());
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    // What means something to YAML, to expressions or to a reader of lines.
    let words = [
        "<%",
        "%>",
        "{{",
        "}}",
        ": ",
        " #",
        "- ",
        "\n",
        "\r\n",
        "\t",
        "&a ",
        "*a",
        "!!str ",
        "'",
        "\"",
        "\\",
        "|\n",
        "[",
        "]",
        "{",
        "}",
        ",",
        "~",
        "<<: ",
        "---\n",
        "...\n",
        "ä",
        "\u{feff}",
        "\u{2028}",
        "\u{85}",
        "\0",
        "0x",
        "? ",
        "%TAG ! x\n",
        "do: a, ,b",
    ];
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, with)| Change::Flip(at, with)),
        (any::<usize>(), 1..40usize).prop_map(|(at, count)| Change::Delete(at, count)),
        (any::<usize>(), 1..80usize).prop_map(|(at, count)| Change::Repeat(at, count)),
        any::<usize>().prop_map(Change::Truncate),
        (any::<usize>(), proptest::sample::select(words.to_vec())).prop_map(|(at, word)| Change::Insert(at, word)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_a_file_makes_the_check_panic(seed in 0..seeds().len(), changes in prop::collection::vec(change(), 1..8)) {
        let demo = Demo::new();
        let mut files = seeds();
        for change in &changes {
            change.apply(&mut files[seed].1);
        }
        let root = demo.above().join("storage");
        let changed = files[seed].0.clone();
        // What is not changed and nothing else needs only takes time.
        files.retain(|(path, _)| *path == changed || !FROM_THE_PAGE.contains(&path.as_str()));
        for (path, content) in files {
            fs::create_dir_all(root.join(&path).parent().unwrap()).unwrap();
            fs::write(root.join(path), content).unwrap();
        }
        let (pack, report) = check(&root, &Library::default());
        prop_assert_eq!(pack.is_none(), report.has_errors());
        prop_assert!(!shown(&report).contains(ESCAPE), "what a file says cannot steer the terminal");
        let (rehearsals, report) = read_rehearsals(&root.join(REHEARSAL), None);
        let untouched = !matches!(changed.as_str(), "pack.yaml" | REHEARSAL);
        prop_assert!(!untouched || (rehearsals.len() == 1 && !report.has_errors()));
        prop_assert!(!shown(&report).contains(ESCAPE), "what a file says cannot steer the terminal");
    }

    #[test]
    fn no_text_makes_the_check_panic(text in ".{0,200}") {
        let demo = Demo::new();
        demo.file("workflows/w.yaml", &text);
        survive(&demo);
    }
}

#[test]
fn a_mistake_at_the_end_of_a_very_long_line_is_shown_without_the_line() {
    let demo = Demo::new();
    demo.file("actions/a.yaml", format!("{{runner_type: noop, description: {}, nmae: 1}}", "x".repeat(100_000)));
    let report = demo.report();
    assert_eq!(report.diagnostics.len(), 1);
    let shown = shown(&report);
    assert!(shown.contains("xxx, nmae: 1") && shown.len() < 5_000, "{shown}");
}

#[test]
fn more_criteria_than_anyone_writes_are_refused_before_they_are_compiled() {
    let large = "{type: regex, pattern: '(a{1000}){100}'}";
    let many: String = (0..5_000).map(|i| format!("trigger.a#{i}: {large}, ")).collect();
    let within: String = (0..5_000).map(|i| format!("item.a#{i}: {large}, ")).collect();
    let within = format!("trigger.a: {{type: search, condition: any, pattern: {{{within}}}}}");
    for criteria in [many, within] {
        let demo = Demo::new();
        let trigger = "trigger: {type: core.webhook, parameters: {path: a}}\naction: {ref: core.noop}\n";
        demo.file("rules/r.yaml", format!("{trigger}criteria: {{{criteria}}}\n"));
        let found = demo.only();
        assert_eq!(found.code.id(), "E-PACK-0002", "{}", found.message);
    }
}

#[test]
fn very_many_mistakes_cost_no_more_than_many() {
    let unknown_keys: String = (0..20_000).map(|i| format!("k{i}: 1, ")).collect();
    let expressions = "<% ( %>".repeat(30_000);
    let calls: String = (0..4_000).map(|i| format!("  t{i}: {{action: core.a{i}, input: {{x{i}: 1}}}}\n")).collect();
    let merges = format!("- &a {{{unknown_keys}}}\n- {{<<: [*a, *a]}}\n");
    for (name, text) in [
        ("unknown keys", format!("{{{unknown_keys}}}")),
        ("expressions", format!("vars: [{{a: '{expressions}'}}]\ntasks: {{t: {{}}}}\n")),
        ("calls", format!("tasks:\n{calls}")),
        ("merges", merges),
    ] {
        let demo = workflow(&text);
        let begin = Instant::now();
        let report = demo.report();
        assert!(report.has_errors() && report.diagnostics.len() <= 200, "{name}");
        // Generous, for a build without optimisation on a busy machine; quadratic work takes minutes.
        assert!(begin.elapsed() < Duration::from_secs(20), "{name}: {:?}", begin.elapsed());
        println!("{name}: {:?}", begin.elapsed());
    }
}

#[cfg(unix)]
#[test]
fn the_names_of_files_cannot_steer_the_terminal_and_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;

    let demo = Demo::new();
    demo.file("actions/a\u{1b}[2J\n.yaml", "runner_type: nothing\n").file("actions/b\u{1b}.yaml", "[");
    let odd = std::ffi::OsStr::from_bytes(b"c\xff.yaml");
    fs::write(demo.path().join("actions").join(odd), "x").unwrap();
    let found = survive(&demo);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(!demo.report().plain().contains("[2J\n"));
}

#[test]
fn packs_can_be_shared_between_threads() {
    const fn shared<T: Send + Sync + 'static>() {}
    shared::<Library>();
    shared::<runner_pack::Report>();
}

#[test]
fn a_workflow_of_a_thousand_tasks_is_checked_in_seconds() {
    let chain: String =
        (0..1_000).map(|i| format!("  t{i}: {{next: [{{publish: [{{v{i}: 1}}], do: t{}}}]}}\n", i + 1)).collect();
    let fan: String = (0..1_000).map(|i| format!("  t{i}: {{next: [{{do: end}}]}}\n")).collect();
    let wheel: String = (0..90)
        .map(|i| {
            format!(
                "  t{i}: {{next: [{{do: [{}]}}]}}\n",
                (0..90).map(|j| format!("t{j}")).collect::<Vec<_>>().join(",")
            )
        })
        .collect();
    for (name, tasks) in [
        ("chain", format!("{chain}  t1000: {{}}\n")),
        ("fan", format!("{fan}  end: {{join: all}}\n")),
        ("wheel", format!("  start: {{next: [{{do: t0}}]}}\n{wheel}")),
    ] {
        let demo = workflow(&format!("tasks:\n{tasks}"));
        let begin = Instant::now();
        let report = demo.report();
        println!("{name}: {:?}", begin.elapsed());
        assert!(report.diagnostics.is_empty(), "{name}: {}", report.plain());
        assert!(begin.elapsed() < Duration::from_secs(20), "{name}: {:?}", begin.elapsed());
    }
}
