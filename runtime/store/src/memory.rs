//! The model: the same promises as a database gives, kept in memory and written to be obviously right.

mod access;
mod audit;
mod events;
mod execution;
mod grants;
mod key_value;
mod secret;
mod upkeep;
mod waits;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use parking_lot::Mutex;
use runner_model::{
    Entry, ExecutionId, ExecutionRecord, FencingToken, GrantRecord, ItemIndex, NodeId, PackRef, SecretName, Status,
    StepId, Timestamp, Version, limits,
};

use crate::{
    Append, AuditEntry, Catalogue, Claimed, ExecutionFilter, Journal, Lease, Leases, NewExecution, OpenWait, Order,
    StoreError, catalogue, codec, projection,
};
use execution::Execution;

/// A store that forgets everything when it is dropped: for tests and simulations.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    executions: BTreeMap<ExecutionId, Execution>,
    /// Until when each node holds what it owns.
    nodes: BTreeMap<NodeId, Timestamp>,
    waits: BTreeMap<(ExecutionId, StepId, Option<ItemIndex>), OpenWait>,
    values: BTreeMap<(PackRef, String), key_value::Kept>,
    happened: events::Happened,
    admitted: access::Admitted,
    audit: Vec<AuditEntry>,
    secrets: BTreeMap<SecretName, secret::Kept>,
    grants: BTreeMap<PackRef, GrantRecord>,
}

impl State {
    fn execution(&self, id: ExecutionId) -> Result<&Execution, StoreError> {
        self.executions.get(&id).ok_or(StoreError::NotFound)
    }

    fn execution_mut(&mut self, id: ExecutionId) -> Result<&mut Execution, StoreError> {
        self.executions.get_mut(&id).ok_or(StoreError::NotFound)
    }

    fn holds(&self, node: &NodeId, now: Timestamp) -> bool {
        self.nodes.get(node).is_some_and(|end| *end > now)
    }

    fn lease_until_at_least(&mut self, node: &NodeId, until: Timestamp) {
        self.nodes.entry(node.clone()).and_modify(|end| *end = until.max(*end)).or_insert(until);
    }

    /// Forgets nodes whose lease is over and that own nothing that is open.
    fn forget_nodes(&mut self, now: Timestamp) {
        let executions = &self.executions;
        let owns = |node: &NodeId| executions.values().any(|one| one.is_open() && one.owner.as_ref() == Some(node));
        self.nodes.retain(|node, end| *end > now || owns(node));
    }

    fn append(&mut self, append: Append) -> Result<Version, StoreError> {
        let (id, changes) = (append.id, crate::waits::changes(append.id, &append.entries));
        let announces = append.announce && projection::ends(&append.entries);
        let execution = self.execution_mut(id)?;
        let before = execution.record.status;
        let version = execution.append(append)?;
        let record = execution.record.clone();
        self.change_waits(id, changes);
        self.tell_parent(before, &record);
        if announces && record.status.is_terminal() {
            self.happened.announce(id);
        }
        Ok(version)
    }

    fn tell_parent(&mut self, before: Status, record: &ExecutionRecord) {
        if projection::is_news_to_parent(before, record.status)
            && let Some(parent) = catalogue::parent_of(record).and_then(|parent| self.executions.get_mut(&parent))
        {
            parent.parked = None;
        }
    }
}

#[async_trait]
impl Journal for MemoryStore {
    async fn create(&self, new: NewExecution) -> Result<Lease, StoreError> {
        let record = projection::fold(new.id, &new.entries)?;
        codec::check_entries(&new.entries)?;
        let changes = crate::waits::changes(new.id, &new.entries);
        let mut state = self.0.lock();
        if state.executions.contains_key(&new.id) {
            return Err(StoreError::Exists);
        }
        let execution = Execution::begin(record, new.entries, &new.owner);
        if execution.is_open() {
            state.lease_until_at_least(&new.owner, new.lease_until);
        }
        let lease = execution.lease();
        state.tell_parent(Status::Requested, &execution.record);
        state.executions.insert(new.id, execution);
        state.change_waits(new.id, changes);
        Ok(lease)
    }

    async fn append(&self, append: Append) -> Result<Version, StoreError> {
        codec::check_entries(&append.entries)?;
        self.0.lock().append(append)
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
        let owner = state.execution(id)?.owner.clone();
        if owner.is_some_and(|owner| owner != *node && state.holds(&owner, now)) {
            return Ok(None);
        }
        state.lease_until_at_least(node, until);
        Ok(Some(state.execution_mut(id)?.give(node)))
    }

