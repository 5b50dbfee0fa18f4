//! The attempts of one execution that run.
//!
//! One that runs alone is part of the execution's own task: handing it to another thread and its outcome back would take longer
//! than a small guest. As soon as anything else has to be looked after it gets a task of its own, as several have that run side
//! by side: an execution that waits for the disk holds up none of its guests.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;
use tokio::task::{JoinError, JoinSet};

use crate::attempt::Ended;

type Attempt = Pin<Box<dyn Future<Output = Ended> + Send>>;

#[derive(Default)]
pub(super) struct Attempts {
    /// Hardly ever locked: what the mutex gives is that the execution may be looked at from two threads.
    alone: Mutex<Option<Attempt>>,
    /// Those that have tasks of their own. Dropping them stops them.
    tasks: JoinSet<Ended>,
}

impl Attempts {
    pub(super) fn is_empty(&self) -> bool {
        self.alone.lock().is_none() && self.tasks.is_empty()
    }

    pub(super) fn begin(&mut self, attempt: Attempt) {
        if self.is_empty() {
            *self.alone.get_mut() = Some(attempt);
            return;
        }
        self.hand_over();
        self.tasks.spawn(attempt);
    }

    /// Sees to it that all go on while the execution does something else.
    pub(super) fn hand_over(&mut self) {
        if let Some(attempt) = self.alone.get_mut().take() {
            self.tasks.spawn(attempt);
        }
    }

    /// The next one that ends; none if none runs. Nothing is lost if it is not waited for to the end.
    pub(super) async fn next(&mut self) -> Option<Result<Ended, JoinError>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Ended, JoinError>>> {
        let alone = self.alone.get_mut();
        let Some(attempt) = alone else { return self.tasks.poll_join_next(context) };
        let ended = ready!(attempt.as_mut().poll(context));
        *alone = None;
        Poll::Ready(Some(Ok(ended)))
    }

    /// One that has ended already.
    pub(super) fn try_next(&mut self) -> Option<Result<Ended, JoinError>> {
        self.tasks.try_join_next()
    }
}
