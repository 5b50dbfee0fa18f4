//! Time zones by their IANA names, and what a wall clock in one of them shows when.

use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

use super::ScheduleError;

/// The database that is built in.
pub(super) fn database() -> &'static TimeZoneDatabase {
    static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
    DATABASE.get_or_init(TimeZoneDatabase::bundled)
}

/// The zone with this name.
pub(super) fn find(name: &str) -> Result<TimeZone, ScheduleError> {
    database().get(name).map_err(|_| {
        let names: Vec<_> = database().available().map(|name| name.to_string()).collect();
        ScheduleError {
            message: format!("there is no time zone `{name}`"),
            hint: Some(match runner_model::suggest::nearest(name, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write its IANA name, such as `Europe/Berlin` or `UTC`".to_owned(),
            }),
            offset: None,
        }
    })
}

/// The one instant that a time on the wall clock stands for: the first of two where the clock repeats it, the first
/// instant after it where the clock skips it. A later time never has an earlier instant. None beyond the years that can
/// be written.
pub(super) fn instant(zone: &TimeZone, shown: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(shown).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(shown).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(shown).ok(),
        AmbiguousOffset::Gap { before, after } => {
            // Read with the offset of after the change, a skipped time lies before it.
            let earlier = after.to_timestamp(shown).ok()?;
            let change = zone.following(earlier).find(|change| change.offset() == after);
            change.map(|change| change.timestamp()).or_else(|| before.to_timestamp(shown).ok())
        }
    }
}

/// When the zone's offset changes after `moment`; none if it never does again.
pub(super) fn next_change(zone: &TimeZone, moment: Timestamp) -> Option<Timestamp> {
    let offset = zone.to_offset(moment);
    zone.following(moment).find(|change| change.offset() != offset).map(|change| change.timestamp())
}
