//! What can be heard of an execution while it runs. Nothing here is a promise: the journal is. A listener that is too
//! slow loses events.

use std::sync::Arc;

use runner_engine::UnitId;
use runner_host::{LogLine, RequestSummary};
use runner_model::{ActionRef, DelayReason, ExecutionId, Failure, Mask, Status, TaskName, Timestamp, Wait};
use tokio::sync::broadcast;

/// Something that happened in an execution.
#[derive(Debug, Clone)]
pub struct ProgressEvent {
    /// The outermost execution that it belongs to.
    pub root: ExecutionId,
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
        /// The step, and the item in one that runs over a list.
        unit: UnitId,
        /// The task it runs.
        task: TaskName,
        /// The action it calls.
        action: ActionRef,
    },
    /// A step was skipped: its condition was false.
    StepSkipped {
        /// The step.
        unit: UnitId,
        /// The task it does not run.
        task: TaskName,
    },
    /// A guest wrote a log line.
    Log {
        /// The step, and the item in one that runs over a list.
        unit: UnitId,
        /// The line.
        line: LogLine,
    },
    /// A guest said how far it is.
    Heartbeat {
        /// The step, and the item in one that runs over a list.
        unit: UnitId,
        /// As the guest put it: JSON.
        progress: String,
    },
    /// A request of a guest ended.
    Request {
        /// The step, and the item in one that runs over a list.
        unit: UnitId,
        /// Which, and how.
        summary: RequestSummary,
    },
    /// A step ended.
    StepFinished {
        /// The step, and the item in one that runs over a list.
        unit: UnitId,
        /// How.
        status: Status,
        /// Why, if not well.
        failure: Option<Failure>,
    },
    /// A step is delayed.
    StepDelayed {
        /// The step, and the item in one that runs over a list.
        unit: UnitId,
        /// Until when.
        until: Timestamp,
        /// Why; none before its first attempt.
        reason: Option<DelayReason>,
    },
    /// A step waits for something from outside.
    WaitOpened {
        /// The step, and the item in one that runs over a list.
        unit: UnitId,
        /// The task it runs.
        task: TaskName,
        /// For what.
        wait: Wait,
    },
    /// The execution was asked to stop.
    CancelRequested {
        /// By whom.
        by: String,
    },
    /// The execution stands differently: paused, pending, running again.
    StatusChanged {
        /// How.
        status: Status,
    },
    /// The execution ended.
    Finished {
        /// How.
        status: Status,
    },
}

impl Progress {
    /// Masks what is secret in what is said.
    fn hide(&mut self, mask: &Mask) {
        match self {
            Self::Log { line, .. } => {
                mask.hide_text(&mut line.message);
                for (key, value) in &mut line.fields {
                    mask.hide_text(key);
                    mask.hide_text(value);
                }
            }
            Self::Heartbeat { progress, .. } => mask.hide_text(progress),
            Self::Request { summary, .. } => summary.hide(mask),
            Self::StepFinished { failure: Some(failure), .. } => mask.hide_failure(failure),
            Self::WaitOpened { wait, .. } => mask.hide_wait(wait),
            _ => {}
        }
    }
}

/// Says what happens in one execution.
#[derive(Debug, Clone)]
pub(crate) struct Herald {
    pub(crate) root: ExecutionId,
    pub(crate) execution: ExecutionId,
    pub(crate) depth: u32,
    /// One for the whole process: an execution that nobody listens to costs nothing.
    pub(crate) sender: broadcast::Sender<ProgressEvent>,
    /// What must not be said.
    pub(crate) mask: Arc<Mask>,
}

impl Herald {
    /// For an execution that no other one asked for.
    pub(crate) fn new(root: ExecutionId, execution: ExecutionId, sender: broadcast::Sender<ProgressEvent>) -> Self {
        Self { root, execution, depth: 0, sender, mask: Arc::default() }
    }

    pub(crate) fn say(&self, at: Timestamp, mut progress: Progress) {
        if self.sender.receiver_count() == 0 {
            return;
        }
        if !self.mask.is_empty() {
            progress.hide(&self.mask);
        }
        let (root, execution, depth) = (self.root, self.execution, self.depth);
        // Nobody listening is no error.
        let _ = self.sender.send(ProgressEvent { root, execution, depth, at, progress });
    }

    /// For an execution that a step starts: its events reach the same listeners.
    pub(crate) fn child(&self, execution: ExecutionId) -> Self {
        let mask = Mask::default();
        mask.learn_from(&self.mask);
        let (root, depth) = (self.root, self.depth + 1);
        Self { root, execution, depth, sender: self.sender.clone(), mask: Arc::new(mask) }
    }
}

/// Hears what happens in one execution, and in those that its steps start; or in all.
pub struct Listener {
    root: Option<ExecutionId>,
    receiver: broadcast::Receiver<ProgressEvent>,
}

impl Listener {
    pub(crate) const fn new(root: Option<ExecutionId>, receiver: broadcast::Receiver<ProgressEvent>) -> Self {
        Self { root, receiver }
    }

    /// What is heard next; none when the executor is gone.
    pub async fn recv(&mut self) -> Option<Heard> {
        loop {
            match self.receiver.recv().await {
                Ok(event) if self.root.is_none_or(|root| root == event.root) => {
                    return Some(Heard::Event(Box::new(event)));
                }
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(lost)) => return Some(Heard::Lost(lost)),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// What was said and not yet heard; none if there is nothing.
    pub fn try_recv(&mut self) -> Option<Heard> {
        loop {
            match self.receiver.try_recv() {
                Ok(event) if self.root.is_none_or(|root| root == event.root) => {
                    return Some(Heard::Event(Box::new(event)));
                }
                Ok(_) => {}
                Err(broadcast::error::TryRecvError::Lagged(lost)) => return Some(Heard::Lost(lost)),
                Err(_) => return None,
            }
        }
    }
}

/// What a listener hears.
#[derive(Debug, Clone)]
pub enum Heard {
    /// Something that happened.
    Event(Box<ProgressEvent>),
    /// That it was too slow, and how many events of the process it has missed.
    Lost(u64),
}
