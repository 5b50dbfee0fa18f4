//! What the handlers work with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use runner_model::{ExecutionId, ExecutionRecord, ExecutionView, Timestamp, Version};
use runner_pack::Library;
use runner_store::{Catalogue, Journal};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::ApiOptions;
use super::access::{KeyRing, Principal};
use super::document::{Document, Documents};
use super::live::{Streams, Tails};
use super::problem::ApiProblem;

/// What the handlers work with: one a process.
pub(crate) struct Context {
    pub(crate) options: ApiOptions,
    /// The keys that were asked for lately.
    pub(crate) keys: KeyRing,
    /// What was said lately in executions.
    pub(crate) tails: Tails,
    /// Those who follow executions.
    pub(crate) streams: Streams,
    /// The document, as it was last made.
    pub(crate) documents: Documents,
    pub(crate) started_at: Timestamp,
    ready: AtomicBool,
    draining: CancellationToken,
    tasks: TaskTracker,
    _end: DropGuard,
}

impl Context {
    pub(crate) fn new(options: ApiOptions, document: Document) -> Self {
        let end = CancellationToken::new();
        let tasks = TaskTracker::new();
        let tails = Tails::default();
        tasks.spawn(tails.clone().keep(options.executor.listen(), end.clone()));
        Self {
            started_at: options.clock.now(),
            keys: KeyRing::default(),
            tails,
            streams: Streams::default(),
            documents: Documents::new(document),
            ready: AtomicBool::new(false),
            draining: CancellationToken::new(),
            tasks,
            _end: end.drop_guard(),
            options,
        }
    }

    /// What the packs directories hold.
    pub(crate) fn library(&self) -> Arc<Library> {
        self.options.packs.library()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// Does something that no request waits for.
    pub(crate) fn beside(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(work);
    }

    pub(crate) fn ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire) && !self.is_draining()
    }

    pub(crate) fn drain(&self) {
        self.draining.cancel();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Returns when the process stops.
    pub(crate) async fn drained(&self) {
        self.draining.cancelled().await;
    }

    /// The execution whose id is, or begins with, `text`, if whoever asks may see it.
    pub(crate) async fn execution(&self, text: &str, principal: &Principal) -> Result<ExecutionRecord, ApiProblem> {
        let store = &*self.options.store;
        let ids = match text.parse::<ExecutionId>() {
            Ok(id) => vec![id],
            Err(_) => store.find(text).await?,
        };
        let mut found = Vec::new();
        for id in ids {
            match Catalogue::get(store, id).await {
                Ok(record) if principal.may_touch(record.action.pack()) => found.push(record),
                Ok(_) | Err(runner_store::StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(record), None) => Ok(record),
            (None, _) => Err(ApiProblem::from(runner_store::StoreError::NotFound)),
            (Some(_), Some(_)) => Err(super::executions::ambiguous(text)),
        }
    }

    /// An execution with everything that may be shown of it.
    pub(crate) async fn view(&self, id: ExecutionId) -> Result<ExecutionView, ApiProblem> {
        let entries = Journal::read(&*self.options.store, id, Version(0)).await?;
        ExecutionView::fold(id, &entries).ok_or_else(|| ApiProblem::defect("a journal does not begin with a request"))
    }
}
