//! How long a passphrase is valid: an ISO 8601 duration, or a time; at most seven days.

/// Seven days, in seconds: ONTAP allows no more.
pub const SECONDS_MAX: u64 = 7 * 24 * 3600;

/// Seconds from now until then; none if the text is neither a duration nor a time.
#[must_use]
pub fn seconds(text: &str, now_ms: u64) -> Option<u64> {
    match text.strip_prefix('P') {
        Some(duration) => of_duration(duration),
        None => of_time(text).map(|then| then.saturating_sub(now_ms / 1000)),
    }
}

/// `nDTnHnMnS` or `nW`.
fn of_duration(text: &str) -> Option<u64> {
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let days = parts(date, &[('W', 7 * 24 * 3600), ('D', 24 * 3600)])?;
    let rest = parts(time, &[('H', 3600), ('M', 60), ('S', 1)])?;
    days.checked_add(rest)
}

fn parts(mut text: &str, units: &[(char, u64)]) -> Option<u64> {
    let mut sum = 0_u64;
    for (unit, seconds) in units {
        if let Some((number, rest)) = text.split_once(*unit) {
            sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(*seconds)?)?;
            text = rest;
        }
    }
    text.is_empty().then_some(sum)
}

/// `2018-12-25T12:34:56Z`, or the older `12/25/2018 12:34:56`.
fn of_time(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(['T', ' '])?;
    let numbers = |text: &str, separator: char| -> Option<Vec<u64>> {
        text.split(separator).map(|part| part.parse().ok()).collect()
    };
    let (year, month, day) = match (numbers(date, '-').as_deref(), numbers(date, '/').as_deref()) {
        (Some(&[year, month, day]), _) | (_, Some(&[month, day, year])) => (year, month, day),
        _ => return None,
    };
    // The hours that a zone adds or takes do not matter beside seven days, but a zone must not make the time unreadable.
    let time = time.get(..8)?;
    let clock = numbers(time, ':')?;
    let &[hour, minute, second] = clock.as_slice() else { return None };
    let legal = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    legal.then(|| days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days since 1970-01-01 (Howard Hinnant's `days_from_civil`: years begin in March, so that the leap day is their last).
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read() {
        for (text, wanted) in [
            ("PT1H", Some(3600)),
            ("P7D", Some(SECONDS_MAX)),
            ("P1W", Some(SECONDS_MAX)),
            ("P7DT1S", Some(SECONDS_MAX + 1)),
            ("P1DT2H3M4S", Some(93_784)),
            ("P", None),
            ("PT1X", None),
            ("P-1D", None),
            ("soon", None),
        ] {
            assert_eq!(seconds(text, 0), wanted, "{text}");
        }
    }

    #[test]
    fn a_time_is_counted_from_now() {
        // 2026-11-21T10:46:00Z
        let now = 1_795_257_960_000;
        assert_eq!(seconds("2026-11-21T10:47:00Z", now), Some(60));
        assert_eq!(seconds("11/22/2026 10:46:00", now), Some(86_400));
        assert_eq!(seconds("2018-12-25T12:34:56+01:00", now), Some(0));
        assert_eq!(seconds("2028-02-29T00:00:00Z", now), Some(40_137_240));
    }
}
