//! Keeping the model bounded.

use std::collections::BTreeSet;

use async_trait::async_trait;
use runner_model::{ExecutionId, Timestamp};

use super::{MemoryStore, State};
use crate::key_value::is_live;
use crate::{Expiry, Pruned, StoreError, StoreStats, Upkeep, catalogue};

impl State {
    fn prune_executions(&mut self, expiry: &Expiry, limit: usize, pruned: &mut Pruned) {
        let mut kept = self.executions.values().filter(|execution| !execution.is_open()).count() as u64;
        let mut trees = 0;
        for (end, root) in self.ended_roots() {
            let is_old = expiry.executions_before.is_some_and(|before| end < before);
            let is_too_much = expiry.executions_max.is_some_and(|max| kept > max);
            let tree = self.tree(root);
            if !is_old && !is_too_much || tree.iter().any(|id| self.is_needed(*id)) {
                continue;
            }
            if trees == limit {
                pruned.more = true;
                break;
            }
            trees += 1;
            for id in tree {
                self.executions.remove(&id);
                pruned.executions += 1;
                kept -= 1;
            }
        }
    }

    /// What has ended and was not started by a step of something that is there, the first to end first.
    fn ended_roots(&self) -> BTreeSet<(Timestamp, ExecutionId)> {
        let records = self.executions.values().map(|execution| &execution.record);
        let is_outermost = |parent: Option<ExecutionId>| parent.is_none_or(|id| !self.executions.contains_key(&id));
        let outermost = records.filter(|record| is_outermost(catalogue::parent_of(record)));
        outermost.filter_map(|record| record.finished_at.map(|end| (end, record.id))).collect()
    }

    /// An execution and all that its steps started.
    fn tree(&self, root: ExecutionId) -> Vec<ExecutionId> {
        let mut tree = vec![root];
        let mut next = 0;
        while let Some(parent) = tree.get(next).copied() {
            let records = self.executions.values().map(|execution| &execution.record);
            tree.extend(records.filter(|one| catalogue::parent_of(one) == Some(parent)).map(|one| one.id));
            next += 1;
        }
        tree
    }

    /// Whether it is open, its end has not been dealt with, or the event that started it may start it again.
    fn is_needed(&self, id: ExecutionId) -> bool {
        let Some(execution) = self.executions.get(&id) else { return false };
        let is_to_be_made = catalogue::cause_of(&execution.record).is_some_and(|(rule, event)| {
            let event = self.happened.events.get(&event);
            event.is_some_and(|event| event.matches.iter().any(|found| found.rule == *rule && found.state.is_open()))
        });
        execution.is_open() || self.happened.ended.contains(&id) || is_to_be_made
    }

    fn prune_events(&mut self, before: Timestamp, limit: usize, pruned: &mut Pruned) {
        let events = self.happened.events.values();
        let old = events.filter(|event| event.received_at < before && !event.is_open());
        let old: BTreeSet<_> = old.map(|event| event.id).collect();
        pruned.more |= old.len() > limit;
        for id in old.into_iter().take(limit) {
            self.happened.events.remove(&id);
            pruned.events += 1;
        }
    }

    fn prune_expired(&mut self, now: Timestamp, limit: usize, pruned: &mut Pruned) {
        let keys = &mut self.happened.keys;
        let expired: BTreeSet<_> =
            keys.iter().filter(|(_, until)| **until <= now).map(|(key, until)| (*until, key.clone())).collect();
        pruned.expire(expired.len(), limit);
        for (_, key) in expired.into_iter().take(limit) {
            keys.remove(&key);
        }

        let reservations = &mut self.admitted.reservations;
        let expired = reservations.iter().filter(|(_, kept)| kept.until <= now);
        let expired: BTreeSet<_> = expired.map(|(place, kept)| (kept.until, place.clone())).collect();
        pruned.expire(expired.len(), limit);
        for (_, place) in expired.into_iter().take(limit) {
            reservations.remove(&place);
        }

        let expired = self.values.values().filter(|kept| !is_live(kept.expires_at, now)).count();
        pruned.expire(expired, limit);
        self.sweep(now, limit);
    }
}

impl Pruned {
    fn expire(&mut self, expired: usize, limit: usize) {
        self.expired += expired.min(limit) as u64;
        self.more |= expired > limit;
    }
}

#[async_trait]
impl Upkeep for MemoryStore {
    async fn prune(&self, expiry: Expiry, limit: usize) -> Result<Pruned, StoreError> {
        let mut state = self.0.lock();
        let mut pruned = Pruned::default();
        state.prune_executions(&expiry, limit, &mut pruned);
        if let Some(before) = expiry.events_before {
            state.prune_events(before, limit, &mut pruned);
        }
        state.prune_expired(expiry.now, limit, &mut pruned);
        Ok(pruned)
    }

    /// It commits nothing.
    fn stats(&self) -> StoreStats {
        StoreStats::default()
    }
}
