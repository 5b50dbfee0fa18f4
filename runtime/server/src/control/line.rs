//! What happens in an execution, as one line of JSON: for those who watch from outside. Facts stand in the journal too;
//! what a guest logs, which requests it makes and how far it says to be are only said here.

use runner_executor::{Progress, ProgressEvent, UnitId};
use runner_host::{LogLevel, LogLine};
use runner_model::{
    ActionRef, DelayReason, ExecutionId, Failure, ItemIndex, Status, StepId, TaskName, Timestamp, Wait,
};
use serde::{Deserialize, Serialize};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// In which execution: the one that is watched, or one that a step of it started.
    pub execution: ExecutionId,
    /// How many workflows that is nested in.
    pub depth: u32,
    /// The step, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// The item, in a step that runs over a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemIndex>,
    /// What.
    #[serde(flatten)]
    pub said: Said,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Said {
    /// A step began.
    StepStarted {
        /// The task it runs.
        task: TaskName,
        /// The action it calls.
        action: ActionRef,
    },
    /// A step was not run, because its condition was false.
    StepSkipped {
        /// The task it would have run.
        task: TaskName,
    },
    /// A guest wrote a line.
    Log {
        /// How much it matters: `info`.
        level: String,
        /// The text.
        message: String,
        /// Names and values beside it.
        fields: Vec<(String, String)>,
    },
    /// A guest said how far it is.
    Heartbeat {
        /// As the guest put it.
        progress: String,
    },
    /// A request of a guest ended.
    Request {
        /// Its method.
        method: String,
        /// The connection, or the origin.
        target: String,
        /// The path.
        path: String,
        /// The status of the answer, or the code of the error.
        result: String,
        /// How long it took, in milliseconds.
        elapsed_ms: u64,
    },
    /// A step ended.
    StepFinished {
        /// How.
        status: Status,
        /// Why, if not well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// A step is delayed.
    StepDelayed {
        /// Until when.
        until: Timestamp,
        /// Why; none before its first attempt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<DelayReason>,
    },
    /// A step waits.
    WaitOpened {
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
    /// The execution stands differently.
    StatusChanged {
        /// How.
        status: Status,
    },
    /// The execution ended.
    Finished {
        /// How.
        status: Status,
    },
    /// The watcher was too slow.
    Lost {
        /// How many events of the process it has missed.
        events: u64,
    },
}

impl From<&ProgressEvent> for Line {
    fn from(event: &ProgressEvent) -> Self {
        let (unit, said) = said(&event.progress);
        Self {
            at: event.at,
            execution: event.execution,
            depth: event.depth,
            step: unit.map(|unit| unit.step),
            item: unit.and_then(|unit| unit.item),
            said,
        }
    }
}

fn said(progress: &Progress) -> (Option<UnitId>, Said) {
    match progress {
        Progress::StepStarted { unit, task, action } => {
            (Some(*unit), Said::StepStarted { task: task.clone(), action: action.clone() })
        }
        Progress::StepSkipped { unit, task } => (Some(*unit), Said::StepSkipped { task: task.clone() }),
        Progress::Log { unit, line } => (Some(*unit), log(line)),
        Progress::Heartbeat { unit, progress } => (Some(*unit), Said::Heartbeat { progress: progress.clone() }),
        Progress::Request { unit, summary } => {
            let result = summary.result.as_ref().map_or_else(Clone::clone, ToString::to_string);
            let elapsed_ms = u64::try_from(summary.elapsed.as_millis()).unwrap_or(u64::MAX);
            let (method, target, path) = (summary.method.clone(), summary.target.clone(), summary.path.clone());
            (Some(*unit), Said::Request { method, target, path, result, elapsed_ms })
        }
        Progress::StepFinished { unit, status, failure } => {
            (Some(*unit), Said::StepFinished { status: *status, failure: failure.clone() })
        }
        Progress::StepDelayed { unit, until, reason } => {
            (Some(*unit), Said::StepDelayed { until: *until, reason: *reason })
        }
        Progress::WaitOpened { unit, task, wait } => {
            (Some(*unit), Said::WaitOpened { task: task.clone(), wait: wait.clone() })
        }
        Progress::CancelRequested { by } => (None, Said::CancelRequested { by: by.clone() }),
        Progress::StatusChanged { status } => (None, Said::StatusChanged { status: *status }),
        Progress::Finished { status } => (None, Said::Finished { status: *status }),
    }
}

fn log(line: &LogLine) -> Said {
    let level = match line.level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    };
    Said::Log { level: level.to_owned(), message: line.message.clone(), fields: line.fields.clone() }
}
