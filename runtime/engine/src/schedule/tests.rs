use super::*;

mod random;
mod zones;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn cron(expression: &str, timezone: &str) -> Schedule {
    Schedule::Cron(Cron::parse(expression, timezone).unwrap_or_else(|error| panic!("{expression}: {error}")))
}

/// The next instants, without seconds where they are 0.
fn next(schedule: &Schedule, after: &str, number: usize) -> Vec<String> {
    let instants = schedule.between(at(after), Timestamp::from_millis(i64::MAX), number);
    instants.iter().map(|instant| instant.to_string().replace(":00.000Z", "Z").replace(".000Z", "Z")).collect()
}

#[test]
fn a_fixed_time_that_the_clock_skips_comes_right_after_and_a_repeated_one_once() {
    let london = cron("30 1 * * *", "Europe/London");
    assert_eq!(next(&london, "2026-03-28T12:00:00Z", 2), ["2026-03-29T01:00Z", "2026-03-30T00:30Z"]);
    assert_eq!(next(&london, "2026-10-24T12:00:00Z", 2), ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]);
    // From between the two that the clock shows, the next one is tomorrow's.
    assert_eq!(next(&london, "2026-10-25T00:45:00Z", 1), ["2026-10-26T01:30Z"]);
    let several = cron("0,30 1,2 * * *", "Europe/London");
    assert_eq!(
        next(&several, "2026-03-28T12:00:00Z", 3),
        ["2026-03-29T01:00Z", "2026-03-29T01:30Z", "2026-03-30T00:00Z"]
    );
}

#[test]
fn a_time_that_is_skipped_across_midnight_comes_on_the_day_after() {
    // On that Saturday the clock of Nuuk goes from 22:59:59 to 00:00:00.
    let nuuk = cron("30 23 * * SAT", "America/Nuuk");
    assert_eq!(next(&nuuk, "2024-03-28T12:00:00Z", 2), ["2024-03-31T01:00Z", "2024-04-07T00:30Z"]);
}

#[test]
fn a_schedule_by_the_wall_clock_runs_through_a_repeated_hour_twice_and_through_a_skipped_one_not_at_all() {
    let london = cron("*/30 1 * * *", "Europe/London");
    assert_eq!(next(&london, "2026-03-28T12:00:00Z", 1), ["2026-03-30T00:00Z"]);
    let autumn = ["2026-10-25T00:00Z", "2026-10-25T00:30Z", "2026-10-25T01:00Z", "2026-10-25T01:30Z"];
    assert_eq!(next(&london, "2026-10-24T12:00:00Z", 4), autumn);
    // The clock of Lord Howe goes back by half an hour.
    let lord_howe = cron("*/15 * * * *", "Australia/Lord_Howe");
    let quarters = ["2026-04-04T14:45Z", "2026-04-04T15:00Z", "2026-04-04T15:15Z"];
    assert_eq!(next(&lord_howe, "2026-04-04T14:30:00Z", 3), quarters);
}

