//! What the rest of the process holds of it.

use std::sync::Arc;

use async_trait::async_trait;
use runner_engine::rule::{EventInfo, Occasion, Trial};
use runner_executor::{Executor, Packs};
use runner_host::Polled;
use runner_model::{Clock, Entropy, EventId, Failure, RuleRef};
use runner_pack::{Pack, Sensor};
use runner_store::{Audited, Store, StoreError};
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::examine::Occurrence;
use crate::shared::Shared;
use crate::table::Member;
use crate::{Delivered, Delivery, Emitted, Endpoint, RuleState, ScheduleState, SensorState, TriggerError};

/// What it is made of.
pub struct TriggersOptions {
    /// Makes executions of matches.
    pub executor: Executor,
    /// Remembers.
    pub store: Arc<dyn Store>,
    /// Where rules and sensors come from.
    pub packs: Arc<Packs>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub entropy: Arc<dyn Entropy>,
    /// Polls sensors.
    pub sensors: Arc<dyn Sensors>,
}

/// Polls sensors.
#[async_trait]
pub trait Sensors: Send + Sync + 'static {
    /// Looks once what has happened since the cursor.
    async fn poll(
        &self,
        pack: Arc<Pack>,
        sensor: Arc<Sensor>,
        cursor: Option<String>,
        cancel: CancellationToken,
    ) -> Result<Polled, Failure>;
}

/// Takes events and makes executions of them. A clone is the same; with the last one everything stops.
#[derive(Clone)]
pub struct Triggers {
    shared: Arc<Shared>,
    _last: Arc<DropGuard>,
}

impl Triggers {
    /// Reads what was left, takes it up, and starts schedules and sensors. What ends before this is called, no rule
    /// hears of: call it before executions are recovered.
    ///
    /// # Errors
    /// The store failed.
    pub async fn start(options: TriggersOptions) -> Result<Self, StoreError> {
        let mut swaps = options.packs.generation();
        swaps.mark_unchanged();
        let listener = options.executor.listen();
        let shared = Arc::new(Shared::new(options).await?);
        shared.take_up().await?;
        shared.follow_rules().await?;
        shared.follow_sensors().await?;
        shared.tasks.spawn(shared.clone().hear(listener));
        shared.tasks.spawn(shared.clone().dispatch());
        shared.tasks.spawn(shared.clone().deal_with_ends());
        shared.tasks.spawn(shared.clone().keep_time());
        shared.tasks.spawn(shared.clone().watch());
        shared.tasks.spawn(shared.clone().follow_swaps(swaps));
        let last = Arc::new(shared.stop.clone().drop_guard());
        Ok(Self { shared, _last: last })
    }

    /// The endpoints at a path, of enabled rules: more than one if rules of several packs share the path with different
    /// settings.
    #[must_use]
    pub fn endpoints(&self, path: &str) -> Vec<Arc<Endpoint>> {
        self.shared.table().endpoints_at(path)
    }

    /// All endpoints, by path.
    #[must_use]
    pub fn webhook_paths(&self) -> Vec<Arc<Endpoint>> {
        self.shared.table().endpoints().cloned().collect()
    }

    /// Takes a delivery. It is durable when this returns.
    ///
    /// # Errors
    /// It could not be recorded, or the process is ending.
    pub async fn deliver(&self, delivery: Delivery) -> Result<Delivered, TriggerError> {
        let Delivery { endpoint, key, payload, trace_parent } = delivery;
        // Rules may have been switched off since the endpoint was looked up.
        let members = self.shared.table().enabled(&endpoint.rules);
        let occurrence = Occurrence {
            trigger: endpoint.trigger.clone(),
            source: endpoint.source.clone(),
            key,
            payload: Arc::new(payload),
            occurred_at: self.shared.now(),
            trace_parent,
            chain: 0,
            sealed: false,
        };
        self.shared.take(occurrence, members).await
    }

