//! The disk that is written to: the machine's own, or one whose flushes take longer.

use std::process::Command;

use crate::asked;
use crate::served::Served;

/// How much longer, in milliseconds: what a volume over a network takes.
const LONGER_MS: u32 = 1;

/// Where what is served keeps what it acknowledges.
pub(crate) enum Disk {
    Own,
    /// By this library, which is put before the one of C (`tests/slow_disk`).
    Slow(String),
}

impl Disk {
    /// The machine's own disk, and the slower one if its library is given.
    pub(crate) fn all() -> Vec<Self> {
        let slow = asked::option("--slow-disk").map(Self::Slow);
        [Self::Own].into_iter().chain(slow).collect()
    }

    pub(crate) fn serve(&self, mut command: Command) -> Served {
        if let Self::Slow(library) = self {
            command.env("LD_PRELOAD", library).env("SLOW_DISK_US", (LONGER_MS * 1000).to_string());
        }
        Served::of(command)
    }

    /// What it is, behind what is measured on it.
    pub(crate) fn described(&self) -> String {
        match self {
            Self::Own => String::new(),
            Self::Slow(_) => format!(", each flush {LONGER_MS} ms longer"),
        }
    }

    /// The least that an answer takes, in milliseconds: whoever answers sooner has not waited for its flush.
    pub(crate) fn least_ms(&self) -> f64 {
        match self {
            Self::Own => 0.0,
            Self::Slow(_) => f64::from(LONGER_MS),
        }
    }
}
