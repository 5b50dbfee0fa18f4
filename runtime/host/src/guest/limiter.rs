//! Bounds what a guest's memories and tables grow to, and stops the guest that wants more.
//!
//! WebAssembly would let the growth fail and the guest go on; most guests then trap without saying why. Stopping it at
//! once makes the reason the outcome.

use runner_model::limits::GuestLimits;
use wasmtime::ResourceLimiter;

use crate::stop::Stop;

/// What a guest has taken.
pub(crate) struct Limiter {
    memory_bytes: usize,
    /// The most it had.
    memory_bytes_peak: usize,
    memory_bytes_max: usize,
    table_elements_max: usize,
    instances_max: usize,
    /// The growth that was allowed last: given back if it then fails.
    pending: usize,
}

impl Limiter {
    pub(crate) fn new(limits: &GuestLimits) -> Self {
        Self {
            memory_bytes: 0,
            memory_bytes_peak: 0,
            memory_bytes_max: limits.memory_bytes_max,
            table_elements_max: limits.table_elements_max,
            instances_max: usize::try_from(limits.instances_max).unwrap_or(usize::MAX),
            pending: 0,
        }
    }
}

impl Drop for Limiter {
    #[allow(clippy::cast_precision_loss, reason = "a guest has some gigabytes at the most")]
    fn drop(&mut self) {
        // One that never got a memory did not run.
        if self.memory_bytes_peak > 0 {
            metrics::histogram!("runner_guest_memory_bytes").record(self.memory_bytes_peak as f64);
        }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current);
        let total = self.memory_bytes.saturating_add(growth);
        if total > self.memory_bytes_max {
            return Err(Stop::Memory { limit: self.memory_bytes_max }.into());
        }
        self.memory_bytes = total;
        self.memory_bytes_peak = self.memory_bytes_peak.max(total);
        self.pending = growth;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory_bytes = self.memory_bytes.saturating_sub(std::mem::take(&mut self.pending));
        Ok(())
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.table_elements_max {
            return Err(Stop::Table { limit: self.table_elements_max }.into());
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances_max
    }
}
