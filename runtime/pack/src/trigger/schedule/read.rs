//! Reads the parameters of triggers of time.

use std::time::Duration;

use runner_engine::schedule::{Cron, Schedule, ScheduleError};
use runner_model::{Timestamp, code, limits};

use super::{OnMissed, Overlap, Scheduled};
use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, wrong_type};
use crate::source::Span;
use crate::suggest;
use crate::time::{self, Range};
use crate::trigger::Trigger;
use crate::trigger::signature::one_of;
use crate::yaml::{Kind, Node};

const WINDOW: Range = Range { min: Duration::ZERO, max: limits::SCHEDULE_WINDOW_MAX, example: "1h" };
const JITTER: Range = Range { min: Duration::ZERO, max: limits::SCHEDULE_JITTER_MAX, example: "30" };
const EVERY: Range = Range { min: limits::SCHEDULE_INTERVAL_MIN, max: limits::FLOW_TIME_MAX, example: "5m" };

const UTC: &str = "UTC";

/// Keys that belong to another trigger of time, or to other schedulers.
const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("schedule", "write `expression: 0 8 * * 1-5`"),
        ("tz", "write `timezone`"),
        ("time_zone", "write `timezone`"),
        ("seconds", "write `every: 30`, a number of seconds, or `every: 5m`"),
        ("minutes", "write `every: 5m`"),
        ("hours", "write `every: 1h`"),
        ("interval", "write `every: 5m`"),
        ("at", "write `date: 2027-01-31T08:00:00`"),
        ("catchup", "write `on_missed: all`, `last` or `skip`"),
        ("catch_up", "write `on_missed: all`, `last` or `skip`"),
        ("catchup_window", "write `window: 1h`"),
        ("misfire_grace_time", "write `window: 1h`"),
        ("max_instances", "write `overlap: skip`"),
        ("concurrency_policy", "write `overlap: allow`, `skip`, `queue` or `cancel_previous`"),
    ],
};

/// Reads the parameters of `core.cron`.
pub(in crate::trigger) fn cron(file: &Document<'_>, mut fields: Fields<'_>) -> Option<Trigger> {
    let (expression, other) = (fields.get("expression"), fields.get("cron"));
    if let (Some(_), Some(node)) = (expression, other) {
        let mistake = Mistake::new(code::PACK_BAD_VALUE, node.span, "`cron` and `expression` are the same key");
        file.add(mistake.hint("remove one of the two"));
    }
    let key = if other.is_some() && expression.is_none() { "cron" } else { "expression" };
    let text = fields.text(key);
    let text = fields.require(key, text, "0 8 * * 1-5");
    let zone = timezone(file, &mut fields);
    let schedule = text.zip(expression.or(other)).zip(zone).and_then(|((text, node), zone)| {
        let schedule = checked(file, node, text, Cron::parse(text, zone).map(Schedule::Cron))?;
        Some((schedule, format!("{} {zone}", text.trim())))
    });
    finish(file, fields, schedule)
}

/// Reads the parameters of `core.interval`, and of StackStorm's `IntervalTimer`.
pub(in crate::trigger) fn interval(file: &Document<'_>, mut fields: Fields<'_>) -> Option<Trigger> {
    let every = every(file, &mut fields);
    let zone = timezone(file, &mut fields);
    let start = fields.get("start").zip(zone).and_then(|(node, zone)| instant(file, node, "start", zone));
    let schedule = every.map(|every| {
        let every_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
        let since = start.map(|start| format!(" from {start}")).unwrap_or_default();
        (Schedule::Interval { every_ms, start }, format!("every {}{since}", time::shown(every)))
    });
    finish(file, fields, schedule)
}

/// `every`, or StackStorm's `unit` and `delta`.
fn every(file: &Document<'_>, fields: &mut Fields<'_>) -> Option<Duration> {
    let (unit_place, delta_place) = (fields.place_of("unit"), fields.place_of("delta"));
    let (unit, delta) = (fields.get("unit"), fields.get("delta"));
    let every = fields.get("every");
    if unit.is_none() && delta.is_none() {
        let every = every.map(|node| time::value(file, node, "every", &EVERY));
        return fields.require("every", every, "5m").flatten();
    }
    if let Some(node) = every {
        let message = "an interval has either `every`, or `unit` and `delta`";
        file.add(Mistake::new(code::PACK_BAD_VALUE, node.span, message).hint("remove `unit` and `delta`"));
    }
    const NAMES: [&str; 5] = ["weeks", "days", "hours", "minutes", "seconds"];
    let word = fields.text("unit");
    let unit = fields.require("unit", word, "minutes").and_then(|word| {
        let known = NAMES.contains(&word);
        if !known {
            let message = format!("there is no unit `{word}`");
            let hint = suggest::hint(word, NAMES, "units are");
            file.add(Mistake::new(code::PACK_BAD_VALUE, unit_place, message).maybe_hint(hint));
        }
        time::unit(word).filter(|_| known)
    });
    let count = delta.and_then(|node| match &node.kind {
        Kind::Number(number) => number.as_u64(),
        _ => None,
    });
    if let (Some(node), None) = (delta, count) {
        file.add(wrong_type(node, "delta", "a whole number").hint("write `delta: 5`"));
    }
    let count = fields.require("delta", count, "5");
    let (unit, count) = unit.zip(count)?;
    let every = time::checked(unit * count as f64, &EVERY);
    if every.is_none() {
        let message = format!("an interval is from {} to {}", time::shown(EVERY.min), time::shown(EVERY.max));
        file.add(Mistake::new(code::PACK_BAD_VALUE, delta_place, message).hint("write `delta: 5`"));
    }
    every
}

