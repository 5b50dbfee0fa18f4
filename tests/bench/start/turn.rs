//! One process, from its start to its exit.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// The times of several turns.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(crate) fn median_ms(&self) -> f64 {
        let mut times = self.0.clone();
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e3
    }
}

/// A data directory, and a pack with a WASM action beside the packs that ship.
pub(crate) struct Place {
    root: PathBuf,
    directory: PathBuf,
}

impl Place {
    pub(crate) fn new(directory: &Path) -> Self {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let pack = directory.join("packs/bench");
        std::fs::create_dir_all(pack.join("actions")).unwrap();
        std::fs::create_dir_all(pack.join("components")).unwrap();
        std::fs::write(pack.join("pack.yaml"), "ref: bench\nversion: 1.0.0\n").unwrap();
        let action = "runner_type: wasm\nparameters: {name: {type: string, default: vol1}}\n";
        std::fs::write(pack.join("actions/echo.yaml"), action).unwrap();
        let guest = root.join("tests/guests/components/host-guest.wasm");
        std::fs::copy(guest, pack.join("components/bench.wasm")).unwrap();
        Self { root, directory: directory.to_owned() }
    }

    /// As if nothing had ever run here.
    pub(crate) fn forget(&self) {
        let _ = std::fs::remove_dir_all(self.directory.join("data"));
    }

    pub(crate) fn exec(&self, action: &str) -> Duration {
        let start = Instant::now();
        self.run(action, None);
        start.elapsed()
    }

    /// The same, with what the process says of its phases; when it was started and when it had ended, in microseconds of the
    /// system's clock.
    pub(crate) fn traced(&self, action: &str) -> (u64, String, u64) {
        let begun = now_us();
        let output = self.run(action, Some("runner::phase=trace"));
        let ended = now_us();
        (begun, String::from_utf8(output.stderr).unwrap(), ended)
    }

    fn run(&self, action: &str, log: Option<&str>) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.args(["exec", action, "--packs"]).arg(self.root.join("packs")).arg("--packs").arg("packs");
        command.args(["--data", "data"]).current_dir(&self.directory).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(if log.is_some() { Stdio::piped() } else { Stdio::null() });
        command.env_remove("RUNNER_LOG").envs(log.map(|log| ("RUNNER_LOG", log)));
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        assert!(output.status.success(), "{command:?}");
        output
    }
}

/// A process that does nothing.
pub(crate) fn nothing() -> Duration {
    let start = Instant::now();
    assert!(Command::new("true").stdin(Stdio::null()).status().unwrap().success());
    start.elapsed()
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_micros()).unwrap()
}
