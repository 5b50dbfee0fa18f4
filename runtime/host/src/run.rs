//! One attempt from its beginning to its end: a place in the pool, a fresh store, the call, and what became of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use runner_model::limits::{self, GuestLimits};
use runner_model::{
    ActionRef, AttemptNumber, ExecutionId, Failure, Limits, Outcome, PackRef, Permissions, StepId, code,
};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempt, Deaf, Emitted, PackContext, Polled};
use crate::bindings::plugin::types;
use crate::bindings::sensor;
use crate::component::{Component, Ready, World};
use crate::egress::Connections;
use crate::escape::one_line;
use crate::guest::Guest;
use crate::host::Shared;
use crate::kv::NoKv;
use crate::stop::{self, Phase};

/// A failure's code and message as a guest may choose them, in bytes: they go into every list and log.
const CODE_BYTES_MAX: usize = 128;
const MESSAGE_BYTES_MAX: usize = 4 * 1024;

/// The name under which a component answers what it holds.
const DESCRIBE: &str = "runner:describe";

/// Runs an action.
pub(crate) async fn action(shared: &Shared, component: &Component, attempt: Attempt) -> Outcome {
    let Ready::Action(pre) = &component.ready else {
        return Outcome::Failed { failure: component.wrong_world(World::Action) };
    };
    let limits = &shared.limits.guest;
    let result = within_limits(shared, attempt, async |guest, function| {
        let input = guest.input();
        let mut store = guest.into_store(pre.engine());
        let instance = pre.instantiate_async(&mut store).await.map_err(|e| stop::failure(&e, Phase::Start, limits))?;
        let returned = instance.call_run(&mut store, &function, &input).await;
        returned.map_err(|e| stop::failure(&e, Phase::Call, limits))
    })
    .await;
    let result = match result {
        Ok(Ok(text)) => parse(&text, limits),
        Ok(Err(failure)) => Err(of_guest(failure, limits)),
        Err(outcome) => return outcome,
    };
    match result {
        Ok(result) => Outcome::Succeeded { result },
        Err(failure) => Outcome::Failed { failure },
    }
}

/// Polls a sensor.
pub(crate) async fn sensor(
    shared: &Shared,
    component: &Component,
    attempt: Attempt,
    cursor: Option<String>,
) -> Result<Polled, Outcome> {
    let Ready::Sensor(pre) = &component.ready else {
        return Err(Outcome::Failed { failure: component.wrong_world(World::Sensor) });
    };
    let limits = &shared.limits.guest;
    let returned = within_limits(shared, attempt, async |guest, function| {
        let mut store = guest.into_store(pre.engine());
        let instance = pre.instantiate_async(&mut store).await.map_err(|e| stop::failure(&e, Phase::Start, limits))?;
        let returned = instance.call_poll(&mut store, &function, cursor.as_deref()).await;
        returned.map_err(|e| stop::failure(&e, Phase::Call, limits))
    })
    .await?;
    let polled = match returned {
        Ok(polled) => polled_of(polled, limits),
        Err(failure) => Err(of_guest(failure, limits)),
    };
    polled.map_err(|failure| Outcome::Failed { failure })
}

/// Asks a component what it holds. It may do nothing meanwhile.
pub(crate) async fn describe(shared: &Shared, component: &Component) -> Result<Value, Failure> {
    let attempt = attempt_of_nobody(&shared.limits).map_err(|e| Failure::new(code::HOST_OTHER, e.to_string()))?;
    match action(shared, component, attempt).await {
        Outcome::Succeeded { result } if result.is_object() => Ok(result),
        Outcome::Succeeded { .. } => {
            Err(Failure::new(code::HOST_BAD_RESULT, "the component's description of itself is not an object"))
        }
        Outcome::Failed { failure } | Outcome::Timeout { failure } | Outcome::Abandoned { failure } => Err(failure),
        Outcome::Canceled => Err(Failure::new(code::HOST_OTHER, "the description was cancelled")),
    }
}

fn attempt_of_nobody(limits: &Limits) -> Result<Attempt, runner_model::NameError> {
    let pack = PackRef::new("runner")?;
    Ok(Attempt {
        execution: ExecutionId::from_bytes([0; 16]),
        step: StepId(0),
        action: ActionRef::new(&pack, "describe")?,
        function: DESCRIBE.to_owned(),
        number: AttemptNumber::FIRST,
        idempotency_key: String::new(),
        span_key: None,
        input: Value::Object(serde_json::Map::new()),
        timeout: limits::DESCRIBE,
        last_heartbeat: None,
        trace: None,
        cancel: CancellationToken::new(),
        pack: Arc::new(PackContext {
            pack,
            version: String::new(),
            permissions: Permissions::default(),
            grant: Permissions::default(),
            current: None,
            config: "{}".to_owned(),
            kv: Arc::new(NoKv),
            connections: Connections::none(limits),
        }),
        observer: Arc::new(Deaf),
    })
}

