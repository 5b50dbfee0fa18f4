//! Polls of sensors: in the same sandbox, with the same permissions and connections, as the actions of their packs.

use std::sync::Arc;
use std::time::Duration;

use runner_host::{Attempt, Host, Kv, Observer, Polled};
use runner_model::{
    ActionRef, AttemptNumber, Clock, Entropy, ExecutionId, Failure, Outcome, StepId, SystemClock, SystemEntropy, code,
};
use runner_pack::{Pack, Sensor};
use runner_store::Store;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::Packs;
use crate::kv::StoredKv;

/// One poll of a sensor.
pub struct Poll {
    /// Its pack.
    pub pack: Arc<Pack>,
    /// The sensor.
    pub sensor: Arc<Sensor>,
    /// What its last successful poll returned.
    pub cursor: Option<String>,
    /// How long it may take.
    pub timeout: Duration,
    /// Stops it at once.
    pub cancel: CancellationToken,
    /// Who hears of it.
    pub observer: Arc<dyn Observer>,
}

/// Polls sensors in the sandbox.
pub struct HostPolls {
    host: Host,
    packs: Arc<Packs>,
    kv: Arc<dyn Kv>,
}

impl HostPolls {
    /// Sensors of these packs, with key-value data in this store.
    #[must_use]
    pub fn new(host: Host, packs: Arc<Packs>, store: Arc<dyn Store>) -> Self {
        Self { host, packs, kv: Arc::new(StoredKv { store, clock: Arc::new(SystemClock) }) }
    }

    /// Polls once.
    ///
    /// # Errors
    /// Every way a poll can end that is not a success.
    pub async fn run(&self, poll: Poll) -> Result<Polled, Failure> {
        let loaded = self.packs.loaded(&self.host, &poll.pack).await?;
        let component = loaded.sensors(&self.host, &poll.sensor.component).await?;
        let name = poll.sensor.reference.as_str();
        let action: ActionRef = name.parse().map_err(|_| Failure::new(code::HOST_OTHER, "the sensor has no name"))?;
        let attempt = Attempt {
            execution: poll_id(&SystemClock, &SystemEntropy),
            step: StepId(0),
            action,
            function: poll.sensor.function.clone(),
            number: AttemptNumber::FIRST,
            idempotency_key: format!("{name}/{}", poll.cursor.as_deref().unwrap_or_default()),
            span_key: None,
            input: Value::Object(Map::new()),
            timeout: poll.timeout,
            last_heartbeat: None,
            trace: None,
            cancel: poll.cancel,
            pack: loaded.context(&self.kv, None),
            observer: poll.observer,
        };
        self.host.poll(&component, attempt, poll.cursor).await.map_err(failure)
    }
}

/// A poll is no execution; what it logs and sends is told apart by an id of its own all the same.
fn poll_id(clock: &dyn Clock, entropy: &dyn Entropy) -> ExecutionId {
    ExecutionId::new(clock, entropy)
}

fn failure(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Failed { failure } | Outcome::Timeout { failure } | Outcome::Abandoned { failure } => failure,
        Outcome::Canceled => Failure::new(code::EXEC_CANCELED, "the poll was stopped"),
        Outcome::Succeeded { .. } => Failure::new(code::HOST_OTHER, "the poll gave a result instead of events"),
    }
}
