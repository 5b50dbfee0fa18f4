//! A process that listens, for as long as it is held.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::bare_server;

pub(crate) struct Served {
    /// Where.
    pub(crate) address: SocketAddr,
    pub(crate) child: Child,
}

impl Served {
    /// Runs the bare server: axum, and one row of SQLite by group commit.
    pub(crate) fn bare(database: &Path) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(bare_server::ARGUMENT).arg(database);
        command
    }

    /// Runs a daemon in this directory: with its `runner.toml`, its `packs/`, and the packs that ship.
    pub(crate) fn daemon(place: &Path) -> Command {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data", "data", "--packs", "packs", "--packs"]);
        command.arg(repository.join("packs")).current_dir(place).stderr(Stdio::null());
        command
    }

    /// A process that says where it listens.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        let address = line.trim_start_matches("listening on http://").parse().unwrap();
        Self { address, child }
    }
}

impl Served {
    pub(crate) fn cpu(&self) -> Cpu {
        Cpu(self.child.id())
    }
}

/// The time that a process takes of the processors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu(u32);

impl Cpu {
    /// All of it so far; nothing where the system does not say.
    pub(crate) fn taken(self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        // Behind the name, which may hold anything: utime and stime are the 12th and 13th words, in hundredths of a second.
        let words = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().skip(11).take(2));
        let ticks: u64 = words.into_iter().flatten().filter_map(|word| word.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
