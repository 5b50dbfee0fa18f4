//! How long hostile files take until they are refused (S7 to S10).

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use runner_engine::expression::{Expression, Frame};
use runner_pack::{Library, Place, check};

use crate::Row;

fn took<T>(what: &'static str, goal: &'static str, work: impl FnOnce() -> T) -> Row {
    let start = Instant::now();
    std::hint::black_box(work());
    Row(what, format!("{:.1} ms", start.elapsed().as_secs_f64() * 1e3), goal)
}

/// Everything, in a directory of its own.
pub(crate) fn measure(directory: &Path) -> Vec<Row> {
    let mut rows = yaml(&directory.join("yaml"));
    rows.extend(archives(&directory.join("archives")));
    rows.push(json());
    rows.extend(expressions());
    rows
}

fn yaml(directory: &Path) -> Vec<Row> {
    let pack = directory.join("demo");
    std::fs::create_dir_all(pack.join("workflows")).unwrap();
    std::fs::write(pack.join("pack.yaml"), "ref: demo\nversion: 0.1.0\n").unwrap();
    let mut laughs = "a0: &a0 [x]\n".to_owned();
    for level in 1..=9 {
        let _ = writeln!(laughs, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 9].join(","));
    }
    let files = [
        ("S7 YAML: billion laughs", laughs),
        ("S7 YAML: 200,000 brackets", "[".repeat(200_000)),
        ("S7 YAML: 60,000 values", format!("a: [{}]\n", "1,".repeat(60_000))),
        ("S7 YAML: a file of 1 MB", format!("a: {}\n", "x".repeat(1_000_000))),
    ];
    let refuse = |(what, text): (&'static str, String)| {
        std::fs::write(pack.join("workflows/w.yaml"), text).unwrap();
        took(what, "< 50 ms", || assert!(check(&pack, &Library::default()).0.is_none()))
    };
    files.into_iter().map(refuse).collect()
}

fn archives(directory: &Path) -> Vec<Row> {
    let place = Place::open(directory).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut header = tar::Header::new_ustar();
    header.set_path("zeros").unwrap();
    header.set_size(60 * 1024 * 1024);
    header.set_cksum();
    encoder.write_all(header.as_bytes()).unwrap();
    encoder.write_all(&vec![0; 60 * 1024 * 1024]).unwrap();
    let bomb = encoder.finish().unwrap();
    vec![took("S8 archive: 60 MiB of zeros", "", || assert!(place.unpack(&bomb).is_err()))]
}

fn json() -> Row {
    let text = "[".repeat(10_000_000);
    took("S9 JSON: 10 MB of brackets", "< 50 ms", || {
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_err());
    })
}

fn expressions() -> Vec<Row> {
    let bombs = [
        ("S10 expression: lists of lists", "range(10000).map(|x| range(10000))"),
        ("S10 expression: closures in closures", "range(19999).map(|x| range(20).map(|y| y * y))"),
        ("S10 expression: nested without an end", "range(19000).reduce(|s, x| [s], [])"),
        ("S10 expression: doubling", "range(60).reduce(|s, x| s + s, \"ab\")"),
        ("S10 expression: replacing", "[range(19).reduce(|s, x| s + s, \"ab\")].map(|s| s.replace(\"a\", s))"),
        ("S10 expression: a large pattern", r#"regex_match("a", "(a{1000}){1000}")"#),
    ];
    let run = |(what, source): (&'static str, &str)| {
        took(what, "< 1 s", || assert!(Expression::compile(source).unwrap().evaluate(&Frame::default()).is_err()))
    };
    bombs.into_iter().map(run).collect()
}
