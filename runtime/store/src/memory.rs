//! The model: the same promises as a database gives, kept in memory and written to be obviously right.

use std::collections::BTreeMap;

use async_trait::async_trait;
use parking_lot::Mutex;
use runner_model::{Entry, ExecutionId, ExecutionRecord, FencingToken, NodeId, PackRef, Timestamp, Version, limits};
use serde_json::Value;

use crate::{
    Append, Catalogue, ExecutionFilter, Journal, KeyValue, Lease, Leases, NewExecution, StoreError, Swap, catalogue,
    codec, key_value, projection,
};

/// A store that forgets everything when it is dropped: for tests and simulations.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    executions: BTreeMap<ExecutionId, Execution>,
    values: BTreeMap<(PackRef, String), Kept>,
}

#[derive(Debug)]
struct Execution {
    record: ExecutionRecord,
    entries: Vec<Entry>,
    token: FencingToken,
    /// Who holds it and until when.
    held: Option<(NodeId, Timestamp)>,
}

#[derive(Debug)]
struct Kept {
    value: Value,
    expires_at: Option<Timestamp>,
}

impl Execution {
    fn version(&self) -> Version {
        Version(self.entries.len() as u64)
    }

    fn lease(&self) -> Lease {
        Lease { id: self.record.id, token: self.token, version: self.version() }
    }

    fn give(&mut self, node: &NodeId, until: Timestamp) -> Lease {
        self.token = self.token.next();
        self.held = Some((node.clone(), until));
        self.lease()
    }

    fn check(&self, token: FencingToken) -> Result<(), StoreError> {
        if self.token == token { Ok(()) } else { Err(StoreError::Fenced) }
    }

    fn append(&mut self, append: Append) -> Result<Version, StoreError> {
        self.check(append.token)?;
        if self.version() != append.expected {
            return Err(StoreError::VersionConflict { expected: append.expected, found: self.version() });
        }
        let mut record = self.record.clone();
        projection::proceed(&mut record, &append.entries)?;
        if append.entries.is_empty() {
            return Ok(self.version());
        }
        self.record = record;
        self.entries.extend(append.entries);
        if self.record.status.is_terminal() {
            self.held = None;
        }
        Ok(self.version())
    }
}

impl State {
    fn execution(&self, id: ExecutionId) -> Result<&Execution, StoreError> {
        self.executions.get(&id).ok_or(StoreError::NotFound)
    }

    fn execution_mut(&mut self, id: ExecutionId) -> Result<&mut Execution, StoreError> {
        self.executions.get_mut(&id).ok_or(StoreError::NotFound)
    }

    fn live(&self, pack: &PackRef, key: &str, now: Timestamp) -> Option<&Value> {
        let kept = self.values.get(&(pack.clone(), key.to_owned()))?;
        key_value::is_live(kept.expires_at, now).then_some(&kept.value)
    }
}

#[async_trait]
impl Journal for MemoryStore {
    async fn create(&self, new: NewExecution) -> Result<Lease, StoreError> {
        let record = projection::fold(new.id, &new.entries)?;
        codec::write_entries(new.id, Version(0), &new.entries)?;
        let mut state = self.0.lock();
        if state.executions.contains_key(&new.id) {
            return Err(StoreError::Exists);
        }
        let held = (!record.status.is_terminal()).then_some((new.owner, new.lease_until));
        let execution = Execution { record, entries: new.entries, token: FencingToken(1), held };
        let lease = execution.lease();
        state.executions.insert(new.id, execution);
        Ok(lease)
    }

    async fn append(&self, append: Append) -> Result<Version, StoreError> {
        codec::write_entries(append.id, append.expected, &append.entries)?;
        self.0.lock().execution_mut(append.id)?.append(append)
    }

    async fn read(&self, id: ExecutionId, from: Version) -> Result<Vec<Entry>, StoreError> {
        let state = self.0.lock();
        let from = usize::try_from(from.0).unwrap_or(usize::MAX);
        Ok(state.execution(id)?.entries.get(from..).unwrap_or_default().to_vec())
    }
}

#[async_trait]
impl Leases for MemoryStore {
    async fn claim(
        &self,
        id: ExecutionId,
        node: &NodeId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        let mut state = self.0.lock();
        let execution = state.execution_mut(id)?;
        let foreign = execution.held.as_ref().is_some_and(|(holder, end)| holder != node && *end > now);
        Ok((!foreign).then(|| execution.give(node, until)))
    }

