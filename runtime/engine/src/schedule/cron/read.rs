//! The text of a cron expression, and what is wrong with it.

use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;

use crate::schedule::ScheduleError;

/// The fields of an expression, in order, with what may stand in them.
const FIELDS: [(&str, &str); 6] = [
    ("second", "0-59"),
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of the month", "1-31, `L` for the last day, `15W` for the weekday nearest to the 15th"),
    ("month", "1-12 or JAN-DEC"),
    (
        "day of the week",
        "0-7 or SUN-SAT (0 and 7 are Sunday), `MON#2` for the second Monday, `FRI#L` for the last Friday",
    ),
];

/// Words for expressions.
const WORDS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// An expression is looked at from here to see whether it matches at all.
const FIRST: DateTime = DateTime::constant(2000, 1, 1, 0, 0, 0, 0);

/// Longer ones are refused before anything reads them: all 60 minutes, written out, are 170 bytes.
const BYTES_MAX: usize = 1024;

/// The pattern, and whether its times of day are written out.
pub(super) fn pattern(expression: &str) -> Result<(croner::Cron, bool), ScheduleError> {
    if expression.len() > BYTES_MAX {
        return Err(ScheduleError {
            message: format!("the expression is longer than {BYTES_MAX} bytes"),
            hint: None,
            offset: None,
        });
    }
    let written = meant_by_word(expression)?;
    let fields: Vec<(usize, &str)> = fields(written).collect();
    if !matches!(fields.len(), 5 | 6) {
        return Err(wrong_number(&fields));
    }
    check_words(&fields)?;
    let pattern = parse(written).map_err(|message| wrong_field(written, &fields, &message))?;
    if pattern.find_next_occurrence(&FIRST, true).is_err() {
        return Err(ScheduleError {
            message: format!("`{}` never comes: no date matches it", expression.trim()),
            hint: Some("check the day of the month against the month: February has at most 29 days".to_owned()),
            offset: fields.len().checked_sub(3).and_then(|day| fields.get(day)).map(|(at, _)| *at),
        });
    }
    let time_of_day = fields.iter().take(fields.len() - 3);
    let is_fixed = time_of_day.into_iter().all(|(_, field)| !field.contains(['*', '/']));
    Ok((pattern, is_fixed))
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Refuses words in fields where they do not belong, and lists with nothing between two commas: the parser takes the names of
/// days and months for their numbers wherever they stand.
fn check_words(fields: &[(usize, &str)]) -> Result<(), ScheduleError> {
    let kinds = FIELDS.iter().skip(FIELDS.len().saturating_sub(fields.len()));
    for ((offset, field), (name, allowed)) in fields.iter().zip(kinds) {
        let fits = |part: &str| {
            let word: String = part.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_uppercase()).collect();
            !part.is_empty()
                && match *name {
                    _ if word.is_empty() => true,
                    "day of the month" => ["L", "W", "LW"].contains(&word.as_str()),
                    "month" => MONTHS.contains(&word.as_str()),
                    "day of the week" => word == "L" || DAYS.contains(&word.trim_end_matches('L')),
                    _ => false,
                }
        };
        if !field.split([',', '-', '/']).all(fits) {
            return Err(no_such(*offset, field, name, allowed));
        }
    }
    Ok(())
}

fn parse(text: &str) -> Result<croner::Cron, String> {
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    parser.parse(text).map_err(|error| error.to_string())
}

/// What a word such as `@daily` stands for; anything else stands for itself.
fn meant_by_word(expression: &str) -> Result<&str, ScheduleError> {
    let word = expression.trim();
    if !word.starts_with('@') {
        return Ok(expression);
    }
    let known = WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
    known.map(|(_, meaning)| *meaning).ok_or_else(|| ScheduleError {
        message: format!("there is no `{word}`"),
        hint: Some(if word.starts_with("@every") {
            "a rule with the trigger `core.interval` runs every so often".to_owned()
        } else {
            "there are `@yearly`, `@monthly`, `@weekly`, `@daily` and `@hourly`".to_owned()
        }),
        offset: expression.find('@'),
    })
}

/// The fields with their offsets.
fn fields(expression: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = expression.as_ptr() as usize;
    expression.split_whitespace().map(move |field| (field.as_ptr() as usize - start, field))
}

fn wrong_number(fields: &[(usize, &str)]) -> ScheduleError {
    let (message, offset) = match fields.len() {
        0 => ("the expression is empty".to_owned(), None),
        1 => ("the expression has one field, not 5 or 6".to_owned(), None),
        number => (format!("the expression has {number} fields, not 5 or 6"), fields.get(6).map(|(offset, _)| *offset)),
    };
    let hint = "write minute, hour, day of the month, month, day of the week, such as `30 6 * * MON-FRI`; a sixth field \
                before them is the second";
    ScheduleError { message, hint: Some(hint.to_owned()), offset }
}

fn no_such(offset: usize, field: &str, name: &str, allowed: &str) -> ScheduleError {
    ScheduleError {
        message: format!("`{field}` is no {name}"),
        hint: Some(format!("a {name} is {allowed}; also `*`, lists `1,3`, ranges `1-5`, steps `*/5`")),
        offset: Some(offset),
    }
}

/// Which field it is that is wrong: the one that is refused among stars.
fn wrong_field(expression: &str, fields: &[(usize, &str)], message: &str) -> ScheduleError {
    let names = FIELDS.iter().skip(FIELDS.len() - fields.len());
    for (number, ((offset, field), (name, allowed))) in fields.iter().zip(names).enumerate() {
        let alone: Vec<_> = (0..fields.len()).map(|at| if at == number { *field } else { "*" }).collect();
        if parse(&alone.join(" ")).is_err() {
            return no_such(*offset, field, name, allowed);
        }
    }
    let message = format!("`{}` is not a cron expression: {message}", expression.trim());
    ScheduleError { message, hint: None, offset: None }
}
