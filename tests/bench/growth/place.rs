//! A daemon with a directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Client;
use crate::pack;
use crate::served::Served;

/// What the daemon is told: room for all that is measured, and nothing is removed meanwhile.
const CONFIGURATION: &str = "[limits]\nconcurrency_max = 1024\npack_requests_max = 1024\n\
    [retention]\nexecutions_max = 0\n";

pub(crate) struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    /// With the pack that is measured, its workflows of so many tasks included.
    pub(crate) fn new(tasks: &[usize]) -> Self {
        Self::asking(1, tasks)
    }

    /// The same, with a pack that may ask a server on this port.
    pub(crate) fn asking(port: u16, tasks: &[usize]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        pack::write(&directory.path().join("packs"), tasks, port);
        let grant = format!("[grants.bench]\nhttp = [{{ url = \"http://127.0.0.1:{port}\" }}]\n");
        fs::write(directory.path().join("runner.toml"), format!("{CONFIGURATION}{grant}")).unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("data/runner.db")
    }

    /// Starts the daemon; with how long that took until it listens.
    pub(crate) fn start(&self) -> (Daemon, Duration) {
        let start = Instant::now();
        let served = Served::of(Served::daemon(self.path()));
        let took = start.elapsed();
        (Daemon { client: Client::new(served.address), served }, took)
    }
}

pub(crate) struct Daemon {
    pub(crate) client: Client,
    pub(crate) served: Served,
}

impl Daemon {
    /// Runs a workflow to its end.
    pub(crate) fn run(&mut self, workflow: &str, parameters: &Value) -> Duration {
        let body = json!({ "action": format!("bench.{workflow}"), "parameters": parameters });
        let start = Instant::now();
        let view = self.client.post("/api/v1/executions?wait=300s", &body);
        let took = start.elapsed();
        assert_eq!(view["status"], "succeeded", "{view}");
        took
    }

    /// Time of the processors that the threads of the daemon have taken.
    pub(crate) fn cpu(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.served.child.id())).unwrap().flatten();
        let taken = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
        Duration::from_nanos(taken.filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok()).sum())
    }

    /// Resident memory, in MB.
    pub(crate) fn resident_mb(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.served.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0 / 1e6
    }

    /// Bytes that the daemon had written to storage, pages as they went.
    pub(crate) fn written(&self) -> f64 {
        let io = fs::read_to_string(format!("/proc/{}/io", self.served.child.id())).unwrap_or_default();
        let line = io.lines().find_map(|line| line.strip_prefix("write_bytes:"));
        line.and_then(|text| text.trim().parse().ok()).unwrap_or(0.0)
    }
}
