//! From an event to the commit that makes it durable, and on to those who make executions of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use runner_executor::Whole;
use runner_model::{Event, RuleRef, limits};
use runner_store::{Advance, NewEvent, Recorded, StoreError};

use crate::examine::{Occurrence, examine};
use crate::shared::Shared;
use crate::table::Member;
use crate::{Delivered, TriggerError};

impl Shared {
    /// Takes one occurrence for these rules. It is recorded also if none of them matches, since it is answered, and may
    /// come again.
    pub(crate) async fn take(
        self: &Arc<Self>,
        occurrence: Occurrence,
        members: Vec<Arc<Member>>,
    ) -> Result<Delivered, TriggerError> {
        if self.stop.is_cancelled() {
            return Err(TriggerError::Stopped);
        }
        if let Some(bytes) = occurrence.key.as_ref().map(String::len).filter(|len| *len > limits::EVENT_KEY_BYTES_MAX) {
            return Err(TriggerError::Key { bytes });
        }
        if occurrence.chain > limits::EVENT_CHAIN_MAX {
            return Err(TriggerError::Chain { chain: occurrence.chain });
        }
        // Whoever asked may go away meanwhile; what is recorded is begun all the same.
        let shared = self.clone();
        let recorded = Whole::new(&self.tasks, async move {
            let draft = shared.draft(occurrence, &members);
            shared.record(vec![draft], Vec::new()).await
        });
        match recorded.await.map_err(|_| TriggerError::Stopped)??.pop() {
            Some(Recorded::New(event)) => Ok(Delivered { event, fresh: true }),
            Some(Recorded::Known(event)) => Ok(Delivered { event, fresh: false }),
            None => Err(TriggerError::Store(StoreError::NoEvent)),
        }
    }

    /// An event with what these rules make of it. Nothing is recorded.
    pub(crate) fn draft(&self, occurrence: Occurrence, members: &[Arc<Member>]) -> NewEvent {
        let packs = self.executor().packs();
        examine(occurrence, self.new_id(), self.now(), members, |action| packs.secrecy(action))
    }

    /// Records events and how far whoever emitted them has come; what they lead to is begun after that.
    pub(crate) async fn record(
        &self,
        mut drafts: Vec<NewEvent>,
        advance: Vec<Advance>,
    ) -> Result<Vec<Recorded>, StoreError> {
        let table = self.table();
        let laned: BTreeSet<_> = drafts
            .iter()
            .flat_map(|draft| &draft.event.matches)
            .filter(|one| one.state.is_open() && table.rule(one.rule.as_str()).is_some_and(|member| has_lane(member)))
            .map(|one| one.rule.clone())
            .collect();
        // Whether an earlier execution runs is decided for one commit after the other.
        let turn = match laned.is_empty() {
            true => None,
            false => Some(self.lanes.turn.lock().await),
        };
        for rule in &laned {
            self.look_at_lane(rule).await?;
        }
        self.lanes.admit(&table, drafts.iter_mut().map(|draft| &mut draft.event));
        let recorded = self.store().record(drafts, advance).await?;
        for one in &recorded {
            let (event, is_new) = match one {
                Recorded::New(event) => (event, true),
                Recorded::Known(event) => (event, false),
            };
            self.arrivals.count(&event.trigger, is_new);
            tracing::debug!(event = %event.id, trigger = %event.trigger, is_new, matches = event.matches.len(), "event");
            self.hand_over(event, is_new);
        }
        drop(turn);
        Ok(recorded)
    }

    /// Reads which executions of a rule have not ended.
    pub(crate) async fn look_at_lane(&self, rule: &RuleRef) -> Result<(), StoreError> {
        if self.lanes.look(self.store(), rule).await? {
            self.ended.notify_one();
        }
        Ok(())
    }

    /// Passes on what is left to do for an event.
    pub(crate) fn hand_over(&self, event: &Event, count: bool) {
        if !event.is_open() {
            return;
        }
        let table = self.table();
        let secrets: Arc<[String]> = event.secrets.clone().into();
        for one in event.matches.iter().filter(|one| one.state.is_open()) {
            let overlaps = table.rule(one.rule.as_str()).is_some_and(|member| has_lane(member));
            self.queue.offer(event, one, &secrets, count, &self.lanes, overlaps);
        }
    }
}

/// Whether executions of the rule wait for one another, or go before one another.
pub(crate) fn has_lane(member: &Member) -> bool {
    member.scheduled().is_some_and(|scheduled| !matches!(scheduled.overlap, runner_pack::Overlap::Allow))
}
