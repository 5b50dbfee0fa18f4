//! Medians.

use std::time::Duration;

use crate::report::Line;

/// The times of one part, in microseconds.
pub(crate) struct Figures {
    pub(crate) median: f64,
    p99: f64,
}

impl Figures {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1e6;
        Self { median: at(50), p99: at(99) }
    }
}

impl Figures {
    /// As a line of the report.
    pub(crate) fn line(&self, what: &str) -> Line {
        Line::new(format!("{what} (p99 {:.1} us)", self.p99), self.median, "us")
    }

    /// The same, beside another one.
    pub(crate) fn beside(&self, what: &str, bare: &Self, of: &str) -> Line {
        self.line(what).beside(self.median / bare.median, of)
    }
}
