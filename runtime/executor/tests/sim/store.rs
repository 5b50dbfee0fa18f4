//! A store whose calls take time, fail, or are the last thing that a process does.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use runner_model::{
    ApiKey, Entry, Event, EventId, ExecutionId, ExecutionRecord, FencingToken, GrantRecord, KeyId, MatchState, NodeId,
    PackRef, RuleRef, SecretName, Timestamp, Version,
};
use runner_store::{
    Access, Advance, Append, Audit, AuditEntry, AuditFilter, AuditFrom, AuditHead, Audited, Catalogue, Claimed, Deed,
    Digest, EventFilter, Events, ExecutionFilter, Expiry, Grants, Journal, KeyValue, Lease, Leases, NewEvent,
    NewExecution, NewSecret, OpenWait, Pruned, Recorded, Reservation, Reserved, SealedSecret, SecretRecord, Secrets,
    StoreError, StoreStats, Swap, Upkeep, WaitFilter, Waits,
};
use serde_json::Value;

use super::door::Crash;
use super::node::Life;
use super::world::World;

pub(crate) struct SimulatedStore {
    pub(crate) world: Arc<World>,
    pub(crate) life: Arc<Life>,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    Failed,
    LostAck,
    CrashBefore,
    CrashAfter,
}

impl SimulatedStore {
    fn fate(&self) -> (Fate, u64, u64, StoreError) {
        let rates = self.world.rates();
        self.world.draw(|chance| {
            let slow = chance.hits(200);
            let (before, after) = (chance.between(0, 3), chance.between(0, if slow { 900 } else { 3 }));
            let freeze = chance.hits(rates.freeze);
            let frozen_ms = chance.between(1_000, 40_000);
            let fate = if chance.hits(rates.crash) {
                chance.of(&[Fate::CrashBefore, Fate::CrashAfter])
            } else if chance.hits(rates.lost_ack) {
                Fate::LostAck
            } else if chance.hits(rates.fail) {
                Fate::Failed
            } else {
                Fate::Done
            };
            if freeze {
                self.life.freeze(Duration::from_millis(frozen_ms));
            }
            // An acknowledgement that is lost is no full disk: then nothing was written, and that is promised.
            let error = match chance.below(4) {
                0 if fate == Fate::Failed => StoreError::Full,
                1 if fate == Fate::Failed => StoreError::Busy,
                _ => StoreError::Io { reason: "the simulation says so".to_owned() },
            };
            (fate, before, after, error)
        })
    }

    /// A call on its way to the disk and back.
    async fn pass<T>(
        &self,
        what: impl FnOnce() -> String + Send,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.life.goes_on().await;
        let (fate, before, after, error) = self.fate();
        let number = self.life.number;
        tokio::time::sleep(Duration::from_millis(before)).await;
        self.life.goes_on().await;
        if matches!(fate, Fate::CrashBefore | Fate::Failed) {
            self.world.say(|| format!("node {number} {} not done: {fate:?}", what()));
            if fate == Fate::CrashBefore {
                self.life.die();
                self.life.goes_on().await;
            }
            return Err(error);
        }
        let result = work.await;
        self.world.say(|| {
            let ending = result.as_ref().err().map(|error| format!(": {error}")).unwrap_or_default();
            let fate = if fate == Fate::Done { String::new() } else { format!(" {fate:?}") };
            format!("node {number} {}{ending}{fate}", what())
        });
        if fate == Fate::CrashAfter {
            self.life.die();
        }
        self.life.goes_on().await;
        tokio::time::sleep(Duration::from_millis(after)).await;
        self.life.goes_on().await;
        if fate == Fate::LostAck { Err(error) } else { result }
    }
}

/// The last letters of an id: the part that differs.
pub(crate) fn short(id: ExecutionId) -> String {
    let id = id.to_string();
    id[id.len() - 6..].to_owned()
}

#[async_trait]
impl Journal for SimulatedStore {
    async fn create(&self, new: NewExecution) -> Result<Lease, StoreError> {
        let what = format!("creates {} {}", short(new.id), facts(&new.entries));
        self.pass(|| what, self.world.disk.create(new)).await
    }

