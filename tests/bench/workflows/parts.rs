//! The bare parts of a step: a guest's call, a commit, a flush.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bare::{File, Sqlite, Wasm};

/// Calls of each part in one round.
const CALLS: usize = 200;

pub(crate) struct Parts {
    wasm: Wasm,
    sqlite: Sqlite,
    file: File,
}

/// Medians of one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// A guest is instantiated and called.
    pub(crate) call: Duration,
    /// A row is committed.
    pub(crate) commit: Duration,
    /// A file is flushed.
    pub(crate) flush: Duration,
}

impl Parts {
    pub(crate) fn new(directory: &Path) -> Self {
        let guest = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../packs/core/components/core.wasm");
        Self {
            wasm: Wasm::new(&std::fs::read(guest).unwrap()),
            sqlite: Sqlite::new(&directory.join("one.db")),
            file: File::new(&directory.join("flushed")),
        }
    }

    pub(crate) async fn measure(&self) -> Times {
        let mut calls = Vec::new();
        for _ in 0..CALLS {
            calls.push(self.wasm.call().await);
        }
        let commits = (0..CALLS).map(|_| self.sqlite.commit()).collect();
        let flushes = (0..CALLS).map(|_| self.file.flush()).collect();
        Times { call: median(calls), commit: median(commits), flush: median(flushes) }
    }
}

impl Times {
    pub(crate) fn middle(rounds: &[Self]) -> Self {
        let of = |part: fn(&Self) -> Duration| median(rounds.iter().map(part).collect());
        Self { call: of(|times| times.call), commit: of(|times| times.commit), flush: of(|times| times.flush) }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
