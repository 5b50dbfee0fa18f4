//! How many requests may be on their way: of one pack, and of all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use runner_model::limits::HttpLimits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::pool::Owner;

/// Files that a process can open as a rule, where the system does not say.
const FILES: u64 = 1024;
/// Beyond that the kernel's own tables are the limit.
const SOCKETS_MAX: u64 = 32 * 1024;

/// Lets this process open as many files as the system allows it to (its hard limit). The soft limit is 1024 as a rule, for the
/// sake of programs that use `select`; a daemon has a socket for each request and for each client.
pub fn raise_open_files() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::debug!(%error, "the number of open files stays as it is");
    }
}

/// Sockets that the door may have open: half of the files that this process can open. The other half belongs to those who
/// come in, the database and the guests' components.
pub(super) fn sockets_max() -> usize {
    let files = rlimit::Resource::NOFILE.get_soft().unwrap_or(FILES);
    usize::try_from((files / 2).clamp(32, SOCKETS_MAX)).unwrap_or(32)
}

/// Places for requests.
pub(super) struct Places {
    all: Arc<Semaphore>,
    of: Mutex<BTreeMap<Owner, Arc<Semaphore>>>,
    each: usize,
}

impl Places {
    /// Half of the sockets are for requests, the other half for connections that are kept open meanwhile.
    pub(super) fn new(limits: &HttpLimits, sockets_max: usize) -> Self {
        let all = Arc::new(Semaphore::new((sockets_max / 2).clamp(1, Semaphore::MAX_PERMITS)));
        Self { all, of: Mutex::default(), each: limits.pack_requests_max.clamp(1, Semaphore::MAX_PERMITS) }
    }

    /// Waits for a place among the requests of the same owner.
    pub(super) async fn of(&self, owner: &Owner) -> Option<OwnedSemaphorePermit> {
        let make = || Arc::new(Semaphore::new(self.each));
        let own = Arc::clone(self.of.lock().entry(owner.clone()).or_insert_with(make));
        // The semaphores are never closed.
        own.acquire_owned().await.ok()
    }

    /// Waits for a place among all.
    pub(super) async fn of_all(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use runner_model::{Limits, PackRef};

    use super::*;

    #[tokio::test]
    async fn a_pack_has_its_places_and_all_together_theirs() {
        let mut limits = Limits::default().http;
        limits.pack_requests_max = 3;
        let places = Places::new(&limits, 10);
        let owner = |name: &str| Owner::Pack(PackRef::new(name).unwrap());
        let (a, b) = (owner("a"), owner("b"));
        let mut taken = Vec::new();
        for _ in 0..3 {
            taken.push((places.of(&a).await, places.of_all().await));
        }
        assert!(at_once(places.of(&a)).await.is_none(), "the pack has three");
        taken.push((places.of(&b).await, places.of_all().await));
        taken.push((places.of(&b).await, places.of_all().await));
        assert!(at_once(places.of_all()).await.is_none(), "five are half of ten");
        taken.remove(0);
        assert!(at_once(places.of(&a)).await.is_some() && at_once(places.of_all()).await.is_some());
    }

    /// What is ready at once.
    async fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
        let mut future = Box::pin(future);
        std::future::poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }
}
