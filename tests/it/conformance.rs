//! The conformance suite of the workflow engine: every rehearsal in `tests/conformance`.

use std::path::PathBuf;

use runner_executor::rehearsal::{self, Rehearsing};
use runner_pack::{Library, read_rehearsals, rehearsal_files};

use crate::kit::root;

/// There are more; fewer would mean that files are not found.
const REHEARSALS_MIN: usize = 300;

#[test]
fn every_rehearsal_of_the_conformance_suite_passes() {
    let packs = root().join("tests/conformance/packs");
    let (library, _) = Library::load_sound(&[packs.clone(), root().join("packs")], None);
    let mut rehearsals = Vec::new();
    for pack in ["conformance", "mistakes"] {
        let files: Vec<PathBuf> = rehearsal_files(&packs.join(pack));
        assert!(!files.is_empty(), "the pack `{pack}` has no rehearsals");
        for file in files {
            let (read, mistakes) = read_rehearsals(&file, None);
            assert!(!mistakes.has_errors(), "{}", mistakes.plain());
            rehearsals.extend(read);
        }
    }
    assert!(rehearsals.len() >= REHEARSALS_MIN, "there are only {} rehearsals", rehearsals.len());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let with = Rehearsing { library: &library, simulation: None };
    let report = runtime.block_on(rehearsal::run(&with, &rehearsals));
    let failed: Vec<_> = report
        .failed()
        .map(|case| {
            let differences: Vec<_> =
                case.differences.iter().map(|found| serde_json::json!(found).to_string()).collect();
            format!("{} ({}:{})\n  {}", case.name, case.file.display(), case.line, differences.join("\n  "))
        })
        .collect();
    assert!(failed.is_empty(), "{} of {} differ:\n{}", failed.len(), rehearsals.len(), failed.join("\n"));
}
