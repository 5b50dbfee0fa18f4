//! What waits for the writer's thread. Taken as a whole: one lock and at most one wake-up for all that has come meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::Rider;
use crate::StoreError;

pub(super) type Riders = VecDeque<Box<dyn Rider>>;

/// The side of those who submit.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Said to the writer when something has come that it sleeps for.
    stirred: Condvar,
}

#[derive(Default)]
struct Waiting {
    riders: Riders,
    is_asleep: bool,
    /// How many have to be there before the writer is woken.
    wanted: usize,
    is_closed: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl Queue {
    pub(super) fn push(&self, rider: Box<dyn Rider>) -> Result<(), StoreError> {
        let mut waiting = self.waiting.lock();
        if waiting.is_closed {
            return Err(StoreError::Closed);
        }
        waiting.riders.push_back(rider);
        let wakes = waiting.is_asleep && waiting.riders.len() >= waiting.wanted;
        waiting.is_asleep &= !wakes;
        drop(waiting);
        if wakes {
            self.stirred.notify_one();
        }
        Ok(())
    }

    /// Takes nothing more. What waits is still served.
    pub(super) fn close(&self) {
        self.waiting.lock().is_closed = true;
        self.stirred.notify_one();
    }
}

/// The side of the writer's thread. Without it nothing is served: what waits is told so, and nothing more is taken.
pub(super) struct Receiver(Arc<Queue>);

/// What there is to do.
pub(super) enum Next {
    /// Serve these.
    Riders(Riders),
    /// Nothing has come for so long.
    Idle,
    /// The queue is closed and empty.
    Closed,
}

impl Receiver {
    pub(super) fn of(queue: Arc<Queue>) -> Self {
        Self(queue)
    }

    /// All that waits; sleeps until something does, at most for `patience`.
    pub(super) fn next(&self, patience: Option<Duration>) -> Next {
        let mut waiting = self.0.waiting.lock();
        loop {
            if !waiting.riders.is_empty() {
                waiting.is_asleep = false;
                return Next::Riders(std::mem::take(&mut waiting.riders));
            }
            if waiting.is_closed {
                return Next::Closed;
            }
            (waiting.is_asleep, waiting.wanted) = (true, 1);
            let is_over = match patience {
                Some(patience) => self.0.stirred.wait_for(&mut waiting, patience).timed_out(),
                None => {
                    self.0.stirred.wait(&mut waiting);
                    false
                }
            };
            if is_over && waiting.riders.is_empty() {
                waiting.is_asleep = false;
                return Next::Idle;
            }
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.0.waiting.lock().riders.len()
    }

    /// Puts what comes behind what was taken before, until there are so many; at most until then.
    pub(super) fn fill(&self, taken: &mut Riders, count: usize, until: Instant) {
        let mut waiting = self.0.waiting.lock();
        loop {
            taken.append(&mut waiting.riders);
            if taken.len() >= count || waiting.is_closed {
                return;
            }
            (waiting.is_asleep, waiting.wanted) = (true, count - taken.len());
            if self.0.stirred.wait_until(&mut waiting, until).timed_out() {
                waiting.is_asleep = false;
                return taken.append(&mut waiting.riders);
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting.lock();
        waiting.is_closed = true;
        let left = std::mem::take(&mut waiting.riders);
        drop(waiting);
        drop(left);
    }
}
