//! How far this process came, and when: `RUNNER_LOG=runner::phase=trace` shows it, and the bench of the start adds it up.
//! **Nothing is decided here**, and what is not shown costs nothing.

use std::time::{SystemTime, UNIX_EPOCH};

/// What is shown of it in the process' log is asked for by this name.
const TARGET: &str = "runner::phase";

/// A moment, in microseconds of the system's clock: those of the process that started this one are of the same clock.
#[allow(clippy::disallowed_methods, reason = "the one clock has milliseconds; nothing is decided by this time")]
pub(crate) fn now_us() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
}

/// Says that this much is done.
pub(crate) fn reached(phase: &'static str) {
    if tracing::enabled!(target: TARGET, tracing::Level::TRACE) {
        reached_at(phase, now_us());
    }
}

/// Says that this much was done at a moment.
pub(crate) fn reached_at(phase: &'static str, at_us: u64) {
    tracing::trace!(target: TARGET, at_us, "{phase}");
}
