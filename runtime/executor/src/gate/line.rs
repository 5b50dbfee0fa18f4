//! Who has a place, who waits for one, and whose turn it is.
//!
//! - **Nobody overtakes**: of those that wait for the same key, the one whose turn came first goes first, also if
//!   another could go at once.
//! - **All or nothing**: who needs several keys takes them together, so nobody waits while holding a part of them. The
//!   turns are one order for all keys; so whoever came first of all is first everywhere, and somebody always goes.
//!
//! It knows no clock, no lock and no executor: the time comes in with each call, and what has changed for whom is
//! taken out with [`Line::take_called`].

mod knot;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use runner_engine::UnitId;
use runner_model::{ExecutionId, PolicyRef, Timestamp};

/// What a policy counts together: all runs of its action, or those with the same values of some parameters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) policy: PolicyRef,
    /// As JSON.
    pub(crate) values: String,
}

/// What a policy allows of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// So many at a time.
    Places(u32),
    /// One in each interval, on the average; after a pause `burst` at once. This is GCRA, the generic cell rate
    /// algorithm (ITU-T I.371): a single moment says all that has to be remembered.
    Pace { interval_us: i64, burst: u32 },
}

/// What a run needs of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) key: Key,
    pub(crate) limit: Limit,
    /// Whether it is refused, rather than made to wait.
    pub(crate) refuses: bool,
}

/// Who asks: a unit of an execution, or the execution as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    pub(crate) execution: ExecutionId,
    pub(crate) unit: Option<UnitId>,
}

/// Where somebody stands in line: since when, and who.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    since: Timestamp,
    ticket: Ticket,
}

/// What somebody is told who asks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It may go; it holds a place of these keys, to be given back. An execution as a whole gives back by leaving.
    Go(Vec<Key>),
    /// It is called when its turn has come.
    Wait,
    /// This policy does not allow it.
    Refused(PolicyRef),
    /// It would wait for ever: what has a place by this policy waits for it.
    Knotted(PolicyRef),
}

enum Stand {
    Waiting(Turn, Vec<Claim>),
    /// It may go, holds these keys, and does not know yet.
    Called(Vec<Key>),
    Refused(PolicyRef),
    Knotted(PolicyRef),
    /// An execution as a whole, at work.
    Inside(Vec<Key>),
}

#[derive(Default)]
struct Usage {
    taken: u32,
    /// Of a pace: the moment at which the next one would come if all came evenly, in microseconds.
    due_us: i64,
}

/// Whether the first in line may go.
enum Readiness {
    Now,
    At(i64),
    Blocked,
}

#[derive(Default)]
pub(crate) struct Line {
    stands: BTreeMap<Ticket, Stand>,
    queues: BTreeMap<Key, BTreeSet<Turn>>,
    usage: HashMap<Key, Usage>,
    /// When to look at a queue again whose first waits only for the time.
    times: BTreeSet<(i64, Key)>,
    /// Of the executions that wait as a whole, those around them, which cannot end before them.
    around: BTreeMap<ExecutionId, Vec<ExecutionId>>,
    /// How many keep the line from moving: those who came before are still being counted.
    closed: usize,
    /// Executions for which something has changed.
    called: BTreeSet<ExecutionId>,
    purge_at: usize,
}

const fn micros(now: Timestamp) -> i64 {
    now.as_millis().saturating_mul(1_000)
}

impl Line {
    /// Asks for what the claims say. Asked again, it is the same question.
    pub(crate) fn ask(
        &mut self,
        ticket: Ticket,
        since: impl FnOnce() -> Timestamp,
        claims: Vec<Claim>,
        now: Timestamp,
    ) -> Answer {
        match self.stands.get(&ticket) {
            Some(Stand::Waiting(..)) => return Answer::Wait,
            Some(Stand::Inside(_)) => return Answer::Go(Vec::new()),
            Some(Stand::Called(_) | Stand::Refused(_) | Stand::Knotted(_)) => return self.tell(ticket),
            None if claims.is_empty() => return Answer::Go(Vec::new()),
            None => {}
        }
        let turn = Turn { since: since(), ticket };
        if self.closed == 0
            && let Some(claim) = claims.iter().find(|claim| claim.refuses && !self.admits(claim, &turn, now))
        {
            return Answer::Refused(claim.key.policy.clone());
        }
        let keys: Vec<_> = claims.iter().map(|claim| claim.key.clone()).collect();
        for key in &keys {
            self.queues.entry(key.clone()).or_default().insert(turn);
        }
        self.stands.insert(ticket, Stand::Waiting(turn, claims));
        let was_called = self.called.contains(&ticket.execution);
        self.serve(keys, now);
        if ticket.unit.is_none() {
            self.untie(now);
        }
        if !was_called {
            // If it may go it is told here.
            self.called.remove(&ticket.execution);
        }
        self.tell(ticket)
    }

