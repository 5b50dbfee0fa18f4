//! Configurations: the schema in the pack, the values beside it.

use std::path::PathBuf;

use runner_pack::{Library, Report};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::kit::fixtures;

/// Loads the packs with a configuration for `storage`.
fn load(values: Option<&str>) -> (TempDir, Option<Value>, Report) {
    let directory = tempfile::tempdir().unwrap();
    if let Some(values) = values {
        std::fs::write(directory.path().join("storage.yaml"), values).unwrap();
    }
    let (library, report) = Library::load(&[fixtures()], Some(directory.path()));
    (directory, library.pack("storage").map(|pack| pack.config.clone()), report)
}

#[test]
fn values_are_checked_and_completed() {
    let (_keep, config, report) = load(Some("token: abc\nlimits: {volumes: 3}\n"));
    assert!(report.diagnostics.is_empty(), "{}", report.plain());
    assert_eq!(config.unwrap(), json!({"region": "eu", "token": "abc", "limits": {"volumes": 3}}));
}

#[test]
fn a_configuration_is_not_in_what_is_logged_of_a_pack() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("storage.yaml"), "token: hunter2\n").unwrap();
    let (library, _) = Library::load(&[fixtures()], Some(directory.path()));
    assert_eq!(library.pack("storage").unwrap().config["token"], "hunter2");
    assert!(!format!("{library:?}").contains("hunter2"));
}

#[test]
fn mistakes_in_values_point_into_their_file_and_quote_nothing_of_it() {
    let (keep, config, report) = load(Some("token: [hunter2]\nregoin: us\nlimits: {}\n# hunter2\n"));
    assert!(config.is_none());
    let found: Vec<_> = report.diagnostics.iter().map(|d| (d.code.id(), d.line, d.column)).collect();
    assert_eq!(found, [("E-PACK-0013", 1, 1), ("E-PACK-0013", 2, 1), ("E-PACK-0013", 3, 1)], "{}", report.plain());
    assert_eq!(report.diagnostics[0].path, keep.path().join("storage.yaml"));
    assert!(report.diagnostics[1].hint.as_ref().unwrap().contains("`region`"));
    let shown = crate::kit::shown(&report);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(report.graphical(100, false).contains("storage.yaml:1:1"));
}

#[test]
fn a_required_key_without_a_value_is_missed_whether_there_is_a_file_or_not() {
    for values in [None, Some(""), Some("region: us\n"), Some("token:\n")] {
        let (_keep, config, report) = load(values);
        assert!(config.is_none());
        let [only] = report.diagnostics.as_slice() else { panic!("{values:?}: {}", report.plain()) };
        assert_eq!(only.code.id(), "E-PACK-0013");
        assert!(only.message.contains("`token`"), "{only:?}");
    }
}

#[test]
fn a_configuration_for_a_pack_without_a_schema_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("core.yaml"), "a: 1\n").unwrap();
    std::fs::write(directory.path().join("storage.yaml"), "token: x\n").unwrap();
    std::fs::write(directory.path().join("not_a_pack.yaml"), ": [").unwrap();
    let (_, report) = Library::load(&[fixtures()], Some(directory.path()));
    let errors: Vec<_> = report.diagnostics.iter().filter(|d| d.is_error()).collect();
    let [only] = errors.as_slice() else { panic!("{}", report.plain()) };
    assert_eq!(only.path, PathBuf::from(directory.path()).join("core.yaml"));
}
