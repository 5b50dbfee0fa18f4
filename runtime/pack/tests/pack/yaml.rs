//! Hostile YAML (S7) at every door of a pack: each file is refused with its code, wherever it stands, and nothing is built of it.

use std::fmt::Write as _;

use runner_model::limits;
use runner_pack::{Library, check, read_rehearsals};

use crate::kit::Demo;

/// The files of a pack that are read as YAML.
const DOORS: [&str; 7] = [
    "pack.yaml",
    "actions/a.yaml",
    "workflows/w.yaml",
    "rules/r.yaml",
    "sensors/s.yaml",
    "policies/p.yaml",
    "config.schema.yaml",
];

const SYNTAX: &str = "E-PACK-0001";
const LIMIT: &str = "E-PACK-0002";
const TWICE: &str = "E-PACK-0003";
const TYPE: &str = "E-PACK-0005";
const VALUE: &str = "E-PACK-0007";

type Vector = (&'static str, Vec<u8>, &'static str);

fn vectors() -> Vec<Vector> {
    let mut all = bombs();
    all.extend(shapes());
    all.extend(bytes());
    all.extend(values());
    all
}

/// Levels of which each holds the one before so many times.
fn laughs(levels: usize, times: usize, open: &str, close: &str) -> String {
    let mut text = format!("a0: &a0 {open}x{close}\n");
    for level in 1..=levels {
        let inner: Vec<_> = (0..times)
            .map(|at| if open == "{" { format!("k{at}: *a{}", level - 1) } else { format!("*a{}", level - 1) })
            .collect();
        let _ = writeln!(text, "a{level}: &a{level} {open}{}{close}", inner.join(", "));
    }
    text
}

fn bombs() -> Vec<Vector> {
    let merges: String =
        (1..=60).map(|at| format!("a{at}: &a{at} {{<<: [*a{0}, *a{0}], k{at}: 1}}\n", at - 1)).collect();
    let wide: String = (0..2_000).map(|at| format!("k{at}: 1, ")).collect();
    let many: String = (0..30).map(|at| format!("m{at}: {{<<: *a, own{at}: 1}}\n")).collect();
    vec![
        ("billion laughs", laughs(9, 9, "[", "]").into(), LIMIT),
        ("billion laughs of maps", laughs(9, 9, "{", "}").replace("{x}", "{x: 1}").into(), LIMIT),
        ("a few laughs too many", laughs(5, 10, "[", "]").into(), LIMIT),
        ("quadratic blow-up", format!("a: &a [{}]\nb: [{}*a]\n", "x,".repeat(20_000), "*a,".repeat(50)).into(), LIMIT),
        ("many aliases", format!("a: &a x\nb: [{}*a]\n", "*a,".repeat(200)).into(), LIMIT),
        ("a merge of merges", format!("a0: &a0 {{k0: 1}}\n{merges}").into(), LIMIT),
        ("merges of a wide map", format!("a: &a {{{wide}}}\n{many}").into(), LIMIT),
        (
            "nested through aliases",
            {
                let levels: String = (1..=40).map(|at| format!("a{at}: &a{at} [*a{}]\n", at - 1)).collect();
                format!("a0: &a0 [x]\n{levels}").into()
            },
            LIMIT,
        ),
        ("an alias of itself in a list", "a: &a [*a]\n".into(), SYNTAX),
        ("an alias of itself in a map", "a: &a {b: {c: *a}}\n".into(), SYNTAX),
        ("an alias of itself as a key", "a: &a {*a : 1}\n".into(), SYNTAX),
        ("a merge of itself", "a: &a {<<: *a}\n".into(), SYNTAX),
        ("an alias of nothing", "a: *nothing\n".into(), SYNTAX),
    ]
}

