//! A daemon of the binary under measurement.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub(crate) struct Daemon {
    url: String,
    child: Child,
    client: reqwest::Client,
}

impl Daemon {
    pub(crate) fn start(directory: &Path, packs: &[&Path]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(directory.join("data"));
        for packs in packs {
            command.arg("--packs").arg(packs);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let url = lines.into_iter().find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned())).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { url, child, client: reqwest::Client::new() }
    }

    /// Runs an action to its end; how long that took.
    pub(crate) async fn run(&self, action: &str) -> (Value, Duration) {
        let start = Instant::now();
        let url = format!("{}/api/v1/executions?wait=60s", self.url);
        let answer = self.client.post(url).json(&json!({ "action": action, "parameters": {} })).send().await.unwrap();
        (answer.json().await.unwrap(), start.elapsed())
    }

    /// How long its health takes to be said.
    pub(crate) async fn health(&self) -> Duration {
        let start = Instant::now();
        let answer = self.client.get(format!("{}/healthz", self.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        start.elapsed()
    }

    /// Resident memory, in MiB.
    pub(crate) fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
