//! A pack with many mistakes at once.

use std::path::Path;

use runner_pack::check;

use crate::kit;

fn report() -> runner_pack::Report {
    let (pack, report) = check(Path::new("tests/fixtures/twelve_mistakes"), &kit::library());
    assert!(pack.is_none());
    report
}

#[test]
fn twelve_mistakes_are_reported_as_twelve_each_at_its_line() {
    let report = report();
    let found: Vec<_> = report
        .diagnostics
        .iter()
        .map(|d| format!("{}:{}:{} {}", d.path.file_name().unwrap().display(), d.line, d.column, d.code))
        .collect();
    let expected = [
        "greet.yaml:10:14 E-PACK-0012",
        "greet.yaml:11:1 E-PACK-0003",
        "save.yaml:2:10 E-PACK-0005",
        "save.yaml:4:14 E-PACK-0008",
        "config.schema.yaml:3:25 E-PACK-0001",
        "pack.yaml:3:1 E-PACK-0004",
        "pack.yaml:4:10 E-PACK-0005",
        "pack.yaml:8:17 E-PACK-0007",
        "everything.yaml:8:7 E-FLOW-0006",
        "everything.yaml:12:19 E-FLOW-0001",
        "everything.yaml:18:22 E-EXPR-0001",
        "everything.yaml:20:29 E-EXPR-0002",
    ];
    assert_eq!(found, expected, "{}", report.plain());
    assert_eq!(report.errors(), 12);
}

#[test]
fn each_mistake_shows_its_line_and_what_to_write() {
    let report = report();
    insta::assert_snapshot!("plain", report.plain());
    insta::assert_snapshot!("graphical", report.graphical(100, false));
    for diagnostic in &report.diagnostics {
        assert!(diagnostic.excerpt.is_some(), "{diagnostic}");
        assert!(diagnostic.hint.is_some(), "{diagnostic} has no hint");
    }
}

#[test]
fn a_diagnostic_is_written_as_json_with_its_place() {
    let json = serde_json::to_value(report()).unwrap();
    let first = &json["diagnostics"][0];
    assert_eq!(first["code"], "E-PACK-0012");
    assert_eq!(first["severity"], "error");
    assert_eq!((&first["line"], &first["column"], &first["end_column"]), (&10.into(), &14.into(), &19.into()));
}