/// Reads the parameters of `core.date`, and of StackStorm's `DateTimer`.
pub(in crate::trigger) fn date(file: &Document<'_>, mut fields: Fields<'_>) -> Option<Trigger> {
    let zone = timezone(file, &mut fields);
    let node = fields.get("date");
    let date = node.zip(zone).map(|(node, zone)| instant(file, node, "date", zone));
    let is_there = node.map(|_| ());
    fields.require("date", is_there, "2027-01-31T08:00:00");
    let schedule = date.flatten().map(|date| {
        let written = node.and_then(Node::as_text).unwrap_or_default().trim();
        (Schedule::Date(date), format!("{written} {}", zone.unwrap_or(UTC)))
    });
    finish(file, fields, schedule)
}

/// What every trigger of time has, and the mistakes of the keys that it does not.
pub(super) fn finish(
    file: &Document<'_>,
    mut fields: Fields<'_>,
    schedule: Option<(Schedule, String)>,
) -> Option<Trigger> {
    let overlap = one_of(file, &mut fields, "overlap", &Overlap::WORDS).unwrap_or_default();
    let on_missed = one_of(file, &mut fields, "on_missed", &OnMissed::WORDS).unwrap_or_default();
    let window = time::read(file, &mut fields, "window", &WINDOW).unwrap_or(limits::SCHEDULE_WINDOW);
    let jitter = time::read(file, &mut fields, "jitter", &JITTER).unwrap_or_default();
    fields.finish(&FOREIGN);
    let (schedule, what) = schedule?;
    Some(Trigger::Schedule(Scheduled { schedule, what, overlap, on_missed, window, jitter }))
}

/// The name of the time zone; none if there is no such zone, which is reported.
pub(super) fn timezone<'a>(file: &Document<'_>, fields: &mut Fields<'a>) -> Option<&'a str> {
    let Some(node) = fields.get("timezone") else { return Some(UTC) };
    let zone = fields.text("timezone")?;
    // Every minute is a schedule in every zone: what is wrong is the zone.
    match Cron::parse("* * * * *", zone) {
        Ok(_) => Some(zone),
        Err(error) => {
            report(file, node, &error);
            None
        }
    }
}

fn instant(file: &Document<'_>, node: &Node, key: &'static str, zone: &str) -> Option<Timestamp> {
    let Some(text) = node.as_text() else {
        file.add(wrong_type(node, key, "a date and time").hint(format!("write `{key}: 2027-01-31T08:00:00`")));
        return None;
    };
    match checked(file, node, text, Schedule::date(text, zone))? {
        Schedule::Date(instant) => Some(instant),
        _ => None,
    }
}

/// The schedule, if it is one and comes at all.
fn checked(file: &Document<'_>, node: &Node, text: &str, read: Result<Schedule, ScheduleError>) -> Option<Schedule> {
    /// When to look from: early enough that no schedule lies before it, and a year from which the calendar repeats.
    const BEGINNING: Timestamp = Timestamp::from_millis(0);
    match read {
        Ok(schedule) if matches!(schedule, Schedule::Date(_)) || schedule.next_after(BEGINNING).is_some() => {
            Some(schedule)
        }
        Ok(_) => {
            let message = format!("`{text}` never comes");
            file.add(Mistake::new(code::RULE_SCHEDULE, node.span, message));
            None
        }
        Err(error) => {
            report(file, node, &error);
            None
        }
    }
}

fn report(file: &Document<'_>, node: &Node, error: &ScheduleError) {
    let span: Span = match error.offset {
        Some(offset) => node.locate(file.source.text(), offset, 0),
        None => node.span,
    };
    file.add(Mistake::new(code::RULE_SCHEDULE, span, error.message.clone()).maybe_hint(error.hint.clone()));
}