    /// The same for an execution as a whole that steps of others began: those are `around` it.
    pub(crate) fn ask_within(
        &mut self,
        execution: ExecutionId,
        around: Vec<ExecutionId>,
        since: Timestamp,
        claims: Vec<Claim>,
        now: Timestamp,
    ) -> Answer {
        if !around.is_empty() {
            self.around.insert(execution, around);
        }
        let answer = self.ask(Ticket { execution, unit: None }, || since, claims, now);
        if answer != Answer::Wait {
            self.around.remove(&execution);
        }
        answer
    }

    /// What has become of somebody who waited.
    fn tell(&mut self, ticket: Ticket) -> Answer {
        match self.stands.remove(&ticket) {
            Some(Stand::Called(keys)) => match ticket.unit {
                Some(_) => Answer::Go(keys),
                None => {
                    self.stands.insert(ticket, Stand::Inside(keys));
                    Answer::Go(Vec::new())
                }
            },
            Some(Stand::Refused(policy)) => Answer::Refused(policy),
            Some(Stand::Knotted(policy)) => Answer::Knotted(policy),
            Some(stand) => {
                self.stands.insert(ticket, stand);
                Answer::Wait
            }
            None => Answer::Wait,
        }
    }

    /// Counts an execution as a whole that is at work already, whatever the limits say.
    pub(crate) fn hold(&mut self, execution: ExecutionId, claims: &[Claim], now: Timestamp) {
        let ticket = Ticket { execution, unit: None };
        if matches!(self.stands.get(&ticket), Some(Stand::Inside(_))) {
            return;
        }
        self.withdraw(ticket, now);
        let keys = places(claims);
        for key in &keys {
            self.usage.entry(key.clone()).or_default().taken += 1;
        }
        self.stands.insert(ticket, Stand::Inside(keys));
    }

    /// Takes back places.
    pub(crate) fn give_back(&mut self, keys: Vec<Key>, now: Timestamp) {
        for key in &keys {
            if let Some(usage) = self.usage.get_mut(key) {
                usage.taken = usage.taken.saturating_sub(1);
            }
        }
        self.serve(keys, now);
        self.purge(now);
    }

    /// Forgets what an execution waited for and does not ask for any more.
    pub(crate) fn keep(&mut self, execution: ExecutionId, asked: &BTreeSet<Option<UnitId>>, now: Timestamp) {
        let gone: Vec<_> = self
            .of(execution)
            .filter(|(ticket, stand)| !matches!(stand, Stand::Inside(_)) && !asked.contains(&ticket.unit))
            .map(|(ticket, _)| *ticket)
            .collect();
        gone.into_iter().for_each(|ticket| self.withdraw(ticket, now));
    }

    /// Forgets an execution: what it waits for, and the place that it has as a whole.
    pub(crate) fn leave(&mut self, execution: ExecutionId, now: Timestamp) {
        let all: Vec<_> = self.of(execution).map(|(ticket, _)| *ticket).collect();
        all.into_iter().for_each(|ticket| self.withdraw(ticket, now));
    }

    /// Nobody goes until this is undone: those who came first are still being counted.
    pub(crate) const fn close(&mut self) {
        self.closed += 1;
    }

    /// Undoes one [`Line::close`].
    pub(crate) fn open(&mut self, now: Timestamp) {
        self.closed = self.closed.saturating_sub(1);
        self.serve(self.queues.keys().cloned().collect(), now);
        if self.closed == 0 {
            self.refuse_what_was_not_served(now);
            self.untie(now);
        }
    }

