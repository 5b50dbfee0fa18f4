//! `core.cron`, `core.interval`, `core.date`, and StackStorm's timers: what is read, and each mistake with the line to write.

use std::time::Duration;

use runner_engine::schedule::Schedule;
use runner_model::Timestamp;
use runner_pack::{OnMissed, Overlap, Scheduled, Trigger, check};

use crate::kit::{Demo, library, said};

fn demo(kind: &str, parameters: &str) -> Demo {
    let demo = Demo::new();
    let text = format!("trigger: {{type: {kind}, parameters: {{{parameters}}}}}\naction: {{ref: core.noop}}\n");
    demo.file("rules/r.yaml", text);
    demo
}

fn trigger(kind: &str, parameters: &str) -> Trigger {
    let demo = demo(kind, parameters);
    let (pack, report) = check(&demo.path(), &library());
    assert!(report.diagnostics.is_empty(), "{kind} {parameters}\n{}", report.plain());
    pack.unwrap().rules["r"].trigger.clone()
}

fn read(kind: &str, parameters: &str) -> Scheduled {
    let Trigger::Schedule(scheduled) = trigger(kind, parameters) else { panic!("{kind} {parameters}") };
    scheduled
}

/// The first two instants of 2026.
fn next(scheduled: &Scheduled) -> [String; 2] {
    let new_year: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let first = scheduled.schedule.next_after(new_year).unwrap();
    let second = scheduled.schedule.next_after(first);
    [first.to_string(), second.map(|second| second.to_string()).unwrap_or_default()]
}

#[test]
fn every_key_of_a_schedule_counts() {
    let all = read(
        "core.cron",
        "expression: 30 6 * * MON, timezone: Europe/Berlin, overlap: cancel_previous, on_missed: all, window: 2d, jitter: 90",
    );
    assert_eq!((all.overlap, all.on_missed), (Overlap::CancelPrevious, OnMissed::All));
    assert_eq!((all.window, all.jitter), (Duration::from_secs(2 * 86_400), Duration::from_secs(90)));
    assert_eq!(all.what, "30 6 * * MON Europe/Berlin");
    assert_eq!(next(&all), ["2026-01-05T05:30:00.000Z", "2026-01-12T05:30:00.000Z"]);
    let plain = read("core.cron", "cron: '@daily'");
    assert_eq!((plain.overlap, plain.on_missed), (Overlap::Allow, OnMissed::Last));
    assert_eq!((plain.window, plain.jitter), (Duration::from_secs(3600), Duration::ZERO));
    assert_eq!(plain.what, "@daily UTC");
    for (word, overlap) in [("skip", Overlap::Skip), ("queue", Overlap::Queue), ("allow", Overlap::Allow)] {
        let read = read("core.interval", &format!("every: 1, overlap: {word}")).overlap;
        assert_eq!((read, read.as_str()), (overlap, word));
    }
    assert_eq!(read("core.interval", "every: 1, on_missed: skip").on_missed.as_str(), "skip");
}

#[test]
fn intervals_and_dates_are_read() {
    for (parameters, every_ms, what) in [
        ("every: 300", 300_000, "every 5m"),
        ("every: 5m", 300_000, "every 5m"),
        ("every: 1.5s", 1_500, "every 1500ms"),
        ("unit: weeks, delta: 2", 1_209_600_000, "every 14d"),
        ("unit: seconds, delta: 30, timezone: Europe/Berlin", 30_000, "every 30s"),
    ] {
        let scheduled = read("core.interval", parameters);
        assert_eq!(scheduled.schedule, Schedule::Interval { every_ms, start: None }, "{parameters}");
        assert_eq!(scheduled.what, what);
    }
    let started = read("core.interval", "every: 1d, start: 2026-01-01T08:00:00, timezone: Europe/Berlin");
    assert_eq!(next(&started), ["2026-01-01T07:00:00.000Z", "2026-01-02T07:00:00.000Z"]);
    assert_eq!(started.what, "every 1d from 2026-01-01T07:00:00.000Z");
    let date = read("core.date", "date: 2027-01-31T08:00:00, timezone: Europe/Berlin");
    assert_eq!(next(&date), ["2027-01-31T07:00:00.000Z", ""]);
    assert_eq!(date.what, "2027-01-31T08:00:00 Europe/Berlin");
    let past = read("core.date", "date: 1999-12-31T00:00:00Z");
    assert!(past.schedule.next_after(Timestamp::from_millis(946_684_800_000)).is_none(), "what is over stays a rule");
}

#[test]
fn triggers_are_called_by_their_own_names() {
    for (kind, parameters, name) in [
        ("core.cron", "expression: 0 0 * * *", "core.cron"),
        ("core.interval", "every: 5", "core.interval"),
        ("core.date", "date: 2027-01-31T08:00:00Z", "core.date"),
        ("core.webhook", "path: a", "core.webhook"),
        ("core.execution_finished", "", "core.execution_finished"),
        ("core.st2.CronTimer", "hour: 5", "core.cron"),
        ("core.st2.IntervalTimer", "unit: days, delta: 1", "core.interval"),
        ("core.st2.DateTimer", "date: 2027-01-31 08:00:00", "core.date"),
        ("core.st2.webhook", "url: a", "core.webhook"),
        ("core.st2.generic.actiontrigger", "", "core.execution_finished"),
    ] {
        assert_eq!(trigger(kind, parameters).reference().as_str(), name, "{kind}");
    }
}

