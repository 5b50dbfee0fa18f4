//! When something was signed: too long ago it may be a replay, too far ahead a replay that is still to come.

use std::time::Duration;

use runner_model::Timestamp;

use super::refused::Refused;

/// A time as senders write it: seconds since 1970, digits and nothing else.
pub(super) fn seconds(header: &str, text: &str) -> Result<Timestamp, Refused> {
    // Eleven digits last until the year 5138.
    if text.is_empty() || text.len() > 11 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refused::malformed(header));
    }
    let seconds: i64 = text.parse().map_err(|_| Refused::malformed(header))?;
    Ok(Timestamp::from_millis(seconds * 1_000))
}

/// Checks that `signed` is not further from `now` than `window`.
pub(super) fn check(signed: Timestamp, now: Timestamp, window: Duration) -> Result<(), Refused> {
    let age = i128::from(now.as_millis()) - i128::from(signed.as_millis());
    if age.unsigned_abs() <= window.as_millis() {
        return Ok(());
    }
    let (seconds, where_to) = (age.unsigned_abs() / 1_000, if age > 0 { "ago" } else { "ahead" });
    let allowed = window.as_secs();
    Err(Refused::untimely(format!("the delivery was signed {seconds} s {where_to}, at most {allowed} s are allowed")))
}
