//! The interface `log`, and the one place where a guest's output becomes lines.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use runner_model::limits::{GuestLimits, LOG_FIELDS_MAX};

use super::Guest;
use crate::attempt::{LogLevel, LogLine, Observer};
use crate::bindings::plugin::log;
use crate::escape::one_line;

/// Takes lines, bounds them and passes them on.
pub(crate) struct Sink {
    observer: Arc<dyn Observer>,
    lines_max: u64,
    line_bytes_max: usize,
    lines: AtomicU64,
}

impl Sink {
    pub(crate) fn new(observer: Arc<dyn Observer>, limits: &GuestLimits) -> Self {
        Self {
            observer,
            lines_max: limits.log_lines_max,
            line_bytes_max: limits.log_line_bytes_max,
            lines: AtomicU64::new(0),
        }
    }

    /// Passes a line on, or only counts it.
    pub(crate) fn line(&self, level: LogLevel, message: &str, fields: &[(String, String)]) {
        if self.lines.fetch_add(1, Ordering::Relaxed) >= self.lines_max {
            return;
        }
        let mut left = self.line_bytes_max;
        let mut cut = |text: &str| {
            let line = one_line(text, left);
            left = left.saturating_sub(line.len());
            line
        };
        let message = cut(message);
        let fields = fields.iter().take(LOG_FIELDS_MAX).map(|(name, value)| (cut(name), cut(value))).collect();
        self.observer.log(LogLine { level, message, fields });
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let dropped = self.lines.load(Ordering::Relaxed).saturating_sub(self.lines_max);
        if dropped > 0 {
            let message = format!("{dropped} more lines were not kept: an attempt may log {} lines", self.lines_max);
            self.observer.log(LogLine { level: LogLevel::Warn, message, fields: Vec::new() });
        }
    }
}

impl log::Host for Guest {
    fn emit(&mut self, level: log::Level, message: String, fields: Vec<(String, String)>) -> wasmtime::Result<()> {
        self.count()?;
        self.log.line(level.into(), &message, &fields);
        Ok(())
    }
}

impl From<log::Level> for LogLevel {
    fn from(level: log::Level) -> Self {
        match level {
            log::Level::Trace => Self::Trace,
            log::Level::Debug => Self::Debug,
            log::Level::Info => Self::Info,
            log::Level::Warn => Self::Warn,
            log::Level::Error => Self::Error,
        }
    }
}
