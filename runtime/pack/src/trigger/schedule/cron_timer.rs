//! StackStorm's `CronTimer`: the fields of APScheduler, which are not those of crontab, as a cron expression.
//!
//! Fields below the least one that is given count as their minimum, the others as `*`. Days of the week are counted from
//! Monday, which is 0. A day of the month and one of the week must both fit.

use runner_engine::schedule::{Cron, Schedule, ScheduleError};
use runner_model::code;

use super::read::{finish, timezone};
use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, wrong_type};
use crate::source::Span;
use crate::trigger::Trigger;
use crate::yaml::{Kind, Node};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const NTH: [&str; 5] = ["1st", "2nd", "3rd", "4th", "5th"];

/// The fields that make up an expression, the greatest first, with their minimum.
const FIELDS: [(&str, &str); 6] =
    [("month", "1"), ("day", "1"), ("day_of_week", "*"), ("hour", "0"), ("minute", "0"), ("second", "0")];

/// The same in the order of an expression.
const IN_CRON: [&str; 6] = ["second", "minute", "hour", "day", "month", "day_of_week"];

/// A field that was given.
struct Given {
    key: &'static str,
    span: Span,
    /// What it is in an expression; none if it was reported.
    text: Option<String>,
}

/// Reads the parameters.
pub(in crate::trigger) fn read(file: &Document<'_>, mut fields: Fields<'_>) -> Option<Trigger> {
    refuse_unsupported(file, &mut fields);
    let zone = timezone(file, &mut fields);
    let mut given = Vec::new();
    for (key, _) in FIELDS {
        let Some(node) = fields.get(key) else { continue };
        given.push(Given { key, span: node.span, text: field(file, node, key) });
    }
    let is_whole = given.iter().all(|field| field.text.is_some());
    let schedule = zone.filter(|_| is_whole).and_then(|zone| {
        let expression = expression(&given);
        match Cron::parse(&expression, zone) {
            Ok(cron) => Some((Schedule::Cron(cron), format!("{expression} {zone}"))),
            Err(error) => {
                report(file, &given, &expression, &error);
                None
            }
        }
    });
    finish(file, fields, schedule)
}

fn refuse_unsupported(file: &Document<'_>, fields: &mut Fields<'_>) {
    for (key, hint) in [
        ("year", "remove it; what comes once is `type: core.date`"),
        ("week", "remove it, and look at the date in the rule's `when`"),
    ] {
        let Some(node) = fields.get(key).filter(|node| node.as_text() != Some("*")) else { continue };
        let message = format!("`{key}` is not supported by this version of runner");
        file.add(Mistake::new(code::PACK_NOT_SUPPORTED, node.span, message).hint(hint));
    }
}

fn field(file: &Document<'_>, node: &Node, key: &'static str) -> Option<String> {
    let text = match &node.kind {
        Kind::Number(number) => number.to_string(),
        Kind::Text(text, _) => text.trim().to_ascii_lowercase(),
        _ => {
            file.add(wrong_type(node, key, "a number or an expression such as `*/5`"));
            return None;
        }
    };
    let meant = match key {
        "day" => day(&text),
        "day_of_week" => days_of_week(&text),
        _ => is_plain(&text).then(|| text.clone()),
    };
    if meant.is_none() {
        let message = format!("`{text}` is not a `{key}` of a cron timer");
        let hint = match key {
            "day_of_week" => "write names or numbers from 0 (Monday) to 6 (Sunday): `mon-fri`, `0-4`, `5,6`",
            "day" => "write days: `1`, `1,15`, `*/5`, `last`, `2nd tue`, `last fri`",
            _ => "write numbers: `5`, `1,15`, `1-5`, `*/10`",
        };
        file.add(Mistake::new(code::RULE_SCHEDULE, node.span, message).hint(hint));
    }
    meant
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '*' | ',' | '-' | '/'))
}

/// A day of the month; what names a day of the week is kept with a `#` for that field.
fn day(text: &str) -> Option<String> {
    if text == "last" {
        return Some("L".to_owned());
    }
    let Some((nth, name)) = text.split_once(' ') else { return is_plain(text).then(|| text.to_owned()) };
    let name = DAYS.contains(&name.trim()).then(|| name.trim().to_ascii_uppercase())?;
    if nth == "last" {
        return Some(format!("{name}#L"));
    }
    let nth = NTH.iter().position(|known| *known == nth)?;
    Some(format!("{name}#{}", nth + 1))
}

/// Days of the week by their names, one by one: numbers and ranges count otherwise in cron.
fn days_of_week(text: &str) -> Option<String> {
    if text == "*" {
        return Some(text.to_owned());
    }
    let mut wanted = [false; DAYS.len()];
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<usize>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (0, DAYS.len() - 1),
            Some((first, last)) => (day_of_week(first)?, day_of_week(last)?),
            None => (day_of_week(range)?, day_of_week(range)?),
        };
        if first > last {
            return None;
        }
        wanted.iter_mut().take(last + 1).skip(first).step_by(step).for_each(|day| *day = true);
    }
    let names = DAYS.iter().zip(wanted).filter(|(_, wanted)| *wanted).map(|(name, _)| name.to_ascii_uppercase());
    Some(names.collect::<Vec<_>>().join(","))
}

