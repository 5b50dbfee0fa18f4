//! The page about security says what is so: its tests exist, and so do the rules that stand beside them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;

use crate::kit::root;

/// The functions in all Rust files below a directory.
fn functions(directory: &Path, found: &mut BTreeSet<String>) {
    let function = Regex::new(r"fn ([a-z_0-9]+)\(").unwrap();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() && entry.file_name() != "target" {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.extend(function.captures_iter(&text).map(|names| names[1].to_owned()));
        }
    }
}

#[test]
fn every_test_that_the_page_names_exists_and_every_goal_has_one() {
    let mut known = BTreeSet::new();
    functions(&root().join("runtime"), &mut known);
    functions(&root().join("tests"), &mut known);
    let page = fs::read_to_string(root().join("runtime/docs/SECURITY.md")).unwrap();
    let (row, name) =
        (Regex::new(r"(?m)^\| (S\d+) \|.*\| ([^|]+) \|$").unwrap(), Regex::new("`([a-z_0-9]+)`").unwrap());
    let mut goals = Vec::new();
    for row in row.captures_iter(&page) {
        goals.push(row[1].to_owned());
        let tests: Vec<_> = name.captures_iter(&row[2]).map(|names| names[1].to_owned()).collect();
        assert!(!tests.is_empty(), "{} has no test", &row[1]);
        for test in tests {
            assert!(known.contains(&test), "{}: there is no test `{test}`", &row[1]);
        }
    }
    let expected: Vec<_> = (1..=29).map(|number| format!("S{number}")).collect();
    assert_eq!(goals, expected);
}

/// S29: what `deny.toml` refuses is not in the lock file either, which is read here on every machine.
#[test]
fn no_crate_is_used_that_is_refused() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let names: Vec<_> = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    for refused in ["openssl", "openssl-sys", "native-tls", "serde_yaml"] {
        assert!(!names.contains(&refused), "{refused}");
    }
    assert_eq!(names.iter().filter(|name| **name == "wasmtime").count(), 1, "one engine");
    let foreign = lock.lines().filter(|line| line.starts_with("source = "));
    for source in foreign {
        assert!(source.contains("registry+https://github.com/rust-lang/crates.io-index"), "{source}");
    }
    assert!(fs::read_to_string(root().join("deny.toml")).unwrap().contains("openssl"));
}