/// Waits for a place and makes a call, until it ends, its time is up or it is cancelled. In the latter cases the call is
/// dropped where it stands: guest, store and request in flight go with it.
async fn within_limits<T>(
    shared: &Shared,
    attempt: Attempt,
    call: impl AsyncFnOnce(Guest, String) -> Result<T, Failure>,
) -> Result<T, Outcome> {
    let (timeout, cancel) = (attempt.timeout, attempt.cancel.clone());
    let until = Instant::now() + timeout;
    let has_place = AtomicBool::new(false);
    let whole = async {
        // The semaphore is never closed.
        let _place = shared.places.acquire().await;
        has_place.store(true, Ordering::Relaxed);
        let _running = shared.ticker.guest();
        let function = attempt.function.clone();
        call(Guest::new(attempt, &shared.limits, &shared.clock, until), function).await
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Outcome::Canceled),
        result = tokio::time::timeout(timeout, whole) => match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(failure)) => Err(Outcome::Failed { failure }),
            Err(_) if has_place.load(Ordering::Relaxed) => Err(Outcome::Timeout { failure: late(timeout) }),
            Err(_) => Err(Outcome::Failed { failure: busy(timeout, &shared.limits.guest) }),
        },
    }
}

fn late(timeout: Duration) -> Failure {
    Failure::new(code::HOST_TIMEOUT, format!("the action was stopped after {timeout:?}"))
        .with_hint("allow it more with `timeout` in its metadata or on the task")
}

/// The attempt never began, so nothing is unknown about it.
fn busy(waited: Duration, limits: &GuestLimits) -> Failure {
    let count = limits.concurrency_max;
    let mut failure =
        Failure::new(code::HOST_BUSY, format!("none of the {count} places became free within {waited:?}"));
    failure.retryable = true;
    failure
}

/// A result as JSON.
fn parse(text: &str, limits: &GuestLimits) -> Result<Value, Failure> {
    if text.len() > limits.result_bytes_max {
        return Err(stop::result_too_large(limits));
    }
    serde_json::from_str(text)
        .map_err(|error| Failure::new(code::HOST_BAD_RESULT, format!("the result is not JSON: {error}")))
}

/// A failure that the guest returned, held to a size. A hint among its details becomes the failure's own.
fn of_guest(failure: types::Failure, limits: &GuestLimits) -> Failure {
    let mut details = failure.details.map(|text| match text.len() > limits.result_bytes_max {
        true => Value::from(format!("{} bytes of details were too large to keep", text.len())),
        false => serde_json::from_str(&text).unwrap_or(Value::String(text)),
    });
    let hint = match details.as_mut().and_then(Value::as_object_mut).and_then(|map| map.remove("hint")) {
        Some(Value::String(hint)) => Some(one_line(&hint, MESSAGE_BYTES_MAX)),
        _ => None,
    };
    Failure {
        code: one_line(&failure.code, CODE_BYTES_MAX),
        message: one_line(&failure.message, MESSAGE_BYTES_MAX),
        hint,
        details: details.filter(|details| details.as_object().is_none_or(|map| !map.is_empty())),
        retryable: failure.retryable,
    }
}

fn polled_of(polled: sensor::Polled, limits: &GuestLimits) -> Result<Polled, Failure> {
    let bytes: usize = polled.events.iter().map(|event| event.payload.len() + event.trigger.len()).sum();
    if bytes > limits.result_bytes_max {
        return Err(stop::result_too_large(limits));
    }
    let event = |emitted: sensor::Emitted| {
        let payload = parse(&emitted.payload, limits)?;
        if !payload.is_object() {
            return Err(Failure::new(code::HOST_BAD_RESULT, "the payload of an event is not an object"));
        }
        Ok(Emitted { trigger: emitted.trigger, payload, deduplication_key: emitted.deduplication_key })
    };
    let events = polled.events.into_iter().map(event).collect::<Result<_, _>>()?;
    Ok(Polled { events, cursor: polled.cursor })
}
