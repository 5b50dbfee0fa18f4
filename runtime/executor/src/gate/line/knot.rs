//! Executions that wait for one another so that none of them ever goes, and who of them is refused.
//!
//! An execution of a workflow keeps its place until it has ended, and it ends after all that its steps began. Two of them
//! that call one another's workflows, while each has the only place of its own, wait for ever. A key is **stuck** if all
//! its places are with executions that have inside of them somebody who waits for a stuck key: the largest set of keys of
//! which this holds. Somebody who waits for one, inside of something that has a place of one, on a circle of such keys, is
//! refused: the youngest.
//!
//! Places of attempts are never stuck, because attempts end by themselves; nor is what only waits for the time.

use std::collections::{BTreeMap, BTreeSet};

use runner_model::{ExecutionId, Timestamp};

use super::{Key, Limit, Line, Stand, Ticket, Turn};

/// Somebody who waits inside of others.
struct Inner<'a> {
    turn: Turn,
    keys: Vec<&'a Key>,
    around: &'a [ExecutionId],
}

/// The executions that have a place of a key.
type Holders<'a> = BTreeMap<&'a Key, Vec<ExecutionId>>;

impl Line {
    /// Refuses, one after another, the youngest of those that wait for one another.
    pub(super) fn untie(&mut self, now: Timestamp) {
        // As a rule nobody waits inside of another, and this costs nothing.
        while self.closed == 0
            && !self.around.is_empty()
            && let Some((turn, key)) = self.youngest_in_a_knot()
        {
            self.withdraw(turn.ticket, now);
            self.stands.insert(turn.ticket, Stand::Knotted(key.policy));
            self.called.insert(turn.ticket.execution);
        }
    }

    fn youngest_in_a_knot(&self) -> Option<(Turn, Key)> {
        let inner: Vec<_> = self.around.iter().filter_map(|(id, around)| self.inner(*id, around)).collect();
        let holders = self.holders();
        let stuck = self.stuck(&inner, &holders);
        let mut knotted = inner.iter().filter_map(|one| {
            let wanted = *one.keys.iter().find(|key| stuck.contains(*key))?;
            is_on_a_circle(one, &inner, &holders, &stuck).then(|| (one.turn, wanted.clone()))
        });
        let first = knotted.next()?;
        Some(knotted.fold(first, |youngest, one| if one.0 > youngest.0 { one } else { youngest }))
    }

    fn inner<'a>(&'a self, execution: ExecutionId, around: &'a [ExecutionId]) -> Option<Inner<'a>> {
        let Some(Stand::Waiting(turn, claims)) = self.stands.get(&Ticket { execution, unit: None }) else {
            return None;
        };
        let places = claims.iter().filter(|claim| matches!(claim.limit, Limit::Places(_)));
        Some(Inner { turn: *turn, keys: places.map(|claim| &claim.key).collect(), around })
    }

    fn holders(&self) -> Holders<'_> {
        let mut holders = Holders::new();
        for (ticket, stand) in &self.stands {
            let Stand::Inside(keys) = stand else { continue };
            for key in keys {
                holders.entry(key).or_default().push(ticket.execution);
            }
        }
        holders
    }

    fn stuck<'a>(&'a self, inner: &[Inner<'a>], holders: &Holders<'a>) -> BTreeSet<&'a Key> {
        let mut stuck: BTreeSet<_> = inner.iter().flat_map(|one| one.keys.iter().copied()).collect();
        stuck.retain(|key| self.is_held_by_executions(key, holders));
        loop {
            let moves = |key: &&Key| {
                let ends = |holder: &ExecutionId| !inner.iter().any(|one| one.waits_in(*holder, &stuck));
                holders.get(*key).is_none_or(|holders| holders.iter().any(ends))
            };
            let moving: Vec<_> = stuck.iter().copied().filter(moves).collect();
            if moving.is_empty() {
                return stuck;
            }
            moving.iter().for_each(|key| {
                stuck.remove(key);
            });
        }
    }

    /// Whether no place is free, and each is with an execution that is at work.
    fn is_held_by_executions(&self, key: &Key, holders: &Holders<'_>) -> bool {
        let taken = self.usage.get(key).map_or(0, |usage| usage.taken as usize);
        let first = self.queues.get(key).and_then(BTreeSet::first).and_then(|turn| self.stands.get(&turn.ticket));
        let limit = match first {
            Some(Stand::Waiting(_, claims)) => claims.iter().find(|claim| claim.key == *key).map(|claim| claim.limit),
            _ => None,
        };
        matches!(limit, Some(Limit::Places(places)) if taken >= places as usize)
            && holders.get(key).map_or(0, Vec::len) == taken
    }
}

impl Inner<'_> {
    fn waits_in(&self, holder: ExecutionId, stuck: &BTreeSet<&Key>) -> bool {
        self.around.contains(&holder) && self.keys.iter().any(|key| stuck.contains(key))
    }
}

/// Whether what somebody waits for waits, over however many others, for the end of something that it is inside of.
fn is_on_a_circle(one: &Inner<'_>, inner: &[Inner<'_>], holders: &Holders<'_>, stuck: &BTreeSet<&Key>) -> bool {
    let mut next: Vec<&Key> = one.keys.iter().copied().filter(|key| stuck.contains(key)).collect();
    let mut seen = BTreeSet::new();
    while let Some(key) = next.pop() {
        if !seen.insert(key) {
            continue;
        }
        for holder in holders.get(key).into_iter().flatten() {
            if one.around.contains(holder) {
                return true;
            }
            let inside = inner.iter().filter(|other| other.around.contains(holder));
            next.extend(inside.flat_map(|other| other.keys.iter().copied()).filter(|key| stuck.contains(key)));
        }
    }
    false
}
