//! When something is due: cron expressions, intervals, dates.
//!
//! Pure reckoning: the moment to reckon from comes in, no clock is read. Time zones come from the database that is built
//! in, never from the machine, so that every node reckons the same.
//!
//! - A **fixed-time** expression (its times of day are written out, without `*` or `/`) is due once a local day for each
//!   time that it names: at the first instant after it where the clock skips it, at the first of the two where the clock
//!   repeats it. Times that fall on the same instant are one.
//! - Any other expression is due whenever the wall clock shows a time that matches, in the order of time: a repeated
//!   hour is run twice, a skipped one not at all.

mod cron;
mod date;
mod zone;

use runner_model::Timestamp;

pub use cron::Cron;

/// When something is due.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// Whenever a wall clock matches.
    Cron(Cron),
    /// Again and again after the same time, whatever the wall clocks do.
    Interval {
        /// Milliseconds from one instant to the next.
        every_ms: i64,
        /// The first instant; without it, multiples of the interval since 1970-01-01T00:00:00Z.
        start: Option<Timestamp>,
    },
    /// Once.
    Date(Timestamp),
}

/// Why a text says nothing about time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScheduleError {
    /// A lowercase sentence.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// Where in the text, in bytes.
    pub offset: Option<usize>,
}

impl Schedule {
    /// A single moment: RFC 3339, or a date with or without a time of day in `timezone` (an IANA name). Where the clock
    /// skips that time it is the first instant after it, where the clock repeats it the first of the two.
    pub fn date(text: &str, timezone: &str) -> Result<Self, ScheduleError> {
        date::parse(text, timezone).map(Self::Date)
    }

    /// The first instant after `moment`; none if there is no other.
    #[must_use]
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(cron) => cron.next_after(moment),
            Self::Interval { every_ms, start } => next_multiple(*every_ms, *start, moment),
            Self::Date(date) => Some(*date).filter(|date| *date > moment),
        }
    }

    /// Whether `moment` is an instant.
    #[must_use]
    pub fn comes_at(&self, moment: Timestamp) -> bool {
        self.next_after(moment.plus_ms(-1)) == Some(moment)
    }

    /// The instants after `after`, up to and including `until`, the earliest first and at most `max` of them.
    #[must_use]
    pub fn between(&self, after: Timestamp, until: Timestamp, max: usize) -> Vec<Timestamp> {
        std::iter::successors(self.next_after(after), |last| self.next_after(*last))
            .take_while(|instant| *instant <= until)
            .take(max)
            .collect()
    }
}

fn next_multiple(every_ms: i64, start: Option<Timestamp>, moment: Timestamp) -> Option<Timestamp> {
    if every_ms <= 0 {
        return None;
    }
    if let Some(start) = start.filter(|start| *start > moment) {
        return Some(start);
    }
    let start = start.unwrap_or_default().as_millis();
    // Further apart than 64 bits can say: such moments come from damaged data only.
    let passed = moment.as_millis().checked_sub(start)?.div_euclid(every_ms);
    passed.checked_add(1)?.checked_mul(every_ms)?.checked_add(start).map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests;