    async fn claim_expired(
        &self,
        node: &NodeId,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Lease>, StoreError> {
        let mut state = self.0.lock();
        let end = |execution: &Execution| execution.held.as_ref().map(|(_, end)| *end);
        let mut overdue: Vec<&mut Execution> = state
            .executions
            .values_mut()
            .filter(|execution| !execution.record.status.is_terminal())
            .filter(|execution| end(execution).is_none_or(|end| end <= now))
            .collect();
        // `None`, which was given back, sorts before every moment.
        overdue.sort_by_key(|execution| (end(execution), execution.record.id));
        Ok(overdue.into_iter().take(limit).map(|execution| execution.give(node, until)).collect())
    }

    async fn renew(&self, node: &NodeId, until: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.0.lock();
        let held = state.executions.values_mut().filter_map(|execution| execution.held.as_mut());
        Ok(held.filter(|(holder, _)| holder == node).map(|(_, end)| *end = until).count() as u64)
    }

    async fn release(&self, id: ExecutionId, token: FencingToken) -> Result<(), StoreError> {
        let mut state = self.0.lock();
        let execution = state.execution_mut(id)?;
        execution.check(token)?;
        execution.held = None;
        Ok(())
    }
}

#[async_trait]
impl Catalogue for MemoryStore {
    async fn get(&self, id: ExecutionId) -> Result<ExecutionRecord, StoreError> {
        Ok(self.0.lock().execution(id)?.record.clone())
    }

    async fn list(
        &self,
        filter: &ExecutionFilter,
        cursor: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Vec<ExecutionRecord>, StoreError> {
        let state = self.0.lock();
        let newest_first = state.executions.values().rev().map(|execution| &execution.record);
        let page = newest_first
            .filter(|record| cursor.is_none_or(|cursor| record.id < cursor))
            .filter(|record| filter.admits(record));
        Ok(page.take(limit).cloned().collect())
    }

    async fn find(&self, prefix: &str) -> Result<Vec<ExecutionId>, StoreError> {
        let Some((first, last)) = catalogue::range(prefix)? else { return Ok(Vec::new()) };
        let state = self.0.lock();
        let newest_first = state.executions.range(first..=last).rev().map(|(id, _)| *id);
        Ok(newest_first.take(limits::EXECUTION_PREFIX_MATCHES_MAX).collect())
    }
}

#[async_trait]
impl KeyValue for MemoryStore {
    async fn get(&self, pack: &PackRef, key: &str, now: Timestamp) -> Result<Option<Value>, StoreError> {
        Ok(self.0.lock().live(pack, key, now).cloned())
    }

    async fn set(
        &self,
        pack: &PackRef,
        key: &str,
        value: Value,
        expires_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        codec::to_json("the value", &value)?;
        self.0.lock().values.insert((pack.clone(), key.to_owned()), Kept { value, expires_at });
        Ok(())
    }

    async fn delete(&self, pack: &PackRef, key: &str, now: Timestamp) -> Result<bool, StoreError> {
        let removed = self.0.lock().values.remove(&(pack.clone(), key.to_owned()));
        Ok(removed.is_some_and(|kept| key_value::is_live(kept.expires_at, now)))
    }

    async fn compare_and_swap(&self, swap: Swap) -> Result<bool, StoreError> {
        codec::to_json("the value", &swap.value)?;
        let mut state = self.0.lock();
        if state.live(&swap.pack, &swap.key, swap.now) != swap.expected.as_ref() {
            return Ok(false);
        }
        let place = (swap.pack, swap.key);
        match swap.value {
            Some(value) => state.values.insert(place, Kept { value, expires_at: swap.expires_at }),
            None => state.values.remove(&place),
        };
        Ok(true)
    }

    async fn keys(
        &self,
        pack: &PackRef,
        prefix: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let state = self.0.lock();
        let from = (pack.clone(), prefix.to_owned());
        let with_prefix = state
            .values
            .range(from..)
            .take_while(|((owner, key), _)| owner == pack && key.starts_with(prefix))
            .filter(|(_, kept)| key_value::is_live(kept.expires_at, now));
        Ok(with_prefix.take(limit).map(|((_, key), _)| key.clone()).collect())
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let mut state = self.0.lock();
        let mut expired: Vec<_> = state
            .values
            .iter()
            .filter(|(_, kept)| !key_value::is_live(kept.expires_at, now))
            .map(|(place, kept)| (kept.expires_at, place.clone()))
            .collect();
        expired.sort();
        expired.truncate(limit);
        for (_, place) in &expired {
            state.values.remove(place);
        }
        Ok(expired.len() as u64)
    }
}
