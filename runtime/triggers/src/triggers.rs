//! What the rest of the process holds of it.

use std::sync::Arc;

use async_trait::async_trait;
use runner_engine::rule::Verdict;
use runner_executor::{Executor, Packs};
use runner_host::Polled;
use runner_model::{Clock, Entropy, EventId, Failure, RuleRef};
use runner_pack::{Pack, Sensor};
use runner_store::{Store, StoreError};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

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

/// Takes events and makes executions of them. A clone is the same.
#[derive(Clone)]
pub struct Triggers {
    options: Arc<TriggersOptions>,
}

impl Triggers {
    /// Reads what was left, takes it up, and starts schedules and sensors.
    ///
    /// # Errors
    /// The store failed.
    pub async fn start(options: TriggersOptions) -> Result<Self, StoreError> {
        Ok(Self { options: Arc::new(options) })
    }

    /// The endpoints at a path, of enabled rules: more than one if rules of several packs share the path with different
    /// settings.
    #[must_use]
    pub fn endpoints(&self, path: &str) -> Vec<Arc<Endpoint>> {
        Vec::new()
    }

    /// All endpoints.
    #[must_use]
    pub fn webhook_paths(&self) -> Vec<Arc<Endpoint>> {
        Vec::new()
    }

    /// Takes a delivery. It is durable when this returns.
    ///
    /// # Errors
    /// It could not be recorded, or the process is ending.
    pub async fn deliver(&self, delivery: Delivery) -> Result<Delivered, TriggerError> {
        Err(TriggerError::Stopped)
    }

    /// Takes an occurrence of a trigger that a sensor declares. It is durable when this returns.
    ///
    /// # Errors
    /// There is no such trigger, the payload does not fit it, it could not be recorded, or the process is ending.
    pub async fn emit(&self, emitted: Emitted) -> Result<Delivered, TriggerError> {
        Err(TriggerError::Stopped)
    }

    /// Takes the payload of an event as a new event, which the rules examine as they are now.
    ///
    /// # Errors
    /// There is no such event, it could not be recorded, or the process is ending.
    pub async fn resend(&self, event: EventId) -> Result<Delivered, TriggerError> {
        Err(TriggerError::Stopped)
    }

    /// All rules, by name.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleState> {
        Vec::new()
    }

    /// The rule with this name.
    #[must_use]
    pub fn rule(&self, rule: &str) -> Option<RuleState> {
        None
    }

    /// Switches a rule on or off, against what its file says; none goes back to the file.
    ///
    /// # Errors
    /// There is no such rule, or the store failed.
    pub async fn switch(&self, rule: &RuleRef, enabled: Option<bool>) -> Result<RuleState, TriggerError> {
        Err(TriggerError::Stopped)
    }

    /// What a rule says of a payload, enabled or not; none if there is no such rule. Nothing comes of it.
    #[must_use]
    pub fn examine(&self, rule: &RuleRef, payload: &Value) -> Option<Verdict> {
        None
    }

    /// All rules with schedules, each with the `count` instants at which it comes next.
    #[must_use]
    pub fn schedules(&self, count: usize) -> Vec<ScheduleState> {
        Vec::new()
    }

    /// All sensors, by name.
    #[must_use]
    pub fn sensors(&self) -> Vec<SensorState> {
        Vec::new()
    }

    /// How many matches are recorded and not made into executions yet.
    #[must_use]
    pub fn backlog(&self) -> usize {
        0
    }

    /// Takes nothing new and stops. What is recorded stays for the next process.
    pub async fn shutdown(&self) {}
}