#[test]
fn expressions_of_all_kinds_say_what_they_mean() {
    for (expression, first, second) in [
        ("0 0 * * 1", "2026-01-05T00:00Z", "2026-01-12T00:00Z"),
        ("0 0 * * 0", "2026-01-04T00:00Z", "2026-01-11T00:00Z"),
        ("0 0 * * 7", "2026-01-04T00:00Z", "2026-01-11T00:00Z"),
        ("0 6 * jan,mar MON-FRI", "2026-01-01T06:00Z", "2026-01-02T06:00Z"),
        ("15 10 5 * * *", "2026-01-01T05:10:15Z", "2026-01-02T05:10:15Z"),
        ("*/20 * * * * *", "2026-01-01T00:00:20Z", "2026-01-01T00:00:40Z"),
        ("0 12 L * *", "2026-01-31T12:00Z", "2026-02-28T12:00Z"),
        ("0 12 15W * *", "2026-01-15T12:00Z", "2026-02-16T12:00Z"),
        ("0 12 * * MON#2", "2026-01-12T12:00Z", "2026-02-09T12:00Z"),
        ("0 12 * * FRI#L", "2026-01-30T12:00Z", "2026-02-27T12:00Z"),
        ("0 12 13 * FRI", "2026-01-02T12:00Z", "2026-01-09T12:00Z"),
        ("0 12 13 * +FRI", "2026-02-13T12:00Z", "2026-03-13T12:00Z"),
        ("0 0 29 2 *", "2028-02-29T00:00Z", "2032-02-29T00:00Z"),
        ("@yearly", "2027-01-01T00:00Z", "2028-01-01T00:00Z"),
        ("@monthly", "2026-02-01T00:00Z", "2026-03-01T00:00Z"),
        ("@weekly", "2026-01-04T00:00Z", "2026-01-11T00:00Z"),
        ("@Daily", "2026-01-02T00:00Z", "2026-01-03T00:00Z"),
        (" @midnight ", "2026-01-02T00:00Z", "2026-01-03T00:00Z"),
        ("@hourly", "2026-01-01T01:00Z", "2026-01-01T02:00Z"),
    ] {
        assert_eq!(next(&cron(expression, "UTC"), "2026-01-01T00:00:00Z", 2), [first, second], "{expression}");
    }
}

#[test]
fn a_mistake_says_where_it_is_and_what_to_write() {
    for (expression, message, offset) in [
        ("", "the expression is empty", None),
        ("daily", "the expression has one field, not 5 or 6", None),
        ("0 0 * *", "the expression has 4 fields, not 5 or 6", None),
        ("0 0 0 1 1 * 2030", "the expression has 7 fields, not 5 or 6", Some(12)),
        ("61 0 * * *", "`61` is no minute", Some(0)),
        ("0  25 * * *", "`25` is no hour", Some(3)),
        ("0 0 32 * *", "`32` is no day of the month", Some(4)),
        ("0 0 * 13 *", "`13` is no month", Some(6)),
        ("0 0 * * FUNDAY", "`FUNDAY` is no day of the week", Some(8)),
        ("0 0 * * MON#6", "`MON#6` is no day of the week", Some(8)),
        ("60 0 0 * * *", "`60` is no second", Some(0)),
        ("FRI * * * *", "`FRI` is no minute", Some(0)),
        ("0 JAN * * *", "`JAN` is no hour", Some(2)),
        ("MON-FRI 6 30 * *", "`MON-FRI` is no minute", Some(0)),
        ("0 0 MON * *", "`MON` is no day of the month", Some(4)),
        ("0 0 * FRI *", "`FRI` is no month", Some(6)),
        ("0 0 * * JAN", "`JAN` is no day of the week", Some(8)),
        ("1,2,, * * * *", "`1,2,,` is no minute", Some(0)),
        ("0 0 0/2 * *", "`0/2` is no day of the month", Some(4)),
        ("0 0 30 2 *", "`0 0 30 2 *` never comes: no date matches it", Some(4)),
        ("0 0 31 4,6,9,11 *", "`0 0 31 4,6,9,11 *` never comes: no date matches it", Some(4)),
        ("@reboot", "there is no `@reboot`", Some(0)),
    ] {
        let error = Cron::parse(expression, "UTC").unwrap_err();
        assert_eq!((error.message.as_str(), error.offset), (message, offset), "{expression}");
        assert!(error.hint.is_some(), "{expression}");
    }
    assert!(Cron::parse("@every 5m", "UTC").unwrap_err().hint.unwrap().contains("core.interval"));
}

#[test]
fn an_unknown_time_zone_is_refused_with_the_nearest_one() {
    let error = Cron::parse("0 0 * * *", "Europe/Lodnon").unwrap_err();
    assert_eq!(error.message, "there is no time zone `Europe/Lodnon`");
    assert_eq!(error.hint.unwrap(), "did you mean `Europe/London`?");
    assert_eq!(
        Cron::parse("0 0 * * *", "Mars").unwrap_err().hint.unwrap(),
        "write its IANA name, such as `Europe/Berlin` or `UTC`"
    );
    assert!(Cron::parse("0 0 * * *", "").is_err());
}

