//! Moments in expressions: RFC 3339 text or milliseconds since 1970.

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use rhai::{Dynamic, INT};

/// Reads a moment: RFC 3339, or whatever `format` (strftime's letters) says; without an offset it is UTC.
pub(super) fn parse(text: &str, format: Option<&str>) -> Result<INT, String> {
    let Some(format) = format else {
        let moment: Timestamp =
            text.parse().map_err(|_| format!("`{text}` is not a moment: write it like 2026-11-21T10:46:00Z"))?;
        return Ok(moment.as_millisecond());
    };
    let parsed = strtime::parse(format, text).map_err(|error| format!("`{text}` does not fit `{format}`: {error}"))?;
    let moment = match parsed.to_timestamp() {
        Ok(moment) => moment,
        Err(_) => parsed
            .to_datetime()
            .or_else(|_| parsed.to_date().map(Into::into))
            .and_then(|local| local.to_zoned(TimeZone::UTC))
            .map(|zoned| zoned.timestamp())
            .map_err(|error| format!("`{text}` is not a whole moment: {error}"))?,
    };
    Ok(moment.as_millisecond())
}

/// Writes a moment (text or milliseconds) in `format` (strftime's letters), in the time zone `zone`.
pub(super) fn format(moment: &Dynamic, format: &str, zone: &str) -> Result<String, String> {
    let millis = match moment.as_int() {
        Ok(millis) => millis,
        Err(_) => parse(&moment.to_string(), None)?,
    };
    let zone = TimeZone::get(zone).map_err(|_| format!("there is no time zone `{zone}`"))?;
    let moment = Timestamp::from_millisecond(millis)
        .map_err(|_| format!("{millis} ms is outside the years that can be written"))?;
    strtime::format(format, &moment.to_zoned(zone))
        .map_err(|error| format!("the format `{format}` is not valid: {error}"))
}