fn day_of_week(text: &str) -> Option<usize> {
    let number = || text.parse::<usize>().ok().filter(|number| *number < DAYS.len());
    DAYS.iter().position(|name| *name == text).or_else(number)
}

fn expression(given: &[Given]) -> String {
    let least = FIELDS.iter().rposition(|(key, _)| given.iter().any(|field| field.key == *key));
    let text = |wanted: &str| {
        let at = FIELDS.iter().position(|(key, _)| *key == wanted);
        let written = given.iter().find(|field| field.key == wanted).and_then(|field| field.text.clone());
        let minimum = at.and_then(|at| FIELDS.get(at)).map_or("*", |(_, minimum)| *minimum);
        written.unwrap_or_else(|| if least.is_some() && at > least { minimum } else { "*" }.to_owned())
    };
    let (mut day, mut of_week) = (text("day"), text("day_of_week"));
    if day.contains('#') {
        (day, of_week) = match of_week.as_str() {
            "*" => ("*".to_owned(), day),
            _ => (day, of_week),
        };
    } else if day != "*" && of_week != "*" {
        of_week = format!("+{of_week}");
    }
    let second = text("second");
    let second = if second == "0" { String::new() } else { format!("{second} ") };
    format!("{second}{} {} {day} {} {of_week}", text("minute"), text("hour"), text("month"))
}

/// Reports a mistake in an expression that does not stand in the file, at the field that it was made of.
fn report(file: &Document<'_>, given: &[Given], expression: &str, error: &ScheduleError) {
    let before = error.offset.and_then(|offset| expression.get(..offset)).unwrap_or_default();
    let number = before.split_whitespace().count() + IN_CRON.len() - expression.split_whitespace().count();
    let field = IN_CRON.get(number).and_then(|key| given.iter().find(|field| field.key == *key));
    let span = field.or_else(|| given.first()).map_or_else(Span::default, |field| field.span);
    file.add(Mistake::new(code::RULE_SCHEDULE, span, error.message.clone()).maybe_hint(error.hint.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &[(&'static str, &str)]) -> Option<String> {
        let mut given = Vec::new();
        for (key, _) in FIELDS {
            let Some((_, text)) = fields.iter().find(|(name, _)| *name == key) else { continue };
            let text = match key {
                "day" => day(text),
                "day_of_week" => days_of_week(text),
                _ => Some((*text).to_owned()),
            };
            given.push(Given { key, span: Span::default(), text: Some(text?) });
        }
        Some(expression(&given))
    }

    #[test]
    fn fields_below_the_least_that_is_given_are_their_minimum() {
        for (fields, expected) in [
            (&[][..], "* * * * * *"),
            (&[("second", "*/10")], "*/10 * * * * *"),
            (&[("minute", "30")], "30 * * * *"),
            (&[("hour", "8")], "0 8 * * *"),
            (&[("day_of_week", "0")], "0 0 * * MON"),
            (&[("day_of_week", "6"), ("hour", "3"), ("minute", "15")], "15 3 * * SUN"),
            (&[("month", "*/3")], "0 0 1 */3 *"),
            (&[("day", "1"), ("minute", "20")], "20 * 1 * *"),
            (&[("day", "13"), ("day_of_week", "fri")], "0 0 13 * +FRI"),
        ] {
            assert_eq!(of(fields).as_deref(), Some(expected), "{fields:?}");
        }
    }

    #[test]
    fn days_are_counted_from_monday_and_named() {
        for (text, expected) in [
            ("0-4", Some("0 0 * * MON,TUE,WED,THU,FRI")),
            ("5,6", Some("0 0 * * SAT,SUN")),
            ("*/2", Some("0 0 * * MON,WED,FRI,SUN")),
            ("mon-wed", Some("0 0 * * MON,TUE,WED")),
            ("7", None),
            ("sat-mon", None),
            ("*/0", None),
            ("", None),
        ] {
            assert_eq!(of(&[("day_of_week", text)]).as_deref(), expected, "{text}");
        }
        for (text, expected) in [
            ("last", Some("0 0 L * *")),
            ("2nd tue", Some("0 0 * * TUE#2")),
            ("last fri", Some("0 0 * * FRI#L")),
            ("6th mon", None),
            ("1st day", None),
        ] {
            assert_eq!(of(&[("day", text)]).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_made_is_an_expression() {
        let fields: [&[(&str, &str)]; 6] = [
            &[("day", "13"), ("day_of_week", "mon,fri")],
            &[("day", "last fri")],
            &[("day", "2nd tue")],
            &[("day", "last")],
            &[("day_of_week", "*/2"), ("second", "5")],
            &[],
        ];
        for fields in fields {
            let expression = of(fields).unwrap();
            assert!(Cron::parse(&expression, "UTC").is_ok(), "{expression}");
        }
    }
}
