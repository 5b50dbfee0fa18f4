//! The interface `log`, and the one place where a guest's output becomes lines.
//!
//! The first lines of an attempt are passed on as they come, the last ones when it ends; what lies between is counted.
//! So a flood shows how it began and how it ended, and costs no more than a little.

mod flood;

use std::sync::Arc;

use parking_lot::Mutex;
use runner_model::limits::{GuestLimits, LOG_FIELDS_MAX};

use self::flood::{Flood, Verdict};
use super::Guest;
use crate::attempt::{LogLevel, LogLine, Observer};
use crate::bindings::plugin::log;
use crate::escape::one_line;

/// Takes lines, bounds them and passes them on.
pub(crate) struct Sink {
    observer: Arc<dyn Observer>,
    line_bytes_max: usize,
    flood: Mutex<Flood>,
}

impl Sink {
    pub(crate) fn new(observer: Arc<dyn Observer>, limits: &GuestLimits) -> Self {
        Self { observer, line_bytes_max: limits.log_line_bytes_max, flood: Mutex::new(Flood::new(limits)) }
    }

    /// Passes a line on, keeps it for the end, or only counts it.
    pub(crate) fn line(&self, level: LogLevel, message: &str, fields: &[(String, String)]) {
        let mut flood = self.flood.lock();
        if flood.is_too_fast() {
            return;
        }
        let line = self.cut(level, message, fields);
        if let Verdict::Pass { left_out, line } = flood.take(line) {
            drop(flood);
            left_out.into_iter().chain([line]).for_each(|line| self.observer.log(line));
        }
    }

    /// The line as it is passed on: escaped, and not too long.
    fn cut(&self, level: LogLevel, message: &str, fields: &[(String, String)]) -> LogLine {
        let mut left = self.line_bytes_max;
        let mut cut = |text: &str| {
            let line = one_line(text, left);
            left = left.saturating_sub(line.len());
            line
        };
        let message = cut(message);
        let fields = fields.iter().take(LOG_FIELDS_MAX).map(|(name, value)| (cut(name), cut(value))).collect();
        LogLine { level, message, fields }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.flood.get_mut().rest().for_each(|line| self.observer.log(line));
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
