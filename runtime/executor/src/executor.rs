//! The executor: takes requests, drives what they begin, takes up what a lost process left.

use std::sync::Arc;

use runner_engine::{Plan, State};
use runner_host::{Host, Kv};
use runner_model::{
    ActionRef, Clock, Entropy, Entry, ExecutionId, Fact, Limits, NodeId, Origin, Requested, Version, limits,
};
use runner_pack::{Action, Body, Pack};
use runner_store::{Journal, Leases, Store};
use serde_json::{Map, Value};
use tokio::sync::{broadcast, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::drive::{Drive, Work};
use crate::error::{ExecutorError, RequestError};
use crate::kv::StoredKv;
use crate::progress::Herald;
use crate::{Execution, ExecutionRequest, Packs, lease};

/// What an executor is made of.
pub struct ExecutorOptions {
    /// The name under which it owns executions: unique to the process.
    pub node: NodeId,
    /// Runs guests.
    pub host: Host,
    /// Remembers.
    pub store: Arc<dyn Store>,
    /// What there is to run.
    pub packs: Arc<Packs>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub entropy: Arc<dyn Entropy>,
    /// What guests may use.
    pub limits: Limits,
}

/// Drives executions. A clone is the same executor.
#[derive(Clone)]
pub struct Executor {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) options: ExecutorOptions,
    pub(crate) kv: Arc<dyn Kv>,
    /// Everything that runs in the background, to be waited for at the end.
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Executor {
    /// An executor that also keeps the leases of its executions.
    #[must_use]
    pub fn new(options: ExecutorOptions) -> Self {
        let kv = Arc::new(StoredKv { store: options.store.clone(), clock: options.clock.clone() });
        let shared = Arc::new(Shared { options, kv, tasks: TaskTracker::new(), stop: CancellationToken::new() });
        let options = &shared.options;
        let renewal =
            lease::renew(options.store.clone(), options.clock.clone(), options.node.clone(), shared.stop.clone());
        shared.tasks.spawn(renewal);
        Self { shared }
    }

    /// Checks a request, records it, and begins to drive it. When this returns the execution is durable.
    ///
    /// # Errors
    /// The request is wrong, or cannot be recorded.
    pub async fn submit(&self, request: ExecutionRequest) -> Result<Execution, RequestError> {
        let shared = &self.shared;
        let id = ExecutionId::new(&*shared.options.clock, &*shared.options.entropy);
        let (sender, progress) = broadcast::channel(limits::PROGRESS_QUEUE_MAX);
        let cancel = CancellationToken::new();
        let herald = Herald { execution: id, depth: 0, sender };
        let drive = shared.begin(request, id, herald, cancel.clone()).await.map_err(|error| match error {
            BeginError::Request(error) => error,
            BeginError::Executor(error) => RequestError::Begin(error),
        })?;
        Ok(self.spawn(id, drive, progress, cancel))
    }

    /// Takes up an execution that a lost process left, where its journal ends.
    ///
    /// # Errors
    /// Another process works on it, its pack is not installed or has changed, or the store failed.
    pub async fn recover(&self, id: ExecutionId) -> Result<Execution, ExecutorError> {
        let (sender, progress) = broadcast::channel(limits::PROGRESS_QUEUE_MAX);
        let cancel = CancellationToken::new();
        let herald = Herald { execution: id, depth: 0, sender };
        let drive = self.shared.take_up(id, herald, cancel.clone()).await?;
        Ok(self.spawn(id, drive, progress, cancel))
    }

    /// Stops: what is still driven is left as its journal says, for another process to take up.
    pub async fn shutdown(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }

    fn spawn(
        &self,
        id: ExecutionId,
        drive: Drive,
        progress: broadcast::Receiver<crate::ProgressEvent>,
        cancel: CancellationToken,
    ) -> Execution {
        let (sender, finished) = oneshot::channel();
        if drive.has_ended() {
            // Nothing is left to do that would need a task.
            let _ = sender.send(drive.view());
            return Execution { id, progress, cancel, finished };
        }
        let stop = self.shared.stop.clone();
        self.shared.tasks.spawn(async move {
            tokio::select! {
                result = drive.run() => {
                    // Whoever asked may have gone.
                    let _ = sender.send(result);
                }
                () = stop.cancelled() => {}
            }
        });
        Execution { id, progress, cancel, finished }
    }
}

/// Why an execution did not begin.
pub(crate) enum BeginError {
    /// The request is wrong.
    Request(RequestError),
    /// It could not be recorded.
    Executor(ExecutorError),
}

impl From<RequestError> for BeginError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<ExecutorError> for BeginError {
    fn from(error: ExecutorError) -> Self {
        Self::Executor(error)
    }
}

impl Shared {
    /// Records a request and makes what drives it.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        request: ExecutionRequest,
        id: ExecutionId,
        herald: Herald,
        cancel: CancellationToken,
    ) -> Result<Drive, BeginError> {
        let (pack, action) = self.find(&request.action)?;
        let requested = self.check(&pack, &action, request.parameters, request.origin, herald.depth)?;
        let state = State::new(id, &requested, Arc::new(pack.config.clone()));
        let first = Entry::new(self.options.clock.now(), Fact::Requested(Box::new(requested)));
        let work = Work { shared: self.clone(), plan: plan_of(&action), herald, cancel };
        Ok(Drive::open(work, id, first, state).await?)
    }

    /// Claims an execution and folds its journal.
    pub(crate) async fn take_up(
        self: &Arc<Self>,
        id: ExecutionId,
        herald: Herald,
        cancel: CancellationToken,
    ) -> Result<Drive, ExecutorError> {
        let now = self.options.clock.now();
        let claimed = Leases::claim(&*self.options.store, id, &self.options.node, now, lease::until(now)).await?;
        let Some(lease) = claimed else { return Err(ExecutorError::Owned { id }) };
        let entries = Journal::read(&*self.options.store, id, Version(0)).await?;
        let Some(Fact::Requested(requested)) = entries.first().map(|entry| &entry.fact) else {
            return Err(runner_engine::Mismatch { what: "it does not begin with a request".to_owned() }.into());
        };
        let missing = || ExecutorError::Missing { action: requested.action.clone() };
        let (pack, action) = self.options.packs.action(&requested.action).ok_or_else(missing)?;
        let plan = plan_of(action);
        let config = Arc::new(pack.config.clone());
        let state = State::replay(&plan, id, &entries, config).map_err(|stop| match stop {
            runner_engine::Stop::Mismatch(mismatch) => ExecutorError::from(mismatch),
            // A journal records what its decisions read; one that lacks a value was made by another plan.
            runner_engine::Stop::NeedsKv { key } => {
                runner_engine::Mismatch { what: format!("it does not record the value of the key `{key}`") }.into()
            }
        })?;
        let work = Work { shared: self.clone(), plan, herald, cancel };
        Drive::reopen(work, lease, state, entries).await
    }

    fn find(&self, action: &ActionRef) -> Result<(Arc<Pack>, Arc<Action>), RequestError> {
        let Some((pack, found)) = self.options.packs.action(action) else {
            let hint = self.options.packs.library().suggest(action.as_str());
            return Err(RequestError::UnknownAction { action: action.clone(), hint });
        };
        if !found.enabled {
            return Err(RequestError::Disabled { action: action.clone() });
        }
        Ok((pack.clone(), found.clone()))
    }

    fn check(
        &self,
        pack: &Pack,
        action: &Action,
        parameters: Map<String, Value>,
        origin: Origin,
        depth: u32,
    ) -> Result<Requested, RequestError> {
        let reference = action.reference.clone();
        let mut bound = action
            .parameters
            .bind(parameters)
            .map_err(|mistakes| RequestError::Parameters { action: reference.clone(), mistakes })?;
        if let Body::Workflow(_) = action.body {
            // Every parameter is a context variable, also one that nobody gave.
            for name in action.parameters.names().filter(|name| !bound.contains_key(*name)).collect::<Vec<_>>() {
                bound.insert(name.to_owned(), Value::Null);
            }
        }
        let parameters = Value::Object(bound);
        Ok(Requested {
            action: reference,
            pack_version: pack.manifest.version.to_string(),
            pack_digest: pack.digest.clone(),
            parameters,
            secret: action.parameters.secret_names(),
            origin,
            depth,
            simulate: self.options.packs.simulate(),
        })
    }
}

/// What the conductor follows: a workflow's own plan, or the plan of a single action.
fn plan_of(action: &Action) -> Arc<Plan> {
    match &action.body {
        Body::Workflow(plan) => plan.clone(),
        Body::Wasm { .. } | Body::Noop => Arc::new(Plan::single(action.reference.as_str())),
    }
}
