//! S11: every parser that sees bytes of others, with bytes that nobody meant.
//!
//! A target takes any bytes and must neither panic, nor overflow its stack, nor take long. `tests/fuzz/corpus/<target>/` holds
//! what it begins with, and every input that once broke it. From these others are made, the same on every machine: a few
//! here, and as many as fit into `RUNNER_FUZZ_SECONDS` for each target where that is set. `tests/fuzz/` feeds the same targets
//! with libFuzzer, which goes by what the code does with an input.

mod change;
#[path = "../../fuzz/targets.rs"]
mod target;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use change::Changes;
use target::TARGETS;

use crate::kit::root;

/// How many inputs are made of each entry where no time is given.
const EACH: usize = 12;

/// Longer than this no input of a few kilobytes may take, where there is time to look at it.
const INPUT_MAX: Duration = Duration::from_secs(1);

fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = root().join("tests/fuzz/corpus").join(name);
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Feeds a target, and says what it was fed if it breaks.
fn feed(name: &str, target: fn(&[u8]), input: &[u8]) -> Duration {
    let began = Instant::now();
    let fed = catch_unwind(AssertUnwindSafe(|| target(input)));
    assert!(fed.is_ok(), "{name} panics: keep this in tests/fuzz/corpus/{name}/:\n{}", input.escape_ascii());
    began.elapsed()
}

#[test]
fn what_once_broke_a_parser_and_what_looks_like_it_does_not() {
    let time =
        std::env::var_os("RUNNER_FUZZ_SECONDS").and_then(|text| text.to_str()?.parse().ok()).map(Duration::from_secs);
    for (name, target) in TARGETS {
        let entries = corpus(name);
        assert!(!entries.is_empty(), "{name} has nothing to begin with");
        for (_, input) in &entries {
            feed(name, *target, input);
        }
        let inputs: Vec<_> = entries.into_iter().map(|(_, input)| input).collect();
        let (mut changes, began, mut fed) = (Changes::of(&inputs), Instant::now(), 0_usize);
        while time.map_or(fed < EACH * inputs.len(), |time| began.elapsed() < time) {
            let input = changes.next();
            let took = feed(name, *target, &input);
            assert!(time.is_none() || took < INPUT_MAX, "{name} takes {took:?}:\n{}", input.escape_ascii());
            fed += 1;
        }
        if time.is_some() {
            println!("{name}: {fed} inputs");
        }
    }
}

#[test]
fn every_corpus_has_its_target() {
    for entry in fs::read_dir(root().join("tests/fuzz/corpus")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(TARGETS.iter().any(|(target, _)| *target == name), "{name}");
    }
    assert!(TARGETS.len() >= 9);
}