    async fn append(&self, append: Append) -> Result<Version, StoreError> {
        let crash = self.world.door.passes().await;
        if self.world.door.is_full() {
            return Err(StoreError::Full);
        }
        if let Some(crash) = crash {
            if crash == Crash::After {
                self.world.disk.append(append).await.unwrap();
            }
            self.life.die();
            std::future::pending::<()>().await;
            unreachable!("it is dead");
        }
        let what = format!("appends {} #{} {}", short(append.id), append.token, facts(&append.entries));
        self.pass(|| what, self.world.disk.append(append)).await
    }

    async fn read(&self, id: ExecutionId, from: Version) -> Result<Vec<Entry>, StoreError> {
        self.pass(|| format!("reads {}", short(id)), self.world.disk.read(id, from)).await
    }
}

fn facts(entries: &[Entry]) -> String {
    let name = |entry: &Entry| {
        let written = serde_json::to_value(&entry.fact).unwrap();
        let part = |key: &str| written.get(key).map(|part| format!(" {part}")).unwrap_or_default();
        let parts = ["step", "item", "attempt", "task", "status", "by", "until"].map(part).concat();
        format!("{}{parts}", written["type"].as_str().unwrap())
    };
    entries.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[async_trait]
impl Leases for SimulatedStore {
    async fn claim(
        &self,
        id: ExecutionId,
        node: &NodeId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        self.pass(|| format!("claims {}", short(id)), self.world.disk.claim(id, node, now, until)).await
    }

    async fn claim_open(&self, node: &NodeId, now: Timestamp, limit: usize) -> Result<Vec<Claimed>, StoreError> {
        self.pass(|| "claims what is open".to_owned(), self.world.disk.claim_open(node, now, limit)).await
    }

    async fn renew(&self, node: &NodeId, until: Timestamp) -> Result<(), StoreError> {
        self.pass(|| "renews".to_owned(), self.world.disk.renew(node, until)).await
    }

    async fn expire(&self, node: &NodeId) -> Result<(), StoreError> {
        self.pass(|| format!("expires {node}"), self.world.disk.expire(node)).await
    }

    async fn park(&self, id: ExecutionId, token: FencingToken, wake_at: Option<Timestamp>) -> Result<(), StoreError> {
        self.pass(|| parks(id, token, wake_at), self.world.disk.park(id, token, wake_at)).await
    }

    async fn park_if_unchanged(&self, lease: Lease, wake_at: Option<Timestamp>) -> Result<(), StoreError> {
        let what = || parks(lease.id, lease.token, wake_at);
        self.pass(what, self.world.disk.park_if_unchanged(lease, wake_at)).await
    }

    async fn release(&self, id: ExecutionId, token: FencingToken) -> Result<(), StoreError> {
        self.pass(|| format!("releases {}", short(id)), self.world.disk.release(id, token)).await
    }

    async fn owner(&self, id: ExecutionId) -> Result<Option<NodeId>, StoreError> {
        self.pass(|| format!("asks for the owner of {}", short(id)), self.world.disk.owner(id)).await
    }
}

fn parks(id: ExecutionId, token: FencingToken, wake_at: Option<Timestamp>) -> String {
    let until = wake_at.map(|at| format!(" until {at}")).unwrap_or_default();
    format!("parks {} #{token}{until}", short(id))
}

#[async_trait]
impl Catalogue for SimulatedStore {
    async fn get(&self, id: ExecutionId) -> Result<ExecutionRecord, StoreError> {
        self.pass(|| format!("looks at {}", short(id)), Catalogue::get(&*self.world.disk, id)).await
    }

    async fn list(
        &self,
        filter: &ExecutionFilter,
        cursor: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Vec<ExecutionRecord>, StoreError> {
        self.pass(|| "lists".to_owned(), self.world.disk.list(filter, cursor, limit)).await
    }

    async fn count(&self, filter: &ExecutionFilter) -> Result<u64, StoreError> {
        self.pass(|| "counts".to_owned(), self.world.disk.count(filter)).await
    }

    async fn children(&self, id: ExecutionId) -> Result<Vec<ExecutionRecord>, StoreError> {
        self.pass(|| format!("asks for children of {}", short(id)), self.world.disk.children(id)).await
    }

    async fn versions(&self) -> Result<Vec<(PackRef, String)>, StoreError> {
        self.pass(|| "asks for versions of packs".to_owned(), self.world.disk.versions()).await
    }

    async fn find(&self, prefix: &str) -> Result<Vec<ExecutionId>, StoreError> {
        self.pass(|| format!("finds {prefix}"), self.world.disk.find(prefix)).await
    }
}

#[async_trait]
impl Waits for SimulatedStore {
    async fn waits(&self, filter: &WaitFilter, limit: usize) -> Result<Vec<OpenWait>, StoreError> {
        self.pass(|| "asks for waits".to_owned(), self.world.disk.waits(filter, limit)).await
    }
}

#[async_trait]
impl Events for SimulatedStore {
    async fn record(&self, events: Vec<NewEvent>, advance: Vec<Advance>) -> Result<Vec<Recorded>, StoreError> {
        let what = format!("records {} events", events.len());
        self.pass(|| what, self.world.disk.record(events, advance)).await
    }

    async fn settle(&self, event: EventId, rule: &RuleRef, state: MatchState) -> Result<(), StoreError> {
        let what = format!("settles {event} {rule} {}", state.as_str());
        self.pass(|| what, self.world.disk.settle(event, rule, state)).await
    }

    async fn event(&self, id: EventId) -> Result<Event, StoreError> {
        self.pass(|| format!("looks at {id}"), self.world.disk.event(id)).await
    }

    async fn events(
        &self,
        filter: &EventFilter,
        cursor: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        self.pass(|| "lists events".to_owned(), self.world.disk.events(filter, cursor, limit)).await
    }

    async fn open_events(&self, after: Option<EventId>, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.pass(|| "asks for open events".to_owned(), self.world.disk.open_events(after, limit)).await
    }

    async fn mark(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.pass(|| format!("asks for the mark {name}"), self.world.disk.mark(name)).await
    }

    async fn ended(&self, limit: usize) -> Result<Vec<ExecutionId>, StoreError> {
        self.pass(|| "asks for what ended".to_owned(), self.world.disk.ended(limit)).await
    }
}

#[async_trait]
impl Access for SimulatedStore {
    async fn add_key(&self, key: ApiKey, digest: Digest, by: Audited) -> Result<(), StoreError> {
        self.pass(|| "adds an API key".to_owned(), self.world.disk.add_key(key, digest, by)).await
    }

    async fn key(&self, digest: Digest) -> Result<Option<ApiKey>, StoreError> {
        self.pass(|| "looks for an API key".to_owned(), self.world.disk.key(digest)).await
    }

    async fn keys_of_api(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.pass(|| "lists API keys".to_owned(), self.world.disk.keys_of_api()).await
    }

    async fn revoke_key(&self, id: KeyId, by: Audited) -> Result<Option<ApiKey>, StoreError> {
        self.pass(|| format!("revokes the API key {id}"), self.world.disk.revoke_key(id, by)).await
    }

    async fn touch_key(&self, id: KeyId, now: Timestamp) -> Result<(), StoreError> {
        self.pass(|| format!("touches the API key {id}"), self.world.disk.touch_key(id, now)).await
    }

    async fn reserve(&self, reservation: Reservation, now: Timestamp) -> Result<Reserved, StoreError> {
        let what = format!("reserves {} {}", reservation.scope, reservation.key);
        self.pass(|| what, self.world.disk.reserve(reservation, now)).await
    }

    async fn switch_rule(&self, rule: &RuleRef, enabled: Option<bool>, by: Audited) -> Result<(), StoreError> {
        self.pass(|| format!("switches {rule}"), self.world.disk.switch_rule(rule, enabled, by)).await
    }

    async fn switched_rules(&self) -> Result<BTreeMap<RuleRef, bool>, StoreError> {
        self.pass(|| "lists switched rules".to_owned(), self.world.disk.switched_rules()).await
    }
}

#[async_trait]
impl Grants for SimulatedStore {
    async fn grant(&self, grant: GrantRecord, by: Audited) -> Result<(), StoreError> {
        self.pass(|| format!("grants {}", grant.pack), self.world.disk.grant(grant.clone(), by)).await
    }

    async fn revoke_grant(&self, pack: &PackRef, by: Audited) -> Result<Option<GrantRecord>, StoreError> {
        self.pass(|| format!("revokes the grant of {pack}"), self.world.disk.revoke_grant(pack, by)).await
    }

    async fn grants(&self) -> Result<Vec<GrantRecord>, StoreError> {
        self.pass(|| "lists grants".to_owned(), self.world.disk.grants()).await
    }
}

#[async_trait]
impl Secrets for SimulatedStore {
    async fn secret_version(&self, name: &SecretName) -> Result<u64, StoreError> {
        self.pass(|| format!("asks for the version of {name}"), self.world.disk.secret_version(name)).await
    }

    async fn put_secret(&self, new: NewSecret, by: Audited) -> Result<SecretRecord, StoreError> {
        self.pass(|| format!("puts {}", new.name), self.world.disk.put_secret(new.clone(), by)).await
    }

    async fn reseal_secret(&self, new: NewSecret, by: Audited) -> Result<(), StoreError> {
        self.pass(|| format!("reseals {}", new.name), self.world.disk.reseal_secret(new.clone(), by)).await
    }

    async fn sealed_secret(&self, name: &SecretName) -> Result<Option<SealedSecret>, StoreError> {
        self.pass(|| format!("reads {name}"), self.world.disk.sealed_secret(name)).await
    }

    async fn secrets(&self) -> Result<Vec<SecretRecord>, StoreError> {
        self.pass(|| "lists secrets".to_owned(), self.world.disk.secrets()).await
    }

    async fn delete_secret(&self, name: &SecretName, by: Audited) -> Result<bool, StoreError> {
        self.pass(|| format!("deletes {name}"), self.world.disk.delete_secret(name, by)).await
    }
}

#[async_trait]
impl Audit for SimulatedStore {
    async fn log(&self, by: Audited, deed: Deed) -> Result<AuditHead, StoreError> {
        self.pass(|| format!("logs {}", deed.action.as_str()), self.world.disk.log(by, deed.clone())).await
    }

    async fn audit(&self, filter: &AuditFilter, from: AuditFrom, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.pass(|| "reads the log".to_owned(), self.world.disk.audit(filter, from, limit)).await
    }

    async fn audit_head(&self) -> Result<AuditHead, StoreError> {
        self.pass(|| "asks for the log's head".to_owned(), self.world.disk.audit_head()).await
    }
}

#[async_trait]
impl Upkeep for SimulatedStore {
    async fn prune(&self, expiry: Expiry, limit: usize) -> Result<Pruned, StoreError> {
        self.pass(|| "prunes".to_owned(), self.world.disk.prune(expiry, limit)).await
    }

    fn stats(&self) -> StoreStats {
        self.world.disk.stats()
    }
}

#[async_trait]
impl KeyValue for SimulatedStore {
    async fn get(&self, pack: &PackRef, key: &str, now: Timestamp) -> Result<Option<Value>, StoreError> {
        self.pass(|| format!("reads the key {key}"), KeyValue::get(&*self.world.disk, pack, key, now)).await
    }

    async fn set(
        &self,
        pack: &PackRef,
        key: &str,
        value: Value,
        expires_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.pass(|| format!("sets {key}"), self.world.disk.set(pack, key, value, expires_at)).await
    }

    async fn delete(&self, pack: &PackRef, key: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.pass(|| format!("deletes {key}"), self.world.disk.delete(pack, key, now)).await
    }

    async fn compare_and_swap(&self, swap: Swap) -> Result<bool, StoreError> {
        let what = format!("swaps {}", swap.key);
        self.pass(|| what, self.world.disk.compare_and_swap(swap)).await
    }

    async fn keys(
        &self,
        pack: &PackRef,
        prefix: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        self.pass(|| format!("lists keys {prefix}"), self.world.disk.keys(pack, prefix, now, limit)).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<u64, StoreError> {
        self.pass(|| "sweeps".to_owned(), self.world.disk.sweep(now, limit)).await
    }
}
