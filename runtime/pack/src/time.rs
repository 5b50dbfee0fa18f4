//! Spans of time as rules, sensors and policies have them: a number of seconds, or a number with its unit.

use std::time::Duration;

use runner_model::code;

use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, wrong_type};
use crate::yaml::{Kind, Node};

/// Which times a key takes, and one that it could.
pub(crate) struct Range {
    pub(crate) min: Duration,
    pub(crate) max: Duration,
    pub(crate) example: &'static str,
}

/// Units and their seconds, each by its names.
const UNITS: [(&[&str], f64); 6] = [
    (&["ms"], 0.001),
    (&["s", "sec", "second", "seconds"], 1.0),
    (&["m", "min", "minute", "minutes"], 60.0),
    (&["h", "hour", "hours"], 3600.0),
    (&["d", "day", "days"], 86_400.0),
    (&["w", "week", "weeks"], 604_800.0),
];

/// The seconds of a text such as `90`, `5m` or `1.5 h`.
pub(crate) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let number = digits.parse::<f64>().ok().filter(|number| number.is_finite())?;
    let name = text.get(digits.len()..).unwrap_or_default().trim();
    if name.is_empty() { Some(number) } else { unit(name).map(|factor| number * factor) }
}

/// The seconds of a unit.
pub(crate) fn unit(name: &str) -> Option<f64> {
    UNITS.iter().find(|(names, _)| names.contains(&name)).map(|(_, factor)| *factor)
}

/// The time of a key; none if it is left out, or is none, which is reported.
pub(crate) fn read(file: &Document<'_>, fields: &mut Fields<'_>, key: &'static str, range: &Range) -> Option<Duration> {
    let node = fields.get(key)?;
    value(file, node, key, range)
}

/// The time in a node; what is none is reported.
pub(crate) fn value(file: &Document<'_>, node: &Node, key: &str, range: &Range) -> Option<Duration> {
    let seconds = match &node.kind {
        Kind::Number(number) => number.as_f64(),
        // A number in quotes has no unit, and is a slip here as everywhere.
        Kind::Text(text, _) if text.trim().parse::<f64>().is_err() => seconds(text),
        _ => None,
    };
    let Some(seconds) = seconds else {
        let wanted = "a number of seconds, or a time such as `5m`";
        let meant = node.as_text().map(str::trim).filter(|text| text.parse::<f64>().is_ok_and(f64::is_finite));
        let hint = format!("write `{key}: {}`", meant.unwrap_or(range.example));
        file.add(wrong_type(node, key, wanted).hint(hint));
        return None;
    };
    let time = checked(seconds, range);
    if time.is_none() {
        let (min, max) = (shown(range.min), shown(range.max));
        let message = format!("`{key}` must be from {min} to {max}, found {}", file.source.slice(node.span));
        file.add(
            Mistake::new(code::PACK_BAD_VALUE, node.span, message).hint(format!("write `{key}: {}`", range.example)),
        );
    }
    time
}

/// As many seconds, if they are in the range, to the millisecond.
pub(crate) fn checked(seconds: f64, range: &Range) -> Option<Duration> {
    let time = Duration::try_from_secs_f64(seconds).ok()?;
    let time = Duration::from_millis(u64::try_from(time.as_millis()).ok()?);
    (range.min..=range.max).contains(&time).then_some(time)
}

/// A time as people write it, in the largest unit that it is a whole number of.
pub(crate) fn shown(time: Duration) -> String {
    const SHOWN: [(u128, &str); 5] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let millis = time.as_millis();
    let found = SHOWN.iter().find(|(factor, _)| millis > 0 && millis.is_multiple_of(*factor));
    found.map_or_else(|| "0s".to_owned(), |(factor, unit)| format!("{}{unit}", millis / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_a_unit() {
        for (text, expected) in [
            ("90", Some(90.0)),
            ("5m", Some(300.0)),
            ("1.5 h", Some(5400.0)),
            ("250ms", Some(0.25)),
            ("2 weeks", Some(1_209_600.0)),
            ("m", None),
            ("5 parsecs", None),
            ("1h30m", None),
            ("inf", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn a_time_is_shown_in_its_largest_unit() {
        for (millis, expected) in
            [(0, "0s"), (1, "1ms"), (1_500, "1500ms"), (90_000, "90s"), (3_600_000, "1h"), (604_800_000, "7d")]
        {
            assert_eq!(shown(Duration::from_millis(millis)), expected);
        }
    }
}
