//! Schedules: one task that sleeps until the next instant of any of them.
//!
//! It also looks when the rules have changed, and now and then, since clocks are set and machines sleep. **An instant is
//! an event with the instant as its key**, recorded in one commit with the mark of how far its schedule has come: it
//! comes once, whatever the clock does.

mod due;
mod mark;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use runner_model::{RuleRef, Timestamp, limits};
use runner_pack::Scheduled;
use runner_store::{Advance, NewEvent, StoreError};
use serde_json::json;

use self::mark::Mark;
use crate::ScheduleState;
use crate::examine::Occurrence;
use crate::shared::Shared;
use crate::sleep;
use crate::table::{Member, Table};

/// Schedules that are at work.
#[derive(Default)]
pub(crate) struct Timetable {
    planned: Mutex<BTreeMap<RuleRef, Planned>>,
    /// The rules that they are of.
    followed: Mutex<Option<Arc<Table>>>,
    /// Said when the clock is to be looked at.
    pub(crate) look: tokio::sync::Notify,
}

/// A schedule that is at work.
#[derive(Debug, Clone)]
struct Planned {
    member: Arc<Member>,
    mark: Mark,
    jitter_ms: i64,
    /// When it fires next.
    next: Option<Timestamp>,
    /// It was said that its mark lies in the future.
    warned: bool,
}

impl Planned {
    fn new(member: Arc<Member>, scheduled: &Scheduled, mark: Mark) -> Self {
        let jitter_ms = due::jitter(member.name().as_str(), scheduled.jitter);
        let next = scheduled.schedule.next_after(mark.last).map(|instant| instant.plus_ms(jitter_ms));
        Self { member, mark, jitter_ms, next, warned: false }
    }
}

impl Timetable {
    /// When a rule fires next.
    pub(crate) fn next(&self, rule: &RuleRef) -> Option<Timestamp> {
        self.planned.lock().get(rule).and_then(|planned| planned.next)
    }

    /// How the schedules of a table stand, each with the instants at which it fires next.
    pub(crate) fn states(&self, table: &Table, count: usize) -> Vec<ScheduleState> {
        let planned = self.planned.lock();
        let state = |member: &Arc<Member>| {
            let scheduled = member.scheduled()?;
            let planned = planned.get(member.name()).filter(|_| member.enabled);
            let next = planned.map(|planned| {
                let instants = std::iter::successors(scheduled.schedule.next_after(planned.mark.last), |last| {
                    scheduled.schedule.next_after(*last)
                });
                instants.take(count).map(|instant| instant.plus_ms(planned.jitter_ms)).collect()
            });
            Some(ScheduleState {
                rule: member.name().clone(),
                what: scheduled.what.clone(),
                overlap: scheduled.overlap,
                on_missed: scheduled.on_missed,
                enabled: member.enabled,
                // Before the first instant the mark is where the rule came to be known.
                last: planned.map(|planned| planned.mark.last).filter(|last| scheduled.schedule.comes_at(*last)),
                next: next.unwrap_or_default(),
            })
        };
        table.rules().filter_map(state).collect()
    }

    /// The earliest moment at which any fires.
    fn earliest(&self) -> Option<Timestamp> {
        self.planned.lock().values().filter_map(|planned| planned.next).min()
    }
}

/// Instants that are to be recorded, and where that leaves their schedules.
#[derive(Default)]
struct Firing {
    events: Vec<NewEvent>,
    marks: Vec<(RuleRef, Mark)>,
    more: bool,
}