    /// Takes an occurrence of a trigger that a sensor declares. It is durable when this returns.
    ///
    /// # Errors
    /// There is no such trigger, the payload does not fit it, it could not be recorded, or the process is ending.
    pub async fn emit(&self, emitted: Emitted) -> Result<Delivered, TriggerError> {
        let Emitted { trigger, source, key, payload, occurred_at, trace_parent, chain } = emitted;
        let table = self.shared.table();
        let Some(declared) = table.declared(&trigger) else {
            let hint = table.suggest_trigger(&trigger);
            return Err(TriggerError::UnknownTrigger { trigger, hint });
        };
        if let Err(reason) = declared.check_payload(&payload) {
            return Err(TriggerError::Payload { trigger, reason });
        }
        let members = table.waiting_for(&trigger, &payload);
        let occurred_at = occurred_at.unwrap_or_else(|| self.shared.now());
        let payload = Arc::new(payload);
        let occurrence = Occurrence { trigger, source, key, payload, occurred_at, trace_parent, chain, sealed: false };
        self.shared.take(occurrence, members).await
    }

    /// Takes the payload of an event as a new event, which the rules examine as they are now.
    ///
    /// # Errors
    /// There is no such event, it could not be recorded, or the process is ending.
    pub async fn resend(&self, event: EventId) -> Result<Delivered, TriggerError> {
        self.shared.resend(event).await
    }

    /// All rules, by name.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleState> {
        self.shared.table().rules().map(|member| self.state(member)).collect()
    }

    /// The rule with this name.
    #[must_use]
    pub fn rule(&self, rule: &str) -> Option<RuleState> {
        self.shared.table().rule(rule).map(|member| self.state(member))
    }

    fn state(&self, member: &Member) -> RuleState {
        RuleState {
            rule: member.rule.clone(),
            pack: member.pack.clone(),
            enabled: member.enabled,
            switched: member.switched,
            counts: member.tally.counts(),
            next: self.shared.timetable.next(member.name()).filter(|_| member.enabled),
        }
    }

    /// Switches a rule on or off, against what its file says; none goes back to the file.
    ///
    /// # Errors
    /// There is no such rule, or the store failed.
    pub async fn switch(&self, rule: &RuleRef, enabled: Option<bool>, by: Audited) -> Result<RuleState, TriggerError> {
        let unknown = || {
            let hint = self.shared.table().suggest_rule(rule.as_str());
            TriggerError::UnknownRule { rule: rule.clone(), hint }
        };
        if self.rule(rule.as_str()).is_none() {
            return Err(unknown());
        }
        self.shared.switch(rule, enabled, by).await?;
        self.rule(rule.as_str()).ok_or_else(unknown)
    }

    /// What a rule says of a payload, enabled or not; none if there is no such rule. Nothing comes of it.
    #[must_use]
    pub fn examine(&self, rule: &RuleRef, payload: &Value) -> Option<Trial> {
        let table = self.shared.table();
        let member = table.rule(rule.as_str())?;
        let now = self.shared.now();
        let event = EventInfo {
            trigger: member.rule.trigger.reference(),
            source: rule.to_string(),
            id: self.shared.new_id(),
            occurred_at: now,
        };
        let payload = Arc::new(payload.clone());
        Some(member.rule.plan.try_on(&Occasion { event, payload, config: member.config.clone(), now }))
    }

    /// All rules with schedules, each with the `count` instants at which it comes next.
    #[must_use]
    pub fn schedules(&self, count: usize) -> Vec<ScheduleState> {
        self.shared.timetable.states(&self.shared.table(), count)
    }

    /// All sensors, by name.
    #[must_use]
    pub fn sensors(&self) -> Vec<SensorState> {
        self.shared.lookouts.states(&self.shared.table())
    }

    /// How many matches are recorded and not made into executions yet.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.shared.queue.backlog()
    }

    /// Looks at the clock at once, for whoever has set it: otherwise that is noticed within
    /// [`CLOCK_LOOK`](runner_model::limits::CLOCK_LOOK).
    pub fn look_at_clock(&self) {
        self.shared.timetable.look.notify_one();
        self.shared.lookouts.look.notify_one();
    }

    /// Takes nothing new and stops. What is recorded stays for the next process.
    pub async fn shutdown(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}
