//! Moments and durations as ONTAP writes them.

use runner_sdk::clock;

/// Milliseconds of a day.
pub(crate) const DAY_MS: u64 = 86_400_000;

/// A moment with seconds and an offset: `2026-11-21T10:46:00+00:00`.
pub(crate) fn written(millis: u64) -> String {
    let text = clock::rfc3339(millis);
    format!("{}+00:00", text.get(..19).unwrap_or(&text))
}

/// An ISO 8601 duration of whole seconds: `PT8H35M42S`.
pub(crate) fn duration(millis: u64) -> String {
    let seconds = millis / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let mut text = String::from("P");
    if days > 0 {
        text.push_str(&format!("{days}D"));
    }
    text.push('T');
    for (count, unit) in [(hours, 'H'), (minutes, 'M')] {
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    text.push_str(&format!("{}S", seconds % 60));
    text
}

/// How far away an expiry is that is given as a duration (`P7D`, `P1W`, `PT1H30M`), as a moment of ISO 8601 or as
/// `12/25/2018 12:34:56`. Nothing for what is none of them; zero for what has passed.
pub(crate) fn away(text: &str, now: u64) -> Option<u64> {
    match text.strip_prefix(['P', 'p']) {
        Some(rest) => parsed_duration(rest),
        None => moment(text).map(|then| then.saturating_sub(now)),
    }
}

fn parsed_duration(text: &str) -> Option<u64> {
    let (mut seconds, mut digits, mut in_time, mut any) = (0_u64, String::new(), false, false);
    for letter in text.to_ascii_uppercase().chars() {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        if letter == 'T' && digits.is_empty() && !in_time {
            in_time = true;
            continue;
        }
        let unit = match (letter, in_time) {
            ('W', false) => 604_800,
            ('D', false) => 86_400,
            ('H', true) => 3600,
            ('M', true) => 60,
            ('S', true) => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
        any = true;
    }
    (any && digits.is_empty()).then(|| seconds.saturating_mul(1000))
}

/// A moment in milliseconds. What follows the seconds is an offset, or nothing.
fn moment(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(['T', ' '])?;
    let numbers =
        |text: &str, mark: char| -> Option<Vec<i64>> { text.split(mark).map(|part| part.parse().ok()).collect() };
    let (year, month, day) = if date.contains('/') {
        let [month, day, year] = numbers(date, '/')?.try_into().ok()?;
        (year, month, day)
    } else {
        let [year, month, day] = numbers(date, '-')?.try_into().ok()?;
        (year, month, day)
    };
    let [hour, minute, second] = numbers(time.get(..8)?, ':')?.try_into().ok()?;
    let offset = offset_minutes(time.get(8..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit()))?;
    let seconds = days(year, month, day)? * 86_400 + hour * 3600 + (minute - offset) * 60 + second;
    u64::try_from(seconds * 1000).ok()
}

fn offset_minutes(text: &str) -> Option<i64> {
    let sign = match text.chars().next() {
        None | Some('Z' | 'z') => return Some(0),
        Some('+') => 1,
        Some('-') => -1,
        Some(_) => return None,
    };
    let hours: i64 = text.get(1..3)?.parse().ok()?;
    let minutes: i64 = text.get(3..)?.trim_start_matches(':').parse().ok()?;
    Some(sign * (hours * 60 + minutes))
}

/// Days since 1970-01-01 (Howard Hinnant's `days_from_civil`).
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1970..=9999).contains(&year) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiries_come_as_durations_and_as_moments() {
        let now = 1_795_257_960_000; // 2026-11-21T10:46:00Z
        for (text, away_ms) in [
            ("P7D", Some(7 * DAY_MS)),
            ("P1W", Some(7 * DAY_MS)),
            ("P1DT2H3M4S", Some(93_784_000)),
            ("PT1H", Some(3_600_000)),
            ("P1H", None),
            ("P", None),
            ("P5", None),
            ("2026-11-21T11:46:00+01:00", Some(0)),
            ("2026-11-22T10:46:00+00:00", Some(DAY_MS)),
            ("2026-11-22T10:46:00.500Z", Some(DAY_MS)),
            ("11/22/2026 10:46:00", Some(DAY_MS)),
            ("12/25/2018 12:34:56", Some(0)),
            ("tomorrow", None),
        ] {
            assert_eq!(away(text, now), away_ms, "{text}");
        }
        assert_eq!(written(now), "2026-11-21T10:46:00+00:00");
        assert_eq!((duration(30_942_000).as_str(), duration(0).as_str()), ("PT8H35M42S", "PT0S"));
    }
}