impl Shared {
    /// Fires schedules until the process ends.
    pub(crate) async fn keep_time(self: Arc<Self>) {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            let wait = match self.on_time().await {
                Ok(true) => continue,
                Ok(false) => None,
                Err(error) => {
                    tracing::warn!(%error, "schedules not recorded, tried again");
                    Some(limits::STORE_RETRY_LAST)
                }
            };
            let sleep = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => sleep::until(self.clock(), self.timetable.earliest()).await,
                }
            };
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                _ = changes.changed(), if wait.is_none() => {}
                () = self.timetable.look.notified(), if wait.is_none() => {}
                () = sleep => {}
            }
        }
    }

    /// Fires what is due, then follows the rules. Whether more is due.
    async fn on_time(&self) -> Result<bool, StoreError> {
        let more = self.fire().await?;
        self.follow_rules().await?;
        Ok(more)
    }

    /// Records the instants that have come. Whether there are more.
    async fn fire(&self) -> Result<bool, StoreError> {
        let now = self.now();
        let mut firing = Firing::default();
        let due: Vec<_> = {
            let mut planned = self.timetable.planned.lock();
            planned.values_mut().filter_map(|one| is_due(one, now).then(|| one.clone())).collect()
        };
        let table = self.table();
        for planned in due {
            // It may have been switched off at this moment.
            if table.rule(planned.member.name().as_str()).is_some_and(|member| member.enabled) {
                self.fire_one(&planned, now, &mut firing);
            }
            if firing.events.len() >= limits::STORE_BATCH_MAX {
                firing.more = true;
                break;
            }
        }
        if !firing.marks.is_empty() {
            let advance = firing.marks.iter().map(|(rule, mark)| mark.advance(rule)).collect();
            self.record(firing.events, advance).await?;
            self.move_on(firing.marks);
        }
        Ok(firing.more)
    }

    /// What is due of one schedule.
    fn fire_one(&self, planned: &Planned, now: Timestamp, firing: &mut Firing) {
        let Some(scheduled) = planned.member.scheduled() else { return };
        let due = due::due(scheduled, planned.jitter_ms, planned.mark.last, self.began, now);
        for (instant, missed) in due.instants {
            let occurrence = self.instant(planned, scheduled, instant, now, missed);
            let draft = self.draft(occurrence, std::slice::from_ref(&planned.member));
            if !missed {
                let lag = now.since_ms(instant.plus_ms(planned.jitter_ms));
                #[allow(clippy::cast_precision_loss, reason = "a minute of milliseconds is exact")]
                metrics::histogram!("runner_schedule_lag_seconds").record(lag as f64 / 1000.0);
            }
            // One that its own condition leaves out is only counted.
            firing.events.extend(Some(draft).filter(|draft| !draft.event.matches.is_empty()));
        }
        if let Some(last) = due.last {
            let mark = Mark { last, ..planned.mark.clone() };
            firing.marks.push((planned.member.name().clone(), mark));
        }
        firing.more |= due.more;
    }

    fn instant(
        &self,
        planned: &Planned,
        scheduled: &Scheduled,
        instant: Timestamp,
        now: Timestamp,
        missed: bool,
    ) -> Occurrence {
        let payload = json!({
            "scheduled_at": instant, "fired_at": now, "missed": missed, "schedule": scheduled.what,
        });
        Occurrence {
            trigger: planned.member.rule.trigger.reference(),
            source: planned.member.name().to_string(),
            key: Some(instant.to_string()),
            payload: Arc::new(payload),
            occurred_at: instant,
            trace_parent: None,
            chain: 0,
            sealed: false,
        }
    }

    fn move_on(&self, marks: Vec<(RuleRef, Mark)>) {
        let mut planned = self.timetable.planned.lock();
        for (rule, mark) in marks {
            let Some(one) = planned.get_mut(&rule) else { continue };
            let Some(scheduled) = one.member.scheduled() else { continue };
            let moved = Planned::new(one.member.clone(), scheduled, mark);
            *one = moved;
        }
    }

    /// Takes up schedules that are new or changed, from now on; lets go of those that are gone or switched off.
    pub(crate) async fn follow_rules(&self) -> Result<(), StoreError> {
        let (table, now) = (self.table(), self.now());
        if self.timetable.followed.lock().as_ref().is_some_and(|followed| Arc::ptr_eq(followed, &table)) {
            return Ok(());
        }
        let known: BTreeMap<_, _> = self.timetable.planned.lock().clone();
        let mut planned = BTreeMap::new();
        let mut advance = Vec::new();
        for member in table.schedules() {
            let (name, Some(scheduled)) = (member.name(), member.scheduled()) else { continue };
            let fingerprint = mark::fingerprint(scheduled);
            let mark = match known.get(name) {
                Some(known) => Some(known.mark.clone()),
                None => Mark::read(self.store(), name).await?,
            };
            let mark = mark.filter(|mark| mark.fingerprint == fingerprint).unwrap_or_else(|| {
                let begun = Mark { fingerprint, last: now };
                advance.push(begun.advance(name));
                begun
            });
            planned.insert(name.clone(), Planned::new(member.clone(), scheduled, mark));
        }
        advance.extend(self.let_go(&known, &planned, now).await?);
        if !advance.is_empty() {
            self.record(Vec::new(), advance).await?;
        }
        *self.timetable.planned.lock() = planned;
        *self.timetable.followed.lock() = Some(table);
        Ok(())
    }

    /// The marks of schedules that were at work and are not any more, and the list of those that are.
    async fn let_go(
        &self,
        known: &BTreeMap<RuleRef, Planned>,
        planned: &BTreeMap<RuleRef, Planned>,
        now: Timestamp,
    ) -> Result<Vec<Advance>, StoreError> {
        let before: BTreeSet<_> = match known.is_empty() {
            true => mark::read_list(self.store()).await?,
            false => known.keys().cloned().collect(),
        };
        let after: BTreeSet<_> = planned.keys().cloned().collect();
        if before == after {
            return Ok(Vec::new());
        }
        let gone = before.difference(&after).map(|rule| Mark::void(now).advance(rule));
        Ok(gone.chain([mark::advance_list(&after)]).collect())
    }
}

/// Whether something of a schedule may be due. Says, once, that the clock was far ahead and is not any more.
fn is_due(planned: &mut Planned, now: Timestamp) -> bool {
    const FAR_AHEAD_MS: i64 = 60 * 60 * 1000;
    if !planned.warned && planned.mark.last.since_ms(now) > FAR_AHEAD_MS {
        planned.warned = true;
        tracing::warn!(
            rule = %planned.member.name(), until = %planned.mark.last,
            "the clock was set back: the schedule comes again after the last instant that it has had"
        );
    }
    planned.next.is_some_and(|next| next <= now)
}

#[cfg(test)]
mod tests;
