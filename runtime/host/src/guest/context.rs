//! The interface `context`: what an attempt can know about itself.

use runner_model::limits::HEARTBEAT_BYTES_MAX;
use sha2::{Digest as _, Sha256};

use super::Guest;
use crate::attempt::Attempt;
use crate::bindings::plugin::context;
use crate::stop::Stop;

impl context::Host for Guest {
    fn current(&mut self) -> wasmtime::Result<context::Attempt> {
        self.count()?;
        let attempt = &self.attempt;
        Ok(context::Attempt {
            execution_id: attempt.execution.to_string(),
            action: attempt.action.to_string(),
            number: attempt.number.0,
            idempotency_key: attempt.idempotency_key.clone(),
            deadline_ms: u64::try_from(self.deadline.as_millis()).unwrap_or(0),
            trace_parent: trace_parent(attempt),
        })
    }

    fn heartbeat(&mut self, progress: String) -> wasmtime::Result<bool> {
        self.count()?;
        if progress.len() > HEARTBEAT_BYTES_MAX {
            return Err(Stop::CallBytes { limit: HEARTBEAT_BYTES_MAX }.into());
        }
        self.attempt.observer.heartbeat(&progress);
        Ok(!self.attempt.cancel.is_cancelled())
    }

    fn last_heartbeat(&mut self) -> wasmtime::Result<Option<String>> {
        self.count()?;
        Ok(self.attempt.last_heartbeat.clone())
    }
}

/// A `traceparent` (W3C Trace Context): the execution is the trace, the attempt the span, so that both can be found again
/// without anything being kept.
fn trace_parent(attempt: &Attempt) -> String {
    let mut digest = Sha256::new();
    digest.update(attempt.execution.as_bytes());
    digest.update(attempt.step.0.to_be_bytes());
    digest.update(attempt.number.0.to_be_bytes());
    let digest = digest.finalize();
    let span = digest.first_chunk::<8>().copied().unwrap_or([1; 8]);
    format!("00-{}-{}-01", hex::encode(attempt.execution.as_bytes()), hex::encode(span))
}
