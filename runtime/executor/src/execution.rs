//! An execution as whoever asked for it holds it.

use runner_model::ExecutionView;
use runner_model::{ActionRef, ExecutionId, Origin};
use serde_json::{Map, Value};
use tokio::sync::{broadcast, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{ExecutorError, ProgressEvent};

/// A request for an execution.
#[derive(Debug, Clone)]
pub struct ExecutionRequest {
    /// What to run.
    pub action: ActionRef,
    /// Its parameters, without defaults.
    pub parameters: Map<String, Value>,
    /// Where the request comes from.
    pub origin: Origin,
}

/// A running execution. Dropping it does not stop the execution.
pub struct Execution {
    /// Its identity.
    pub id: ExecutionId,
    pub(crate) progress: broadcast::Receiver<ProgressEvent>,
    pub(crate) cancel: CancellationToken,
    pub(crate) finished: oneshot::Receiver<Result<ExecutionView, ExecutorError>>,
}

impl Execution {
    /// What happens from the start on. Each call gives a listener of its own that hears what comes after the call.
    #[must_use]
    pub fn progress(&self) -> broadcast::Receiver<ProgressEvent> {
        self.progress.resubscribe()
    }

    /// What happens, from the very start: for the one who asked. A second call hears only what comes later.
    #[must_use]
    pub fn take_progress(&mut self) -> broadcast::Receiver<ProgressEvent> {
        let later = self.progress.resubscribe();
        std::mem::replace(&mut self.progress, later)
    }

    /// Asks the execution to stop: what runs is interrupted, what is recorded stays. It still ends, as `canceled`.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// A handle that cancels.
    #[must_use]
    pub fn canceller(&self) -> CancellationToken {
        self.cancel.clone()
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// The store failed; what is recorded of the execution stays.
    pub async fn finished(self) -> Result<ExecutionView, ExecutorError> {
        self.finished.await.unwrap_or(Err(ExecutorError::Interrupted))
    }
}
