//! Log lines: shown while the action runs, and kept with the execution.
//!
//! ```
//! # use runner_sdk::prelude::*;
//! # runner_sdk::testing::Host::new().inside(|| {
//! log::info("volume found");
//! log::field("volume", "vol_1").field("used_percent", 91).warn("volume is nearly full");
//! # });
//! ```

use std::fmt::Display;

use crate::host;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every detail.
    Trace,
    /// For whoever mends the action.
    Debug,
    /// For whoever watches the execution.
    Info,
    /// Something to look at.
    Warn,
    /// Something that failed.
    Error,
}

/// A line that is being built: fields first, then the message.
#[derive(Debug, Clone, Default)]
#[must_use = "a line is written by its last call, such as `.info(message)`"]
pub struct Line {
    fields: Vec<(String, String)>,
}

/// Begins a line with a field.
pub fn field(name: impl Into<String>, value: impl Display) -> Line {
    Line::default().field(name, value)
}

impl Line {
    /// Adds a field: a name and a value beside the message.
    pub fn field(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.fields.push((name.into(), value.to_string()));
        self
    }

    /// Writes the line.
    pub fn write(self, level: Level, message: impl AsRef<str>) {
        host::log(level, message.as_ref(), self.fields);
    }

    /// Writes the line for whoever mends the action.
    pub fn debug(self, message: impl AsRef<str>) {
        self.write(Level::Debug, message);
    }

    /// Writes the line for whoever watches the execution.
    pub fn info(self, message: impl AsRef<str>) {
        self.write(Level::Info, message);
    }

    /// Writes the line as something to look at.
    pub fn warn(self, message: impl AsRef<str>) {
        self.write(Level::Warn, message);
    }

    /// Writes the line as something that failed.
    pub fn error(self, message: impl AsRef<str>) {
        self.write(Level::Error, message);
    }
}

/// Writes a line with every detail.
pub fn trace(message: impl AsRef<str>) {
    Line::default().write(Level::Trace, message);
}

/// Writes a line for whoever mends the action.
pub fn debug(message: impl AsRef<str>) {
    Line::default().debug(message);
}

/// Writes a line for whoever watches the execution.
pub fn info(message: impl AsRef<str>) {
    Line::default().info(message);
}

/// Writes a line about something to look at.
pub fn warn(message: impl AsRef<str>) {
    Line::default().warn(message);
}

/// Writes a line about something that failed.
pub fn error(message: impl AsRef<str>) {
    Line::default().error(message);
}