#[test]
fn stackstorm_s_cron_timer_means_what_it_means_there() {
    for (parameters, what, instants) in [
        // 2026 begins on a Thursday.
        ("day_of_week: 0", "0 0 * * MON UTC", ["2026-01-05T00:00:00.000Z", "2026-01-12T00:00:00.000Z"]),
        ("day_of_week: 6, hour: 3", "0 3 * * SUN UTC", ["2026-01-04T03:00:00.000Z", "2026-01-11T03:00:00.000Z"]),
        ("hour: 8", "0 8 * * * UTC", ["2026-01-01T08:00:00.000Z", "2026-01-02T08:00:00.000Z"]),
        ("minute: '*/20'", "*/20 * * * * UTC", ["2026-01-01T00:20:00.000Z", "2026-01-01T00:40:00.000Z"]),
        ("second: 30", "30 * * * * * UTC", ["2026-01-01T00:00:30.000Z", "2026-01-01T00:01:30.000Z"]),
        ("day: last", "0 0 L * * UTC", ["2026-01-31T00:00:00.000Z", "2026-02-28T00:00:00.000Z"]),
        ("day: 2nd tue", "0 0 * * TUE#2 UTC", ["2026-01-13T00:00:00.000Z", "2026-02-10T00:00:00.000Z"]),
        ("day: last fri", "0 0 * * FRI#L UTC", ["2026-01-30T00:00:00.000Z", "2026-02-27T00:00:00.000Z"]),
        ("day: 13, day_of_week: fri", "0 0 13 * +FRI UTC", ["2026-02-13T00:00:00.000Z", "2026-03-13T00:00:00.000Z"]),
        ("month: '*/3', year: '*'", "0 0 1 */3 * UTC", ["2026-04-01T00:00:00.000Z", "2026-07-01T00:00:00.000Z"]),
    ] {
        let scheduled = read("core.st2.CronTimer", parameters);
        assert_eq!((scheduled.what.as_str(), next(&scheduled)), (what, instants.map(str::to_owned)), "{parameters}");
    }
}

#[test]
fn mistakes_in_times_are_found_with_what_to_write() {
    let with = |kind: &str, parameters: &str| said(&demo(kind, parameters));
    let shown = [
        with("core.cron", ""),
        with("core.cron", "expression: 0 8 * *"),
        with("core.cron", "expression: 0 25 * * *"),
        with("core.cron", "expression: 0 0 30 2 *"),
        with("core.cron", "expression: 5"),
        with("core.cron", "expression: '@every 5m'"),
        with("core.cron", "expression: 0 8 * * *, cron: 0 9 * * *"),
        with("core.cron", "expresion: 0 8 * * *"),
        with("core.cron", "schedule: 0 8 * * *"),
        with("core.cron", "expression: 0 8 * * *, timezone: Europe/Berln"),
        with("core.cron", "expression: 0 8 * * *, timezone: 5"),
        with("core.cron", "expression: 0 8 * * *, overlap: skipp"),
        with("core.cron", "expression: 0 8 * * *, on_missed: run"),
        with("core.cron", "expression: 0 8 * * *, window: 1y"),
        with("core.cron", "expression: 0 8 * * *, window: 40d"),
        with("core.cron", "expression: 0 8 * * *, jitter: 2h"),
        with("core.cron", "expression: 0 8 * * *, max_instances: 1"),
        with("core.interval", ""),
        with("core.interval", "every: 0.5"),
        with("core.interval", "every: '300'"),
        with("core.interval", "every: often"),
        with("core.interval", "minutes: 5"),
        with("core.interval", "unit: minute, delta: 5"),
        with("core.interval", "unit: minutes"),
        with("core.interval", "unit: minutes, delta: x"),
        with("core.interval", "unit: seconds, delta: 0"),
        with("core.interval", "every: 5m, unit: minutes, delta: 5"),
        with("core.interval", "every: 5m, start: soon"),
        with("core.date", ""),
        with("core.date", "date: 2027-02-30T00:00:00"),
        with("core.date", "date: 2027"),
        with("core.date", "date: 2027-01-01T00:00:00, timezone: Mars/Olympus"),
        with("core.st2.CronTimer", "day_of_week: 7"),
        with("core.st2.CronTimer", "hour: 25, day_of_week: 0"),
        with("core.st2.CronTimer", "minute: [5]"),
        with("core.st2.CronTimer", "minute: '5 5'"),
        with("core.st2.CronTimer", "year: 2027, hour: 1"),
        with("core.st2.CronTimer", "week: 5"),
        with("core.st2.CronTimer", "month: 2, day: 30"),
        with("core.st2.CronTimer", "dow: 5"),
        with("core.st2.webhook", "path: a"),
    ]
    .join("\n");
    insta::assert_snapshot!("schedule", shown);
}
