//! Every time zone, every change of its clock from 2020 to 2040, against a scan of the wall clock.
//!
//! The scan knows nothing of cron, of skipped and of repeated times: it only reads the wall clock minute by minute. Each
//! shape of schedule stands here twice, as an expression and as a condition on what the clock shows.
//!
//! Zones that show the same in those years are one. `RUNNER_CRON_HOURS=n` (30 without it, so that there is a whole day on
//! each side) scans so many hours before and after each change.

use std::collections::BTreeMap;

use jiff::civil::{DateTime, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp as Instant, ToSpan};

use super::super::zone;
use super::*;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// What a wall clock shows, at instants that follow on one another evenly.
struct Scan {
    step: i64,
    shown: Vec<(Instant, DateTime)>,
    /// The latest time that the clock has shown so far.
    latest: Vec<DateTime>,
}

impl Scan {
    fn of(zone: &TimeZone, around: Instant, reach: i64, step: i64) -> Self {
        let times = (-reach..=reach).step_by(usize::try_from(step).unwrap());
        let instants = times.map(|seconds| around + SignedDuration::from_secs(seconds));
        let shown: Vec<_> = instants.map(|instant| (instant, zone.to_datetime(instant))).collect();
        let latest = shown.iter().scan(DateTime::MIN, |latest, (_, shown)| {
            *latest = (*latest).max(*shown);
            Some(*latest)
        });
        Self { step, latest: latest.collect(), shown }
    }

    /// Instants at which the clock shows a time that matches.
    fn whenever(&self, matches: impl Fn(DateTime) -> bool) -> Vec<Instant> {
        self.shown.iter().filter(|(_, shown)| matches(*shown)).map(|(instant, _)| *instant).collect()
    }

    /// For each day of the calendar that matches, and each of the times of day: the first instant at which the clock
    /// shows that time or a later one.
    fn once_a_day(&self, times: &[(i8, i8, i8)], matches: impl Fn(DateTime) -> bool) -> Vec<Instant> {
        let (first, last) = (self.shown[0].1, self.shown[self.shown.len() - 1].1);
        let days = first.date().series(1.day()).take_while(|day| *day <= last.date());
        let due = days.flat_map(|day| times.iter().map(move |(h, m, s)| day.at(*h, *m, *s, 0)));
        let due = due.filter(|due| *due > first && matches(*due));
        let reached = |due: DateTime| self.shown.get(self.latest.partition_point(|latest| *latest < due));
        let mut instants: Vec<_> = due.filter_map(|due| reached(due).map(|(instant, _)| *instant)).collect();
        instants.dedup();
        instants
    }

    fn compare(&self, expression: &str, name: &str, expected: &[Instant]) {
        let (from, to) = (self.shown[0].0, self.shown[self.shown.len() - 1].0);
        let millis = |instant: Instant| Timestamp::from_millis(instant.as_millisecond());
        let found = cron(expression, name).between(millis(from), millis(to), usize::MAX);
        assert!(found.is_sorted_by(|earlier, later| earlier < later), "{expression} in {name}: {found:?}");
        let expected: Vec<_> =
            expected.iter().filter(|instant| **instant > from).map(|instant| millis(*instant)).collect();
        if found != expected {
            let missing: Vec<_> = expected.iter().filter(|instant| !found.contains(instant)).collect();
            let extra: Vec<_> = found.iter().filter(|instant| !expected.contains(instant)).collect();
            panic!("{expression} in {name}, from {from} by {} s: missing {missing:?}, too many {extra:?}", self.step);
        }
    }
}

/// A change of a zone's clock.
struct Change {
    instant: Instant,
    before: Offset,
    after: Offset,
}

fn changes(zone: &TimeZone) -> Vec<Change> {
    let (first, last) = ("2020-01-01T00:00:00Z".parse().unwrap(), "2041-01-01T00:00:00Z".parse::<Instant>().unwrap());
    let mut before = zone.to_offset(first);
    let mut changes = Vec::new();
    for transition in zone.following(first).take_while(|transition| transition.timestamp() < last) {
        let (instant, after) = (transition.timestamp(), transition.offset());
        if after != before {
            changes.push(Change { instant, before, after });
        }
        before = after;
    }
    changes
}

