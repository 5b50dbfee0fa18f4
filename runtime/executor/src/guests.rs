//! What runs an action that is code: the host, or a stand-in for it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use runner_engine::UnitId;
use runner_host::{Attempt, Host, Kv, Observer, TraceParent};
use runner_model::{AttemptNumber, Clock, ExecutionId, Failure, Mask, Outcome, code};
use runner_pack::{Action, Body, Pack};
use runner_store::Store;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::Packs;
use crate::kv::StoredKv;
use crate::places::Places;

/// One call of an action.
pub struct Call {
    /// The execution it belongs to.
    pub execution: ExecutionId,
    /// The step, and the item in one that runs over a list.
    pub unit: UnitId,
    /// What the step is called in the idempotency key; none is its number. A step of a relaxed workflow has a name, because
    /// its number may be another's after a crash.
    pub name: Option<String>,
    /// Which try of it this is.
    pub attempt: AttemptNumber,
    /// The pack of the action.
    pub pack: Arc<Pack>,
    /// The action.
    pub action: Arc<Action>,
    /// Its parameters, checked and complete.
    pub input: Map<String, Value>,
    /// How long it may take; none is what the operator allows.
    pub timeout: Option<Duration>,
    /// What the last heartbeat of an earlier attempt said.
    pub last_heartbeat: Option<String>,
    /// The trace that its execution belongs to; none makes the execution one.
    pub trace: Option<TraceParent>,
    /// Stops it at once.
    pub cancel: CancellationToken,
    /// Who hears of it.
    pub observer: Arc<dyn Observer>,
    /// What its execution knows as secret.
    pub mask: Arc<Mask>,
}

impl Call {
    /// The same for all tries of a unit and for no other unit.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        match (&self.name, self.unit.item) {
            (None, _) => unit_key(self.execution, self.unit),
            (Some(name), None) => format!("{}/{name}", self.execution),
            (Some(name), Some(item)) => format!("{}/{name}/{item}", self.execution),
        }
    }
}

/// Names a unit, in traces and, but in relaxed workflows, as the idempotency key of all its tries.
#[must_use]
pub fn unit_key(execution: ExecutionId, unit: UnitId) -> String {
    match unit.item {
        None => format!("{execution}/{}", unit.step),
        Some(item) => format!("{execution}/{}/{item}", unit.step),
    }
}

/// Runs actions that are code.
#[async_trait]
pub trait Guests: Send + Sync + 'static {
    /// Runs one to its end.
    async fn run(&self, call: Call) -> Outcome;
}

/// Runs them in the sandbox.
pub struct HostGuests {
    host: Host,
    packs: Arc<Packs>,
    kv: Arc<dyn Kv>,
    timeout: Duration,
    /// As many as there are places for guests: who waits here has not begun.
    places: Places,
}

impl HostGuests {
    /// Guests of these packs, with key-value data in this store.
    #[must_use]
    pub fn new(
        host: Host,
        packs: Arc<Packs>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        limits: &runner_model::Limits,
    ) -> Self {
        Self::with_kv(host, packs, stored(store, clock), limits)
    }

    /// The same with key-value data of any kind.
    #[must_use]
    pub fn with_kv(host: Host, packs: Arc<Packs>, kv: Arc<dyn Kv>, limits: &runner_model::Limits) -> Self {
        let places = usize::try_from(limits.guest.concurrency_max).unwrap_or(usize::MAX);
        Self { host, packs, kv, timeout: limits.guest.timeout, places: Places::new(places) }
    }
}

/// The key-value data of a store.
#[must_use]
pub fn stored(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Arc<dyn Kv> {
    Arc::new(StoredKv { store, clock })
}

#[async_trait]
impl Guests for HostGuests {
    async fn run(&self, call: Call) -> Outcome {
        let Body::Wasm { component, function } = &call.action.body else {
            let message = format!("`{}` is no code", call.action.reference);
            return Outcome::Failed { failure: Failure::new(code::HOST_OTHER, message) };
        };
        // Before there is a place: what takes long to compile keeps none from others.
        let loaded = async {
            let loaded = self.packs.loaded(&self.host, &call.pack).await?;
            let component = loaded.component(&self.host, component).await?;
            Ok::<_, Failure>((loaded.context(&self.kv, Some(&call.action)), component))
        };
        let (context, component) = tokio::select! {
            ready = loaded => match ready {
                Ok(ready) => ready,
                Err(failure) => return Outcome::Failed { failure },
            },
            () = call.cancel.cancelled() => return Outcome::Canceled,
        };
        let place = tokio::select! {
            place = self.places.take(&call.pack.manifest.reference) => place,
            () = call.cancel.cancelled() => return Outcome::Canceled,
        };
        if let Some(traffic) = context.connections.traffic() {
            let secret = call.action.parameters.secret_names();
            traffic.mask().learn_from(&call.mask);
            secret.iter().filter_map(|name| call.input.get(name)).for_each(|value| traffic.mask().learn_all(value));
        }
        let attempt = Attempt {
            execution: call.execution,
            step: call.unit.step,
            action: call.action.reference.clone(),
            function: function.clone(),
            number: call.attempt,
            idempotency_key: call.idempotency_key(),
            // The key itself, where the step has no name.
            span_key: call.name.is_some().then(|| unit_key(call.execution, call.unit)),
            input: Value::Object(call.input),
            timeout: call.timeout.or(call.action.timeout).unwrap_or(self.timeout),
            last_heartbeat: call.last_heartbeat,
            trace: call.trace,
            cancel: call.cancel,
            pack: context,
            observer: call.observer,
        };
        let outcome = self.host.run(&component, attempt).await;
        drop(place);
        outcome
    }
}
