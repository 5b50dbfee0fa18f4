//! Which instants are due, compared with all instants there are.

use std::time::Duration;

use runner_engine::schedule::{Cron, Schedule};
use runner_model::{Entropy, SeededEntropy, Timestamp};
use runner_pack::{OnMissed, Overlap, Scheduled};

use super::due::{due, jitter};

fn scheduled(schedule: Schedule, on_missed: OnMissed, window_s: u64) -> Scheduled {
    Scheduled {
        schedule,
        what: String::new(),
        overlap: Overlap::Allow,
        on_missed,
        window: Duration::from_secs(window_s),
        jitter: Duration::ZERO,
    }
}

const MINUTE_MS: i64 = 60_000;
/// When a process began that was there all the time.
const LONG_AGO: Timestamp = Timestamp::from_millis(0);

/// Everything that comes of a schedule between two moments, as one process after the other sees it.
fn fired(scheduled: &Scheduled, mut last: Timestamp, now: Timestamp) -> Vec<(Timestamp, bool)> {
    let mut all = Vec::new();
    loop {
        let found = due(scheduled, 0, last, LONG_AGO, now);
        all.extend(found.instants);
        last = found.last.unwrap_or(last);
        if !found.more {
            return all;
        }
    }
}

#[test]
fn what_is_due_is_what_a_look_at_every_instant_finds() {
    let chance = SeededEntropy::new(7);
    let draw = |bound: i64| i64::from(u16::from_be_bytes([chance.ten_bytes()[0], chance.ten_bytes()[1]])) % bound;
    let crons = ["* * * * *", "*/7 * * * *", "0 3 * * *", "30 2 * * 1", "*/20 * * * * *"];
    for round in 0..400 {
        let schedule = match round % 6 {
            5 => Schedule::Interval { every_ms: 1000 * (1 + draw(5000)), start: None },
            n => Schedule::Cron(Cron::parse(crons[usize::try_from(n).unwrap()], "Europe/Berlin").unwrap()),
        };
        let last = Timestamp::from_millis(1_795_000_000_000 + draw(60_000) * 1000);
        let now = last.plus_ms(draw(3000) * MINUTE_MS / 3);
        let window_s = u64::try_from(draw(40_000)).unwrap() + 1;
        let every = schedule.between(last, now, usize::MAX);
        let is_missed = |instant: &Timestamp| now.since_ms(*instant) >= MINUTE_MS;
        let on_time: Vec<_> = every.iter().filter(|one| !is_missed(one)).map(|one| (*one, false)).collect();
        let in_window = |instant: &&Timestamp| now.since_ms(**instant) < i64::try_from(window_s).unwrap() * 1000;
        let missed: Vec<_> =
            every.iter().filter(|one| is_missed(one)).filter(in_window).map(|one| (*one, true)).collect();
        let of = |on_missed| fired(&scheduled(schedule.clone(), on_missed, window_s), last, now);
        assert_eq!(of(OnMissed::Skip), on_time, "round {round}");
        assert_eq!(of(OnMissed::All), [missed.clone(), on_time.clone()].concat(), "round {round}");
        let last_one = if on_time.is_empty() { missed.last().copied().into_iter().collect() } else { on_time };
        assert_eq!(of(OnMissed::Last), last_one, "round {round}");
        let found = due(&scheduled(schedule, OnMissed::Skip, window_s), 0, last, LONG_AGO, now);
        assert_eq!(found.last, every.last().copied(), "round {round}");
    }
}

#[test]
fn of_what_came_before_a_process_began_only_the_newest_is_on_time() {
    let last = Timestamp::from_millis(1_795_000_000_000);
    let at = |seconds: i64| last.plus_ms(seconds * 1000);
    let every_five =
        |on_missed, window_s| scheduled(Schedule::Interval { every_ms: 5000, start: Some(last) }, on_missed, window_s);
    // It was away for 22 s, and looks 6 s later.
    let of = |on_missed, window_s| due(&every_five(on_missed, window_s), 0, last, at(22), at(28)).instants;
    let on_time = [(at(20), false), (at(25), false)];
    assert_eq!(of(OnMissed::Skip, 3600), on_time);
    assert_eq!(of(OnMissed::Last, 3600), on_time);
    assert_eq!(of(OnMissed::All, 3600), [&[(at(5), true), (at(10), true), (at(15), true)], &on_time[..]].concat());
    assert_eq!(of(OnMissed::All, 14), [&[(at(15), true)], &on_time[..]].concat());
    // What is put off is not there before.
    let put_off = due(&every_five(OnMissed::Skip, 3600), 3000, last, at(22), at(22)).instants;
    assert_eq!(put_off, [(at(15), false)]);
    // It came back later than what is still on time.
    let of = |on_missed| due(&every_five(on_missed, 3600), 0, last, at(100), at(100)).instants;
    assert_eq!(of(OnMissed::Skip), [(at(100), false)]);
    assert_eq!(of(OnMissed::Last), [(at(100), false)]);
}

#[test]
fn a_clock_behind_the_last_instant_makes_nothing_due() {
    let schedule = scheduled(Schedule::Interval { every_ms: 1000, start: None }, OnMissed::All, 3600);
    let last = Timestamp::from_millis(1_795_000_000_000);
    assert_eq!(due(&schedule, 0, last, LONG_AGO, last.plus_ms(-86_400_000)).last, None);
    assert_eq!(due(&schedule, 5000, last, LONG_AGO, last.plus_ms(5999)).last, None);
    assert_eq!(due(&schedule, 5000, last, LONG_AGO, last.plus_ms(6000)).last, Some(last.plus_ms(1000)));
}

#[test]
fn jitter_stays_within_its_bound_and_differs_between_rules() {
    let most = Duration::from_secs(60);
    let all: Vec<_> = (0..100).map(|n| jitter(&format!("t.rule{n}"), most)).collect();
    assert!(all.iter().all(|one| (0..60_000).contains(one)));
    assert!(all.iter().any(|one| *one < 20_000) && all.iter().any(|one| *one > 40_000));
    assert_eq!(jitter("t.rule1", Duration::ZERO), 0);
}
