//! Rules whose executions do not run beside one another: `overlap: skip | queue | cancel_previous`.
//!
//! Each such rule has a lane: which of its executions have not ended, and the matches that wait, in their order. What to
//! do with an instant is decided before it is recorded, so that the decision is as durable as the event. **An execution
//! counts as open from before it is asked for**: its id is known, so its end cannot be missed.

use std::collections::{BTreeSet, HashMap, VecDeque};

use parking_lot::Mutex;
use runner_model::{Event, ExecutionId, MatchState, RuleRef, limits};
use runner_pack::Overlap;
use runner_store::{Catalogue, ExecutionFilter, Order, Store, StoreError};

use crate::dispatch::Job;
use crate::table::Table;

/// The lanes of all such rules.
#[derive(Default)]
pub(crate) struct Lanes {
    inner: Mutex<Inner>,
    /// Held from the decision about an instant until it is recorded.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Inner {
    lanes: HashMap<RuleRef, Lane>,
    /// Whose execution it is that has not ended.
    open: HashMap<ExecutionId, RuleRef>,
    /// Those of them that are about to end.
    ending: BTreeSet<ExecutionId>,
    /// Lanes in which something may be ready.
    stirred: BTreeSet<RuleRef>,
}

#[derive(Default)]
struct Lane {
    open: BTreeSet<ExecutionId>,
    waiting: VecDeque<Job>,
    /// The one that is being done.
    busy: Option<ExecutionId>,
    /// What is open has been read from the store.
    seen: bool,
}

impl Lane {
    fn is_free(&self) -> bool {
        self.open.is_empty() && self.waiting.is_empty() && self.busy.is_none()
    }
}

impl Lanes {
    /// Reads which executions of a rule have not ended. Whether they were read anew: then it is to be looked soon whether
    /// they have ended ([`Lanes::check_ending`]).
    pub(crate) async fn look(&self, store: &dyn Store, rule: &RuleRef) -> Result<bool, StoreError> {
        let seen = self.inner.lock().lanes.entry(rule.clone()).or_default().seen;
        if !seen {
            let filter = ExecutionFilter {
                rule: Some(rule.clone()),
                open: Some(true),
                order: Order::Oldest,
                ..ExecutionFilter::default()
            };
            let mut cursor = None;
            loop {
                let page = Catalogue::list(store, &filter, cursor, limits::STORE_BATCH_MAX).await?;
                let Some(last) = page.last() else { break };
                cursor = Some(last.id);
                let mut inner = self.inner.lock();
                for record in &page {
                    inner.open(rule, record.id);
                    // Its end may have been heard of already, before the commit that is not there yet.
                    inner.ending.insert(record.id);
                }
            }
            self.inner.lock().lanes.entry(rule.clone()).or_default().seen = true;
        }
        // One may have ended while they were read, or at another process.
        let open: Vec<_> = self.inner.lock().lanes.get(rule).into_iter().flat_map(|lane| lane.open.clone()).collect();
        self.check(store, open).await.map(|_| !seen)
    }

    /// Looks whether any of all executions has ended unheard.
    pub(crate) async fn check_all(&self, store: &dyn Store) -> Result<bool, StoreError> {
        let open = self.inner.lock().open.keys().copied().collect();
        self.check(store, open).await
    }

    /// Looks whether those that were about to end have ended.
    pub(crate) async fn check_ending(&self, store: &dyn Store) -> Result<bool, StoreError> {
        let ending = self.inner.lock().ending.iter().copied().collect();
        self.check(store, ending).await
    }

    async fn check(&self, store: &dyn Store, ids: Vec<ExecutionId>) -> Result<bool, StoreError> {
        let mut any = false;
        for id in ids {
            let ended = match Catalogue::get(store, id).await {
                Ok(record) => record.status.is_terminal(),
                // It was removed, unless it is being made at this moment.
                Err(StoreError::NotFound) => !self.inner.lock().is_busy(id),
                Err(error) => return Err(error),
            };
            any |= ended && self.inner.lock().close(id);
        }
        Ok(any)
    }