    /// Changes what is claimed by those who wait: `limit` gives what a policy allows now, none if it is no more.
    pub(crate) fn revise(&mut self, limit: impl Fn(&Key) -> Option<Limit>, now: Timestamp) {
        let mut free = Vec::new();
        for (ticket, stand) in &mut self.stands {
            let Stand::Waiting(turn, claims) = stand else { continue };
            claims.retain_mut(|claim| {
                let allowed = limit(&claim.key);
                match allowed {
                    Some(limit) => claim.limit = limit,
                    None => {
                        self.queues.get_mut(&claim.key).map(|queue| queue.remove(turn));
                    }
                }
                allowed.is_some()
            });
            if claims.is_empty() {
                free.push(*ticket);
            }
        }
        for ticket in free {
            self.stands.insert(ticket, Stand::Called(Vec::new()));
            self.called.insert(ticket.execution);
        }
        self.serve(self.queues.keys().cloned().collect(), now);
    }

    /// Lets those go whose time has come.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        let now_us = micros(now);
        let mut due = Vec::new();
        while let Some((_, key)) = self.times.first().filter(|(at, _)| *at <= now_us).cloned() {
            self.times.pop_first();
            due.push(key);
        }
        self.serve(due, now);
    }

    /// When [`Line::tick`] has something to do next.
    pub(crate) fn next_time(&self) -> Option<Timestamp> {
        // Rounded up: at the moment that is named its time has come.
        self.times.first().map(|(at, _)| Timestamp::from_millis(at.saturating_add(999) / 1_000))
    }

    /// Executions for which something has changed since this was asked last.
    pub(crate) fn take_called(&mut self) -> BTreeSet<ExecutionId> {
        std::mem::take(&mut self.called)
    }

    pub(crate) fn has_called(&self) -> bool {
        !self.called.is_empty()
    }

    /// Whether nobody waits, and nobody is inside.
    pub(crate) fn is_empty(&self) -> bool {
        self.stands.is_empty()
    }

    /// What an execution waits for: the policy, and how many are before it.
    pub(crate) fn waits(&self, execution: ExecutionId) -> Vec<(Option<UnitId>, PolicyRef, usize)> {
        let waits = self.of(execution).filter_map(|(ticket, stand)| match stand {
            Stand::Waiting(turn, claims) => {
                let ahead = |claim: &Claim| {
                    let queue = self.queues.get(&claim.key);
                    (queue.map_or(0, |queue| queue.range(..turn).count()), claim.key.policy.clone())
                };
                let (ahead, policy) = claims.iter().map(ahead).max()?;
                Some((ticket.unit, policy, ahead))
            }
            _ => None,
        });
        waits.collect()
    }

    /// Whether an execution has an answer to wait for.
    pub(crate) fn is_waiting(&self, execution: ExecutionId) -> bool {
        self.of(execution).any(|(_, stand)| !matches!(stand, Stand::Inside(_)))
    }

    /// The policies of which an execution as a whole has a place.
    pub(crate) fn inside(&self, execution: ExecutionId) -> Vec<PolicyRef> {
        match self.stands.get(&Ticket { execution, unit: None }) {
            Some(Stand::Inside(keys)) => keys.iter().map(|key| key.policy.clone()).collect(),
            _ => Vec::new(),
        }
    }

    fn of(&self, execution: ExecutionId) -> impl Iterator<Item = (&Ticket, &Stand)> {
        // The execution as a whole stands before its units.
        let from = Ticket { execution, unit: None };
        self.stands.range(from..).take_while(move |(ticket, _)| ticket.execution == execution)
    }

    fn withdraw(&mut self, ticket: Ticket, now: Timestamp) {
        if ticket.unit.is_none() {
            self.around.remove(&ticket.execution);
        }
        match self.stands.remove(&ticket) {
            Some(Stand::Waiting(turn, claims)) => {
                let keys = self.unqueue(&turn, &claims);
                self.serve(keys, now);
            }
            Some(Stand::Called(keys) | Stand::Inside(keys)) => self.give_back(keys, now),
            Some(Stand::Refused(_) | Stand::Knotted(_)) | None => {}
        }
    }

    fn unqueue(&mut self, turn: &Turn, claims: &[Claim]) -> Vec<Key> {
        let keys: Vec<_> = claims.iter().map(|claim| claim.key.clone()).collect();
        for key in &keys {
            if let Some(queue) = self.queues.get_mut(key) {
                queue.remove(turn);
                if queue.is_empty() {
                    self.queues.remove(key);
                }
            }
        }
        keys
    }

    /// Lets go who may, of those that wait for these keys.
    fn serve(&mut self, keys: Vec<Key>, now: Timestamp) {
        if self.closed > 0 {
            return;
        }
        let mut keys = keys;
        while let Some(key) = keys.pop() {
            let Some(turn) = self.queues.get(&key).and_then(BTreeSet::first).copied() else { continue };
            let Some(Stand::Waiting(_, claims)) = self.stands.get(&turn.ticket) else { continue };
            match self.readiness(claims, &turn, now) {
                Readiness::Now => keys.extend(self.grant(turn, now)),
                Readiness::At(moment) => {
                    self.times.insert((moment, key));
                }
                Readiness::Blocked => {}
            }
        }
    }

    fn readiness(&self, claims: &[Claim], turn: &Turn, now: Timestamp) -> Readiness {
        let mut moment = None;
        for claim in claims {
            if self.queues.get(&claim.key).and_then(BTreeSet::first) != Some(turn) {
                return Readiness::Blocked;
            }
            match (claim.limit, self.usage.get(&claim.key)) {
                (Limit::Places(places), usage) if usage.map_or(0, |usage| usage.taken) >= places => {
                    return Readiness::Blocked;
                }
                (Limit::Pace { interval_us, burst }, Some(usage)) => {
                    let at = admitted_at(usage, interval_us, burst);
                    moment = moment.max((at > micros(now)).then_some(at));
                }
                _ => {}
            }
        }
        moment.map_or(Readiness::Now, Readiness::At)
    }

    /// Whether a claim could be met at once, with nobody before it.
    fn admits(&self, claim: &Claim, turn: &Turn, now: Timestamp) -> bool {
        let is_first = self.queues.get(&claim.key).and_then(BTreeSet::first).is_none_or(|first| first >= turn);
        is_first
            && self.usage.get(&claim.key).is_none_or(|usage| match claim.limit {
                Limit::Places(places) => usage.taken < places,
                Limit::Pace { interval_us, burst } => admitted_at(usage, interval_us, burst) <= micros(now),
            })
    }

    fn grant(&mut self, turn: Turn, now: Timestamp) -> Vec<Key> {
        let Some(Stand::Waiting(_, claims)) = self.stands.remove(&turn.ticket) else { return Vec::new() };
        let keys = self.unqueue(&turn, &claims);
        for claim in &claims {
            let usage = self.usage.entry(claim.key.clone()).or_default();
            match claim.limit {
                Limit::Places(_) => usage.taken += 1,
                Limit::Pace { interval_us, .. } => {
                    usage.due_us = usage.due_us.max(micros(now)).saturating_add(interval_us);
                }
            }
        }
        self.stands.insert(turn.ticket, Stand::Called(places(&claims)));
        self.called.insert(turn.ticket.execution);
        keys
    }

    /// Those who are refused rather than made to wait, and could not be told while nobody was served.
    fn refuse_what_was_not_served(&mut self, now: Timestamp) {
        let refused = self.stands.values().filter_map(|stand| match stand {
            Stand::Waiting(turn, claims) => {
                let claim = claims.iter().find(|claim| claim.refuses && !self.admits(claim, turn, now))?;
                Some((*turn, claim.key.policy.clone()))
            }
            _ => None,
        });
        for (turn, policy) in refused.collect::<Vec<_>>() {
            self.withdraw(turn.ticket, now);
            self.stands.insert(turn.ticket, Stand::Refused(policy));
            self.called.insert(turn.ticket.execution);
        }
    }

    /// Forgets keys of which nothing has to be remembered, now and then.
    fn purge(&mut self, now: Timestamp) {
        if self.usage.len() < self.purge_at.max(PURGE_AT_MIN) {
            return;
        }
        let now_us = micros(now);
        self.usage.retain(|_, usage| usage.taken > 0 || usage.due_us > now_us);
        self.purge_at = self.usage.len() * 2;
    }
}

/// Keys that are remembered before any is looked at for forgetting: some 100 KiB.
const PURGE_AT_MIN: usize = 1_024;

/// When a pace admits the next one.
fn admitted_at(usage: &Usage, interval_us: i64, burst: u32) -> i64 {
    usage.due_us.saturating_sub(interval_us.saturating_mul(i64::from(burst.max(1)) - 1))
}

/// The keys of which a place is taken.
fn places(claims: &[Claim]) -> Vec<Key> {
    let takes = |claim: &&Claim| matches!(claim.limit, Limit::Places(_));
    claims.iter().filter(takes).map(|claim| claim.key.clone()).collect()
}

#[cfg(test)]
mod tests;
