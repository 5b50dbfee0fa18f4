//! Whom the door is open for: how much is at work, and when a request from outside is refused because of it.
//!
//! Only requests from outside are refused. What a step starts, what runs again and what a lost process left belongs to
//! something that was admitted.

use std::sync::atomic::Ordering;

use runner_model::limits;

use crate::error::RequestError;
use crate::executor::Shared;

/// What an executor has to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Executions that have a task.
    pub at_work: usize,
    /// Executions that wait for a time, an answer, or the end of another.
    pub parked: usize,
    /// Executions that wait for nothing but a policy's leave.
    pub delayed: usize,
    /// Attempts that run, or wait for a place among the guests.
    pub attempts_running: usize,
}

impl Shared {
    pub(crate) fn load_now(&self) -> Load {
        let (at_work, parked, delayed) = self.registry.count();
        let attempts_running = self.attempts.load(Ordering::Relaxed);
        Load { at_work, parked: parked - delayed, delayed, attempts_running }
    }

    pub(crate) fn is_full(&self) -> bool {
        let Load { at_work, delayed, .. } = self.load_now();
        at_work + delayed >= self.options.queue_max
    }

    /// Whether nothing new is to begin.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Whether a request from outside may begin.
    pub(crate) fn admit(&self) -> Result<(), RequestError> {
        if self.is_draining() {
            return Err(RequestError::Draining);
        }
        match self.is_full() {
            true => Err(RequestError::Full { retry_after: limits::QUEUE_RETRY_AFTER }),
            false => Ok(()),
        }
    }
}
