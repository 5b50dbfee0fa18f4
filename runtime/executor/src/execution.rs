//! An execution as whoever asked for it holds it.

use runner_model::{ActionRef, Entry, ExecutionId, ExecutionView, JournalMask, Origin, Requested};
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use crate::control::Control;
use crate::{Executor, ExecutorError, Listener};

/// A request for an execution.
#[derive(Debug, Clone)]
pub struct ExecutionRequest {
    /// What to run.
    pub action: ActionRef,
    /// Its parameters, without defaults.
    pub parameters: Map<String, Value>,
    /// Where the request comes from.
    pub origin: Origin,
    /// The id that the execution is to have, for whoever must not make two: a request with an id that is there already
    /// begins nothing. None is a new one.
    pub id: Option<ExecutionId>,
    /// The trace that it belongs to: a W3C `traceparent`.
    pub trace_parent: Option<String>,
    /// Whether all that is recorded of it is to be sealed even if nothing of the action is secret.
    pub sealed: bool,
    /// Texts that must not be shown, as whoever asks knows: it is sealed if there are any.
    pub secrets: Vec<String>,
}

impl ExecutionRequest {
    /// The request that an execution began with, once more.
    #[must_use]
    pub fn again(requested: &Requested, entries: &[Entry], parameters: Map<String, Value>, origin: Origin) -> Self {
        let secrets = match requested.sealed {
            true => JournalMask::of(entries).mask().secrets(),
            false => Vec::new(),
        };
        Self { sealed: requested.sealed, secrets, ..Self::new(requested.action.clone(), parameters, origin) }
    }

    /// A request for an action, with a new id and no trace.
    #[must_use]
    pub const fn new(action: ActionRef, parameters: Map<String, Value>, origin: Origin) -> Self {
        Self { action, parameters, origin, id: None, trace_parent: None, sealed: false, secrets: Vec::new() }
    }
}

/// An execution that this process drives. Dropping it does not stop the execution.
pub struct Execution {
    /// Its identity.
    pub id: ExecutionId,
    /// None once nobody here wants to hear of it.
    pub(crate) progress: Option<Listener>,
    pub(crate) executor: Executor,
    pub(crate) finished: oneshot::Receiver<Result<ExecutionView, ExecutorError>>,
}

impl Execution {
    /// What happens, from the very start: for the one who asked. A second call hears only what comes later.
    #[must_use]
    pub fn take_progress(&mut self) -> Listener {
        let later = self.executor.listen_to(self.id);
        self.progress.replace(later).unwrap_or_else(|| self.executor.listen_to(self.id))
    }

    /// The same for somebody who only waits for its end: whoever hears nothing need not be told, and a process tells what
    /// happens in all executions to each of those who listen.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.progress = None;
        self
    }

    /// Whether this process drives it. If not, it has ended or another does, and nobody tells of its end.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.executor.shared.registry.has(self.id)
    }

    /// Asks the execution to stop: what runs is interrupted, what is recorded stays. It still ends, as `canceled`.
    pub fn cancel(&self, by: &str) {
        self.canceller()(by);
    }

    /// Cancels, also when the execution itself is being waited for.
    pub fn canceller(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let (executor, id) = (self.executor.clone(), self.id);
        move |by| {
            let (executor, by) = (executor.clone(), by.to_owned());
            let shared = executor.shared.clone();
            shared.tasks.spawn(async move {
                // One that has ended in the meantime needs no cancelling.
                let _ = executor.control(id, Control::Cancel { by }).await;
            });
        }
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// The store failed; what is recorded of the execution stays.
    pub async fn finished(mut self) -> Result<ExecutionView, ExecutorError> {
        (&mut self.finished).await.unwrap_or(Err(ExecutorError::Interrupted))
    }
}

impl Drop for Execution {
    /// An execution may wait for years; what is kept for somebody who is told its end is not.
    fn drop(&mut self) {
        self.finished.close();
        self.executor.shared.registry.forget_gone(self.id);
    }
}
