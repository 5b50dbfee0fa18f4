//! Which instants of a schedule are due. Pure.
//!
//! An instant that lies back by more than [`limits::SCHEDULE_LATE`] was missed: nobody was there. What becomes of such
//! instants the rule says; of those that lie back further than its window, nothing does. **Where a process has just begun, the
//! newest instant alone counts as on time**: of a schedule that comes every few seconds the others were missed, however
//! short the restart was.

use std::time::Duration;

use runner_engine::schedule::Schedule;
use runner_model::{Timestamp, limits};
use runner_pack::{OnMissed, Scheduled};

use crate::sleep::millis;

/// What is due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// The instants that are to be fired, the earliest first, and whether each was missed.
    pub(crate) instants: Vec<(Timestamp, bool)>,
    /// The last instant that is dealt with thereby; none if nothing has come.
    pub(crate) last: Option<Timestamp>,
    /// More is due than was taken.
    pub(crate) more: bool,
}

/// What has come after `last`, by `now`, to a process that looks since it `began`. A schedule that is put off by chance comes
/// later by `jitter_ms`.
pub(crate) fn due(scheduled: &Scheduled, jitter_ms: i64, last: Timestamp, began: Timestamp, now: Timestamp) -> Due {
    let schedule = &scheduled.schedule;
    let [began, until] = [began, now].map(|moment| moment.plus_ms(jitter_ms.saturating_neg()));
    let Some(newest) = newest(schedule, last, until) else { return Due::default() };
    let late = until.plus_ms(-millis(limits::SCHEDULE_LATE));
    let before = schedule.between(last.max(late), began.min(until), limits::SCHEDULE_BATCH).pop();
    let late = before.map_or(late, |newest| newest.plus_ms(-1));
    let oldest = last.max(until.plus_ms(-millis(scheduled.window)));
    let mut instants = Vec::new();
    match scheduled.on_missed {
        OnMissed::Skip => {}
        // Something that is on time makes up for what was missed before it.
        OnMissed::Last if newest > late => {}
        OnMissed::Last => instants.extend((newest > oldest).then_some((newest, true))),
        OnMissed::All => {
            let missed = schedule.between(oldest, late, limits::SCHEDULE_BATCH);
            instants.extend(missed.into_iter().map(|instant| (instant, true)));
        }
    }
    if let Some((reached, _)) = instants.last().filter(|_| instants.len() >= limits::SCHEDULE_BATCH) {
        let last = Some(*reached);
        return Due { instants, last, more: true };
    }
    // At most one a second since a minute.
    let on_time = schedule.between(last.max(late), until, limits::SCHEDULE_BATCH);
    let (last, more) = match on_time.last().filter(|_| on_time.len() >= limits::SCHEDULE_BATCH) {
        Some(reached) => (*reached, *reached < newest),
        None => (newest, false),
    };
    instants.extend(on_time.into_iter().map(|instant| (instant, false)));
    Due { instants, last: Some(last), more }
}

/// The newest instant after `after`, up to and including `until`: looked for from the end, since there may be millions.
fn newest(schedule: &Schedule, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
    if schedule.next_after(after)? > until {
        return None;
    }
    let mut span = millis(limits::SCHEDULE_LATE);
    loop {
        let from = after.max(until.plus_ms(-span));
        if let Some(newest) = schedule.between(from, until, usize::MAX).pop() {
            return Some(newest);
        }
        if from == after {
            return None;
        }
        span = span.saturating_mul(2);
    }
}

/// By how much a rule's schedule is put off: always the same, and another for another rule.
pub(crate) fn jitter(rule: &str, most: Duration) -> i64 {
    let most = millis(most);
    if most <= 0 {
        return 0;
    }
    // FNV-1a: spreads short names well enough, and is the same in every version.
    let hash = rule
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    i64::try_from(hash % most.unsigned_abs().max(1)).unwrap_or(0)
}
