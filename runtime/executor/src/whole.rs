//! Work that is done to its end, also if whoever asked for it goes away: half of it would leave an execution that is neither
//! driven nor parked, or an event that nobody passes on. Where they stay, which is the rule, it costs no task of its own.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::FutureExt as _;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

type Work<T> = Pin<Box<dyn Future<Output = Result<T, Defect>> + Send>>;

/// What a panic left.
pub type Defect = Box<dyn Any + Send>;

/// Work that goes on as a task when this is dropped before its end. Who waits for the tracker waits for it in any case. A
/// panic in it is given back.
#[must_use = "it is begun when it is waited for"]
pub struct Whole<T: Send + 'static>(Option<Work<T>>);

impl<T: Send + 'static> Whole<T> {
    /// Work that is begun when this is first polled.
    pub fn new(tasks: &TaskTracker, work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(tasks.track_future(AssertUnwindSafe(work).catch_unwind()))))
    }
}

impl<T: Send + 'static> Future for Whole<T> {
    type Output = Result<T, Defect>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let done = ready!(work.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(done)
    }
}

impl<T: Send + 'static> Drop for Whole<T> {
    fn drop(&mut self) {
        // Without a runtime the process is at its end.
        if let Some(work) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_is_done_and_waited_for_by_the_tracker() {
        let tasks = TaskTracker::new();
        let (go, gone) = oneshot::channel::<()>();
        let done = Arc::new(AtomicBool::new(false));
        let noted = done.clone();
        let mut work = Whole::new(&tasks, async move {
            let _ = gone.await;
            noted.store(true, Ordering::Relaxed);
        });
        assert!((&mut work).now_or_never().is_none());
        drop(work);
        tasks.close();
        assert!(!tasks.is_empty());
        go.send(()).unwrap();
        tasks.wait().await;
        assert!(done.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_panic_is_given_back() {
        let tasks = TaskTracker::new();
        assert_eq!(Whole::new(&tasks, async { 7 }).await.unwrap(), 7);
        assert!(Whole::new(&tasks, async { assert!(tasks_are_done(), "a defect") }).await.is_err());
    }

    fn tasks_are_done() -> bool {
        false
    }
}
