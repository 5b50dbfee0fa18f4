//! What a daemon gets done: workflows of one step, many at a time, in turns with a bare handler that commits one row.

use crate::asked;
use crate::load::{self, Measured, Target};
use crate::place::Daemon;
use crate::served::Served;

const IN_FLIGHT: usize = 50;
const ROUNDS: usize = 3;

pub(crate) struct Bare {
    served: Served,
    runtime: tokio::runtime::Runtime,
    _directory: tempfile::TempDir,
}

/// Of the middle round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Throughput {
    /// Workflows a second.
    pub(crate) rate: f64,
    /// Time of a processor for each, in microseconds: other processes change it less than the rate.
    pub(crate) cpu_us: f64,
    /// Of the rate of the bare handler in the same rounds.
    pub(crate) of_bare: f64,
}

impl Bare {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let served = Served::of(Served::bare(&directory.path().join("bare.db")));
        // The load is to leave the daemon a core.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { served, runtime, _directory: directory }
    }

    pub(crate) fn measure(&self, daemon: &Daemon) -> Throughput {
        let row = Target::post(&self.served, ("/hook", 202), |_| String::new(), &"x".repeat(450));
        let body = r#"{"action":"bench.steps_1"}"#;
        let workflow = Target::post(&daemon.served, ("/api/v1/executions?wait=60s", 200), |_| String::new(), body);
        let rounds = if asked::is_quick() { 1 } else { ROUNDS };
        let (mut bare, mut all) = (Vec::new(), Vec::new());
        self.runtime.block_on(load::measure(&workflow, IN_FLIGHT));
        for _ in 0..rounds {
            bare.push(self.runtime.block_on(load::measure(&row, IN_FLIGHT)));
            all.push(self.runtime.block_on(load::measure(&workflow, IN_FLIGHT)));
        }
        let (bare, Measured { rate, cpu_us, .. }) = (Measured::middle(bare), Measured::middle(all));
        Throughput { rate, cpu_us, of_bare: rate / bare.rate }
    }
}
