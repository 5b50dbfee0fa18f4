//! The process' own log: to standard error, above whatever progress is being drawn there.

use std::io::{self, Write};
use std::sync::OnceLock;

use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;

use crate::cli::GlobalArgs;

static PROGRESS: OnceLock<MultiProgress> = OnceLock::new();

/// What draws progress, if something does: its lines give way to the log's.
pub(crate) fn above_progress(progress: MultiProgress) {
    // Only one thing draws in a process.
    let _ = PROGRESS.set(progress);
}

struct Above;

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let write = || io::stderr().write(bytes);
        match PROGRESS.get() {
            Some(progress) => progress.suspend(write),
            None => write(),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Starts the log. Warnings are shown; `-v` shows more of runner itself, `-vvv` of everything.
pub(crate) fn start(global: &GlobalArgs) {
    let filter = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "warn,runner=info,runner_executor=info,runner_host=info,runner_server=info,runner_store=info",
        (false, 2) => {
            "info,runner=debug,runner_executor=debug,runner_host=debug,runner_server=debug,runner_store=debug"
        }
        (false, _) => "debug",
    };
    let filter = EnvFilter::try_new(filter).unwrap_or_default();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Above).without_time();
    let subscriber = subscriber.with_target(false).with_ansi(console::colors_enabled_stderr()).finish();
    // Set once, here.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
