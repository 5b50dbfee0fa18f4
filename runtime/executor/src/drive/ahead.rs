//! Relaxed workflows: what follows from an outcome may begin while that outcome is on its way to the disk.
//!
//! - **One append of an execution is on its way at a time.** What is decided meanwhile rides together in the next one, so
//!   that order and fencing are those of a strict workflow, and there are fewer commits than steps.
//! - **Only what may run twice runs ahead.** Everything else waits: a step that is not idempotent, a workflow that a step
//!   calls, an answer to whoever asked, the end.
//! - **Nothing is told before it is on the disk**, with one exception: that a step began, which it did.
//! - **An append that fails stops running ahead**: on a full disk all that is new waits, as in a strict workflow; any other
//!   error ends the driving, and with it what runs.

use std::future::{Future, poll_fn};
use std::pin::Pin;

use parking_lot::Mutex;
use runner_model::{FencingToken, limits};
use runner_store::{Journal, StoreError};

use super::Drive;
use crate::error::ExecutorError;

type Landed = Result<usize, StoreError>;

/// An append on its way; it gives how many entries are recorded then. The lock is only there for the type: the drive is
/// shared between threads, such a future is not.
pub(super) struct Flight(Mutex<Pin<Box<dyn Future<Output = Landed> + Send>>>);

/// The end of the append that is on its way; never, if none is.
pub(super) async fn landing(flight: &mut Option<Flight>) -> Landed {
    let landed = poll_fn(|context| match flight {
        Some(flight) => flight.0.get_mut().as_mut().poll(context),
        None => std::task::Poll::Pending,
    })
    .await;
    *flight = None;
    landed
}

impl Drive {
    /// Whether something that is taken is not on the disk.
    pub(super) const fn is_ahead(&self) -> bool {
        self.recorded < self.taken
    }

    /// Sends what is taken on its way, behind what is on it already; waits only if that is too much.
    pub(super) async fn send_off(&mut self, token: FencingToken) -> Result<(), ExecutorError> {
        self.take_off(token);
        while self.taken - self.recorded > limits::AHEAD_ENTRIES_MAX {
            self.land().await?;
        }
        Ok(())
    }

    /// Waits until all that is taken is on the disk.
    pub(super) async fn flush(&mut self) -> Result<(), ExecutorError> {
        while self.is_ahead() {
            self.land().await?;
        }
        Ok(())
    }

    async fn land(&mut self) -> Result<(), ExecutorError> {
        // What runs goes on meanwhile.
        self.attempts.hand_over();
        if let Some(token) = self.token {
            self.take_off(token);
        }
        let landed = landing(&mut self.flight).await;
        self.landed(landed).await
    }

    /// An append has ended; the next one follows.
    pub(super) async fn landed(&mut self, landed: Landed) -> Result<(), ExecutorError> {
        let Some(token) = self.token else { return Err(ExecutorError::Interrupted) };
        match landed {
            Ok(recorded) => self.is_recorded(recorded),
            Err(error) if error.is_retryable() => {
                self.append(token).await?;
                self.is_recorded(self.taken);
            }
            Err(error) => return Err(error.into()),
        }
        self.take_off(token);
        Ok(())
    }

    fn take_off(&mut self, token: FencingToken) {
        if self.flight.is_some() || !self.is_ahead() {
            return;
        }
        let (shared, append, recorded) = (self.shared.clone(), self.next_append(token), self.taken);
        let future = async move { Journal::append(&*shared.options.store, append).await.map(|_| recorded) };
        self.flight = Some(Flight(Mutex::new(Box::pin(future))));
    }
}
