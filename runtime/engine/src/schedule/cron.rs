//! Cron expressions: croner reads them and knows which times of a plain calendar match; what that means in a time zone is
//! decided here.

mod read;

use std::sync::Arc;

use jiff::Timestamp as Instant;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use runner_model::Timestamp;

use super::{ScheduleError, zone};

/// A cron expression in a time zone. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cron {
    expression: Arc<str>,
    timezone: Arc<str>,
    zone: TimeZone,
    pattern: Arc<croner::Cron>,
    /// Whether its times of day are written out.
    is_fixed: bool,
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        (&self.expression, &self.timezone) == (&other.expression, &other.timezone)
    }
}

impl Cron {
    /// Reads an expression of five fields (minute, hour, day of the month, month, day of the week), of six (a second
    /// before them), or a word such as `@daily`; `timezone` is an IANA name.
    pub fn parse(expression: &str, timezone: &str) -> Result<Self, ScheduleError> {
        let zone = zone::find(timezone)?;
        let (pattern, is_fixed) = read::pattern(expression)?;
        Ok(Self {
            expression: expression.trim().into(),
            timezone: timezone.into(),
            zone,
            pattern: Arc::new(pattern),
            is_fixed,
        })
    }

    /// What it says, in words, with the time zone.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{} ({})", self.pattern.describe().trim_end_matches('.'), self.timezone)
    }

    /// The expression as written.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The name of its time zone.
    #[must_use]
    pub fn timezone(&self) -> &str {
        &self.timezone
    }

    /// The first instant after `moment`; none if there is no other.
    #[must_use]
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let moment = Instant::from_millisecond(moment.as_millis()).ok()?;
        let next = if self.is_fixed { self.next_fixed(moment) } else { self.next_shown(moment) };
        next.map(|instant| Timestamp::from_millis(instant.as_millisecond()))
    }

    /// Times that are written out: each stands for one instant, and the instants are in the order of the times.
    fn next_fixed(&self, moment: Instant) -> Option<Instant> {
        let mut shown = self.zone.to_datetime(moment);
        loop {
            shown = self.next_match(shown, false)?;
            // It is not later in the second half of a repeated hour, nor for more than one of the skipped times.
            let instant = zone::instant(&self.zone, shown)?;
            if instant > moment {
                return Some(instant);
            }
        }
    }

    /// Times that match whenever they are shown. From one change of the offset to the next the wall clock goes evenly.
    fn next_shown(&self, moment: Instant) -> Option<Instant> {
        let (mut from, mut inclusive) = (moment, false);
        loop {
            let offset = self.zone.to_offset(from);
            let shown = self.next_match(offset.to_datetime(from), inclusive)?;
            let instant = offset.to_timestamp(shown).ok()?;
            match zone::next_change(&self.zone, from) {
                // From there on the clock shows other times, perhaps some of those that it has shown already.
                Some(change) if change <= instant => (from, inclusive) = (change, true),
                _ => return Some(instant),
            }
        }
    }

    /// The first matching time of the plain calendar after `shown`, or from it on.
    fn next_match(&self, shown: DateTime, inclusive: bool) -> Option<DateTime> {
        self.pattern.find_next_occurrence(&shown, inclusive).ok()
    }
}
