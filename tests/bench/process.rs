//! A whole process, from its start to its exit.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::figures::{Figures, Row};

const RUNS: usize = 60;

pub(crate) fn measure(directory: &Path) -> Vec<Row> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let runner = |action: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.args(["exec", action, "--packs"]).arg(root.join("packs")).arg("--packs").arg(directory.join("packs"));
        command.arg("--data").arg(directory.join("process"));
        command
    };
    let (mut nothing, mut noop, mut echo) = (Vec::new(), Vec::new(), Vec::new());
    run(runner("core.noop"));
    run(runner("bench.echo"));
    for _ in 0..RUNS {
        nothing.push(run(Command::new("true")));
        noop.push(run(runner("core.noop")));
        echo.push(run(runner("bench.echo")));
    }
    let [nothing, noop, echo] = [nothing, noop, echo].map(Figures::of);
    vec![
        Row::bare("true", &nothing),
        Row::beside("runner exec core.noop", &noop, &nothing, "of `true`"),
        Row::beside("runner exec of a WASM action", &echo, &nothing, "of `true`"),
    ]
}

fn run(mut command: Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let elapsed = start.elapsed();
    assert!(status.success(), "{command:?}");
    elapsed
}