fn shapes() -> Vec<Vector> {
    let deep = limits::YAML_DEPTH_MAX + 1;
    vec![
        ("brackets", "[".repeat(100_000).into(), LIMIT),
        ("braces", "{a: ".repeat(50_000).into(), LIMIT),
        ("closed brackets", format!("a: {}{}\n", "[".repeat(deep), "]".repeat(deep)).into(), LIMIT),
        ("blocks", (0..100).map(|at| format!("{}a:\n", " ".repeat(at))).collect::<String>().into(), LIMIT),
        ("dashes", format!("a:\n  {}x\n", "- ".repeat(1_000)).into(), LIMIT),
        ("questions", "? ".repeat(10_000).into(), LIMIT),
        ("very many values", format!("a: [{}]\n", "1,".repeat(60_000)).into(), LIMIT),
        ("very many keys", (0..60_000).map(|at| format!("{at}:\n")).collect::<String>().into(), LIMIT),
        ("two documents", "a: 1\n---\nb: 2\n".into(), LIMIT),
        ("many documents", "---\na: 1\n".repeat(10_000).into(), LIMIT),
        ("a document behind an end", "a: 1\n...\nb: 2\n".into(), LIMIT),
        ("unclosed list", "a: [1, 2\n".into(), SYNTAX),
        ("unclosed map", "a: {b: 1\n".into(), SYNTAX),
        ("unclosed text", "a: \"b\n".into(), SYNTAX),
        ("closed and not opened", "a: ]\n".into(), SYNTAX),
        ("two values", "a: b: c\n".into(), SYNTAX),
        ("a tab", "a:\n\tb: 1\n".into(), SYNTAX),
        ("a list as a key", "[a, b]: 1\n".into(), SYNTAX),
        ("a map as a key", "{a: b}: 1\n".into(), SYNTAX),
        ("no key", ": 1\n".into(), SYNTAX),
        ("a list at the top", "- a\n- b\n".into(), TYPE),
        ("a text at the top", "just text\n".into(), TYPE),
    ]
}

fn bytes() -> Vec<Vector> {
    let utf16 = |big: bool| -> Vec<u8> {
        "\u{feff}a: 1\n"
            .encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    };
    vec![
        ("a file that is too large", format!("a: {}\n", "x".repeat(1_000_000)).into(), LIMIT),
        ("a large block", format!("a: |\n{}", "  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".repeat(30_000)).into(), LIMIT),
        ("comments", "# x\n".repeat(100_000).into(), LIMIT),
        ("NUL", b"a\0b: 1\n".to_vec(), SYNTAX),
        ("NUL in a text", b"a: \"b\0\"\n".to_vec(), SYNTAX),
        ("a bell", b"a: \x07\n".to_vec(), SYNTAX),
        ("an escape", b"a: \x1b[2J\n".to_vec(), SYNTAX),
        ("not UTF-8", b"a: \xff\xfe\n".to_vec(), SYNTAX),
        ("too long UTF-8", b"a: \xc0\xaf\n".to_vec(), SYNTAX),
        ("half of a pair", b"a: \xed\xa0\x80\n".to_vec(), SYNTAX),
        ("UTF-16", utf16(false), SYNTAX),
        ("UTF-16 the other way round", utf16(true), SYNTAX),
        ("a wrong escape", "a: \"\\q\"\n".into(), SYNTAX),
        ("an escape of no character", "a: \"\\ud800\"\n".into(), SYNTAX),
        ("an escape beyond all characters", "a: \"\\UFFFFFFFF\"\n".into(), SYNTAX),
    ]
}

fn values() -> Vec<Vector> {
    vec![
        ("a key twice", "a: 1\na: 2\n".into(), TWICE),
        ("a key twice, quoted", "a: 1\n\"a\": 2\n".into(), TWICE),
        ("a key twice, escaped", "a: 1\n\"\\x61\": 2\n".into(), TWICE),
        ("a key twice, deep within", "a: [{b: {c: 1, c: 2}}]\n".into(), TWICE),
        ("a key twice, one an alias", "x: &x a\na: 1\n*x : 2\n".into(), TWICE),
        ("a tag of Python's", "a: !!python/object/apply:os.system [id]\n".into(), SYNTAX),
        ("a tag of Ruby's", "a: !ruby/object:Gem::Installer {}\n".into(), SYNTAX),
        ("a tag of Java's", "a: !!javax.script.ScriptEngineManager [x]\n".into(), SYNTAX),
        ("a local tag", "a: !include /etc/passwd\n".into(), SYNTAX),
        ("a tag that is declared", "%TAG ! tag:evil,2000:\n---\na: !x 1\n".into(), SYNTAX),
        ("bytes", "a: !!binary aGk=\n".into(), SYNTAX),
        ("a set", "a: !!set {x}\n".into(), SYNTAX),
        ("a number that is none", "a: !!int x\n".into(), SYNTAX),
        ("a huge number", "a: 123456789012345678901234567890\n".into(), VALUE),
        ("a small huge number", "a: -9223372036854775809\n".into(), VALUE),
        ("a number of many digits", format!("a: {}\n", "9".repeat(100_000)).into(), VALUE),
        ("a huge power", "a: 1e999999999\n".into(), VALUE),
        ("a huge hexadecimal number", format!("a: 0x{}\n", "f".repeat(1_000)).into(), VALUE),
        ("infinity", "a: .inf\n".into(), VALUE),
        ("no number", "a: .nan\n".into(), VALUE),
        ("a merge of a text", "a: {<<: text}\n".into(), TYPE),
        ("a merge of a list of texts", "a: {<<: [x, y]}\n".into(), TYPE),
    ]
}

