//! What holding out against bad guests costs and how soon it works, as times: the counts are asserted by the tests.
//!
//! `cargo bench -p runner --bench security` runs it: the release binary as a daemon.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs,
    dead_code,
    reason = "a measurement for people, which shares parts with the tests"
)]

#[path = "../asked.rs"]
mod asked;
#[path = "../../it/security/bombs.rs"]
mod bombs;
mod daemon;
mod egress;
mod files;
#[path = "../../it/security/guests.rs"]
mod guests;
mod measure;

use std::path::{Path, PathBuf};

use daemon::Daemon;

/// A line of the table: what, the figure, what it has to stay under.
pub(crate) struct Row(pub(crate) &'static str, pub(crate) String, pub(crate) &'static str);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let packs = directory.path().join("packs");
    let bad = guests::write_pack(&packs, &root.join("tests/guests/components"));
    slow_loop(&packs);
    let mut rows = measure::cold_start(&root, directory.path());
    rows.extend(files::measure(directory.path()));
    runtime.block_on(async {
        let daemon = Daemon::start(directory.path(), &[&packs, &root.join("packs")]);
        rows.extend(measure::deadlines(&daemon).await);
        rows.extend(measure::loops(&daemon).await);
        rows.extend(measure::memory(&daemon).await);
        rows.extend(measure::compile_bomb(&daemon, &packs).await);
        rows.extend(measure::poison(&daemon, &bad).await);
        rows.extend(egress::measure().await);
    });
    for Row(what, figure, goal) in &rows {
        println!("{what:<56} {figure:>24}   {goal}");
    }
    if let Some(path) = asked::option("--json") {
        let line = |Row(what, text, aim): &Row| serde_json::json!({ "what": what, "text": text, "aim": aim });
        std::fs::write(path, serde_json::Value::from_iter(rows.iter().map(line)).to_string()).unwrap();
    }
}

/// A loop that goes on for long enough to measure beside it.
fn slow_loop(packs: &Path) {
    let action = "name: loop_for_5_s\nrunner_type: wasm\nentry_point: \"guest#loop_forever\"\ntimeout: 5\n";
    std::fs::write(packs.join("bad/actions/loop_for_5_s.yaml"), action).unwrap();
}
