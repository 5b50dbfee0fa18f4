//! A single moment as people write it.

use runner_model::Timestamp;

use super::{ScheduleError, zone};

pub(super) fn parse(text: &str, timezone: &str) -> Result<Timestamp, ScheduleError> {
    let zone = zone::find(timezone)?;
    let text = text.trim();
    let moment = text
        .parse::<jiff::Timestamp>()
        .ok()
        .or_else(|| text.parse::<jiff::civil::DateTime>().ok().and_then(|shown| zone::instant(&zone, shown)));
    moment.map(|moment| Timestamp::from_millis(moment.as_millisecond())).ok_or_else(|| ScheduleError {
        message: format!("`{text}` is not a moment"),
        hint: Some(
            "write it like `2026-11-21T10:46:00Z`, or without the `Z` for the wall clock of the time zone".to_owned(),
        ),
        offset: None,
    })
}