/// One name for all zones that show the same.
fn zones() -> Vec<(String, TimeZone, Vec<Change>)> {
    let mut different = BTreeMap::new();
    let mut number = 0;
    for name in zone::database().available() {
        let zone = zone::database().get(name.as_str()).unwrap();
        let changes = changes(&zone);
        let moments: Vec<_> = changes.iter().map(|change| (change.instant, change.after)).collect();
        let key = (zone.to_offset("2020-01-01T00:00:00Z".parse().unwrap()), moments);
        different.entry(key).or_insert_with(|| (name.to_string(), zone, changes));
        number += 1;
    }
    assert!(number > 500, "the database has only {number} zones");
    different.into_values().collect()
}

#[allow(clippy::disallowed_methods, reason = "a longer run of a test is asked for by hand")]
fn hours() -> i64 {
    std::env::var("RUNNER_CRON_HOURS").ok().and_then(|hours| hours.parse().ok()).unwrap_or(30)
}

#[test]
fn every_zone_runs_each_shape_of_schedule_as_its_wall_clock_says() {
    let hours = hours();
    let mut seen = 0;
    for (name, zone, changes) in zones() {
        for change in &changes {
            look_around(&name, &zone, change, hours);
            seen += 1;
        }
        if changes.is_empty() {
            let instant = "2030-03-31T01:00:00Z".parse().unwrap();
            let offset = zone.to_offset(instant);
            look_around(&name, &zone, &Change { instant, before: offset, after: offset }, hours);
        }
        if name == "Australia/Lord_Howe" {
            let halves = changes.iter().all(|change| (change.after.seconds() - change.before.seconds()).abs() == 1800);
            assert!(halves && changes.len() == 42, "the clock of Lord Howe changes by half an hour, twice a year");
        }
    }
    assert!(seen > 1000, "only {seen} changes were looked at");
}

fn look_around(name: &str, zone: &TimeZone, change: &Change, hours: i64) {
    // The middle of what is skipped or repeated, in whole minutes.
    let shift = i64::from(change.after.seconds() - change.before.seconds());
    let middle = change.before.to_datetime(change.instant) + SignedDuration::from_secs(shift / 2 / MINUTE * MINUTE);
    let (hour, minute) = (middle.hour(), middle.minute());
    let weekday = middle.weekday();
    let (number, nth) = (weekday.to_sunday_zero_offset(), (middle.day() + 6) / 7);
    let at_that_time = [(hour, minute, 0)];
    let on_that_weekday = |shown: DateTime| shown.weekday() == weekday;

    let scan = Scan::of(zone, change.instant, hours * HOUR, MINUTE);
    let fixed = |expression: &str, times: &[_], matches: &dyn Fn(DateTime) -> bool| {
        scan.compare(expression, name, &scan.once_a_day(times, matches));
    };
    let flowing = |expression: &str, matches: &dyn Fn(DateTime) -> bool| {
        scan.compare(expression, name, &scan.whenever(matches));
    };
    fixed(&format!("{minute} {hour} * * *"), &at_that_time, &|_| true);
    fixed(&format!("{minute} {hour} * * {number}"), &at_that_time, &on_that_weekday);
    fixed(&format!("{minute} {hour} L * *"), &at_that_time, &|shown| shown.date() == shown.date().last_of_month());
    fixed(&format!("{minute} {hour} * * {number}#{nth}"), &at_that_time, &|shown| {
        on_that_weekday(shown) && (shown.day() + 6) / 7 == nth
    });
    fixed(&format!("0,30 {hour} * * MON-SUN"), &[(hour, 0, 0), (hour, 30, 0)], &|_| true);
    flowing("0 * * * *", &|shown| shown.minute() == 0);
    flowing("*/15 * * * *", &|shown| shown.minute() % 15 == 0);
    let last = (hour + 1).min(23);
    flowing(&format!("* {hour}-{last} * * SUN"), &|shown| {
        (hour..=last).contains(&shown.hour()) && shown.weekday() == Weekday::Sunday
    });

    let scan = Scan::of(zone, change.instant, 3 * HOUR, 15);
    let seconds = |shown: DateTime| matches!(shown.second(), 15 | 45) && shown.minute() % 10 == 0;
    scan.compare("15,45 */10 * * * *", name, &scan.whenever(seconds));
    scan.compare(&format!("15 {minute} {hour} * * *"), name, &scan.once_a_day(&[(hour, minute, 15)], |_| true));
}
