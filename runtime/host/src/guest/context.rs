//! The interface `context`: what an attempt can know about itself.

use runner_model::limits::HEARTBEAT_BYTES_MAX;

use super::Guest;
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
            trace_parent: attempt.span().to_string(),
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
