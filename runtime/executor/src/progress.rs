//! What can be heard of an execution while it runs. Nothing here is a promise: the journal is. A listener that is too
//! slow loses events.

use runner_host::{LogLine, RequestSummary};
use runner_model::{ActionRef, ExecutionId, Failure, Status, StepId, TaskName, Timestamp};
use tokio::sync::broadcast;

/// Something that happened in an execution.
#[derive(Debug, Clone)]
pub struct ProgressEvent {
    /// In which one; a workflow's listeners also hear the executions that its steps start.
    pub execution: ExecutionId,
    /// How many workflows it is nested in.
    pub depth: u32,
    /// When.
    pub at: Timestamp,
    /// What.
    pub progress: Progress,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Progress {
    /// A step began.
    StepStarted {
        /// The step.
        step: StepId,
        /// The task it runs.
        task: TaskName,
        /// The action it calls.
        action: ActionRef,
    },
    /// A guest wrote a log line.
    Log {
        /// The step.
        step: StepId,
        /// The line.
        line: LogLine,
    },
    /// A guest said how far it is.
    Heartbeat {
        /// The step.
        step: StepId,
        /// As the guest put it: JSON.
        progress: String,
    },
    /// A request of a guest ended.
    Request {
        /// The step.
        step: StepId,
        /// Which, and how.
        summary: RequestSummary,
    },
    /// A step ended.
    StepFinished {
        /// The step.
        step: StepId,
        /// How.
        status: Status,
        /// Why, if not well.
        failure: Option<Failure>,
    },
    /// The execution was asked to stop.
    CancelRequested {
        /// By whom.
        by: String,
    },
    /// The execution ended.
    Finished {
        /// How.
        status: Status,
    },
}

/// Says what happens in one execution.
#[derive(Debug, Clone)]
pub(crate) struct Herald {
    pub(crate) execution: ExecutionId,
    pub(crate) depth: u32,
    pub(crate) sender: broadcast::Sender<ProgressEvent>,
}

impl Herald {
    pub(crate) fn say(&self, at: Timestamp, progress: Progress) {
        // Nobody listening is no error.
        let _ = self.sender.send(ProgressEvent { execution: self.execution, depth: self.depth, at, progress });
    }

    /// For an execution that a step starts: its events reach the same listeners.
    pub(crate) fn child(&self, execution: ExecutionId) -> Self {
        Self { execution, depth: self.depth + 1, sender: self.sender.clone() }
    }
}