    async fn claim_open(&self, node: &NodeId, now: Timestamp, limit: usize) -> Result<Vec<Claimed>, StoreError> {
        let mut state = self.0.lock();
        if !state.holds(node, now) {
            return Ok(Vec::new());
        }
        let mut free: Vec<(Option<NodeId>, ExecutionId)> = state
            .executions
            .values()
            .filter(|execution| execution.is_open())
            .filter(|execution| execution.owner.as_ref().is_none_or(|owner| !state.holds(owner, now)))
            .map(|execution| (execution.owner.clone(), execution.record.id))
            .collect();
        // `None`, without an owner, sorts before every owner.
        free.sort();
        free.truncate(limit);
        let claimed = free.into_iter().map(|(_, id)| {
            let execution = state.execution_mut(id)?;
            Ok(Claimed { lease: execution.give(node), wake_at: execution.parked })
        });
        let claimed = claimed.collect::<Result<_, _>>();
        state.forget_nodes(now);
        claimed
    }

    async fn renew(&self, node: &NodeId, until: Timestamp) -> Result<(), StoreError> {
        self.0.lock().nodes.insert(node.clone(), until);
        Ok(())
    }

    async fn expire(&self, node: &NodeId) -> Result<(), StoreError> {
        self.0.lock().nodes.remove(node);
        Ok(())
    }

    async fn park(&self, id: ExecutionId, token: FencingToken, wake_at: Option<Timestamp>) -> Result<(), StoreError> {
        self.0.lock().execution_mut(id)?.park(token, None, wake_at)
    }

    async fn park_if_unchanged(&self, lease: Lease, wake_at: Option<Timestamp>) -> Result<(), StoreError> {
        self.0.lock().execution_mut(lease.id)?.park(lease.token, Some(lease.version), wake_at)
    }

    async fn release(&self, id: ExecutionId, token: FencingToken) -> Result<(), StoreError> {
        let mut state = self.0.lock();
        let execution = state.execution_mut(id)?;
        execution.check(token)?;
        execution.owner = None;
        Ok(())
    }

    async fn owner(&self, id: ExecutionId) -> Result<Option<NodeId>, StoreError> {
        Ok(self.0.lock().execution(id)?.owner.clone())
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
        let admitted = state.executions.values().map(|execution| &execution.record);
        let admitted = admitted.filter(|record| filter.admits(record)).cloned();
        Ok(match filter.order {
            Order::Newest => {
                admitted.rev().filter(|record| cursor.is_none_or(|cursor| record.id < cursor)).take(limit).collect()
            }
            Order::Oldest => {
                admitted.filter(|record| cursor.is_none_or(|cursor| record.id > cursor)).take(limit).collect()
            }
        })
    }

    async fn count(&self, filter: &ExecutionFilter) -> Result<u64, StoreError> {
        let state = self.0.lock();
        let admitted = state.executions.values().filter(|execution| filter.admits(&execution.record));
        Ok(admitted.take(limits::EXECUTION_COUNT_MAX).count() as u64)
    }

    async fn children(&self, id: ExecutionId) -> Result<Vec<ExecutionRecord>, StoreError> {
        let state = self.0.lock();
        let records = state.executions.values().map(|execution| &execution.record);
        let mut children: Vec<_> = records.filter(|record| catalogue::parent_of(record) == Some(id)).cloned().collect();
        children.sort_by_key(|record| (record.created_at, record.id));
        Ok(children)
    }

    async fn versions(&self) -> Result<Vec<(PackRef, String)>, StoreError> {
        let state = self.0.lock();
        let versions: BTreeSet<_> = state.executions.values().filter_map(Execution::version_of_pack).collect();
        Ok(versions.into_iter().collect())
    }

    async fn find(&self, prefix: &str) -> Result<Vec<ExecutionId>, StoreError> {
        let Some((first, last)) = catalogue::range(prefix)? else { return Ok(Vec::new()) };
        let state = self.0.lock();
        let newest_first = state.executions.range(first..=last).rev().map(|(id, _)| *id);
        Ok(newest_first.take(limits::EXECUTION_PREFIX_MATCHES_MAX).collect())
    }
}
