//! From a request to an execution: what is checked, what is recorded first.

use std::sync::Arc;

use runner_engine::State;
use runner_host::TraceParent;
use runner_model::{ActionRef, Entry, ExecutionId, Fact, Mask};
use runner_pack::{Action, Asked, Pack};
use runner_store::{Catalogue, StoreError};

use crate::ExecutionRequest;
use crate::drive::Drive;
use crate::error::{ExecutorError, RequestError};
use crate::executor::Shared;
use crate::progress::Herald;

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
    /// Records a request and begins to drive it. `caller` is the pack of the workflow that asks for it.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        request: ExecutionRequest,
        id: ExecutionId,
        herald: Herald,
        caller: Option<&Arc<Pack>>,
    ) -> Result<(), BeginError> {
        let (pack, action) = self.find(&request.action, caller)?;
        // What a workflow calls was looked at with the workflow.
        if caller.is_none() {
            self.options.packs.check(&pack, &action)?;
        }
        self.options.packs.keep(&pack).await;
        let depth = herald.depth;
        let simulate = self.options.packs.simulate();
        // What is no trace is nobody's.
        let trace = request.trace_parent.and_then(|given| given.parse::<TraceParent>().ok());
        let trace_parent = trace.map(|trace| trace.to_string());
        // What a sealed execution asks for is sealed like itself.
        let sealed =
            request.sealed || !request.secrets.is_empty() || self.options.packs.may_hold_secrets(&pack, &action);
        let asked = Asked { origin: request.origin, depth, simulate, sealed, trace_parent };
        let requested = action.request(&pack, request.parameters, asked);
        let requested =
            requested.map_err(|mistakes| RequestError::Parameters { action: request.action.clone(), mistakes })?;
        let state = State::new(id, &requested, Arc::new(pack.config.clone()));
        let first = Entry::new(self.options.clock.now(), Fact::Requested(Box::new(requested)));
        let Some(mailbox) = self.registry.enter(id) else { return self.is_here(id, depth).await };
        let known = secrets_of(&pack, sealed, &request.secrets);
        let drive = match Drive::open(self.clone(), pack, action.plan(), herald, first, known, state).await {
            Ok(drive) => drive,
            Err(error) => {
                self.registry.leave(id);
                self.gate.leave(id);
                // A child is looked for by its parent.
                if depth == 0 {
                    self.look_after(id, &error).await;
                }
                return Err(error.into());
            }
        };
        tracing::debug!(execution_id = %id, action = %request.action, depth, "execution begun");
        match drive.has_ended() {
            // Nothing is left to do that would need a task.
            true => self.ended(id, drive.parent(), drive.view().map(Some)),
            false => self.drive(drive, mailbox),
        }
        Ok(())
    }

    /// Sees to it that what did not begin here is driven if it is recorded all the same: by this request, or by a process
    /// that is gone. Whoever took up what such a process left found this request's entry in the registry, and let it be.
    async fn look_after(self: &Arc<Self>, id: ExecutionId, error: &ExecutorError) {
        if error.may_pass() {
            return self.revive(id);
        }
        if !matches!(error, ExecutorError::Store(StoreError::Exists)) {
            return;
        }
        let record = Catalogue::get(&*self.options.store, id).await;
        if record.as_ref().is_ok_and(|record| record.status.is_terminal()) || self.registry.has(id) {
            return;
        }
        match Box::pin(self.take_up(id, None)).await {
            Ok(()) | Err(ExecutorError::Owned { .. }) => {}
            Err(error) => self.ended(id, None, Err(error)),
        }
    }

    /// Somebody begins it, or drives it, already. A child is then simply there; whoever asks from outside is told, but not
    /// before it is recorded.
    async fn is_here(&self, id: ExecutionId, depth: u32) -> Result<(), BeginError> {
        if depth > 0 {
            return Ok(());
        }
        let error = match Catalogue::get(&*self.options.store, id).await {
            Ok(_) => StoreError::Exists,
            Err(StoreError::NotFound) => StoreError::Busy,
            Err(error) => error,
        };
        Err(BeginError::Executor(error.into()))
    }

    fn find(&self, action: &ActionRef, caller: Option<&Arc<Pack>>) -> Result<(Arc<Pack>, Arc<Action>), RequestError> {
        let Some((pack, found)) = self.options.packs.action_for(caller, action) else {
            let hint = self.options.packs.library().suggest(action.as_str());
            return Err(RequestError::UnknownAction { action: action.clone(), hint });
        };
        if !found.enabled {
            return Err(RequestError::Disabled { action: action.clone() });
        }
        Ok((pack, found))
    }
}

/// What is secret in a sealed execution before it has begun: what whoever asks for it knows, and its pack's configuration.
fn secrets_of(pack: &Pack, sealed: bool, known: &[String]) -> Vec<String> {
    let mask = Mask::default();
    known.iter().for_each(|text| mask.learn(text));
    if sealed {
        pack.secret_config().for_each(|value| mask.learn_all(value));
    }
    mask.secrets()
}