/// A rehearsal file holds a list too.
fn may_be_read(door: &str, name: &str) -> bool {
    door == "tests/t.yaml" && name.ends_with("list at the top")
}

#[test]
fn every_hostile_file_is_refused_at_every_door_with_its_code() {
    let vectors = vectors();
    let mut wrong = String::new();
    for (name, content, code) in &vectors {
        for door in DOORS {
            let demo = Demo::new();
            demo.file(door, content);
            let (pack, report) = check(&demo.path(), &Library::default());
            let found: Vec<_> =
                report.diagnostics.iter().filter(|found| demo.path().join(door) == found.path).collect();
            if pack.is_some() || !found.iter().any(|found| found.code.id() == *code) {
                let _ = writeln!(
                    wrong,
                    "{name} as {door}: {:?}",
                    found.iter().map(|found| found.plain()).take(3).collect::<Vec<_>>()
                );
            }
        }
        let demo = Demo::new();
        demo.file("tests/t.yaml", content);
        let (_, report) = read_rehearsals(&demo.path().join("tests/t.yaml"), None);
        if !may_be_read("tests/t.yaml", name) && !report.diagnostics.iter().any(|found| found.code.id() == *code) {
            let _ = writeln!(wrong, "{name} as a rehearsal: {}", report.plain());
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(vectors.len() >= 70, "{}", vectors.len());
}

#[test]
fn ten_thousand_anchors_are_a_name_each_and_no_work() {
    let anchors: String = (0..10_000).map(|at| format!("- &a{at} x\n")).collect();
    let demo = Demo::new();
    demo.file(
        "workflows/w.yaml",
        format!("vars:\n  - list:\n{}tasks: {{t: {{}}}}\n", anchors.replace("- &", "      - &")),
    );
    assert!(demo.findings().is_empty(), "{:?}", demo.findings());
}

/// What is just within the limits is read: they are what they say.
#[test]
fn the_limits_are_where_they_are_said_to_be() {
    let within = |text: String| {
        let demo = Demo::new();
        demo.file("workflows/w.yaml", format!("{text}tasks: {{t: {{}}}}\n"));
        let found = demo.findings();
        found.iter().all(|found| !found.contains(LIMIT))
    };
    // The file, the list of variables and the variable are three levels.
    let nested = |levels: usize| format!("vars: [{{a: {}{}}}]\n", "[".repeat(levels - 3), "]".repeat(levels - 3));
    assert!(within(nested(limits::YAML_DEPTH_MAX)) && !within(nested(limits::YAML_DEPTH_MAX + 1)));
    let aliases = |count: usize| format!("vars: [{{x: &a 1}}, {{y: [{}]}}]\n", vec!["*a"; count].join(","));
    assert!(within(aliases(limits::YAML_ALIASES_MAX)) && !within(aliases(limits::YAML_ALIASES_MAX + 1)));
    let values = |count: usize| format!("vars: [{{a: [{}]}}]\n", "1,".repeat(count));
    assert!(within(values(limits::YAML_NODES_MAX - 20)) && !within(values(limits::YAML_NODES_MAX + 1)));
    let bytes = |length: usize| format!("description: {}\n", "x".repeat(length));
    assert!(within(bytes(limits::YAML_BYTES_MAX - 100)) && !within(bytes(limits::YAML_BYTES_MAX)));
}
