//! What an attempt can know about itself, and how it says that it is alive.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Failure, Result, host, json};

/// One attempt of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The execution it belongs to, a UUID.
    pub execution_id: String,
    /// The full name of the action, `pack.name`.
    pub action: String,
    /// Which try of the step this is, counted from 1.
    pub number: u32,
    /// The same for all tries of a step and for no other step: send it where a server takes an idempotency key.
    pub idempotency_key: String,
    /// Milliseconds since 1970-01-01T00:00:00Z at which the host stops the attempt.
    pub deadline_ms: u64,
    /// The W3C trace context of the attempt (the value of a `traceparent` header).
    pub trace_parent: String,
}

/// The attempt that is running.
#[must_use]
pub fn current() -> Attempt {
    host::attempt()
}

/// The idempotency key of the running attempt's step.
#[must_use]
pub fn idempotency_key() -> String {
    current().idempotency_key
}

/// Says that the attempt is alive and how far it got, for a person to read and for a later attempt to go on from.
///
/// # Errors
/// A failure `canceled` if the execution is being cancelled: `?` ends the action, before the host interrupts it.
pub fn heartbeat(progress: &(impl Serialize + ?Sized)) -> Result<()> {
    let go_on = host::heartbeat(&json::write(progress)?);
    if go_on { Ok(()) } else { Err(Failure::new("canceled", "the execution is being cancelled")) }
}

/// What the last heartbeat of an earlier attempt of the same step said; none on the first attempt.
///
/// # Errors
/// It is of another type.
pub fn last_heartbeat<T: DeserializeOwned>() -> Result<Option<T>> {
    let Some(text) = host::last_heartbeat() else { return Ok(None) };
    let misfit = |misfit| Failure::new("bad-heartbeat", format!("the last heartbeat is of another type: {misfit}"));
    json::read(text.as_bytes()).map(Some).map_err(misfit)
}
