//! `core.execution_finished`: ends of executions become events.
//!
//! The store lists the ends that were announced; each leaves the list in the commit that records its event. So none is
//! lost when the process ends, and none comes twice. **Executions that lead to one another end somewhere**: each event
//! counts how many came before it, and beyond [`limits::EVENT_CHAIN_MAX`] there is none.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use runner_executor::{Heard, Listener, Progress};
use runner_model::{
    ActionRef, Entry, ExecutionId, ExecutionRecord, ExecutionView, Fact, Origin, TriggerRef, Version, limits,
};
use runner_store::{Advance, Catalogue, Journal, NewEvent, StoreError};
use serde_json::{Value, json};

use crate::examine::Occurrence;
use crate::shared::Shared;
use crate::sleep;

/// Name of the trigger.
const TRIGGER: &str = "core.execution_finished";

/// When to look after an end was heard of: it is said before it is committed, which mostly takes some milliseconds.
const LOOKS: [Duration; 6] = [
    Duration::from_millis(2),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

impl Shared {
    /// Listens to what happens in executions, for those who wait for their ends.
    pub(crate) async fn hear(self: Arc<Self>, mut listener: Listener) {
        loop {
            let heard = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                heard = listener.recv() => heard,
                // What ends at another process is not heard here.
                () = sleep::until(self.clock(), None) => Some(Heard::Lost(0)),
            };
            match heard {
                Some(Heard::Event(event)) => {
                    if matches!(event.progress, Progress::Finished { .. }) {
                        self.heard_end(event.execution);
                    }
                }
                Some(Heard::Lost(_)) => self.look_for_ends().await,
                None => return,
            }
        }
    }

    async fn look_for_ends(&self) {
        self.ended.notify_one();
        match self.lanes.check_all(self.store()).await {
            Ok(true) => self.queue.wake.notify_one(),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "open executions of rules not looked at"),
        }
    }

    /// Makes events of ends until the process ends.
    pub(crate) async fn deal_with_ends(self: Arc<Self>) {
        let mut warned = BTreeSet::new();
        let mut looks = LOOKS.iter();
        loop {
            let wait = match self.look(&mut warned).await {
                Ok(true) => continue,
                Ok(false) => looks.next().copied().unwrap_or(limits::CLOCK_LOOK),
                Err(error) => {
                    tracing::warn!(%error, "ends of executions not dealt with, tried again");
                    limits::STORE_RETRY_LAST
                }
            };
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = self.ended.notified() => looks = LOOKS.iter(),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Looks at what has ended. Whether there may be more.
    async fn look(&self, warned: &mut BTreeSet<ActionRef>) -> Result<bool, StoreError> {
        if self.lanes.check_ending(self.store()).await? {
            self.queue.wake.notify_one();
        }
        self.ends(warned).await
    }

    /// Deals with some ends. Whether there may be more.
    async fn ends(&self, warned: &mut BTreeSet<ActionRef>) -> Result<bool, StoreError> {
        let ids = self.store().ended(limits::ENDED_PAGE).await?;
        if ids.is_empty() {
            return Ok(false);
        }
        let mut drafts = Vec::new();
        for id in &ids {
            drafts.extend(self.end(*id, warned).await?);
        }
        let more = ids.len() >= limits::ENDED_PAGE;
        self.record(drafts, ids.into_iter().map(Advance::Ended).collect()).await?;
        Ok(more)
    }

    /// The event of one end, if a rule matches it.
    async fn end(&self, id: ExecutionId, warned: &mut BTreeSet<ActionRef>) -> Result<Option<NewEvent>, StoreError> {
        let record = match Catalogue::get(self.store(), id).await {
            Ok(record) => record,
            // It was removed, or runs again.
            Err(StoreError::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        let members = self.table().waiting_for_end(&record.action, record.status);
        if members.is_empty() || !record.status.is_terminal() {
            return Ok(None);
        }
        let chain = self.chain(record.origin.clone()).await?.saturating_add(1);
        if chain > limits::EVENT_CHAIN_MAX {
            if warned.insert(record.action.clone()) {
                tracing::warn!(
                    action = %record.action, execution_id = %id, chain,
                    "executions start one another without an end: no rule hears of this one"
                );
            }
            return Ok(None);
        }
        let entries = match Journal::read(self.store(), id, Version(0)).await {
            Ok(entries) => entries,
            Err(StoreError::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(occurrence) = occurrence(&record, &entries, chain) else { return Ok(None) };
        Ok(Some(self.draft(occurrence, &members)).filter(|draft| !draft.event.matches.is_empty()))
    }

    /// How many executions came one after the other before this one: a part of a workflow counts as the whole.
    async fn chain(&self, mut origin: Origin) -> Result<u32, StoreError> {
        loop {
            let parent = match origin {
                Origin::Rule { chain, .. } => return Ok(chain),
                Origin::Step { execution, .. } => execution,
                Origin::Cli | Origin::Api => return Ok(0),
            };
            origin = match Catalogue::get(self.store(), parent).await {
                Ok(record) => record.origin,
                Err(StoreError::NotFound) => return Ok(0),
                Err(error) => return Err(error),
            };
        }
    }
}

/// What has happened. An execution that was run again ends again.
fn occurrence(record: &ExecutionRecord, entries: &[Entry], chain: u32) -> Option<Occurrence> {
    let view = ExecutionView::fold(record.id, entries)?;
    let reruns = entries.iter().filter(|entry| matches!(entry.fact, Fact::RerunRequested { .. })).count();
    let id = record.id.to_string();
    let requested = entries.first().and_then(|entry| match &entry.fact {
        Fact::Requested(requested) => Some(requested),
        _ => None,
    });
    let trace_parent = requested.and_then(|requested| requested.trace_parent.clone());
    Some(Occurrence {
        trigger: trigger()?,
        source: id.clone(),
        key: Some(if reruns == 0 { id } else { format!("{id}/{reruns}") }),
        occurred_at: record.finished_at.unwrap_or(record.created_at),
        payload: Arc::new(payload(record, &view)),
        trace_parent,
        chain,
        sealed: requested.is_some_and(|requested| requested.sealed),
    })
}

fn trigger() -> Option<TriggerRef> {
    TRIGGER.parse().ok()
}

fn payload(record: &ExecutionRecord, view: &ExecutionView) -> Value {
    json!({
        "execution_id": record.id,
        "action": record.action,
        "pack": record.action.pack(),
        "status": record.status,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "parameters": view.parameters,
        "result": view.result,
        "origin": record.origin,
    })
}