    /// Decides about instants that are to be recorded, one after the other.
    pub(crate) fn admit<'a>(&self, table: &Table, events: impl Iterator<Item = &'a mut Event>) {
        let inner = self.inner.lock();
        let mut planned: HashMap<RuleRef, usize> = HashMap::new();
        for one in events.flat_map(|event| &mut event.matches).filter(|one| one.state == MatchState::Pending) {
            let Some(overlap) = overlap(table, &one.rule).filter(|overlap| *overlap != Overlap::Allow) else {
                continue;
            };
            let lane = inner.lanes.get(&one.rule);
            let planned = planned.entry(one.rule.clone()).or_default();
            let free = *planned == 0 && lane.is_none_or(Lane::is_free);
            let waiting = *planned + lane.map_or(0, |lane| lane.waiting.len());
            match overlap {
                Overlap::Skip if !free => one.state = skipped("an earlier execution of the rule has not ended"),
                Overlap::Queue if waiting >= limits::SCHEDULE_QUEUE_MAX => {
                    let max = limits::SCHEDULE_QUEUE_MAX;
                    one.state = skipped(&format!("{max} executions of the rule wait already"));
                }
                Overlap::Queue if !free => one.state = MatchState::Queued,
                _ => {}
            }
            if one.state.is_open() {
                *planned += 1;
            }
        }
    }

    /// Puts a match behind those of its rule.
    pub(crate) fn push(&self, job: Job) {
        let mut inner = self.inner.lock();
        inner.stirred.insert(job.rule.clone());
        inner.lanes.entry(job.rule.clone()).or_default().waiting.push_back(job);
    }

    /// Rules with something to do of which it is not known what is open.
    pub(crate) fn unseen(&self) -> Vec<RuleRef> {
        let inner = self.inner.lock();
        let unseen = |rule: &&RuleRef| inner.lanes.get(*rule).is_some_and(|lane| !lane.seen);
        inner.stirred.iter().filter(unseen).cloned().collect()
    }

    /// A match whose turn it is.
    pub(crate) fn ready(&self, table: &Table) -> Option<Job> {
        let mut inner = self.inner.lock();
        loop {
            let rule = inner.stirred.pop_first()?;
            let overlap = overlap(table, &rule);
            let Some(lane) = inner.lanes.get_mut(&rule) else { continue };
            if !lane.seen {
                inner.stirred.insert(rule);
                return None;
            }
            if lane.busy.is_some() {
                continue;
            }
            let Some(mut job) = lane.waiting.pop_front() else { continue };
            let earlier = || lane.open.iter().filter(|id| **id != job.execution).copied();
            if job.queued && overlap != Some(Overlap::Allow) && earlier().next().is_some() {
                lane.waiting.push_front(job);
                continue;
            }
            if overlap == Some(Overlap::CancelPrevious) && !job.queued {
                job.cancel = earlier().collect();
            }
            lane.busy = Some(job.execution);
            inner.open(&rule, job.execution);
            return Some(job);
        }
    }

    /// A match that was ready is done, and whether it has an execution; or (none) it could not be done yet.
    pub(crate) fn done(&self, job: Job, started: Option<bool>) {
        let mut inner = self.inner.lock();
        let rule = job.rule.clone();
        if started == Some(false) {
            inner.close(job.execution);
        }
        if let Some(lane) = inner.lanes.get_mut(&rule) {
            lane.busy = None;
            if started.is_none() {
                lane.waiting.push_front(job);
            }
        }
        inner.stirred.insert(rule);
    }

    /// An execution is about to end. Whether anybody waits for it.
    pub(crate) fn heard_end(&self, id: ExecutionId) -> bool {
        let mut inner = self.inner.lock();
        let waited = inner.open.contains_key(&id);
        if waited {
            inner.ending.insert(id);
        }
        waited
    }

    /// Rules may have become others, whose executions ran beside one another so far.
    pub(crate) fn forget_what_is_open(&self) {
        let mut inner = self.inner.lock();
        let Inner { lanes, stirred, .. } = &mut *inner;
        for (rule, lane) in lanes {
            lane.seen = false;
            if !lane.waiting.is_empty() {
                stirred.insert(rule.clone());
            }
        }
    }
}

impl Inner {
    fn open(&mut self, rule: &RuleRef, id: ExecutionId) {
        self.lanes.entry(rule.clone()).or_default().open.insert(id);
        self.open.insert(id, rule.clone());
    }

    fn close(&mut self, id: ExecutionId) -> bool {
        self.ending.remove(&id);
        let Some(rule) = self.open.remove(&id) else { return false };
        if let Some(lane) = self.lanes.get_mut(&rule) {
            lane.open.remove(&id);
        }
        self.stirred.insert(rule);
        true
    }

    fn is_busy(&self, id: ExecutionId) -> bool {
        self.open.get(&id).and_then(|rule| self.lanes.get(rule)).is_some_and(|lane| lane.busy == Some(id))
    }
}

/// What a rule says now; none if it is gone or has no schedule.
fn overlap(table: &Table, rule: &RuleRef) -> Option<Overlap> {
    table.rule(rule.as_str()).and_then(|member| member.scheduled()).map(|scheduled| scheduled.overlap)
}

fn skipped(reason: &str) -> MatchState {
    MatchState::Skipped { reason: reason.to_owned() }
}