#[test]
fn a_description_names_the_time_and_the_zone() {
    let cron = Cron::parse("30 1 * * MON-FRI", "Europe/London").unwrap();
    assert_eq!(cron.describe(), "At 01:30, on Monday, Tuesday, Wednesday, Thursday, and Friday (Europe/London)");
    assert_eq!((cron.expression(), cron.timezone()), ("30 1 * * MON-FRI", "Europe/London"));
}

#[test]
fn an_interval_goes_on_from_its_start_whatever_the_zone() {
    let hours = Schedule::Interval { every_ms: 6 * 3_600_000, start: None };
    assert_eq!(next(&hours, "2026-03-29T00:00:00Z", 2), ["2026-03-29T06:00Z", "2026-03-29T12:00Z"]);
    let from = Schedule::Interval { every_ms: 90_000, start: Some(at("2026-01-01T00:00:10Z")) };
    assert_eq!(next(&from, "2025-06-01T00:00:00Z", 2), ["2026-01-01T00:00:10Z", "2026-01-01T00:01:40Z"]);
    assert_eq!(next(&from, "2026-01-01T00:01:39.999Z", 1), ["2026-01-01T00:01:40Z"]);
    assert_eq!(next(&from, "2026-01-01T00:01:40Z", 1), ["2026-01-01T00:03:10Z"]);
    let before_the_epoch = Schedule::Interval { every_ms: 86_400_000, start: None };
    assert_eq!(next(&before_the_epoch, "1969-12-30T12:00:00Z", 2), ["1969-12-31T00:00Z", "1970-01-01T00:00Z"]);
    for every_ms in [0, -5] {
        assert_eq!(Schedule::Interval { every_ms, start: None }.next_after(at("2026-01-01T00:00:00Z")), None);
    }
    let huge = Schedule::Interval { every_ms: i64::MAX, start: Some(Timestamp::from_millis(i64::MIN)) };
    assert_eq!(huge.next_after(Timestamp::from_millis(i64::MAX)), None);
}

#[test]
fn a_date_comes_once() {
    for (text, timezone, instant) in [
        ("2026-12-24T18:00:00Z", "Europe/Berlin", "2026-12-24T18:00Z"),
        ("2026-12-24T18:00:00+03:00", "Europe/Berlin", "2026-12-24T15:00Z"),
        ("2026-12-24 18:00", "Europe/Berlin", "2026-12-24T17:00Z"),
        ("2026-12-24T18:00:30", "UTC", "2026-12-24T18:00:30Z"),
        ("2026-12-24", "Europe/Berlin", "2026-12-23T23:00Z"),
        ("2026-03-29 01:30", "Europe/London", "2026-03-29T01:00Z"),
        ("2026-10-25 01:30", "Europe/London", "2026-10-25T00:30Z"),
    ] {
        let date = Schedule::date(text, timezone).unwrap();
        // `next` asks again after the first, too.
        assert_eq!(next(&date, "2026-01-01T00:00:00Z", 5), [instant], "{text}");
    }
    for text in ["", "tomorrow", "2026-13-01", "2026-02-30 10:00", "24.12.2026"] {
        let error = Schedule::date(text, "UTC").unwrap_err();
        assert_eq!(error.message, format!("`{text}` is not a moment"));
    }
    assert!(Schedule::date("2026-12-24", "Nowhere").is_err());
}

#[test]
fn between_is_open_at_its_beginning_and_closed_at_its_end() {
    let hourly = cron("0 * * * *", "UTC");
    let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-01-01T03:00:00Z"));
    assert_eq!(hourly.between(from, to, 10).len(), 3);
    assert_eq!(hourly.between(from, to, 2).len(), 2);
    assert_eq!(hourly.between(to, from, 10), []);
    assert_eq!(hourly.next_after(Timestamp::from_millis(i64::MAX)), None);
    assert_eq!(hourly.next_after(Timestamp::from_millis(i64::MIN)), None);
    // Half a second after an instant, and half a second before.
    assert_eq!(hourly.next_after(from.plus_ms(500)), Some(from.plus_ms(3_600_000)));
    assert_eq!(hourly.next_after(from.plus_ms(-500)), Some(from));
}
